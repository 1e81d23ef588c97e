/* Writing to descriptors. */
#ifndef KURA_FDIO_H
#define KURA_FDIO_H

#include <stddef.h>

/* Writes all of it, however many calls that takes. 0, or -1 with errno: then a part of it may be written. */
int fd_write_all(int fd, const void *data, size_t len);

#endif
