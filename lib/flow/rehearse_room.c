/* How much disk a rehearsal takes, before it takes it. */
#include <inttypes.h>
#include <string.h>
#include <sys/statvfs.h>

#include "kura/mem.h"
#include "rehearse_priv.h"

enum {
    ROW_BYTES = 36,            /* header, item pointer and alignment of a row */
    TABLE_BYTES = 40 * 1024,   /* first pages of a table, its indexes and its TOAST, and its rows in the catalogue */
    EMPTY_BYTES = 8 * 1 << 20, /* a database without anything */
    INDEX_SHARE = 100,         /* indexes and TOAST, per cent of the rows: half a database is usual */
    RESERVE_SHARE = 5,         /* of the file system, that must stay free .. */
};

#define RESERVE_MAX (4ull << 30) /* .. but no more than this */

/* The source's size is an upper bound, unless rows were left out. */
uint64_t restore_estimate(const Manifest *manifest)
{
    const ManifestDatabase *database = &manifest->database;
    uint64_t bytes = 0;
    for (size_t i = 0; i < database->n_tables; i++)
        bytes += database->tables[i].digest.bytes + ROW_BYTES * database->tables[i].digest.rows;
    bytes += bytes / 100 * INDEX_SHARE;
    bytes += (uint64_t)TABLE_BYTES * database->n_tables;
    if (database->large_objects.name)
        bytes += database->large_objects.bytes + database->large_objects.bytes / 4;
    bytes += EMPTY_BYTES;
    uint64_t source = database->facts.size_bytes;
    return source > 0 && source < bytes ? source : bytes;
}

bool restore_room_in(const char *data_dir, RestoreRoom *ret)
{
    struct statvfs fs;
    if (statvfs(data_dir, &fs) < 0)
        return false;
    uint64_t share = (uint64_t)fs.f_blocks * fs.f_frsize / 100 * RESERVE_SHARE;
    *ret = (RestoreRoom){.left = (uint64_t)fs.f_bavail * fs.f_frsize,
                         .reserve = share < RESERVE_MAX ? share : RESERVE_MAX};
    return true;
}

bool restore_room(PgConn *admin, RestoreRoom *ret)
{
    const char *host = PQhost(pg_raw(admin));
    bool local = host == NULL || *host == 0 || *host == '/' || strcmp(host, "localhost") == 0 ||
                 strcmp(host, "127.0.0.1") == 0 || strcmp(host, "::1") == 0;
    _cleanup_free_ char *dir = NULL;
    if (!local ||
        pg_query_value(admin,
                       "SELECT setting FROM pg_catalog.pg_settings WHERE name = 'data_directory' AND setting LIKE '/%'",
                       0, NULL, &dir, NULL) < 0 ||
        dir == NULL)
        return false;
    return restore_room_in(dir, ret);
}

static double mib(uint64_t bytes)
{
    return (double)bytes / (1 << 20);
}

int rehearse_check_room(Rehearse *rehearse, PgConn *admin, Error *err)
{
    uint64_t wanted = rehearse->result->estimated_bytes = restore_estimate(rehearse->manifest);
    RestoreRoom room;
    uint64_t most = rehearse->options->max_size;
    if (most > 0 && wanted > most) {
        error_set(err, ERR_FAILED, "the rehearsal would take about %.1f MiB of disk, --max-size allows %.1f MiB",
                  mib(wanted), mib(most));
        return error_hint(err, "Allow more, or rehearse on another server with --server.");
    }
    if (!restore_room(admin, &room) || wanted + room.reserve <= room.left)
        return 0;
    error_set(err, ERR_FAILED,
              "the rehearsal would take about %.1f MiB of disk; the server's has %.1f MiB left, of which %.1f MiB must "
              "stay free",
              mib(wanted), mib(room.left), mib(room.reserve));
    return error_hint(err, "Make room, or rehearse on another server with --server.");
}
