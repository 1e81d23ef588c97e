/* Writing that is written. */
#ifndef KURA_FDIO_H
#define KURA_FDIO_H

#include <stddef.h>

/* Writes all of it, however many calls that takes. 0, or -1 with errno: then a part of it may be written. */
int fd_write_all(int fd, const void *data, size_t len);
/* Forces the directory that holds path to the disk, so that the name survives a crash too. 0, or -1 with errno. */
int fd_sync_directory_of(const char *path);

#endif
