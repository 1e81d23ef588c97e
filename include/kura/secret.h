/* What keeps keys secret while they are in memory and in files. */
#ifndef KURA_SECRET_H
#define KURA_SECRET_H

#include <stddef.h>

#include "kura/buf.h"
#include "kura/error.h"

/* Zeroed memory for keys that live long: left out of core dumps, and never swapped where the system lets it. */
void *secret_new(size_t size) __attribute__((returns_nonnull));
/* Wipes and frees it; size as it was made with. NULL-safe. */
void secret_free(void *secret, size_t size);
/* Wipes a variable, which the compiler must not leave out. */
void secret_wipe(void *data, size_t size);
/* Wipes what a buffer holds and frees it. NULL-safe, and usable with _cleanup_. A buffer that grew has left copies
 * behind: reserve its room at once. */
void secret_buf_done(Buf *buf);

/* Small files with keys in them. Reads a file, or a pipe to its end, of at most out->max bytes. */
int secret_file_read(const char *path, Buf *out, Error *err);
/* Writes a new file, mode 0600, durably: after -1 there is none. ERR_EXISTS when anything has that name, which is then
 * left alone. */
int secret_file_create(const char *path, const void *data, size_t len, Error *err);
/* The same, in one step in the place of a file that may be there. */
int secret_file_replace(const char *path, const void *data, size_t len, Error *err);

#endif
