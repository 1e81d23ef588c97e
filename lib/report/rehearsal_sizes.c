/* Sizes by table and their growth, filesets, and how it went from rehearsal to rehearsal. */
#include <string.h>

#include "chart.h"
#include "kura/clock.h"
#include "kura/mem.h"
#include "kura/words.h"
#include "rehearsal_page.h"

enum { SPARK_MAX = 12 };

static const RehearsalTable *find_table(const Rehearsal *rehearsal, const RehearsalTable *wanted)
{
    for (size_t i = 0; i < rehearsal->n_tables; i++)
        if (strcmp(rehearsal->tables[i].name, wanted->name) == 0 &&
            strcmp(rehearsal->tables[i].schema, wanted->schema) == 0)
            return &rehearsal->tables[i];
    return NULL;
}

static const Rehearsal *previous(const RehearsalPage *page)
{
    return page->n_earlier ? page->earlier[page->n_earlier - 1] : NULL;
}

/* "+1.2 MiB", "-3 B", "0". */
static void growth(Html *h, uint64_t before, uint64_t after)
{
    if (before == after)
        html(h, "<td class=n>0</td>");
    else
        html(h, "<td class=n>{}{}</td>", after > before ? "+" : "\u2212",
             html_bytes(h, after > before ? after - before : before - after));
}

/* Its sizes in the last rehearsals that had it, this one included. */
static void spark(Html *h, const RehearsalPage *page, const RehearsalTable *table)
{
    double values[SPARK_MAX + 1];
    size_t n = 0, from = page->n_earlier > SPARK_MAX ? page->n_earlier - SPARK_MAX : 0;
    for (size_t i = from; i < page->n_earlier; i++) {
        const RehearsalTable *then = find_table(page->earlier[i], table);
        if (then)
            values[n++] = (double)then->bytes;
    }
    values[n++] = (double)table->bytes;
    html(h, "<td class=spark-cell>");
    chart_spark(h, values, n);
    html(h, "</td>");
}

static void table_head(Html *h, const void *ctx)
{
    const RehearsalPage *page = ctx;
    html(h, "<th scope=col>{}</th><td class=wide-cell></td><th scope=col class=n>{}</th><th scope=col class=n>{}</th>",
         _("Table"), _("Rows"), _("Size"));
    if (page->n_earlier)
        html(h, "<th scope=col class=n>{}</th><td class=spark-cell></td>", _("Since last"));
}

static void table_row(Html *h, const void *ctx, size_t i)
{
    const RehearsalPage *page = ctx;
    const RehearsalTable *table = &page->rehearsal->tables[i];
    uint64_t most = page->rehearsal->tables[0].bytes;
    html(h, "<th scope=row><bdi>{}</bdi>.<bdi>{}</bdi></th><td class=wide-cell>", table->schema, table->name);
    chart_stretch(h, 0, most ? (double)table->bytes / (double)most : 0);
    html(h, "</td><td class=n>{}</td><td class=n>{}</td>", html_count(h, table->rows), html_bytes(h, table->bytes));
    if (page->n_earlier == 0)
        return;
    const RehearsalTable *then = find_table(previous(page), table);
    if (then)
        growth(h, then->bytes, table->bytes);
    else
        html(h, "<td class=n>{}</td>", _("new"));
    if (i < LIST_SHOWN)
        spark(h, page, table);
    else
        html(h, "<td></td>");
}

typedef struct Totals {
    uint64_t rows, bytes;
} Totals;

static Totals totals_of(const Rehearsal *rehearsal)
{
    Totals totals = {0};
    for (size_t i = 0; i < rehearsal->n_tables; i++) {
        totals.rows += rehearsal->tables[i].rows;
        totals.bytes += rehearsal->tables[i].bytes;
    }
    return totals;
}

static void table_foot(Html *h, const void *ctx)
{
    const RehearsalPage *page = ctx;
    Totals totals = totals_of(page->rehearsal);
    html(h, "<th scope=row>{}</th><td class=wide-cell></td><td class=n>{}</td><td class=n>{}</td>",
         html_words(
             h, _("All %s"),
             html_counted(h, page->rehearsal->n_tables, ngettext("%s table", "%s tables", page->rehearsal->n_tables))),
         html_count(h, totals.rows), html_bytes(h, totals.bytes));
    if (page->n_earlier == 0)
        return;
    growth(h, totals_of(previous(page)).bytes, totals.bytes);
    html(h, "<td></td>");
}

static void fileset_row(Html *h, const RehearsalFileset *fileset)
{
    html(h,
         "<tr><th scope=row>{}</th><td class=n>{}</td><td class=n>{}</td><td class=n>{}</td><td class=n>{}</td></tr>\n",
         fileset->name, html_count(h, fileset->files), html_bytes(h, fileset->bytes),
         html_count(h, fileset->sampled_files), html_bytes(h, fileset->sampled_bytes));
}

static void filesets(Html *h, const Rehearsal *rehearsal)
{
    if (rehearsal->n_filesets == 0)
        return;
    section_begin(h, "files", _("Files"));
    table_begin(h, "files-table", "list", _("Filesets; a random sample was read back and hashed"));
    html(h,
         "<thead><tr><th scope=col>{}</th><th scope=col class=n>{}</th><th scope=col class=n>{}</th><th scope=col "
         "class=n>{}</th><th scope=col class=n>{}</th></tr></thead><tbody>\n",
         _("Fileset"), _("Files"), _("Size"), _("Read back"), _("Of that"));
    for (size_t i = 0; i < rehearsal->n_filesets; i++)
        fileset_row(h, &rehearsal->filesets[i]);
    html(h, "</tbody>");
    table_end(h);
    section_end(h);
}

void rehearsal_sizes(Html *h, const RehearsalPage *page)
{
    if (page->rehearsal->n_tables > 0) {
        section_begin(h, "tables", _("Tables"));
        if (page->n_earlier == 0)
            html(h, "<p class=aside>{}</p>\n", _("From the second rehearsal on this shows how the tables grow."));
        list_table(h, &(ListTable){.id = "tables-table",
                                   .caption = _("Largest first; size is that of the rows as text"),
                                   .noun = _("tables"),
                                   .n = page->rehearsal->n_tables,
                                   .head = table_head,
                                   .row = table_row,
                                   .foot = table_foot,
                                   .ctx = page});
        section_end(h);
    }
    filesets(h, page->rehearsal);
}

/* ---- from rehearsal to rehearsal ---- */

static double seconds_of(const Rehearsal *rehearsal)
{
    return rehearsal->restore_seconds;
}

static double bytes_of(const Rehearsal *rehearsal)
{
    return (double)rehearsal->database_bytes;
}

/* Only rehearsals that came so far as to measure it. */
static size_t collect(const RehearsalPage *page, double (*value)(const Rehearsal *), ChartPoint *points)
{
    size_t n = 0;
    for (size_t i = 0; i <= page->n_earlier; i++) {
        const Rehearsal *rehearsal = i < page->n_earlier ? page->earlier[i] : page->rehearsal;
        if (value(rehearsal) > 0)
            points[n++] = (ChartPoint){
                .at = clock_parse_utc(rehearsal->started),
                .value = value(rehearsal),
                .note = rehearsal->verdict == VERDICT_PASSED ? NULL : words_get(verdict_name(rehearsal->verdict))};
    }
    return n;
}

void rehearsal_history(Html *h, const RehearsalPage *page)
{
    ChartPoint seconds[REPORT_EARLIER_MAX + 1], bytes[REPORT_EARLIER_MAX + 1];
    size_t n_seconds = collect(page, seconds_of, seconds), n_bytes = collect(page, bytes_of, bytes);
    Chart chart = {.id = "history-seconds",
                   .title = _("Time to restore"),
                   .when = _("Rehearsal"),
                   .value = _("Restored in"),
                   .note = _("Verdict"),
                   .unit = CHART_SECONDS,
                   .points = seconds,
                   .n = n_seconds};
    if (page->n_earlier == 0 || (n_seconds == 0 && n_bytes == 0))
        return;
    section_begin(h, "history", _("From rehearsal to rehearsal"));
    html(h, "<p class=aside>{}</p><div class=charts>\n", _("A diamond stands for a rehearsal that did not pass."));
    if (n_seconds > 0)
        chart_figure(h, &chart);
    chart.id = "history-bytes";
    chart.title = _("Database on disk");
    chart.value = _("Size");
    chart.unit = CHART_BYTES;
    chart.points = bytes;
    chart.n = n_bytes;
    if (n_bytes > 0)
        chart_figure(h, &chart);
    html(h, "</div>\n");
    section_end(h);
}
