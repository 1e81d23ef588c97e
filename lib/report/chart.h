/* Charts as inline SVG. They stretch with the page, so that their coordinates are percentages; each has its figures as
 * text beside it. */
#ifndef KURA_REPORT_CHART_H
#define KURA_REPORT_CHART_H

#include "html.h"

typedef enum ChartUnit { CHART_SECONDS, CHART_BYTES } ChartUnit;

typedef struct ChartPoint {
    time_t at;
    double value;
    const char *note; /* what else is to be told of it: "failed"; its mark is then another. NULL: nothing */
} ChartPoint;

typedef struct Chart {
    const char *id;                  /* unique on the page, of letters and hyphens */
    const char *title;               /* "Time to restore" */
    const char *of;                  /* of whom, where a page has several of that title; or NULL */
    const char *when, *value, *note; /* titles of the columns of its figures; note NULL: no such column */
    ChartUnit unit;
    bool bars;                /* single amounts, not a development */
    const ChartPoint *points; /* oldest first, at least one */
    size_t n;
} Chart;

/* A figure: title, a sentence with what the curve tells, the curve, its figures to unfold. */
void chart_figure(Html *h, const Chart *chart);
/* The value as its unit has it. */
const char *chart_value(Html *h, ChartUnit unit, double value);

/* In cells of tables, beside their numbers; both are hidden from who cannot see them. */
/* A stretch of a line from 0 to 1. */
void chart_stretch(Html *h, double from, double share);
/* A small curve without axes; nothing where there are fewer than two values. */
void chart_spark(Html *h, const double *values, size_t n);

#endif
