/* How old backups and rehearsals are, as "kura status" judges it. */
#include <time.h>

#include "doctor_priv.h"
#include "kura/mem.h"
#include "kura/standing.h"

enum { DAY = 86400 };
static const StandingLimits usual = {.backup = 2 * DAY, .rehearsal = 40 * DAY};

int check_backup_age(DoctorScene *scene, Error *err)
{
    Error why = ERROR_INIT;
    RunState *own = NULL, *common = NULL;
    if (scene->app == NULL)
        return doctor_skip(scene, "no application is named");
    if (!doctor_has_repo(scene))
        return 0;
    if (!scene->inside)
        return doctor_skip(scene, "this host has no key to the backups");
    Standing standing = {.app = xstrdup(scene->app), .location = xstrdup_null(scene->location), .reached = true};
    if (scene->state_dir && runstate_load(scene->state_dir, scene->app, &own, &why) < 0)
        own = NULL;
    if (scene->state_dir && runstate_load(scene->state_dir, NULL, &common, &why) < 0)
        common = NULL;
    standing_take_runs(&standing, own, common);
    int rc = standing_look(scene->repo, &standing, err);
    if (rc == 0) {
        standing_take_memory(&standing);
        standing_judge(&standing, scene->limits ? scene->limits : &usual, time(NULL), scene->findings);
    }
    standing_done(&standing);
    runstate_free(own);
    runstate_free(common);
    return rc;
}
