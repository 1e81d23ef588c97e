#include "datafile.h"

#include <string.h>
#include <zlib.h>

#include "kura/mem.h"

enum { GZIP_LEVEL = 1, GZIP_WINDOW = 15 + 16 /* with gzip's header */, GZIP_OUT_SIZE = 256 * 1024 };

/* What pg_dump itself puts behind a table's rows. A server does not need it, but "pg_restore -f" writes a script from
 * the file as it is. */
static const char end_marker[] = "\\.\n\n\n";

const char *datafile_suffix(ExportCompression compression)
{
    switch (compression) {
    case EXPORT_ZSTD:
        return ".zst";
    case EXPORT_GZIP:
        return ".gz";
    case EXPORT_PLAIN:
        break;
    }
    return "";
}

int datafile_open(DataFile *file, const Repo *repo, ExportCompression compression, const char *path, Error *err)
{
    *file = (DataFile){.out = OUTFILE_INIT, .compression = compression, .repo = repo};
    return outfile_open(&file->out, path, err);
}

static int deflate_all(z_stream *stream, OutFile *out, uint8_t *chunk, Error *err)
{
    int state;
    do {
        stream->next_out = chunk;
        stream->avail_out = GZIP_OUT_SIZE;
        state = deflate(stream, Z_FINISH);
        if (state != Z_OK && state != Z_STREAM_END)
            return error_set(err, ERR_FAILED, "compressing for \"%s\": zlib returned %d", out->path, state);
        if (outfile_write(out, chunk, GZIP_OUT_SIZE - stream->avail_out, err) < 0)
            return -1;
    } while (state != Z_STREAM_END);
    return 0;
}

/* One gzip member of its own: a file may have several. */
static int write_gzip(OutFile *out, const void *data, size_t len, Error *err)
{
    z_stream stream = {.next_in = (Bytef *)data, .avail_in = (uInt)len};
    if (deflateInit2(&stream, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return error_set(err, ERR_FAILED, "compressing for \"%s\": zlib refused", out->path);
    _cleanup_free_ uint8_t *chunk = xmalloc(GZIP_OUT_SIZE);
    int rc = deflate_all(&stream, out, chunk, err);
    deflateEnd(&stream);
    return rc;
}

int datafile_segment(DataFile *file, const Buf *stored, const Buf *raw, Error *err)
{
    switch (file->compression) {
    case EXPORT_ZSTD:
        return outfile_write(&file->out, stored->data, stored->len, err);
    case EXPORT_GZIP:
        return write_gzip(&file->out, raw->data, raw->len, err);
    case EXPORT_PLAIN:
        break;
    }
    return outfile_write(&file->out, raw->data, raw->len, err);
}

int datafile_close(DataFile *file, char ret_hex[SHA256_HEX_SIZE], Error *err)
{
    _cleanup_(buf_done) Buf raw = BUF_INIT(sizeof end_marker);
    _cleanup_(buf_done) Buf frame = BUF_INIT(BLOB_STORED_MAX);
    if (buf_append_str(&raw, end_marker, err) < 0 || repo_compress(file->repo, raw.data, raw.len, &frame, err) < 0 ||
        datafile_segment(file, &frame, &raw, err) < 0)
        return -1;
    return outfile_close(&file->out, ret_hex, err);
}

void datafile_done(DataFile *file)
{
    outfile_done(&file->out);
}
