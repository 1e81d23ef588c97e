/* A pool of worker threads that share nothing but what fn guards itself. */
#ifndef KURA_POOL_H
#define KURA_POOL_H

#include <stdatomic.h>
#include <stddef.h>

#include "kura/error.h"

typedef struct Pool {
    atomic_bool failed; /* set as soon as one worker failed: the others should end soon (PgConn watches it) */
} Pool;

/* Runs fn(ctx, pool, worker number, &its own error) in `workers` threads (at least 1) and waits for all of them. -1
 * when any failed; *err is then the first failure in time. fn returns 0 or -1. */
int pool_run(size_t workers, int (*fn)(void *ctx, Pool *pool, size_t worker, Error *err), void *ctx, Error *err);

/* -1 with ERR_FAILED once another worker failed or a stop was asked for (then ERR_INTERRUPTED). */
int pool_check(Pool *pool, Error *err);

#endif
