#include <zstd.h>

#include "kura/mem.h"
#include "repo_priv.h"

DEFINE_CLEANUP(ZSTD_CCtx, ZSTD_freeCCtx)
DEFINE_CLEANUP(ZSTD_DCtx, ZSTD_freeDCtx)

int repo_zstd_setup(const Repo *repo, struct ZSTD_CCtx_s *ctx)
{
    return ZSTD_isError(ZSTD_CCtx_setParameter(ctx, ZSTD_c_compressionLevel, repo->params.zstd_level)) ||
                   ZSTD_isError(ZSTD_CCtx_setParameter(ctx, ZSTD_c_checksumFlag, 1))
               ? -1
               : 0;
}

int repo_compress(const Repo *repo, const void *data, size_t len, Buf *out, Error *err)
{
    buf_clear(out);
    _cleanup_(ZSTD_freeCCtx_cleanup) ZSTD_CCtx *ctx = ZSTD_createCCtx();
    if (ctx == NULL || repo_zstd_setup(repo, ctx) < 0)
        return error_set(err, ERR_FAILED, "libzstd refuses level %d", repo->params.zstd_level);
    size_t bound = ZSTD_compressBound(len); /* with less room libzstd may choose other bytes */
    if (buf_reserve(out, bound, err) < 0)
        return -1;
    size_t n = ZSTD_compress2(ctx, out->data, bound, data, len);
    if (ZSTD_isError(n))
        return error_set(err, ERR_FAILED, "could not compress %zu bytes: %s", len, ZSTD_getErrorName(n));
    out->len = n;
    out->data[n] = 0;
    return 0;
}

static int too_large(const Buf *out, Error *err)
{
    return error_set(err, ERR_CORRUPT, "zstd data expands to more than %zu bytes", out->max);
}

/* One step of decompression into out, or, once out is full, into a byte that must stay unused: the frame may still have
 * its checksum to read. *ret_more is 0 at the end of a frame. */
static int step(ZSTD_DCtx *ctx, ZSTD_inBuffer *in, Buf *out, size_t *ret_more, Error *err)
{
    uint8_t spare;
    size_t room = out->max - out->len;
    if (room > ZSTD_DStreamOutSize())
        room = ZSTD_DStreamOutSize();
    if (room > 0 && buf_reserve(out, room, err) < 0)
        return -1;
    ZSTD_outBuffer to = {.dst = &spare, .size = sizeof spare};
    if (room > 0)
        to = (ZSTD_outBuffer){.dst = out->data + out->len, .size = room};
    *ret_more = ZSTD_decompressStream(ctx, &to, in);
    if (ZSTD_isError(*ret_more))
        return error_set(err, ERR_CORRUPT, "zstd data is damaged: %s", ZSTD_getErrorName(*ret_more));
    if (room == 0 && to.pos > 0)
        return too_large(out, err);
    if (room > 0) {
        out->len += to.pos;
        out->data[out->len] = 0;
    }
    /* With all input taken, a full output may hide that the frame goes on; less than full cannot. */
    if (*ret_more > 0 && in->pos == in->size && to.pos < to.size)
        return error_set(err, ERR_TRUNCATED, "zstd data ends too early");
    return 0;
}

int repo_decompress(const void *data, size_t len, Buf *out, Error *err)
{
    buf_clear(out);
    _cleanup_(ZSTD_freeDCtx_cleanup) ZSTD_DCtx *ctx = ZSTD_createDCtx();
    if (ctx == NULL)
        abort(); /* no memory */
    ZSTD_inBuffer in = {.src = data, .size = len};
    size_t more = 1;
    if (len == 0)
        return error_set(err, ERR_TRUNCATED, "zstd data is empty");
    while (more > 0 || in.pos < in.size)
        if (step(ctx, &in, out, &more, err) < 0)
            return -1;
    return 0;
}

int repo_decompress_pieces(const void *data, size_t len, uint64_t max,
                           int (*fn)(void *ctx, const void *piece, size_t len, Error *err), void *ctx, Error *err)
{
    _cleanup_(ZSTD_freeDCtx_cleanup) ZSTD_DCtx *zstd = ZSTD_createDCtx();
    size_t room = ZSTD_DStreamOutSize();
    _cleanup_free_ uint8_t *piece = xmalloc(room);
    if (zstd == NULL)
        abort(); /* no memory */
    ZSTD_inBuffer in = {.src = data, .size = len};
    uint64_t total = 0;
    size_t more = 1;
    if (len == 0)
        return error_set(err, ERR_TRUNCATED, "zstd data is empty");
    while (more > 0 || in.pos < in.size) {
        ZSTD_outBuffer out = {.dst = piece, .size = room};
        more = ZSTD_decompressStream(zstd, &out, &in);
        if (ZSTD_isError(more))
            return error_set(err, ERR_CORRUPT, "zstd data is damaged: %s", ZSTD_getErrorName(more));
        total += out.pos;
        if (total > max)
            return error_set(err, ERR_CORRUPT, "zstd data expands to more than %ju bytes", (uintmax_t)max);
        if (out.pos > 0 && fn(ctx, piece, out.pos, err) < 0)
            return -1;
        /* With all input taken, a full output may hide that the frame goes on; less than full cannot. */
        if (more > 0 && in.pos == in.size && out.pos < out.size)
            return error_set(err, ERR_TRUNCATED, "zstd data ends too early");
    }
    return 0;
}
