/* Where a segment ends depends on rows alone, so that yesterday's and today's segments fall on the same rows however
 * many rows came between. The chance that a row ends a segment is proportional to its length: the expected length of a
 * segment is then the same for tables of short and of long rows, which a fixed number of zero bits would not give. */
#include "segment.h"

#include <zstd.h>

#include "kura/mem.h"

struct SegmentWriter {
    Repo *repo;
    Uploader *uploader;
    ZSTD_CCtx *zstd;
    uint64_t cut_per_byte; /* share of 2^64 that each byte of a row adds to its chance to end a segment */
    Buf raw; /* text of the open segment: in one piece zstd is faster, and its output depends on it alone */
    Buf out;
    uint64_t rows;    /* that end in the open segment */
    bool continues;   /* the open segment began inside a row */
    RowDigest digest; /* of the run */
    ManifestSegment *segments;
    size_t n, cap;
};

SegmentWriter *segment_writer_new(Repo *repo, Uploader *uploader)
{
    SegmentWriter *writer = xcalloc(1, sizeof *writer);
    writer->repo = repo;
    writer->uploader = uploader;
    writer->cut_per_byte = UINT64_MAX / repo_params(repo)->segment_mean;
    writer->raw = BUF_INIT(BLOB_MAX);
    writer->out = BUF_INIT(BLOB_STORED_MAX);
    writer->zstd = ZSTD_createCCtx();
    if (writer->zstd == NULL || repo_zstd_setup(repo, writer->zstd) < 0)
        abort();
    return writer;
}

void segment_writer_free(SegmentWriter *writer)
{
    if (writer == NULL)
        return;
    ZSTD_freeCCtx(writer->zstd);
    buf_done(&writer->raw);
    buf_done(&writer->out);
    free(writer->segments);
    free(writer);
}

/* Compressed into a buffer that stays, handed on in one of the right size: fresh pages for every segment's worst case
 * cost more than the copy. */
static int compress(SegmentWriter *writer, Buf *ret, Error *err)
{
    buf_clear(&writer->out);
    if (buf_reserve(&writer->out, ZSTD_compressBound(writer->raw.len), err) < 0)
        return -1;
    size_t len = ZSTD_compress2(writer->zstd, writer->out.data, writer->out.cap, writer->raw.data, writer->raw.len);
    if (ZSTD_isError(len))
        return error_set(err, ERR_FAILED, "compressing rows: %s", ZSTD_getErrorName(len));
    return buf_append(ret, writer->out.data, len, err);
}

static int seal(SegmentWriter *writer, Error *err)
{
    ManifestSegment segment = {.raw = writer->raw.len, .rows = writer->rows, .continues = writer->continues};
    _cleanup_(buf_done) Buf blob = BUF_INIT(BLOB_STORED_MAX);
    if (compress(writer, &blob, err) < 0 || uploader_submit(writer->uploader, BLOB_ZSTD, &blob, &segment.blob, err) < 0)
        return -1;
    xgrow(&writer->segments, &writer->cap, writer->n);
    writer->segments[writer->n++] = segment;
    buf_clear(&writer->raw);
    writer->rows = 0;
    return 0;
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
    *ret_digest = writer->digest;
    writer->digest = (RowDigest){0};
    *ret = steal(writer->segments);
    *ret_n = writer->n;
    writer->n = writer->cap = 0;
    return 0;
}
