/* Writing to descriptors. Copies between files are made inside the kernel where it can, sharing blocks where the file
 * system can. */
#ifndef KURA_COPYFILE_H
#define KURA_COPYFILE_H

#include <sys/types.h>

#include "kura/error.h"

/* Copies the bytes from `from` up to `until` of in to out's position. ERR_TRUNCATED when in ends earlier. */
int copyfile(int in, off_t from, off_t until, int out, Error *err);
/* Writes all of these bytes. */
int write_fully(int fd, const void *data, size_t len, Error *err);

#endif
