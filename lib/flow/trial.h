/* A restore that ends before the rename, for a rehearsal. The database has its name from the beginning; roles that it
 * makes bear a mark and may not log in; differences are counted and told, and do not end it. At the end all that was
 * made is dropped, on every way out, unless it shall be looked at. */
#ifndef KURA_TRIAL_H
#define KURA_TRIAL_H

#include "kura/error.h"
#include "kura/toc.h"

struct Restore;

typedef struct RestoreTrial {
    const char *role_mark; /* the comment of each role that is made */
    /* What pg_dump reads from the database that is built. same: by the same major from the same major as the backup's;
     * whole: nothing had to be left out. */
    int (*compare)(void *ctx, struct Restore *restore, const Toc *actual, bool same, bool whole, Error *err);
    /* Everything is there but the database's settings, which could keep kura out. */
    int (*prove)(void *ctx, struct Restore *restore, Error *err);
    /* Now these are, too. */
    int (*use)(void *ctx, struct Restore *restore, Error *err);
    /* Whether database and roles stay, after a failure (rc < 0) or not; marks them so. */
    bool (*keeps)(void *ctx, struct Restore *restore, int rc);
    void *ctx;
} RestoreTrial;

#endif
