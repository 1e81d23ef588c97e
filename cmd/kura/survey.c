#include "survey.h"

#include <string.h>

#include "kura/clock.h"
#include "kura/stop.h"
#include "screen.h"

DEFINE_CLEANUP(Rehearsal, rehearsal_free)

static int survey_unreadable(Session *session, const char *code, const Error *why, Error *err)
{
    bool for_others = why->code == ERR_KEY && repo_can_read(session->repo);
    if (why->code != ERR_CORRUPT && why->code != ERR_UNSUPPORTED && !for_others) {
        *err = *why;
        return -1;
    }
    findings_add(&session->findings, FINDING_ERROR, code, why->hint[0] ? why->hint : NULL, "%s", why->message);
    return 0;
}

int survey_backup(Session *session, const char *id, Manifest **ret, Error *err)
{
    Error why = ERROR_INIT;
    const char *app = options_text(session->options, OPT_APP);
    _cleanup_(manifest_free_cleanup) Manifest *manifest = NULL;
    *ret = NULL;
    if (stop_check(err) < 0)
        return -1;
    if (manifest_load(session->repo, id, &manifest, &why) < 0)
        return survey_unreadable(session, "backup-unreadable", &why, err);
    if (app == NULL || strcmp(manifest->app, app) == 0)
        *ret = steal(manifest);
    return 0;
}

static int survey_one(Session *session, const char *id, RepositoryReport *report, Error *err)
{
    Error why = ERROR_INIT;
    const char *app = options_text(session->options, OPT_APP);
    _cleanup_(rehearsal_free_cleanup) Rehearsal *rehearsal = NULL;
    if (stop_check(err) < 0)
        return -1;
    if (rehearsal_load(session->repo, id, &rehearsal, &why) < 0)
        return survey_unreadable(session, "rehearsal-unreadable", &why, err);
    if (app == NULL || strcmp(rehearsal->app, app) == 0)
        report_add_rehearsal(report, rehearsal);
    return 0;
}

int survey_rehearsals(Session *session, RepositoryReport *report, Error *err)
{
    _cleanup_(strvec_done) StrVec ids = {0};
    if (rehearsal_list(session->repo, &ids, err) < 0)
        return -1;
    for (size_t i = 0; i < ids.n; i++)
        if (survey_one(session, ids.v[i], report, err) < 0)
            return -1;
    return 0;
}

json_t *json_of_rehearsal_brief(const RehearsalBrief *rehearsal, time_t now)
{
    char started[32];
    if (rehearsal == NULL)
        return json_null();
    clock_format_utc(rehearsal->started, started, sizeof started);
    return json_pack("{s:o, s:o, s:s, s:s, s:I, s:f, s:f, s:I}", "id", json_text(rehearsal->id), "backup",
                     json_text(rehearsal->backup), "verdict", verdict_name(rehearsal->verdict), "started", started,
                     "age", (json_int_t)(now - rehearsal->started), "seconds", rehearsal->seconds, "restore_seconds",
                     rehearsal->restore_seconds, "findings", (json_int_t)rehearsal->findings);
}
