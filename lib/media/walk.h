/* Walks a directory in byte order of the full paths: "a", "a.b", "a/b" ('.' sorts before '/'), so that the paths come
 * strictly ascending, as strcmp() sees them. Follows no link, leaves the directory never. Holds the names of the
 * directories from the root to where it is, and a bounded number of descriptors however deep that is. */
#ifndef KURA_MEDIA_WALK_H
#define KURA_MEDIA_WALK_H

#include <stdint.h>
#include <sys/stat.h>

#include "kura/error.h"
#include "kura/fileset.h"
#include "leftout.h"
#include "notices.h"

typedef struct Walker Walker;

typedef struct WalkEntry {
    const char *path; /* valid until the next call, as is dir_fd */
    int dir_fd;       /* the directory it is in */
    const char *name; /* its name there */
    struct stat st;
} WalkEntry;

/* scouts: threads that read ahead, perhaps 0. spec and notices are borrowed. -1 when the directory cannot be opened at
 * all. */
int walker_new(const FilesetSpec *spec, size_t scouts, Notices *notices, Walker **ret, Error *err);
/* 1 with *ret, 0 at the end, -1 when a stop was asked for. Directories that are entered are given too; what is
 * excluded, or selected by no include pattern, is not. */
int walker_next(Walker *walker, WalkEntry *ret, Error *err);
/* What was left out by spec->refetchable up to here; files that cannot be looked at do not count. */
LeftOut walker_left_out(const Walker *walker);
/* A descriptor of the directory walked. */
int walker_root(const Walker *walker);
/* Things that were gone when the walk came to them. */
uint64_t walker_vanished(const Walker *walker);
void walker_free(Walker *walker); /* NULL-safe */

#endif
