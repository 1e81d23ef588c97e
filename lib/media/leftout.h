/* Counts what a walk leaves out, without reading any of it. */
#ifndef KURA_MEDIA_LEFTOUT_H
#define KURA_MEDIA_LEFTOUT_H

#include <stdint.h>
#include <sys/stat.h>

#include "kura/error.h"

typedef struct LeftOut {
    uint64_t files, bytes;
} LeftOut;

/* Adds a file, or nothing for what is none. */
void left_out_add(LeftOut *totals, const struct stat *st);
/* Adds all files below the directory `name` in dir_fd, following no link. -1 when a stop was asked for. */
int left_out_below(LeftOut *totals, int dir_fd, const char *name, Error *err);

#endif
