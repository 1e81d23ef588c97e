#include "unpack.h"

#include <stdbool.h>
#include <stdint.h>
#define ZLIB_CONST
#include <zlib.h>
#include <zstd.h>

#include "kura/mem.h"
#include "kura/toc.h"

enum { OUT_SIZE = 128 * 1024 };

struct Unpack {
    int compression;
    z_stream zlib;
    ZSTD_DCtx *zstd;
    bool begun, ended; /* of the present stream */
    uint8_t *out;
};

static Unpack *refuse_lz4(Error *err)
{
    error_set(err, ERR_UNSUPPORTED, "the archive's data is compressed with lz4, which this kura does not read");
    error_hint(err, "Dump again with pg_dump -Z zstd or -Z gzip.");
    return NULL;
}

Unpack *unpack_new(int compression, Error *err)
{
    if (compression == TOC_COMPRESSION_LZ4)
        return refuse_lz4(err);
    if (compression < TOC_COMPRESSION_NONE || compression > TOC_COMPRESSION_ZSTD) {
        error_set(err, ERR_UNSUPPORTED, "the archive's data is compressed by an unknown method (%d)", compression);
        return NULL;
    }
    Unpack *unpack = xcalloc(1, sizeof *unpack);
    unpack->compression = compression;
    unpack->out = xmalloc(OUT_SIZE);
    if (compression == TOC_COMPRESSION_GZIP && inflateInit(&unpack->zlib) != Z_OK)
        abort();
    if (compression == TOC_COMPRESSION_ZSTD && (unpack->zstd = ZSTD_createDCtx()) == NULL)
        abort();
    return unpack;
}

void unpack_free(Unpack *unpack)
{
    if (unpack == NULL)
        return;
    if (unpack->compression == TOC_COMPRESSION_GZIP)
        inflateEnd(&unpack->zlib);
    ZSTD_freeDCtx(unpack->zstd);
    free(unpack->out);
    free(unpack);
}

void unpack_begin(Unpack *unpack)
{
    unpack->begun = unpack->ended = false;
    if (unpack->compression == TOC_COMPRESSION_GZIP)
        inflateReset(&unpack->zlib);
    if (unpack->zstd)
        ZSTD_DCtx_reset(unpack->zstd, ZSTD_reset_session_only);
}

static int feed_zlib(Unpack *unpack, const uint8_t *data, size_t len, UnpackOutput output, void *ctx, Error *err)
{
    z_stream *z = &unpack->zlib;
    z->next_in = data;
    z->avail_in = (uInt)len;
    do {
        z->next_out = unpack->out;
        z->avail_out = OUT_SIZE;
        int rc = inflate(z, Z_NO_FLUSH);
        if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
            return error_set(err, ERR_CORRUPT, "damaged zlib stream: %s", z->msg ? z->msg : zError(rc));
        unpack->ended = rc == Z_STREAM_END;
        if (z->avail_out < OUT_SIZE && output(ctx, unpack->out, OUT_SIZE - z->avail_out, err) < 0)
            return -1;
    } while (!unpack->ended && z->avail_out == 0);
    return z->avail_in ? error_set(err, ERR_CORRUPT, "bytes follow the end of a zlib stream") : 0;
}

static int feed_zstd(Unpack *unpack, const uint8_t *data, size_t len, UnpackOutput output, void *ctx, Error *err)
{
    ZSTD_inBuffer in = {data, len, 0};
    ZSTD_outBuffer out;
    do {
        out = (ZSTD_outBuffer){unpack->out, OUT_SIZE, 0};
        size_t rc = ZSTD_decompressStream(unpack->zstd, &out, &in);
        if (ZSTD_isError(rc))
            return error_set(err, ERR_CORRUPT, "damaged zstd frame: %s", ZSTD_getErrorName(rc));
        unpack->ended = rc == 0;
        if (out.pos && output(ctx, unpack->out, out.pos, err) < 0)
            return -1;
    } while (!unpack->ended && (in.pos < in.size || out.pos == out.size));
    return in.pos < in.size ? error_set(err, ERR_CORRUPT, "bytes follow the end of a zstd frame") : 0;
}

int unpack_feed(Unpack *unpack, const void *data, size_t len, UnpackOutput output, void *ctx, Error *err)
{
    if (unpack->compression == TOC_COMPRESSION_NONE)
        return output(ctx, data, len, err);
    if (unpack->ended)
        return error_set(err, ERR_CORRUPT, "bytes follow the end of a compressed stream");
    unpack->begun = true;
    if (unpack->compression == TOC_COMPRESSION_GZIP)
        return feed_zlib(unpack, data, len, output, ctx, err);
    return feed_zstd(unpack, data, len, output, ctx, err);
}

int unpack_end(Unpack *unpack, Error *err)
{
    if (unpack->begun && !unpack->ended)
        return error_set(err, ERR_CORRUPT, "a compressed stream is cut off");
    return 0;
}
