#include "chart.h"

#include <math.h>
#include <stdio.h>

#include "kura/mem.h"
#include "kura/words.h"

/* Where the plot lies within its picture, in percent: room for the scale at its left, for dots, for dates below. */
static const double left = 15, width = 83.5, top = 12, height = 72;
enum { GRID_LINES = 4, FIGURES_MAX = 400 };

const char *chart_value(Html *h, ChartUnit unit, double value)
{
    return unit == CHART_BYTES ? html_bytes(h, (uint64_t)value) : html_seconds(h, value);
}

/* ---- scale ---- */

typedef struct Scale {
    ChartUnit unit;
    double step, max;
    time_t first, last;
} Scale;

/* The least of 1, 2, 5, 10, 20.. that divides value into GRID_LINES at most. */
static double decimal_step(double value)
{
    double step = 1;
    for (int i = 0; value / step > GRID_LINES; i++)
        step *= i % 3 == 1 ? 2.5 : 2;
    return step;
}

static double bytes_step(double max)
{
    double unit = 1;
    while (max / unit >= 1024)
        unit *= 1024;
    return decimal_step(max / unit) * unit;
}

static double seconds_step(double max)
{
    static const double steps[] = {0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400};
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
        if (max / steps[i] <= GRID_LINES)
            return steps[i];
    return decimal_step(max / 86400) * 86400;
}

static Scale scale_of(const Chart *chart)
{
    double max = 0;
    for (size_t i = 0; i < chart->n; i++)
        max = fmax(max, chart->points[i].value);
    if (!(max > 0))
        max = 1;
    double step = chart->unit == CHART_BYTES ? bytes_step(max) : seconds_step(max);
    return (Scale){.unit = chart->unit,
                   .step = step,
                   .max = ceil(max / step) * step,
                   .first = chart->points[0].at,
                   .last = chart->points[chart->n - 1].at};
}

/* Bars stand side by side; points where their moment is. */
static double x_of(const Chart *chart, const Scale *scale, size_t i)
{
    if (chart->bars)
        return left + width * ((double)i + 0.5) / (double)chart->n;
    if (scale->last <= scale->first)
        return left + width * ((double)i + 1) / ((double)chart->n + 1);
    return left + width * (double)(chart->points[i].at - scale->first) / (double)(scale->last - scale->first);
}

static double y_of(const Scale *scale, double value)
{
    return top + height * (1 - value / scale->max);
}

/* ---- drawing ---- */

/* "20 s", "5 min", "2 h", "500 MiB": without the digits that a round value does not need. */
static const char *tick(Html *h, const Scale *scale, double value)
{
    static const char *const sizes[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    char text[TEXT_SIZE];
    size_t unit = 0;
    if (scale->unit == CHART_BYTES) {
        for (; value >= 1024 && unit + 1 < ARRAY_SIZE(sizes); unit++)
            value /= 1024;
        snprintf(text, sizeof text, "%g %s", value, sizes[unit]);
    } else if (scale->max <= 60) {
        snprintf(text, sizeof text, _("%g s"), value);
    } else {
        snprintf(text, sizeof text, scale->max <= 5400 ? _("%g min") : _("%g h"),
                 value / (scale->max <= 5400 ? 60 : 3600));
    }
    return html_copy(h, text);
}

static void draw_grid(Html *h, const Scale *scale)
{
    for (int i = 0; i * scale->step <= scale->max * 1.001; i++) {
        const char *y = html_number(h, y_of(scale, i * scale->step));
        html(h, "<line class={=} x1=0 x2=100% y1={=}% y2={=}% />", i == 0 ? "axis" : "grid", y, y);
        if (i > 0)
            html(h, "<text x=0 y={=}% dy=-4>{}</text>", y, tick(h, scale, i * scale->step));
    }
}

static void draw_bars(Html *h, const Chart *chart, const Scale *scale)
{
    double room = width / (double)chart->n, wide = fmin(room * 0.72, 6);
    for (size_t i = 0; i < chart->n; i++) {
        double y = y_of(scale, chart->points[i].value);
        html(h, "<rect class=bar x={=}% width={=}% y={=}% height={=}% />",
             html_number(h, x_of(chart, scale, i) - wide / 2), html_number(h, wide), html_number(h, y),
             html_number(h, top + height - y));
    }
}

/* What lies below the curve, in a picture of its own that is stretched. */
static void draw_area(Html *h, const Chart *chart, const Scale *scale)
{
    html(h,
         "<svg class=area viewBox=\"0 0 100 100\" preserveAspectRatio=none width=100% height=100%><path d=\"M{=} {=}",
         html_number(h, x_of(chart, scale, 0)), html_number(h, top + height));
    for (size_t i = 0; i < chart->n; i++)
        html(h, "L{=} {=}", html_number(h, x_of(chart, scale, i)), html_number(h, y_of(scale, chart->points[i].value)));
    html(h, "V{=}Z\"/></svg>", html_number(h, top + height));
}

static void draw_curve(Html *h, const Chart *chart, const Scale *scale)
{
    draw_area(h, chart, scale);
    for (size_t i = 1; i < chart->n; i++)
        html(h, "<line class=curve x1={=}% y1={=}% x2={=}% y2={=}% />", html_number(h, x_of(chart, scale, i - 1)),
             html_number(h, y_of(scale, chart->points[i - 1].value)), html_number(h, x_of(chart, scale, i)),
             html_number(h, y_of(scale, chart->points[i].value)));
}

/* The last one always, all where there is room for them, and those with a note in a shape of their own. */
static void draw_dots(Html *h, const Chart *chart, const Scale *scale)
{
    for (size_t i = 0; i < chart->n; i++) {
        const char *x = html_number(h, x_of(chart, scale, i)), *y = html_number(h, y_of(scale, chart->points[i].value));
        if (chart->points[i].note)
            html(h, "<svg x={=}% y={=}% overflow=visible><path class=noted d=\"M0-6L6 0L0 6L-6 0Z\"/></svg>", x, y);
        else if (i + 1 == chart->n)
            html(h, "<circle class=last cx={=}% cy={=}% r=5 />", x, y);
        else if (chart->n <= 40)
            html(h, "<circle class=dot cx={=}% cy={=}% r=2.5 />", x, y);
    }
}

static void draw_dates(Html *h, const Scale *scale)
{
    if (scale->last > scale->first)
        html(h, "<text x=0 y=100% dy=-3>{}</text>", html_short_day(h, scale->first));
    html(h, "<text class=end x=100% y=100% dy=-3>{}</text>", html_short_day(h, scale->last));
}

/* ---- words ---- */

/* "Last 1 min 02 s; between 58.0 s and 1 min 10 s in 14 values." */
static const char *sentence(Html *h, const Chart *chart)
{
    double least = chart->points[0].value, most = least, last = chart->points[chart->n - 1].value;
    for (size_t i = 1; i < chart->n; i++) {
        least = fmin(least, chart->points[i].value);
        most = fmax(most, chart->points[i].value);
    }
    char text[HTML_SLOT_SIZE];
    if (chart->n == 1)
        snprintf(text, sizeof text, _("%s, the first value"), chart_value(h, chart->unit, last));
    else
        snprintf(text, sizeof text, _("last %s, lowest %s, highest %s"), chart_value(h, chart->unit, last),
                 chart_value(h, chart->unit, least), chart_value(h, chart->unit, most));
    return html_copy(h, text);
}

static void figures(Html *h, const Chart *chart)
{
    size_t from = chart->n > FIGURES_MAX ? chart->n - FIGURES_MAX : 0;
    html(h, "<details><summary>{}</summary>\n", html_words(h, _("The figures of \u201c%s\u201d"), chart->title));
    html(h,
         "<div class=scroll role=region tabindex=0 aria-labelledby={=}-t><table class=figures><caption "
         "id={=}-t><span>{}{}{}</span>"
         "</caption><thead><tr><th scope=col>{}</th><th scope=col class=n>{}</th>",
         chart->id, chart->id, chart->title, chart->of ? ", " : "", chart->of, chart->when, chart->value);
    if (chart->note)
        html(h, "<th scope=col>{}</th>", chart->note);
    html(h, "</tr></thead><tbody>\n");
    for (size_t i = chart->n; i-- > from;) {
        html(h, "<tr><th scope=row>{}</th><td class=n>{}</td>", html_minute(h, chart->points[i].at),
             chart_value(h, chart->unit, chart->points[i].value));
        if (chart->note)
            html(h, "<td>{}</td>", chart->points[i].note ? chart->points[i].note : "");
        html(h, "</tr>\n");
    }
    html(h, "</tbody></table></div></details>\n");
}

void chart_figure(Html *h, const Chart *chart)
{
    Scale scale = scale_of(chart);
    const char *told = sentence(h, chart);
    html(h, "<figure class=chart><figcaption><strong>{}</strong> <span>{}</span></figcaption>\n", chart->title, told);
    html(h, "<svg class=plot role=img aria-label=\"{=}: {=}\">", chart->title, told);
    draw_grid(h, &scale);
    if (chart->bars) {
        draw_bars(h, chart, &scale);
    } else {
        draw_curve(h, chart, &scale);
        draw_dots(h, chart, &scale);
    }
    draw_dates(h, &scale);
    html(h, "</svg>\n");
    figures(h, chart);
    html(h, "</figure>\n");
}

/* ---- in cells ---- */

void chart_stretch(Html *h, double from, double share)
{
    double wide = share > 0 ? fmax(fmin(share, 1) * 100, 0.6) : 0;
    html(h,
         "<svg class=stretch aria-hidden=true><rect class=whole width=100% height=100% rx=3 /><rect class=part x={=}% "
         "width={=}% height=100% rx=3 /></svg>",
         html_number(h, fmin(from * 100, 100 - wide)), html_number(h, wide));
}

void chart_spark(Html *h, const double *values, size_t n)
{
    double least = INFINITY, most = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        least = fmin(least, values[i]);
        most = fmax(most, values[i]);
    }
    if (n < 2)
        return;
    double range = most > least ? most - least : 1, flat = most > least ? 0 : 0.5, y = 0;
    html(h, "<svg class=spark viewBox=\"0 0 84 22\" width=84 height=22 aria-hidden=true><polyline points=\"");
    for (size_t i = 0; i < n; i++) {
        y = 19 - 16 * ((values[i] - least) / range + flat);
        html(h, "{=},{=} ", html_number(h, 2 + 76 * (double)i / (double)(n - 1)), html_number(h, y));
    }
    html(h, "\"/><circle cx=78 cy={=} r=2.5 /></svg>", html_number(h, y));
}
