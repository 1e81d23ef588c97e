#include "room.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "kura/mem.h"

enum {
    ROW_BYTES = 36,            /* header, item pointer and alignment of a row */
    EMPTY_BYTES = 8 * 1 << 20, /* a database without anything */
    INDEX_SHARE = 100,         /* indexes and TOAST, per cent of the rows: half a database is usual */
    RESERVE_SHARE = 5,         /* of the file system, that must stay free .. */
};

#define RESERVE_MAX (4ull << 30) /* .. but no more than this */

/* A restored database has no dead rows: the source's size is an upper bound, unless rows were left out. */
uint64_t room_for_database(const Manifest *manifest)
{
    const ManifestDatabase *database = &manifest->database;
    uint64_t bytes = 0;
    for (size_t i = 0; i < database->n_tables; i++)
        bytes += database->tables[i].digest.bytes + ROW_BYTES * database->tables[i].digest.rows;
    bytes += bytes / 100 * INDEX_SHARE;
    if (database->large_objects.name)
        bytes += database->large_objects.bytes + database->large_objects.bytes / 4;
    bytes += EMPTY_BYTES;
    uint64_t source = database->facts.size_bytes;
    return source > 0 && source < bytes ? source : bytes;
}

bool room_of_server(PgConn *conn, uint64_t *ret_left, uint64_t *ret_size)
{
    const char *host = PQhost(pg_raw(conn));
    bool local = host == NULL || *host == 0 || *host == '/' || strcmp(host, "localhost") == 0 ||
                 strcmp(host, "127.0.0.1") == 0 || strcmp(host, "::1") == 0;
    _cleanup_free_ char *dir = NULL;
    struct statvfs fs;
    if (!local ||
        pg_query_value(conn,
                       "SELECT setting FROM pg_catalog.pg_settings WHERE name = 'data_directory' AND setting LIKE '/%'",
                       0, NULL, &dir, NULL) < 0 ||
        dir == NULL || statvfs(dir, &fs) < 0)
        return false;
    *ret_left = (uint64_t)fs.f_bavail * fs.f_frsize;
    *ret_size = (uint64_t)fs.f_blocks * fs.f_frsize;
    return true;
}

bool room_of_path(const char *path, uint64_t *ret_left, uint64_t *ret_size, dev_t *ret_device)
{
    struct statvfs fs;
    struct stat st;
    _cleanup_free_ char *at = xstrdup(path);
    while (stat(at, &st) < 0) {
        char *slash = strrchr(at, '/');
        if (slash == NULL)
            return false;
        slash[slash == at] = 0;
        if (slash == at && stat(at, &st) < 0)
            return false;
    }
    if (statvfs(at, &fs) < 0)
        return false;
    *ret_left = (uint64_t)fs.f_bavail * fs.f_frsize;
    *ret_size = (uint64_t)fs.f_blocks * fs.f_frsize;
    *ret_device = st.st_dev;
    return true;
}

uint64_t room_reserve(uint64_t size)
{
    uint64_t share = size / 100 * RESERVE_SHARE;
    return share < RESERVE_MAX ? share : RESERVE_MAX;
}
