/* Whether backups are made by themselves. */
#include <string.h>

#include "doctor_priv.h"
#include "host.h"
#include "kura/mem.h"

enum { CRONTAB_MAX = 1024 * 1024 };

/* "kura@misskey.timer", or one that somebody has written for it. */
static bool is_timer(const char *name, const char *app)
{
    _cleanup_free_ char *instance = xasprintf("kura@%s.timer", app);
    return strcmp(name, instance) == 0 || (strncmp(name, "kura", 4) == 0 && strchr(name, '@') == NULL);
}

static bool has_timer(const DoctorScene *scene)
{
    static const char *const dirs[] = {"/etc/systemd/system/timers.target.wants",
                                       "/run/systemd/system/timers.target.wants",
                                       "/usr/lib/systemd/system/timers.target.wants"};
    bool found = false;
    for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
        _cleanup_(strvec_done) StrVec names = {0};
        host_list(scene, dirs[i], ".timer", &names);
        for (size_t k = 0; k < names.n; k++)
            found = found || is_timer(names.v[k], scene->app);
    }
    return found;
}

/* Whether a line that is no comment runs a backup of kura. */
static bool runs_backup(const DoctorScene *scene, const char *path)
{
    _cleanup_(buf_done) Buf text = BUF_INIT(CRONTAB_MAX);
    Error why = ERROR_INIT;
    if (host_read(scene, path, &text, &why) < 0)
        return false;
    bool found = false;
    char *rest = (char *)buf_str(&text), *line;
    while ((line = strsep(&rest, "\n")) != NULL) {
        const char *kura = strstr(line, "kura ");
        found = found || (line[strspn(line, " \t")] != '#' && kura && strstr(kura, "backup"));
    }
    return found;
}

static bool has_cron_line(const DoctorScene *scene)
{
    static const char *const dirs[] = {"/etc/cron.d", "/etc/cron.daily", "/etc/cron.hourly",
                                       "/var/spool/cron/crontabs"};
    bool found = runs_backup(scene, "/etc/crontab");
    for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
        _cleanup_(strvec_done) StrVec names = {0};
        host_list(scene, dirs[i], "", &names);
        for (size_t k = 0; k < names.n; k++) {
            _cleanup_free_ char *path = xasprintf("%s/%s", dirs[i], names.v[k]);
            found = found || runs_backup(scene, path);
        }
    }
    return found;
}

int check_schedule(DoctorScene *scene, Error *err)
{
    if (scene->app == NULL)
        return doctor_skip(scene, "no application is named");
    if (!has_timer(scene) && !has_cron_line(scene))
        doctor_report(scene, "\"kura install-timer --apply\" has backups made every night.",
                      "neither a timer of systemd nor cron makes backups of \"%s\" on this host", scene->app);
    return 0;
}
