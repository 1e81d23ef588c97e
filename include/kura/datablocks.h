/* The data part of a custom-format archive, read front to back (pg_backup_custom.c: _PrintData, _LoadLOs). Pure. */
#ifndef KURA_DATABLOCKS_H
#define KURA_DATABLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "kura/buf.h"
#include "kura/error.h"

/* Where bytes come from: reads up to len bytes into out; 0 is the end, -1 an error. */
typedef struct ByteSource {
    ssize_t (*read)(void *ctx, void *out, size_t len, Error *err);
    void *ctx;
} ByteSource;

/* What the reader meets, in order. Functions return 0, or -1 to end with their error. */
typedef struct DataBlockSink {
    int (*table_begin)(void *ctx, int dump_id, Error *err);
    int (*table_data)(void *ctx, const void *data, size_t len, Error *err); /* decompressed COPY text, cut anywhere */
    int (*table_end)(void *ctx, Error *err);
    int (*blob_begin)(void *ctx, uint32_t oid, Error *err); /* a large object */
    int (*blob_data)(void *ctx, const void *data, size_t len, Error *err);
    int (*blob_end)(void *ctx, Error *err);
    void *ctx;
} DataBlockSink;

/* Reads all data blocks up to the end of input: nothing follows them (into a seekable file pg_dump writes its TOC a
 * second time, but over the first). compression: TOC_COMPRESSION_NONE, _GZIP (zlib streams) or _ZSTD; others are
 * ERR_UNSUPPORTED. expected_blocks (may be 0: unknown) makes an archive that ends with fewer blocks ERR_TRUNCATED: an
 * end between two blocks cannot be told from the real one otherwise. Memory does not depend on what the lengths claim;
 * a zstd frame may ask for a window of up to 128 MiB. */
int datablocks_read(const ByteSource *source, int compression, size_t expected_blocks, const DataBlockSink *sink,
                    Error *err);

/* Splits COPY text into rows: give it bytes cut anywhere, it calls row() for every complete line, newline included, and
 * stops at the end marker "\.". */
typedef struct RowSplitter {
    int (*row)(void *ctx, const char *row, size_t len, Error *err);
    void *ctx;
    Buf partial; /* max: the longest row allowed */
    bool ended;  /* the end marker was seen */
} RowSplitter;
int rowsplitter_feed(RowSplitter *splitter, const void *data, size_t len, Error *err);

#endif
