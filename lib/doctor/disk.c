/* Room on the disks of this host. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "cluster.h"
#include "doctor_priv.h"
#include "kura/databases.h"
#include "kura/mem.h"
#include "kura/rehearse.h"
#include "kura/text.h"
#include "kura/words.h"

/* ---- the server's ---- */

/* A plain role may not ask the server where its data is; the configuration of the cluster tells it, too. */
static bool find_room(DoctorScene *scene, RestoreRoom *ret)
{
    if (restore_room(scene->conn, ret))
        return true;
    const Cluster *cluster = cluster_of_site(scene);
    if (cluster == NULL || cluster->data_dir == NULL)
        return false;
    _cleanup_free_ char *dir = host_path(scene, cluster->data_dir);
    return restore_room_in(dir, ret);
}

int check_server_room(DoctorScene *scene, Error *err)
{
    char wanted[TEXT_SIZE], left[TEXT_SIZE], reserve[TEXT_SIZE];
    uint64_t tables, bytes;
    RestoreRoom room;
    if (!doctor_has_connection(scene))
        return 0;
    if (!find_room(scene, &room))
        return doctor_skip(scene, "where the server keeps its data cannot be told");
    if (scene->newest && scene->newest->has_database)
        bytes = restore_estimate(scene->newest);
    else if (catalog_database_weight(scene->conn, &tables, &bytes, err) < 0)
        return -1;
    if (bytes + room.reserve > room.left)
        doctor_report(
            scene, "Make room on the server's file system, or rehearse and restore on another server.",
            "a second copy of the database, as a restore, a rehearsal and --swap need it, takes about %s; the "
            "server has %s left, of which %s should stay free",
            text_bytes(bytes, wanted), text_bytes(room.left, left), text_bytes(room.reserve, reserve));
    return 0;
}

/* ---- kura's own ---- */

/* The directory itself, or the nearest one above it that is there: what is missing is made. To be freed. */
static char *existing(const char *path)
{
    char *dir = xstrdup(path);
    struct stat st;
    for (char *slash; stat(dir, &st) < 0 && errno == ENOENT && (slash = strrchr(dir, '/')) != NULL && slash != dir;)
        *slash = 0;
    return dir;
}

static void look_at(DoctorScene *scene, const char *path, const char *option)
{
    enum { LITTLE = 64 << 20 };
    char left[TEXT_SIZE];
    struct stat st;
    struct statvfs fs;
    if (path == NULL)
        return;
    _cleanup_free_ char *dir = existing(path);
    _cleanup_free_ char *remedy =
        xasprintf(_("Make room or grant the right there, or name another directory with %s."), option);
    if (stat(dir, &st) == 0 && !S_ISDIR(st.st_mode))
        doctor_report(scene, remedy, "kura cannot keep what it must remember in \"%s\": \"%s\" is no directory", path,
                      dir);
    else if (access(dir, W_OK | X_OK) < 0)
        doctor_report(scene, remedy, "kura cannot keep what it must remember in \"%s\": %s", path, strerror(errno));
    else if (statvfs(dir, &fs) == 0 && (uint64_t)fs.f_bavail * fs.f_frsize < LITTLE)
        doctor_report(scene, remedy, "kura keeps what it must remember in \"%s\", where only %s are free", path,
                      text_bytes((uint64_t)fs.f_bavail * fs.f_frsize, left));
}

int check_own_dirs(DoctorScene *scene, Error *err)
{
    if (scene->cache_dir == NULL && scene->state_dir == NULL)
        return doctor_skip(scene, "kura keeps nothing on this host");
    look_at(scene, scene->state_dir, "--state-dir");
    look_at(scene, scene->cache_dir, "--cache-dir");
    return 0;
}
