/* Writing that is written, and reading that leaves no trace. */
#ifndef KURA_FDIO_H
#define KURA_FDIO_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "kura/error.h"

/* Writes all of it, however many calls that takes. 0, or -1 with errno: then a part of it may be written. */
int fd_write_all(int fd, const void *data, size_t len);
/* As pread(). *cached, true at first, turns false once something was not in memory: whoever reads a file through then
 * knows whether its pages are there for his sake alone. */
ssize_t fd_pread(int fd, void *data, size_t len, off_t at, bool *cached);
/* Forces the directory that holds path to the disk, so that the name survives a crash too. 0, or -1 with errno. */
int fd_sync_directory_of(const char *path);
/* Opens the directory of an absolute path and follows no symbolic link, neither at its end nor on the way: for places
 * where others may put links. make: what is missing is made. Returns the descriptor, or -1 with errno: ENOTDIR where a
 * link stands. */
int fd_open_directory(const char *path, bool make);
/* Makes a new file of exactly this mode, durably: after -1 there is none. ERR_EXISTS when anything has that name, which
 * is then left alone. */
int file_make(const char *path, const void *data, size_t len, mode_t mode, Error *err);
/* The same, in one step in the place of a file that may be there. Whoever else writes path.new meanwhile is in the way.
 */
int file_put(const char *path, const void *data, size_t len, mode_t mode, Error *err);

#endif
