/* Where a segment ends depends on rows alone, so that yesterday's and today's segments fall on the same rows however
 * many rows came between. The chance that a row ends a segment is proportional to its length: the expected length of a
 * segment is then the same for tables of short and of long rows, which a fixed number of zero bits would not give. */
#include "segment.h"

#include <pthread.h>
#include <zstd.h>

#include "kura/mem.h"

/* The rows arrive in the caller's thread; a thread of the writer's compresses the segment before. So a table's backend,
 * its reader and its compressor work at the same time, and the largest table does not hold up the others' end. */
struct SegmentWriter {
    Repo *repo;
    Uploader *uploader;
    uint64_t cut_per_byte; /* share of 2^64 that each byte of a row adds to its chance to end a segment */
    Buf raw;          /* text of the open segment: in one piece zstd is faster, and its output depends on it alone */
    uint64_t rows;    /* that end in the open segment */
    bool continues;   /* the open segment began inside a row */
    RowDigest digest; /* of the run */
    Buf bundle;       /* frames of small runs, one behind the other */

    pthread_t thread;
    pthread_mutex_t mutex; /* guards all below; what is marked with a star belongs to the thread while busy */
    pthread_cond_t changed;
    bool busy, quit;
    bool failed;
    Error why;
    Buf sealed;              /* * text of the segment being compressed */
    ManifestSegment segment; /* * */
    ZSTD_CCtx *zstd;         /* * */
    Buf out;                 /* * */
    ManifestSegment *segments;
    size_t n, cap;
};

/* Compressed into a buffer that stays, handed on in one of the right size: fresh pages for every segment's worst case
 * cost more than the copy. */
static int compress(SegmentWriter *writer, const Buf *text, Buf *ret, Error *err)
{
    buf_clear(&writer->out);
    if (buf_reserve(&writer->out, ZSTD_compressBound(text->len), err) < 0)
        return -1;
    size_t len = ZSTD_compress2(writer->zstd, writer->out.data, writer->out.cap, text->data, text->len);
    if (ZSTD_isError(len))
        return error_set(err, ERR_FAILED, "compressing rows: %s", ZSTD_getErrorName(len));
    return buf_append(ret, writer->out.data, len, err);
}

static int store_sealed(SegmentWriter *writer, Error *err)
{
    _cleanup_(buf_done) Buf blob = BUF_INIT(BLOB_STORED_MAX);
    if (compress(writer, &writer->sealed, &blob, err) < 0)
        return -1;
    return uploader_submit(writer->uploader, BLOB_ZSTD, &blob, &writer->segment.blob, err);
}

static void *store_segments(void *arg)
{
    SegmentWriter *writer = arg;
    pthread_mutex_lock(&writer->mutex);
    for (;;) {
        while (!writer->busy && !writer->quit)
            pthread_cond_wait(&writer->changed, &writer->mutex);
        if (!writer->busy)
            break;
        pthread_mutex_unlock(&writer->mutex);
        Error why = ERROR_INIT;
        int rc = store_sealed(writer, &why);
        pthread_mutex_lock(&writer->mutex);
        if (rc < 0 && !writer->failed) {
            writer->failed = true;
            writer->why = why;
        }
        xgrow(&writer->segments, &writer->cap, writer->n);
        writer->segments[writer->n++] = writer->segment;
        writer->busy = false;
        pthread_cond_broadcast(&writer->changed);
    }
    pthread_mutex_unlock(&writer->mutex);
    return NULL;
}

SegmentWriter *segment_writer_new(Repo *repo, Uploader *uploader)
{
    SegmentWriter *writer = xcalloc(1, sizeof *writer);
    writer->repo = repo;
    writer->uploader = uploader;
    writer->cut_per_byte = UINT64_MAX / repo_params(repo)->segment_mean;
    writer->raw = BUF_INIT(BLOB_MAX);
    writer->sealed = BUF_INIT(BLOB_MAX);
    writer->out = BUF_INIT(BLOB_STORED_MAX);
    writer->bundle = BUF_INIT(BLOB_MAX);
    writer->zstd = ZSTD_createCCtx();
    if (writer->zstd == NULL || repo_zstd_setup(repo, writer->zstd) < 0)
        abort();
    pthread_mutex_init(&writer->mutex, NULL);
    pthread_cond_init(&writer->changed, NULL);
    if (pthread_create(&writer->thread, NULL, store_segments, writer) != 0)
        abort();
    return writer;
}

void segment_writer_free(SegmentWriter *writer)
{
    if (writer == NULL)
        return;
    pthread_mutex_lock(&writer->mutex);
    writer->quit = true;
    pthread_cond_broadcast(&writer->changed);
    pthread_mutex_unlock(&writer->mutex);
    pthread_join(writer->thread, NULL);
    pthread_mutex_destroy(&writer->mutex);
    pthread_cond_destroy(&writer->changed);
    ZSTD_freeCCtx(writer->zstd);
    buf_done(&writer->raw);
    buf_done(&writer->sealed);
    buf_done(&writer->out);
    buf_done(&writer->bundle);
    free(writer->segments);
    free(writer);
}

/* With the mutex held: waits until the thread has nothing to do. */
static int wait_idle(SegmentWriter *writer, Error *err)
{
    while (writer->busy)
        pthread_cond_wait(&writer->changed, &writer->mutex);
    if (writer->failed && err)
        *err = writer->why;
    return writer->failed ? -1 : 0;
}

/* Hands the open segment to the thread, and takes its empty buffer for the next one. */
static int seal(SegmentWriter *writer, Error *err)
{
    pthread_mutex_lock(&writer->mutex);
    int rc = wait_idle(writer, err);
    if (rc == 0) {
        Buf empty = writer->sealed;
        writer->sealed = writer->raw;
        writer->raw = empty;
        buf_clear(&writer->raw);
        writer->segment =
            (ManifestSegment){.raw = writer->sealed.len, .rows = writer->rows, .continues = writer->continues};
        writer->rows = 0;
        writer->busy = true;
        pthread_cond_broadcast(&writer->changed);
    }
    pthread_mutex_unlock(&writer->mutex);
    return rc;
}

static bool ends_segment(const SegmentWriter *writer, uint64_t hash, size_t len)
{
    const RepoParams *params = repo_params(writer->repo);
    if (writer->raw.len < params->segment_min)
        return false;
    return writer->raw.len >= params->segment_max || len >= params->segment_mean || hash < len * writer->cut_per_byte;
}

int segment_writer_row(SegmentWriter *writer, const char *row, size_t len, Error *err)
{
    uint64_t hash = rowdigest_add(&writer->digest, row, len);
    size_t left = len;
    uint64_t max = repo_params(writer->repo)->segment_max;
    if (writer->raw.len > 0 && writer->raw.len + len > max && len <= max) {
        /* keeps a row whole that fits into a segment of its own */
        if (seal(writer, err) < 0)
            return -1;
        writer->continues = false;
    }
    while (writer->raw.len + left > max) {
        size_t piece = max - writer->raw.len;
        if (buf_append(&writer->raw, row, piece, err) < 0 || seal(writer, err) < 0)
            return -1;
        writer->continues = true;
        row += piece;
        left -= piece;
    }
    if (buf_append(&writer->raw, row, left, err) < 0)
        return -1;
    writer->rows++;
    if (!ends_segment(writer, hash, len))
        return 0;
    if (seal(writer, err) < 0)
        return -1;
    writer->continues = false;
    return 0;
}

int segment_writer_end(SegmentWriter *writer, RowDigest *ret_digest, ManifestSegment **ret, size_t *ret_n, Error *err)
{
    if (writer->raw.len > 0 && seal(writer, err) < 0)
        return -1;
    writer->continues = false;
    pthread_mutex_lock(&writer->mutex);
    int rc = wait_idle(writer, err);
    if (rc == 0) {
        *ret = steal(writer->segments);
        *ret_n = writer->n;
        writer->n = writer->cap = 0;
        *ret_digest = writer->digest;
        writer->digest = (RowDigest){0};
    }
    pthread_mutex_unlock(&writer->mutex);
    return rc;
}

/* The open segment, the only one of its run, as a frame of the bundle. The thread is idle: nothing was sealed since the
 * run before ended. */
static int add_to_bundle(SegmentWriter *writer, Error *err)
{
    ManifestSegment segment = {.offset = writer->bundle.len, .raw = writer->raw.len, .rows = writer->rows};
    if (compress(writer, &writer->raw, &writer->bundle, err) < 0)
        return -1;
    segment.length = writer->bundle.len - segment.offset;
    xgrow(&writer->segments, &writer->cap, writer->n);
    writer->segments[writer->n++] = segment;
    writer->rows = 0;
    buf_clear(&writer->raw);
    return 0;
}

int segment_writer_end_bundled(SegmentWriter *writer, RowDigest *ret_digest, ManifestSegment **ret, size_t *ret_n,
                               Error *err)
{
    bool small = writer->raw.len > 0 && writer->raw.len <= BUNDLED_MAX && writer->raw.len == writer->digest.bytes;
    if (small && add_to_bundle(writer, err) < 0)
        return -1;
    return segment_writer_end(writer, ret_digest, ret, ret_n, err);
}

int segment_writer_seal_bundle(SegmentWriter *writer, BlobRef *ret, bool *ret_any, Error *err)
{
    *ret_any = writer->bundle.len > 0;
    if (!*ret_any)
        return 0;
    _cleanup_(buf_done) Buf blob = BUF_INIT(BLOB_STORED_MAX);
    if (buf_append(&blob, writer->bundle.data, writer->bundle.len, err) < 0)
        return -1;
    buf_clear(&writer->bundle);
    return uploader_submit(writer->uploader, BLOB_ZSTD, &blob, ret, err);
}
