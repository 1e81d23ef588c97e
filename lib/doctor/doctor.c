/* Running checks, and what they report with. */
#include <stdarg.h>
#include <stdio.h>

#include "cluster.h"
#include "doctor_priv.h"
#include "kura/mem.h"
#include "kura/words.h"
#include "redisview.h"

void doctor_done(DoctorScene *scene)
{
    repo_close(scene->repo);
    manifest_free(scene->newest);
    doctor_replicas_free(scene->replicas);
    pg_close(scene->conn);
    redis_views_free(scene->redis_views);
    clusters_free(scene->clusters);
    for (size_t i = 0; i < DOCTOR_COUNT; i++)
        free(scene->results[i].reason);
    free(scene->of);
}

/* ---- one check ---- */

/* Says of the findings that are new which check they come from. */
static void claim_findings(DoctorScene *scene)
{
    while (scene->n_of < scene->findings->n) {
        xgrow(&scene->of, &scene->cap_of, scene->n_of);
        scene->of[scene->n_of++] = scene->current;
    }
}

int doctor_run(DoctorScene *scene, DoctorId id, Error *err)
{
    Error why = ERROR_INIT;
    DoctorResult *result = &scene->results[id];
    scene->current = id;
    result->outcome = DOCTOR_RAN;
    if (doctor_checks[id].run(scene, &why) < 0) {
        if (why.code == ERR_INTERRUPTED) {
            *err = why;
            return -1;
        }
        result->outcome = DOCTOR_FAILED;
        result->reason = xstrdup(why.message);
        doctor_report_as(scene, FINDING_WARNING, why.hint[0] ? why.hint : NULL, "this could not be looked at: %s",
                         why.message);
    }
    claim_findings(scene);
    return 0;
}

/* What the scene's findings hold before the first check is about what was read to make the scene. */
int check_configuration(DoctorScene *scene, Error *err)
{
    return 0;
}

/* ---- reporting ---- */

static void report(DoctorScene *scene, Severity severity, const char *remedy, const char *format, va_list args)
{
    _cleanup_free_ char *evidence = xvasprintf(words_get(format), args);
    findings_add(scene->findings, severity, doctor_checks[scene->current].name, remedy, "%s", evidence);
}

void doctor_report(DoctorScene *scene, const char *remedy, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    report(scene, doctor_checks[scene->current].severity, remedy, format, args);
    va_end(args);
}

void doctor_report_as(DoctorScene *scene, Severity severity, const char *remedy, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    report(scene, severity, remedy, format, args);
    va_end(args);
}

int doctor_report_error(DoctorScene *scene, const char *code, const Error *why, Error *err)
{
    if (why->code == ERR_INTERRUPTED) {
        *err = *why;
        return -1;
    }
    findings_add(scene->findings, FINDING_ERROR, code, why->hint[0] ? why->hint : NULL, "%s", why->message);
    return 0;
}

int doctor_skip(DoctorScene *scene, const char *format, ...)
{
    DoctorResult *result = &scene->results[scene->current];
    va_list args;
    va_start(args, format);
    result->outcome = DOCTOR_SKIPPED;
    free(result->reason);
    result->reason = xvasprintf(words_get(format), args);
    va_end(args);
    return 0;
}

/* ---- what checks need ---- */

bool doctor_has_site(DoctorScene *scene)
{
    if (scene->site == NULL)
        doctor_skip(scene, "no directory of an application is named");
    return scene->site != NULL;
}

bool doctor_has_repo(DoctorScene *scene)
{
    if (scene->store == NULL)
        doctor_skip(scene, "no repository is named");
    else if (scene->repo == NULL)
        doctor_skip(scene, "the repository is not open");
    return scene->repo != NULL;
}
