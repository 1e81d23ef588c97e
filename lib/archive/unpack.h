/* One compressed stream of an archive, uncompressed as it comes. */
#ifndef KURA_UNPACK_H
#define KURA_UNPACK_H

#include <stddef.h>

#include "kura/error.h"

typedef int (*UnpackOutput)(void *ctx, const void *data, size_t len, Error *err);

typedef struct Unpack Unpack;

/* compression: TOC_COMPRESSION_*; NULL and ERR_UNSUPPORTED for what this kura cannot read. */
Unpack *unpack_new(int compression, Error *err);
void unpack_free(Unpack *unpack);

/* A new stream. */
void unpack_begin(Unpack *unpack);
/* Gives what comes out of the next bytes to output(), piece by piece. ERR_CORRUPT, or output()'s error. */
int unpack_feed(Unpack *unpack, const void *data, size_t len, UnpackOutput output, void *ctx, Error *err);
/* ERR_CORRUPT when the stream is not complete. Nothing at all is a complete stream: pg_dump starts a compressor with
 * the first byte it has for it. */
int unpack_end(Unpack *unpack, Error *err);

#endif
