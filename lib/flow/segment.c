/* Where a segment ends depends on rows alone, so that yesterday's and today's segments fall on the same rows however
 * many rows came between. The chance that a row ends a segment is proportional to its length: the expected length of a
 * segment is then the same for tables of short and of long rows, which a fixed number of zero bits would not give. */
#include "segment.h"

#include <string.h>
#include <zstd.h>

#include "kura/mem.h"

/* zstd is fed in pieces of exactly this size, whatever the rows' lengths: its output depends on how the input is cut.
 */
enum { STAGE_SIZE = 256 * 1024, OUT_RESERVE = 128 * 1024 };

struct SegmentWriter {
    Repo *repo;
    Uploader *uploader;
    ZSTD_CCtx *zstd;
    uint64_t cut_per_byte; /* share of 2^64 that each byte of a row adds to its chance to end a segment */
    uint8_t *stage;
    size_t staged;
    Buf out;
    uint64_t raw; /* of the open segment */
    uint64_t rows;
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
    writer->stage = xmalloc(STAGE_SIZE);
    writer->out = BUF_INIT(BLOB_STORED_MAX);
    writer->zstd = ZSTD_createCCtx();
    if (writer->zstd == NULL)
        abort();
    return writer;
}

void segment_writer_free(SegmentWriter *writer)
{
    if (writer == NULL)
        return;
    ZSTD_freeCCtx(writer->zstd);
    free(writer->stage);
    buf_done(&writer->out);
    free(writer->segments);
    free(writer);
}

static int compress_stage(SegmentWriter *writer, ZSTD_EndDirective mode, Error *err)
{
    ZSTD_inBuffer in = {.src = writer->stage, .size = writer->staged};
    size_t left;
    do {
        if (buf_reserve(&writer->out, OUT_RESERVE, err) < 0)
            return -1;
        ZSTD_outBuffer out = {.dst = writer->out.data, .size = writer->out.cap, .pos = writer->out.len};
        left = ZSTD_compressStream2(writer->zstd, &out, &in, mode);
        if (ZSTD_isError(left))
            return error_set(err, ERR_FAILED, "compressing rows: %s", ZSTD_getErrorName(left));
        writer->out.len = out.pos;
    } while (mode == ZSTD_e_end ? left > 0 : in.pos < in.size);
    writer->staged = 0;
    return 0;
}

static int seal(SegmentWriter *writer, Error *err)
{
    ManifestSegment segment = {.raw = writer->raw, .rows = writer->rows, .continues = writer->continues};
    if (compress_stage(writer, ZSTD_e_end, err) < 0 ||
        uploader_submit(writer->uploader, BLOB_ZSTD, &writer->out, &segment.blob, err) < 0)
        return -1;
    xgrow(&writer->segments, &writer->cap, writer->n);
    writer->segments[writer->n++] = segment;
    writer->raw = writer->rows = 0;
    return 0;
}

static int append(SegmentWriter *writer, const char *data, size_t len, Error *err)
{
    if (writer->raw == 0 && writer->staged == 0)
        repo_zstd_setup(writer->repo, writer->zstd);
    writer->raw += len;
    while (len > 0) {
        size_t piece = STAGE_SIZE - writer->staged;
        if (piece > len)
            piece = len;
        memcpy(writer->stage + writer->staged, data, piece);
        writer->staged += piece;
        data += piece;
        len -= piece;
        if (writer->staged == STAGE_SIZE && compress_stage(writer, ZSTD_e_continue, err) < 0)
            return -1;
    }
    return 0;
}

static bool ends_segment(const SegmentWriter *writer, uint64_t hash, size_t len)
{
    const RepoParams *params = repo_params(writer->repo);
    if (writer->raw < params->segment_min)
        return false;
    return writer->raw >= params->segment_max || len >= params->segment_mean || hash < len * writer->cut_per_byte;
}

int segment_writer_row(SegmentWriter *writer, const char *row, size_t len, Error *err)
{
    uint64_t hash = rowdigest_add(&writer->digest, row, len);
    size_t left = len;
    uint64_t max = repo_params(writer->repo)->segment_max;
    if (writer->raw > 0 && writer->raw + len > max && len <= max) {
        /* keeps a row whole that fits into a segment of its own */
        if (seal(writer, err) < 0)
            return -1;
        writer->continues = false;
    }
    while (writer->raw + left > max) {
        size_t piece = max - writer->raw;
        if (append(writer, row, piece, err) < 0 || seal(writer, err) < 0)
            return -1;
        writer->continues = true;
        row += piece;
        left -= piece;
    }
    if (append(writer, row, left, err) < 0)
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
    if (writer->raw > 0 && seal(writer, err) < 0)
        return -1;
    writer->continues = false;
    *ret_digest = writer->digest;
    writer->digest = (RowDigest){0};
    *ret = steal(writer->segments);
    *ret_n = writer->n;
    writer->n = writer->cap = 0;
    return 0;
}
