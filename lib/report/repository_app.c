/* One application on a repository's page: figures, calendar, what is missing, curves, all backups. */
#include <stdio.h>

#include "chart.h"
#include "kura/mem.h"
#include "kura/words.h"
#include "repository_page.h"

enum { CURVE_MAX = 366, GAPS_SHOWN = 10 };

static const BackupBrief *last_backup(const ReportApp *app)
{
    return app->backups[app->n_backups - 1];
}

static void last_rehearsal_figure(Html *h, const AppPage *page)
{
    static const char *const words[] = {N_("Passed"), N_("Findings"), N_("Failed")};
    const RehearsalBrief *last = last_rehearsal(page->app);
    figure_begin(h, _("Last rehearsal"), last ? words_get(words[last->verdict]) : _("Never"));
    if (last) {
        html(h, "{}",
             html_words(h, _("%s ago, restored in %s"), html_age(h, (double)(page->report->now - last->started)),
                        html_seconds(h, last->restore_seconds)));
        if (last->verdict != VERDICT_PASSED && page->app->last_passed)
            html(h, "{}",
                 html_words(h, _("; one passed %s ago"),
                            html_age(h, (double)(page->report->now - page->app->last_passed->started))));
        else if (last->verdict != VERDICT_PASSED)
            html(h, "{}", _("; none ever passed"));
    } else {
        html(h, "{}", _("\u201ckura rehearse latest\u201d proves that a backup would come back"));
    }
    figure_end(h);
}

static void app_figures(Html *h, const AppPage *page)
{
    const ReportApp *app = page->app;
    const BackupBrief *last = last_backup(app);
    html(h, "<dl class=figures>\n");
    figure_begin(h, _("Last backup"), html_age(h, (double)(page->report->now - last->started)));
    html(h, "{}",
         html_words(h,
                    app->overdue ? _("ago, overdue; as a rule there is one every %s")
                                 : _("ago; as a rule there is one every %s"),
                    app->interval == 1 ? _("day")
                                       : html_counted(h, app->interval, ngettext("%s day", "%s days", app->interval))));
    figure_end(h);
    last_rehearsal_figure(h, page);
    figure_begin(h, _("Size"), html_bytes(h, last->row_bytes + last->file_bytes));
    html(h, "{}",
         html_words(h, _("%s and %s"), html_counted(h, last->rows, ngettext("%s row", "%s rows", last->rows)),
                    html_counted(h, last->files, ngettext("%s file", "%s files", last->files))));
    figure_end(h);
    figure_begin(h, _("Backups"), html_count(h, app->n_backups));
    html(h, "{}",
         html_words(h, _("since %s; %s never rehearsed"), html_day(h, app->backups[0]->started),
                    html_count(h, app->never_rehearsed)));
    figure_end(h);
    html(h, "</dl>\n");
}

static void missing(Html *h, const AppPage *page)
{
    const ReportApp *app = page->app;
    if (app->n_gaps == 0)
        return;
    size_t from = app->n_gaps > GAPS_SHOWN ? app->n_gaps - GAPS_SHOWN : 0;
    html(h, "<h3>{}</h3>\n<p class=aside>{}</p><ul class=gaps>", _("Days without a backup"),
         html_words(h,
                    from ? _("%s where one was to be expected; the last of them are.")
                         : _("%s where one was to be expected."),
                    html_counted(h, app->days_missing, ngettext("%s day", "%s days", app->days_missing))));
    for (size_t i = app->n_gaps; i-- > from;) {
        const ReportGap *gap = &app->gaps[i];
        if (gap->from == gap->until)
            html(h, "<li>{}</li>", html_day(h, gap->from));
        else
            html(h, "<li>{}</li>", html_words(h, _("%s to %s"), html_day(h, gap->from), html_day(h, gap->until)));
    }
    html(h, "</ul>\n");
}

static double size_of(const BackupBrief *backup)
{
    return (double)(backup->row_bytes + backup->file_bytes);
}

static double added_by(const BackupBrief *backup)
{
    return (double)backup->stored_new;
}

static double took(const BackupBrief *backup)
{
    return (double)(backup->finished - backup->started);
}

static void backup_chart(Html *h, const AppPage *page, const Chart *like, double (*value)(const BackupBrief *))
{
    const ReportApp *app = page->app;
    char id[64];
    size_t first = like->bars && app->n_backups > 1; /* the first one adds everything, and would dwarf the others */
    size_t from = app->n_backups > CURVE_MAX ? app->n_backups - CURVE_MAX : first, n = app->n_backups - from;
    _cleanup_free_ ChartPoint *points = xcalloc(n, sizeof *points);
    for (size_t i = 0; i < n; i++)
        points[i] = (ChartPoint){.at = app->backups[from + i]->started, .value = value(app->backups[from + i])};
    snprintf(id, sizeof id, "%s-%zu", like->id, page->number);
    Chart chart = *like;
    chart.id = id;
    chart.of = app->app;
    chart.when = _("Backup");
    chart.points = points;
    chart.n = n;
    chart_figure(h, &chart);
}

static void restore_chart(Html *h, const AppPage *page)
{
    const ReportApp *app = page->app;
    char id[64];
    size_t n = 0, from = app->n_rehearsals > CURVE_MAX ? app->n_rehearsals - CURVE_MAX : 0;
    _cleanup_free_ ChartPoint *points = xcalloc(app->n_rehearsals + 1, sizeof *points);
    for (size_t i = from; i < app->n_rehearsals; i++) {
        const RehearsalBrief *rehearsal = app->rehearsals[i];
        if (rehearsal->restore_seconds > 0)
            points[n++] = (ChartPoint){
                .at = rehearsal->started,
                .value = rehearsal->restore_seconds,
                .note = rehearsal->verdict == VERDICT_PASSED ? NULL : words_get(verdict_name(rehearsal->verdict))};
    }
    snprintf(id, sizeof id, "restore-%zu", page->number);
    if (n > 0)
        chart_figure(h, &(Chart){.id = id,
                                 .title = _("Time to restore"),
                                 .of = app->app,
                                 .when = _("Rehearsal"),
                                 .value = _("Restored in"),
                                 .note = _("Verdict"),
                                 .unit = CHART_SECONDS,
                                 .points = points,
                                 .n = n});
}

static void charts(Html *h, const AppPage *page)
{
    html(h, "<h3>{}</h3>\n<div class=charts>\n", _("Over time"));
    backup_chart(
        h, page,
        &(Chart){.id = "size", .title = _("Size of the site"), .value = _("Rows and files"), .unit = CHART_BYTES},
        size_of);
    backup_chart(h, page,
                 &(Chart){.id = "added",
                          .title = _("Added to the repository by each further backup"),
                          .value = _("Added"),
                          .unit = CHART_BYTES,
                          .bars = true},
                 added_by);
    backup_chart(h, page,
                 &(Chart){.id = "took", .title = _("Time to back up"), .value = _("Took"), .unit = CHART_SECONDS},
                 took);
    restore_chart(h, page);
    html(h, "</div>\n");
}

static void backup_head(Html *h, const void *ctx)
{
    (void)ctx;
    html(h,
         "<th scope=col>{}</th><th scope=col>{}</th><th scope=col class=n>{}</th><th scope=col class=n>{}</th><th "
         "scope=col class=n>{}</th><th scope=col class=n>{}</th>",
         _("Backup"), _("Last rehearsal"), _("Size"), _("Added"), _("Took"), _("Warnings"));
}

static void rehearsal_cell(Html *h, const RehearsalBrief *rehearsal)
{
    static const char *const words[] = {N_("Passed"), N_("Findings"), N_("Failed")};
    html(h, "<td>");
    if (rehearsal == NULL)
        badge(h, TONE_QUIET, _("Never"));
    else
        badge(h, tone_of(rehearsal->verdict), words_get(words[rehearsal->verdict]));
    if (rehearsal)
        html(h, " <span class=why>{}</span>", html_short_day(h, rehearsal->started));
    html(h, "</td>");
}

/* The newest first. */
static void backup_row(Html *h, const void *ctx, size_t i)
{
    const AppPage *page = ctx;
    const BackupBrief *backup = page->app->backups[page->app->n_backups - 1 - i];
    html(h, "<th scope=row>{} <span class=why><code>{}</code></span></th>", html_minute(h, backup->started),
         backup->id);
    rehearsal_cell(h, report_last_rehearsal(page->report, backup->id));
    html(h, "<td class=n>{}</td><td class=n>{}</td><td class=n>{}</td><td class=n>{}</td>",
         html_bytes(h, backup->row_bytes + backup->file_bytes), html_bytes(h, backup->stored_new),
         html_seconds(h, took(backup)), html_count(h, backup->warnings));
}

void app_section(Html *h, const AppPage *page)
{
    char id[32], list[32];
    snprintf(id, sizeof id, "app-%zu", page->number);
    snprintf(list, sizeof list, "backups-%zu", page->number);
    html(h, "<section class=app aria-labelledby={=}><h2 id={=}><bdi>{}</bdi></h2>\n", id, id, page->app->app);
    app_figures(h, page);
    html(h, "<h3>{}</h3>\n", _("Calendar"));
    calendar(h, page->report, page->app);
    missing(h, page);
    charts(h, page);
    html(h, "<h3>{}</h3>\n", _("Backups"));
    _cleanup_free_ char *caption = xasprintf(_("Backups of %s, newest first"), page->app->app);
    list_table(h, &(ListTable){.id = list,
                               .caption = caption,
                               .noun = _("backups"),
                               .n = page->app->n_backups,
                               .head = backup_head,
                               .row = backup_row,
                               .ctx = page});
    section_end(h);
}
