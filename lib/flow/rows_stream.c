/* Rows from pg_dump's own stream: one connection, no COPY of kura's. The same segments come out, though small tables are
 * not bundled, which is how kura's own data path is checked against pg_dump's. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "kura/datablocks.h"
#include "kura/mem.h"
#include "kura/stop.h"
#include "rows.h"
#include "segment.h"

#define ROW_MAX (1ull * 1024 * 1024 * 1024) /* the server's own limit of a COPY row */

typedef struct Stream {
    Freeze *freeze;
    size_t rest_used;
    ManifestDatabase *database;
    Progress *progress;
    SegmentWriter *writer;
    RowSplitter splitter;
    ManifestTable *table; /* being filled */
} Stream;

static ssize_t read_stream(void *ctx, void *out, size_t len, Error *err)
{
    enum { TICK_MS = 100 };
    Stream *stream = ctx;
    Buf *rest = &stream->freeze->dump_rest;
    if (stream->rest_used < rest->len) {
        size_t n = rest->len - stream->rest_used;
        if (n > len)
            n = len;
        memcpy(out, rest->data + stream->rest_used, n);
        stream->rest_used += n;
        return (ssize_t)n;
    }
    for (;;) {
        struct pollfd fd = {.fd = proc_stdout(stream->freeze->dump), .events = POLLIN};
        int ready = poll(&fd, 1, TICK_MS);
        if (stop_check(err) < 0)
            return -1;
        if (ready <= 0)
            continue;
        ssize_t n = read(fd.fd, out, len);
        if (n >= 0)
            return n;
        if (errno != EINTR)
            return error_errno(err, errno, "reading from pg_dump");
    }
}

static int on_row(void *ctx, const char *row, size_t len, Error *err)
{
    Stream *stream = ctx;
    progress_add(stream->progress, len, 1);
    return segment_writer_row(stream->writer, row, len, err);
}

static int table_begin(void *ctx, int dump_id, Error *err)
{
    Stream *stream = ctx;
    for (size_t i = 0; i < stream->database->n_tables; i++)
        if (stream->database->tables[i].dump_id == dump_id) {
            stream->table = &stream->database->tables[i];
            progress_item(stream->progress, stream->table->name);
            stream->splitter.ended = false;
            return 0;
        }
    return error_set(err, ERR_CORRUPT, "pg_dump sent data of entry %d, which its table of contents does not have",
                     dump_id);
}

static int table_data(void *ctx, const void *data, size_t len, Error *err)
{
    Stream *stream = ctx;
    return rowsplitter_feed(&stream->splitter, data, len, err);
}

static int table_end(void *ctx, Error *err)
{
    Stream *stream = ctx;
    ManifestTable *table = stream->table;
    if (!stream->splitter.ended)
        return error_set(err, ERR_TRUNCATED, "the rows of table \"%s\".\"%s\" have no end mark", table->schema,
                         table->name);
    return segment_writer_end(stream->writer, &table->digest, &table->segments, &table->n_segments, err);
}

static int blob_begin(void *ctx, uint32_t oid, Error *err)
{
    return 0;
}

static int blob_data(void *ctx, const void *data, size_t len, Error *err)
{
    return 0; /* large objects are copied by largeobjects_copy in both modes: in the order of an index */
}

static int blob_end(void *ctx, Error *err)
{
    return 0;
}

int rows_from_stream(Freeze *freeze, Repo *repo, Uploader *uploader, ManifestDatabase *database, Progress *progress,
                     Error *err)
{
    Stream stream = {
        .freeze = freeze, .database = database, .progress = progress, .writer = segment_writer_new(repo, uploader)};
    stream.splitter = (RowSplitter){.row = on_row, .ctx = &stream, .partial = BUF_INIT(ROW_MAX)};
    ByteSource source = {.read = read_stream, .ctx = &stream};
    DataBlockSink sink = {.table_begin = table_begin,
                          .table_data = table_data,
                          .table_end = table_end,
                          .blob_begin = blob_begin,
                          .blob_data = blob_data,
                          .blob_end = blob_end,
                          .ctx = &stream};
    size_t blocks = database->n_tables;
    bool large_objects = false;
    for (size_t i = 0; i < freeze->toc->n_entries; i++)
        large_objects |= toc_entry_is(&freeze->toc->entries[i], "BLOBS") && ++blocks;
    progress_phase(progress, "rows", 0);
    int rc = datablocks_read(&source, TOC_COMPRESSION_NONE, blocks, &sink, err), status;
    if (rc == 0 && (rc = proc_wait(freeze->dump, &status, err)) == 0 && status != 0)
        rc = error_set(err, ERR_TOOL, "pg_dump ended with status %d: %s", status, proc_stderr_tail(freeze->dump));
    if (rc == 0 && large_objects)
        rc = largeobjects_copy(freeze->leader, repo, uploader, database, progress, err);
    buf_done(&stream.splitter.partial);
    segment_writer_free(stream.writer);
    return rc;
}
