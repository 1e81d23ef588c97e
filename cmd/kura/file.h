/* Small files that are read whole. */
#ifndef KURA_CMD_FILE_H
#define KURA_CMD_FILE_H

#include <sys/stat.h>

#include "kura/buf.h"
#include "kura/error.h"

/* Appends a file's content, bounded by out->max. ret_stat, what fstat() says of it, may be NULL. */
int file_read(const char *path, Buf *out, struct stat *ret_stat, Error *err);

#endif
