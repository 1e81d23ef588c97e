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
    ZSTD_DCtx *zstd;
    char *plain;
    Pauses pauses;
} Feed;

static Feed feed_new(Restore *restore, PgConn *conn)
{
    Feed feed = {.restore = restore,
                 .conn = conn,
                 .zstd = ZSTD_createDCtx(),
                 .plain = xmalloc(PLAIN_SIZE),
                 .pauses = {.wanted = restore->options->low_cost}};
    if (feed.zstd == NULL)
        abort();
    return feed;
}

static void feed_done(Feed *feed)
{
    ZSTD_freeDCtx(feed->zstd);
    free(feed->plain);
}

/* The rows of one frame. */
static int feed_segment(Feed *feed, const ManifestSegment *segment, const uint8_t *frame, size_t len, Error *err)
{
    ZSTD_DCtx_reset(feed->zstd, ZSTD_reset_session_only);
    ZSTD_inBuffer in = {.src = frame, .size = len};
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

/* What a COPY gets: segments that are read ahead, or, with `blob`, a single one out of that. */
typedef struct Source {
    const ManifestSegment *segments;
    size_t n;
    const Buf *blob;
} Source;

static void segment_item(const void *list, size_t i, PrefetchItem *ret)
{
    const ManifestSegment *segment = (const ManifestSegment *)list + i;
    *ret = (PrefetchItem){
        .blob = segment->blob, .part = segment->length > 0, .offset = segment->offset, .length = segment->length};
}

static int feed_segments(Feed *feed, const Source *source, Error *err)
{
    Buf frame = BUF_INIT(BLOB_STORED_MAX);
    Prefetch *ahead = prefetch_new(feed->restore->repo, source->n, segment_item, source->segments);
    int rc = 0;
    for (size_t i = 0; i < source->n && rc == 0; i++) {
        rc = prefetch_next(ahead, &frame, err);
        if (rc == 0)
            rc = feed_segment(feed, &source->segments[i], frame.data, frame.len, err);
    }
    prefetch_free(ahead);
    buf_done(&frame);
    return rc;
}

static int feed_source(Feed *feed, const Source *source, Error *err)
{
    if (source->blob == NULL)
        return feed_segments(feed, source, err);
    size_t len;
    const uint8_t *frame = manifest_segment_frame(source->segments, source->blob, &len);
    return feed_segment(feed, source->segments, frame, len, err);
}

/* One COPY; its row count is compared before the caller commits. */
static int copy_source(Feed *feed, const char *sql, const Source *source, Error *err)
{
    uint64_t expected = 0, rows;
    for (size_t i = 0; i < source->n; i++)
        expected += source->segments[i].rows;
    if (pg_copy_in_begin(feed->conn, sql, err) < 0)
        return -1;
    if (feed_source(feed, source, err) < 0) {
        Error ended = ERROR_INIT;
        if (pg_copy_in_end(feed->conn, "kura could not read on", NULL, &ended) < 0 && ended.sqlstate[0])
            *err = ended; /* the server's reason is the cause */
        return -1;
    }
    if (pg_copy_in_end(feed->conn, NULL, &rows, err) < 0)
        return -1;
    if (rows != expected)
        return error_set(err, ERR_FAILED, "the server took %" PRIu64 " rows, the backup has %" PRIu64, rows, expected);
    return 0;
}

static int copy_segments(Restore *restore, PgConn *conn, const char *sql, const ManifestSegment *segments, size_t n,
                         Error *err)
{
    Feed feed = feed_new(restore, conn);
    int rc = copy_source(&feed, sql, &(Source){.segments = segments, .n = n}, err);
    feed_done(&feed);
    return rc;
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

static int load_bundled(Feed *feed, const LoadTable *table, const Buf *blob, Error *err)
{
    _cleanup_free_ char *name = copystmt_table(table->entry);
    progress_item(feed->restore->progress, name);
    _cleanup_free_ char *sql = copystmt_in(&table->stmt, false);
    if (copy_source(feed, sql, &(Source){.segments = table->source->segments, .n = 1, .blob = blob}, err) < 0)
        return error_wrap(err, "loading table %s", name);
    return 0;
}

/* Without TRUNCATE and FREEZE, unlike others: for a table of some rows the new files would cost more than they save. */
int load_bundle(Load *load, PgConn *conn, LoadTable *const *tables, size_t n, Error *err)
{
    _cleanup_(buf_done) Buf blob = BUF_INIT(BLOB_STORED_MAX);
    if (blob_get(load->restore->repo, &tables[0]->source->segments[0].blob, &blob, err) < 0 ||
        pg_exec(conn, "BEGIN", err) < 0)
        return -1;
    Feed feed = feed_new(load->restore, conn);
    int rc = 0;
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = load_bundled(&feed, tables[i], &blob, err);
    feed_done(&feed);
    return rc < 0 ? -1 : pg_exec(conn, "COMMIT", err);
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
