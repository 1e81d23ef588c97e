#include <inttypes.h>
#include <libpq/libpq-fs.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "kura/fileset.h"
#include "kura/mem.h"
#include "kura/prefetch.h"
#include "load.h"
#include "pauses.h"

enum { PLAIN_SIZE = 256 * 1024 };

/* Segment by segment: one piece of its text is in memory, beside the compressed blobs that are read ahead. */
typedef struct Feed {
    Restore *restore;
    PgConn *conn;
    Prefetch *ahead;
    ZSTD_DCtx *zstd;
    Buf blob;
    char *plain;
    Pauses pauses;
} Feed;

static int feed_segment(Feed *feed, const ManifestSegment *segment, Error *err)
{
    if (prefetch_next(feed->ahead, &feed->blob, err) < 0)
        return -1;
    ZSTD_DCtx_reset(feed->zstd, ZSTD_reset_session_only);
    ZSTD_inBuffer in = {.src = feed->blob.data, .size = feed->blob.len};
    uint64_t raw = 0;
    size_t left = 1;
    while (in.pos < in.size || left > 0) {
        ZSTD_outBuffer out = {.dst = feed->plain, .size = PLAIN_SIZE};
        size_t before = in.pos;
        left = ZSTD_decompressStream(feed->zstd, &out, &in);
        if (ZSTD_isError(left))
            return error_set(err, ERR_CORRUPT, "segment %s: %s", segment->blob.hash, ZSTD_getErrorName(left));
        raw += out.pos;
        if (raw > segment->raw || (out.pos == 0 && in.pos == before))
            break;
        if (pg_copy_in_write(feed->conn, feed->plain, out.pos, err) < 0)
            return -1;
        progress_add(feed->restore->progress, out.pos, 0);
        pauses_take(&feed->pauses);
        if (left == 0)
            break;
    }
    if (raw != segment->raw || left != 0 || in.pos != in.size)
        return error_set(err, ERR_CORRUPT,
                         "segment %s holds %" PRIu64 " bytes of rows or more, its manifest says %" PRIu64,
                         segment->blob.hash, raw, segment->raw);
    progress_add(feed->restore->progress, 0, segment->rows);
    return 0;
}

static void segment_item(const void *list, size_t i, PrefetchItem *ret)
{
    const ManifestSegment *segments = list;
    *ret = (PrefetchItem){.blob = segments[i].blob};
}

static int feed_segments(Restore *restore, PgConn *conn, const ManifestSegment *segments, size_t n, Error *err)
{
    Feed feed = {.restore = restore,
                 .conn = conn,
                 .ahead = prefetch_new(restore->repo, n, segment_item, segments),
                 .zstd = ZSTD_createDCtx(),
                 .blob = BUF_INIT(BLOB_STORED_MAX),
                 .plain = xmalloc(PLAIN_SIZE),
                 .pauses = {.wanted = restore->options->low_cost}};
    if (feed.zstd == NULL)
        abort();
    int rc = 0;
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = feed_segment(&feed, &segments[i], err);
    prefetch_free(feed.ahead);
    ZSTD_freeDCtx(feed.zstd);
    buf_done(&feed.blob);
    free(feed.plain);
    return rc;
}

/* One COPY; its row count is compared before the caller commits. */
static int copy_segments(Restore *restore, PgConn *conn, const char *sql, const ManifestSegment *segments, size_t n,
                         Error *err)
{
    uint64_t expected = 0, rows;
    for (size_t i = 0; i < n; i++)
        expected += segments[i].rows;
    if (pg_copy_in_begin(conn, sql, err) < 0)
        return -1;
    if (feed_segments(restore, conn, segments, n, err) < 0) {
        Error ended = ERROR_INIT;
        if (pg_copy_in_end(conn, "kura could not read on", NULL, &ended) < 0 && ended.sqlstate[0])
            *err = ended; /* the server's reason is the cause */
        return -1;
    }
    if (pg_copy_in_end(conn, NULL, &rows, err) < 0)
        return -1;
    if (rows != expected)
        return error_set(err, ERR_FAILED, "the server took %" PRIu64 " rows, the backup has %" PRIu64, rows, expected);
    return 0;
}

int load_part(Load *load, PgConn *conn, const LoadTable *table, const LoadPart *part, Error *err)
{
    _cleanup_free_ char *name = copystmt_table(table->entry);
    progress_item(load->restore->progress, name);
    bool freeze = table->n_parts == 1 && !table->stmt.via_root;
    _cleanup_free_ char *sql = copystmt_in(&table->stmt, freeze);
    int rc = freeze ? pg_execf(conn, err, "BEGIN; TRUNCATE ONLY %s", name) : pg_exec(conn, "BEGIN", err);
    if (rc == 0)
        rc = copy_segments(load->restore, conn, sql, table->source->segments + part->first, part->end - part->first,
                           err);
    if (rc == 0)
        rc = pg_exec(conn, "COMMIT", err);
    return rc < 0 ? error_wrap(err, "loading table %s", name) : 0;
}

bool load_is_config(const Restore *restore, const TocEntry *entry)
{
    for (size_t i = 0; i < entry->n_deps; i++) {
        const TocEntry *dep = toc_find(restore->toc, atoi(entry->deps[i]));
        if (dep && toc_entry_is(dep, "TABLE"))
            return false;
    }
    return true;
}

static int load_config_table(Restore *restore, PgConn *conn, const ManifestTable *table, const TocEntry *entry,
                             Error *err)
{
    CopyStmt stmt;
    if (copystmt_parse(entry, &stmt, err) < 0)
        return -1;
    _cleanup_free_ char *sql = copystmt_in(&stmt, false);
    copystmt_done(&stmt);
    if (copy_segments(restore, conn, sql, table->segments, table->n_segments, err) == 0)
        return 0;
    return error_wrap(err, "loading configuration table \"%s\".\"%s\"", table->schema, table->name);
}

int load_config_tables(Restore *restore, Error *err)
{
    const ManifestDatabase *database = &restore->manifest->database;
    PgConn *conn = NULL;
    int rc = 0;
    for (size_t i = 0; i < database->n_tables && rc == 0; i++) {
        const TocEntry *entry = toc_find(restore->toc, database->tables[i].dump_id);
        if (database->tables[i].n_segments == 0 || !load_is_config(restore, entry))
            continue;
        rc = target_connect_for(restore, entry, &conn, err);
        if (rc == 0)
            rc = load_config_table(restore, conn, &database->tables[i], entry, err);
        pg_close(conn);
        conn = NULL;
    }
    return rc;
}

typedef struct LargeObject {
    PgConn *conn;
    Progress *progress;
    int fd;
} LargeObject;

static int write_large_object(void *ctx, const void *data, size_t len, Error *err)
{
    LargeObject *object = ctx;
    for (const char *at = data; len > 0;) {
        int n = lo_write(pg_raw(object->conn), object->fd, at, len);
        if (n <= 0)
            return error_set(err, ERR_SERVER, "writing: %s", PQerrorMessage(pg_raw(object->conn)));
        at += n;
        len -= (size_t)n;
        progress_add(object->progress, (uint64_t)n, 0);
    }
    return 0;
}

static int load_large_object(Restore *restore, PgConn *conn, EntryReader *contents, const IndexEntry *entry, Error *err)
{
    LargeObject object = {.conn = conn, .progress = restore->progress};
    object.fd = lo_open(pg_raw(conn), (Oid)strtoul(entry->path, NULL, 10), INV_WRITE);
    if (object.fd < 0)
        return error_set(err, ERR_SERVER, "large object %s: opening: %s", entry->path, PQerrorMessage(pg_raw(conn)));
    if (entry_reader_read(contents, entry, write_large_object, &object, err) < 0)
        return error_wrap(err, "large object %s", entry->path);
    lo_close(pg_raw(conn), object.fd);
    return 0;
}

static int load_all_large_objects(Restore *restore, PgConn *conn, Error *err)
{
    enum { BATCH = 100 };
    IndexReader *reader = index_reader_new(restore->repo, &restore->manifest->database.large_objects);
    EntryReader *contents = entry_reader_new(restore->repo);
    const IndexEntry *entry;
    int got = 0, rc = pg_exec(conn, "BEGIN", err);
    progress_item(restore->progress, "large objects");
    for (size_t n = 1; rc == 0 && (got = index_reader_next(reader, &entry, err)) > 0; n++) {
        rc = load_large_object(restore, conn, contents, entry, err);
        if (rc == 0 && n % BATCH == 0)
            rc = pg_exec(conn, "COMMIT; BEGIN", err);
    }
    entry_reader_free(contents);
    index_reader_free(reader);
    return rc < 0 || got < 0 ? -1 : pg_exec(conn, "COMMIT", err);
}

int load_large_objects(Restore *restore, PgConn *conn, Error *err)
{
    /* libpq's large object calls give up when a socket that must not block takes only a part of what they send */
    PQsetnonblocking(pg_raw(conn), 0);
    int rc = load_all_large_objects(restore, conn, err);
    PQsetnonblocking(pg_raw(conn), 1);
    return rc;
}
