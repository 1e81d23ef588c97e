/* Reads directories ahead of a walk: threads list those that come next and look at what is in them, so that the walk
 * finds both in memory. What is ahead is bounded, in entries and in descriptors. */
#ifndef KURA_MEDIA_SCOUT_H
#define KURA_MEDIA_SCOUT_H

#include <sys/stat.h>

#include "listing.h"

typedef struct Scout Scout;

typedef struct ScoutRules {
    bool exclude_caches;  /* as listing_read has it */
    bool one_file_system; /* what is on another one than the directory above is not listed */
} ScoutRules;

/* A directory that the walk has entered, or will. */
typedef struct ScoutDir {
    int fd;    /* -1: could not be opened, or is closed for now */
    int error; /* an errno: why it could not be opened, or not be read to its end */
    struct stat st;
    Listing listing;

    /* The scout's own. */
    Scout *scout;
    char *path;
    struct stat *stats; /* of the first items; st_mode 0: not known */
    size_t n_stats;
    size_t item;                         /* where it is in the listing of the directory above */
    size_t next_child;                   /* the first item whose directory nobody has begun to read */
    struct ScoutDir *ahead, *next_ahead; /* directories below that were begun before the walk came to them, in order */
    unsigned busy_children;
    bool busy;
    bool queued;
    struct ScoutDir *queue_prev, *queue_next;
} ScoutDir;

/* wants(ctx, path) tells whether the walk will enter a directory; any thread calls it. */
Scout *scout_new(size_t threads, ScoutRules rules, bool (*wants)(const void *ctx, const char *path), const void *ctx);
/* After all directories were left. NULL-safe. */
void scout_free(Scout *scout);

/* The top, given its descriptor, and the directory below an item (with .below). Never NULL; to be left. */
ScoutDir *scout_top(Scout *scout, int fd);
ScoutDir *scout_enter(ScoutDir *dir, size_t item);
/* What lstat() says of an item; 0 or an errno. */
int scout_stat(const ScoutDir *dir, size_t item, struct stat *ret);
/* Closes the descriptor for now. */
void scout_close(ScoutDir *dir);
void scout_leave(ScoutDir *dir);

#endif
