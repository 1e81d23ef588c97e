#include "kura/datablocks.h"

#include <inttypes.h>
#include <limits.h>

#include "kura/mem.h"
#include "unpack.h"

enum { INPUT_SIZE = 64 * 1024 };
enum { BLOCK_DATA = 1, BLOCK_BLOBS = 3 }; /* pg_backup_custom.c: BLK_DATA, BLK_BLOBS */

typedef struct Reader {
    const ByteSource *source;
    const DataBlockSink *sink;
    Unpack *unpack;
    uint8_t *data;
    size_t pos, len;
    uint64_t before; /* bytes that came before data */
    int dump_id;     /* of the present block; 0 outside of one */
} Reader;

static int corrupt(const Reader *r, Error *err, const char *what)
{
    error_set(err, ERR_CORRUPT, "damaged data of entry %d (byte %" PRIu64 " of the data): %s", r->dump_id,
              r->before + r->pos, what);
    return -1;
}

static int truncated(const Reader *r, Error *err)
{
    error_set(err, ERR_TRUNCATED, "the archive ends inside the data of entry %d (byte %" PRIu64 " of the data)",
              r->dump_id, r->before + r->pos);
    return -1;
}

static int wrap(const Reader *r, Error *err)
{
    return error_wrap(err, "data of entry %d (byte %" PRIu64 " of the data)", r->dump_id, r->before + r->pos);
}

/* Makes sure that a byte is there: 1, or 0 at the end of input. */
static int fill(Reader *r, Error *err)
{
    if (r->pos < r->len)
        return 1;
    r->before += r->len;
    r->pos = r->len = 0;
    ssize_t n = r->source->read(r->source->ctx, r->data, INPUT_SIZE, err);
    if (n < 0)
        return -1;
    r->len = (size_t)n;
    return n > 0;
}

static int need(Reader *r, Error *err)
{
    int rc = fill(r, err);
    return rc == 0 ? truncated(r, err) : rc;
}

/* An integer as its writer had it in 32 bits: object ids are written as if they were signed. */
static int read_word(Reader *r, uint32_t *ret, Error *err)
{
    uint8_t bytes[5];
    for (size_t i = 0; i < sizeof bytes; i++) {
        if (need(r, err) < 0)
            return -1;
        bytes[i] = r->data[r->pos++];
    }
    if (bytes[0] > 1)
        return corrupt(r, err, "not an integer");
    uint32_t magnitude = bytes[1] | (uint32_t)bytes[2] << 8 | (uint32_t)bytes[3] << 16 | (uint32_t)bytes[4] << 24;
    *ret = bytes[0] ? -magnitude : magnitude;
    return 0;
}

static int feed_chunk(Reader *r, uint32_t len, UnpackOutput output, Error *err)
{
    while (len) {
        if (need(r, err) < 0)
            return -1;
        size_t n = r->len - r->pos < len ? r->len - r->pos : len;
        if (unpack_feed(r->unpack, r->data + r->pos, n, output, r->sink->ctx, err) < 0)
            return wrap(r, err);
        r->pos += n;
        len -= (uint32_t)n;
    }
    return 0;
}

static int read_chunks(Reader *r, UnpackOutput output, Error *err)
{
    unpack_begin(r->unpack);
    for (;;) {
        uint32_t len;
        if (read_word(r, &len, err) < 0)
            return -1;
        if (len == 0)
            break;
        if (len > INT_MAX)
            return corrupt(r, err, "a piece of negative length");
        if (feed_chunk(r, len, output, err) < 0)
            return -1;
    }
    return unpack_end(r->unpack, err) < 0 ? wrap(r, err) : 0;
}

static int read_table(Reader *r, Error *err)
{
    const DataBlockSink *sink = r->sink;
    if (sink->table_begin(sink->ctx, r->dump_id, err) < 0 || read_chunks(r, sink->table_data, err) < 0)
        return -1;
    return sink->table_end(sink->ctx, err);
}

static int read_blobs(Reader *r, Error *err)
{
    const DataBlockSink *sink = r->sink;
    for (;;) {
        uint32_t oid;
        if (read_word(r, &oid, err) < 0)
            return -1;
        if (oid == 0)
            return 0;
        if (sink->blob_begin(sink->ctx, oid, err) < 0 || read_chunks(r, sink->blob_data, err) < 0 ||
            sink->blob_end(sink->ctx, err) < 0)
            return -1;
    }
}

static int read_block(Reader *r, Error *err)
{
    uint8_t type = r->data[r->pos++];
    uint32_t dump_id;
    r->dump_id = 0;
    if (type != BLOCK_DATA && type != BLOCK_BLOBS) {
        error_set(err, ERR_CORRUPT, "damaged archive: a data block of unknown type %u (byte %" PRIu64 " of the data)",
                  type, r->before + r->pos - 1);
        return -1;
    }
    if (read_word(r, &dump_id, err) < 0)
        return -1;
    if (dump_id == 0 || dump_id > INT_MAX)
        return corrupt(r, err, "the block's dump id is not positive");
    r->dump_id = (int)dump_id;
    return type == BLOCK_DATA ? read_table(r, err) : read_blobs(r, err);
}

static int read_blocks(Reader *r, size_t expected_blocks, Error *err)
{
    size_t n = 0;
    int more;
    while ((more = fill(r, err)) > 0) {
        if (read_block(r, err) < 0)
            return -1;
        n++;
    }
    if (more == 0 && n < expected_blocks)
        return error_set(err, ERR_TRUNCATED, "the archive ends after %zu of %zu data blocks", n, expected_blocks);
    return more;
}

int datablocks_read(const ByteSource *source, int compression, size_t expected_blocks, const DataBlockSink *sink,
                    Error *err)
{
    Unpack *unpack = unpack_new(compression, err);
    if (unpack == NULL)
        return -1;
    Reader r = {.source = source, .sink = sink, .unpack = unpack, .data = xmalloc(INPUT_SIZE)};
    int rc = read_blocks(&r, expected_blocks, err);
    free(r.data);
    unpack_free(unpack);
    return rc;
}
