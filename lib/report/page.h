/* What all pages share: head and style, sections, icons, tables that fold what is too much. */
#ifndef KURA_REPORT_PAGE_H
#define KURA_REPORT_PAGE_H

#include "html.h"
#include "kura/report.h"

typedef enum Tone { TONE_GOOD, TONE_LOOK, TONE_BAD, TONE_QUIET } Tone;
Tone tone_of(Verdict verdict);

/* Up to the beginning of <body>. title: markup-free, of the window. */
void page_begin(Html *h, const char *title);
/* The footer, and the end. */
void page_end(Html *h);

/* The banner at the top: what kind of page, of which application, the verdict as its heading. More may follow within it
 * until banner_end. */
void banner_begin(Html *h, Tone tone, const char *kind, const char *app, const char *verdict);
/* <main> begins behind it. */
void banner_end(Html *h);

void section_begin(Html *h, const char *id, const char *title);
void section_end(Html *h);

/* A sign whose shape tells as much as its colour; hidden from who hears the page, so that a word must stand by it. */
void icon(Html *h, Tone tone);
/* Sign and word. */
void badge(Html *h, Tone tone, const char *word);

/* One of the few figures that matter: label, value, and what it means. The latter may be NULL. */
void figure_begin(Html *h, const char *label, const char *value);
void figure_end(Html *h);

/* A table of which the first rows are shown, others folded, and the rest counted. */
typedef struct ListTable {
    const char *id;      /* unique on the page, of letters and hyphens */
    const char *caption; /* also the name of the region that scrolls where the table is too wide */
    const char *noun;    /* "tables" */
    size_t n;
    void (*head)(Html *h, const void *ctx);          /* cells of the header */
    void (*row)(Html *h, const void *ctx, size_t i); /* cells of a row */
    void (*foot)(Html *h, const void *ctx);          /* cells of a last row, or NULL */
    const void *ctx;
} ListTable;
enum { LIST_SHOWN = 20, LIST_FOLDED = 1000 };
void list_table(Html *h, const ListTable *table);

/* The element around a table: scrolls by itself, by keyboard too. */
void table_begin(Html *h, const char *id, const char *class, const char *caption);
void table_end(Html *h);

#endif
