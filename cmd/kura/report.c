/* The page of a repository, and the same as JSON. */
#include "kura/report.h"

#include "commands.h"
#include "kura/clock.h"
#include "kura/words.h"
#include "pagefile.h"
#include "screen.h"
#include "survey.h"
#include "text.h"

static json_t *json_of_moment(time_t moment)
{
    char text[32];
    clock_format_utc(moment, text, sizeof text);
    return json_string(text);
}

static json_t *json_of_backup_brief(const RepositoryReport *report, const BackupBrief *backup)
{
    return json_pack("{s:o, s:o, s:f, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "id", json_text(backup->id), "started",
                     json_of_moment(backup->started), "seconds", (double)(backup->finished - backup->started), "rows",
                     (json_int_t)backup->rows, "row_bytes", (json_int_t)backup->row_bytes, "files",
                     (json_int_t)backup->files, "file_bytes", (json_int_t)backup->file_bytes, "stored_new",
                     (json_int_t)backup->stored_new, "warnings", (json_int_t)backup->warnings, "rehearsal",
                     json_of_rehearsal_brief(report_last_rehearsal(report, backup->id), report->now));
}

static json_t *json_of_gaps(const ReportApp *app)
{
    json_t *gaps = json_array();
    for (size_t i = 0; i < app->n_gaps; i++)
        json_array_append_new(gaps, json_pack("{s:o, s:o}", "from", json_of_moment(app->gaps[i].from), "until",
                                              json_of_moment(app->gaps[i].until)));
    return gaps;
}

static json_t *json_of_app(const RepositoryReport *report, const ReportApp *app)
{
    json_t *backups = json_array(), *rehearsals = json_array();
    const BackupBrief *last = app->backups[app->n_backups - 1];
    for (size_t i = 0; i < app->n_backups; i++)
        json_array_append_new(backups, json_of_backup_brief(report, app->backups[i]));
    for (size_t i = 0; i < app->n_rehearsals; i++)
        json_array_append_new(rehearsals, json_of_rehearsal_brief(app->rehearsals[i], report->now));
    return json_pack("{s:o, s:I, s:i, s:b, s:o, s:i, s:I, s:o, s:o, s:o}", "app", json_text(app->app),
                     "last_backup_age", (json_int_t)(report->now - last->started), "interval_days", (int)app->interval,
                     "overdue", app->overdue, "missing", json_of_gaps(app), "days_missing", (int)app->days_missing,
                     "never_rehearsed", (json_int_t)app->never_rehearsed, "last_passed",
                     json_of_rehearsal_brief(app->last_passed, report->now), "backups", backups, "rehearsals",
                     rehearsals);
}

static json_t *json_of_report(const RepositoryReport *report, const char *output)
{
    size_t n;
    json_t *array = json_array();
    ReportApp *apps = report_apps(report, &n);
    _cleanup_free_ char *verdict = report_repository_verdict(report);
    for (size_t i = 0; i < n; i++)
        json_array_append_new(array, json_of_app(report, &apps[i]));
    report_apps_free(apps, n);
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "repository", json_text(report->repository), "now",
                     json_of_moment(report->now), "output", json_text(output), "verdict", json_text(verdict), "apps",
                     array);
}

static int add_backup(Session *session, const char *id, RepositoryReport *report, Error *err)
{
    _cleanup_(manifest_free_cleanup) Manifest *manifest = NULL;
    if (survey_backup(session, id, &manifest, err) < 0)
        return -1;
    if (manifest != NULL)
        report_add_backup(report, manifest);
    return 0;
}

static int survey(Session *session, RepositoryReport *report, Error *err)
{
    _cleanup_(strvec_done) StrVec ids = {0};
    if (session_open_repo(session, err) < 0 || manifest_list(session->repo, &ids, err) < 0)
        return -1;
    report->repository = store_name(session->store);
    for (size_t i = 0; i < ids.n; i++)
        if (add_backup(session, ids.v[i], report, err) < 0)
            return -1;
    return survey_rehearsals(session, report, err);
}

static void print_verdict(FILE *out, const RepositoryReport *report, const char *path)
{
    _cleanup_free_ char *verdict = report_repository_verdict(report), *shown = text_escaped(verdict),
                        *file = text_escaped(path);
    fprintf(out, _("%s\nThe page is %s\n"), shown, file);
}

static int print_page(FILE *out, const RepositoryReport *report, Error *err)
{
    _cleanup_(buf_done) Buf page = BUF_INIT(REPORT_MAX);
    if (report_repository_html(report, &page, err) < 0)
        return -1;
    fwrite(page.data, 1, page.len, out); /* close_output() tells whether that went well */
    return 0;
}

int command_report(Session *session, Error *err)
{
    const char *path = options_text(session->options, OPT_REPORT_OUTPUT);
    _cleanup_(report_done_cleanup) RepositoryReport report = {.now = time(NULL)};
    if (survey(session, &report, err) < 0 || (path != NULL && pagefile_repository(&report, path, err) < 0))
        return -1;
    if (session->json)
        session_set(session, "report", json_of_report(&report, path));
    else if (path != NULL)
        print_verdict(session->out, &report, path);
    else
        return print_page(session->out, &report, err);
    return 0;
}
