/* How an application stands: how often backups are made as a rule, and where one was to be expected and is not. */
#include <stdlib.h>
#include <string.h>

#include "kura/mem.h"
#include "kura/report.h"

enum { DAY = 24 * 60 * 60, MONTH = 30, YEAR = 366 }; /* the latter two in days */

static time_t day_of(time_t moment)
{
    return moment / DAY * DAY;
}

static int by_number(const void *a, const void *b)
{
    unsigned left = *(const unsigned *)a, right = *(const unsigned *)b;
    return (left > right) - (left < right);
}

/* The median of the days between one day with a backup and the next. */
static unsigned interval_of(const ReportApp *app)
{
    size_t n = 0;
    _cleanup_free_ unsigned *days = xcalloc(app->n_backups + 1, sizeof *days);
    for (size_t i = 1; i < app->n_backups; i++) {
        time_t apart = day_of(app->backups[i]->started) - day_of(app->backups[i - 1]->started);
        if (apart > 0)
            days[n++] = (unsigned)(apart / DAY);
    }
    if (n == 0)
        return 1;
    qsort(days, n, sizeof *days, by_number);
    return days[n / 2];
}

static void add_gap(ReportApp *app, time_t from, time_t until, time_t now)
{
    time_t oldest = day_of(now) - (time_t)YEAR * DAY;
    if (from < oldest)
        from = oldest;
    if (from > until)
        return;
    app->gaps = xreallocarray(app->gaps, app->n_gaps + 1, sizeof *app->gaps);
    app->gaps[app->n_gaps++] = (ReportGap){.from = from, .until = until};
    app->missed_lately |= until >= day_of(now) - (time_t)MONTH * DAY;
    app->days_missing += (unsigned)((until - from) / DAY) + 1;
}

/* Days from the one on which the next backup was due up to the last one without. Today still has time. */
static void find_gaps(ReportApp *app, time_t now)
{
    time_t step = (time_t)app->interval * DAY;
    for (size_t i = 0; i < app->n_backups; i++) {
        time_t due = day_of(app->backups[i]->started) + step;
        time_t next = i + 1 < app->n_backups ? day_of(app->backups[i + 1]->started) : day_of(now);
        if (due < next)
            add_gap(app, due, next - DAY, now);
    }
    const BackupBrief *last = app->backups[app->n_backups - 1];
    app->overdue = now - last->started > step + step / 2;
}

static void join_rehearsals(ReportApp *app, const RepositoryReport *report)
{
    for (size_t i = 0; i < report->n_rehearsals; i++) {
        if (strcmp(report->rehearsals[i].app, app->app) != 0)
            continue;
        app->rehearsals = xreallocarray(app->rehearsals, app->n_rehearsals + 1, sizeof *app->rehearsals);
        app->rehearsals[app->n_rehearsals++] = &report->rehearsals[i];
        if (report->rehearsals[i].verdict == VERDICT_PASSED)
            app->last_passed = &report->rehearsals[i];
    }
    for (size_t i = 0; i < app->n_backups; i++)
        app->never_rehearsed += report_last_rehearsal(report, app->backups[i]->id) == NULL;
}

static int by_app(const void *a, const void *b)
{
    return strcmp(((const ReportApp *)a)->app, ((const ReportApp *)b)->app);
}

static ReportApp *app_of(ReportApp **apps, size_t *n, const char *name)
{
    for (size_t i = 0; i < *n; i++)
        if (strcmp((*apps)[i].app, name) == 0)
            return &(*apps)[i];
    *apps = xreallocarray(*apps, *n + 1, sizeof **apps);
    (*apps)[*n] = (ReportApp){.app = name};
    return &(*apps)[(*n)++];
}

ReportApp *report_apps(const RepositoryReport *report, size_t *ret_n)
{
    ReportApp *apps = NULL;
    size_t n = 0;
    for (size_t i = 0; i < report->n_backups; i++) {
        ReportApp *app = app_of(&apps, &n, report->backups[i].app);
        app->backups = xreallocarray(app->backups, app->n_backups + 1, sizeof *app->backups);
        app->backups[app->n_backups++] = &report->backups[i];
    }
    for (size_t i = 0; i < n; i++) {
        apps[i].interval = interval_of(&apps[i]);
        find_gaps(&apps[i], report->now);
        join_rehearsals(&apps[i], report);
    }
    if (n > 0)
        qsort(apps, n, sizeof *apps, by_app);
    *ret_n = n;
    return apps;
}

void report_apps_free(ReportApp *apps, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(apps[i].backups);
        free(apps[i].rehearsals);
        free(apps[i].gaps);
    }
    free(apps);
}
