/* Small files that are read or written whole. */
#ifndef KURA_CMD_FILE_H
#define KURA_CMD_FILE_H

#include <sys/stat.h>

#include "kura/buf.h"
#include "kura/error.h"

/* Appends a file's content, bounded by out->max. ret_stat, what fstat() says of it, may be NULL. */
int file_read(const char *path, Buf *out, struct stat *ret_stat, Error *err);

/* Writes a file whole or not at all: what is there under that name is replaced in one step, and gives its mode; a new
 * one has mode 0600. */
int file_replace(const char *path, const Buf *content, Error *err);

#endif
