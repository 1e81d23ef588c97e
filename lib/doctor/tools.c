/* Programs that kura runs, and those that the site runs. */
#include <string.h>
#include <unistd.h>

#include "doctor_priv.h"
#include "host.h"
#include "kura/mem.h"
#include "kura/pgtools.h"
#include "kura/words.h"
#include "packages.h"

/* ---- kura's ---- */

/* The major of the server, or of the one that the newest backup comes from; 0: neither is known. */
static int wanted_major(DoctorScene *scene)
{
    if (scene->db && doctor_has_connection(scene))
        return pg_server_version(scene->conn) / 10000;
    return scene->newest && scene->newest->has_database ? scene->newest->database.facts.server_version_num / 10000 : 0;
}

int check_pgtools(DoctorScene *scene, Error *err)
{
    Error why = ERROR_INIT;
    PgTools tools;
    int major = wanted_major(scene);
    if (major == 0)
        return doctor_skip(scene, "neither a server nor a backup of one can be asked for its version");
    scene->results[scene->current].outcome = DOCTOR_RAN;
    if (pgtools_find(scene->pg_bindir, major, &tools, &why) < 0)
        return doctor_report_error(scene, doctor_checks[scene->current].name, &why, err);
    pgtools_done(&tools);
    return 0;
}

/* ---- the site's ---- */

static bool is_in(const DoctorScene *scene, const char *dir, const char *program)
{
    _cleanup_free_ char *path = xasprintf("%s/%s", dir, program), *here = host_path(scene, path);
    return access(here, X_OK) == 0;
}

static bool is_on_path(const DoctorScene *scene, const char *program)
{
    const char *path = scene->path ? scene->path : getenv("PATH");
    _cleanup_free_ char *dirs = xasprintf("%s:/usr/local/bin:/usr/bin:/bin", path ? path : "");
    char *rest = dirs, *dir;
    while ((dir = strsep(&rest, ":")) != NULL)
        if (dir[0] == '/' && is_in(scene, dir, program))
            return true;
    return false;
}

/* "a|b": whether one of them is there; *ret_package is that of the first one that is known to be in any. */
static bool has_one(const DoctorScene *scene, const char *alternatives, const char **ret_package)
{
    _cleanup_free_ char *list = xstrdup(alternatives);
    char *rest = list, *program;
    *ret_package = NULL;
    while ((program = strsep(&rest, "|")) != NULL) {
        if (is_on_path(scene, program))
            return true;
        if (*ret_package == NULL)
            *ret_package = package_of_program(program);
    }
    return false;
}

int check_programs(DoctorScene *scene, Error *err)
{
    if (!doctor_has_site(scene))
        return 0;
    const StrVec *programs = &scene->site->programs;
    for (size_t i = 0; i < programs->n; i++) {
        const char *package;
        if (has_one(scene, programs->v[i], &package))
            continue;
        _cleanup_free_ char *remedy = package ? xasprintf(_("Install it: \"apt install %s\"."), package)
                                              : xstrdup(_("Install it, and see to it that it is found along PATH."));
        if (strchr(programs->v[i], '|'))
            doctor_report(scene, remedy, "none of the programs %s is installed, and %s needs one of them",
                          programs->v[i], scene->site->title);
        else
            doctor_report(scene, remedy, "the program \"%s\" is not installed, and %s needs it", programs->v[i],
                          scene->site->title);
    }
    return 0;
}
