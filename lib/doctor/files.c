/* Files and directories of the application. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "doctor_priv.h"
#include "kura/mem.h"
#include "kura/words.h"

int check_must_exist(DoctorScene *scene, Error *err)
{
    if (!doctor_has_site(scene))
        return 0;
    const AppSite *site = scene->site;
    for (size_t i = 0; i < site->must_exist.n; i++) {
        _cleanup_free_ char *path = xasprintf("%s/%s", site->dir, site->must_exist.v[i]);
        if (access(path, F_OK) < 0)
            doctor_report(
                scene,
                "An update that was broken off, or a checkout without a part of it, leaves such a hole: unpack "
                "the release again.",
                "%s cannot run without \"%s\", which is not there", site->title, path);
    }
    return 0;
}

/* Whether everybody on the host can read it: the file, and the way to it. */
static bool is_public(const char *path)
{
    struct stat st;
    if (stat(path, &st) < 0 || !(st.st_mode & S_IROTH))
        return false;
    _cleanup_free_ char *dir = xstrdup(path);
    for (char *slash; (slash = strrchr(dir, '/')) != NULL && slash != dir;) {
        *slash = 0;
        if (stat(dir, &st) < 0 || !(st.st_mode & S_IXOTH))
            return false;
    }
    return true;
}

/* Whether a path below the application's directory is one of a fileset that holds secrets: its patterns are paths of
 * files, "/.env.production", and of directories, "/.config/". */
static bool is_secret(const AppSite *site, const char *file)
{
    for (size_t i = 0; i < site->n_filesets; i++) {
        const AppFileset *set = &site->filesets[i];
        for (size_t k = 0; set->secret && k < set->only.n; k++) {
            const char *pattern = set->only.v[k] + (set->only.v[k][0] == '/');
            size_t len = strlen(pattern);
            if (strcmp(pattern, file) == 0 || (len > 0 && pattern[len - 1] == '/' && strncmp(pattern, file, len) == 0))
                return true;
        }
    }
    return false;
}

/* The files with secrets in them that the configuration was read from, each once, as paths. */
static void list_files(const AppSite *site, StrVec *ret)
{
    for (size_t i = 0; i < site->n_settings; i++) {
        const char *file = site->settings[i].place.file;
        if (file == NULL || !is_secret(site, file))
            continue;
        _cleanup_free_ char *path = xasprintf("%s/%s", site->dir, file);
        if (!strvec_contains(ret, path))
            strvec_push(ret, path);
    }
}

int check_secrets_readable(DoctorScene *scene, Error *err)
{
    _cleanup_(strvec_done) StrVec files = {0};
    if (!doctor_has_site(scene))
        return 0;
    list_files(scene->site, &files);
    for (size_t i = 0; i < files.n; i++)
        if (is_public(files.v[i]))
            doctor_report(scene, "\"chmod o-rwx\" takes it from others.",
                          "everybody on this host can read \"%s\", with the passwords and keys in it", files.v[i]);
    return 0;
}

int check_stray_media(DoctorScene *scene, Error *err)
{
    PGresult *rows;
    if (!doctor_has_site(scene))
        return 0;
    const AppSite *site = scene->site;
    if (site->stray_media_sql == NULL)
        return doctor_skip(scene, "nothing is known of where %s keeps what it fetches", site->title);
    if (!doctor_has_connection(scene))
        return 0;
    int rc = doctor_ask(scene->conn, site->stray_media_sql, &rows, err);
    if (rc <= 0)
        return rc;
    uint64_t n = PQntuples(rows) > 0 ? pg_cell_u64(rows, 0, 0) : 0;
    PQclear(rows);
    if (n == 0)
        return 0;
    _cleanup_free_ char *remedy =
        site->stray_media_cure ? xasprintf(_("\"%s\" moves them."), site->stray_media_cure) : NULL;
    doctor_report(
        scene, remedy,
        "media of other servers lie among the files of this one, and are in its backups (rows that name some: %zu)",
        (size_t)n);
    return 0;
}
