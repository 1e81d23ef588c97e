#include "scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
/* cmocka needs what stands above */
#include <cmocka.h>

static void run(DoctorScene *scene, DoctorId id, DoctorOutcome outcome)
{
    Error err = ERROR_INIT;
    findings_done(scene->findings);
    scene->n_of = 0;
    if (doctor_run(scene, id, &err) < 0)
        fail_msg("%s", err.message);
    if (scene->results[id].outcome != outcome)
        fail_msg("%s: outcome %d, %s", doctor_checks[id].name, scene->results[id].outcome, scene->results[id].reason);
}

void assert_fires(DoctorScene *scene, DoctorId id, const char *text)
{
    bool found = false;
    run(scene, id, DOCTOR_RAN);
    for (size_t i = 0; i < scene->findings->n; i++) {
        const Finding *finding = &scene->findings->v[i];
        assert_int_equal(scene->of[i], id);
        found = found || (finding->severity > FINDING_NOTE && strstr(finding->message, text) && finding->hint);
    }
    if (!found)
        fail_msg("%s did not find \"%s\", but %zu other things", doctor_checks[id].name, text, scene->findings->n);
}

void assert_silent(DoctorScene *scene, DoctorId id)
{
    run(scene, id, DOCTOR_RAN);
    if (findings_count(scene->findings, FINDING_WARNING) > 0)
        fail_msg("%s: %s", doctor_checks[id].name, scene->findings->v[0].message);
}

void assert_skipped(DoctorScene *scene, DoctorId id, const char *reason)
{
    run(scene, id, DOCTOR_SKIPPED);
    assert_non_null(strstr(scene->results[id].reason, reason));
}
