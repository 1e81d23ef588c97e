/* Progress: counters that workers add to and cmd/ shows. Everything here is thread-safe. */
#ifndef KURA_PROGRESS_H
#define KURA_PROGRESS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

/* A picture of the counters at one moment. */
typedef struct ProgressSnapshot {
    char phase[64], item[256];
    double started;
    uint64_t bytes_done, bytes_total, rows_done;
} ProgressSnapshot;

typedef struct Progress {
    pthread_mutex_t mutex;
    char phase[64]; /* "rows", "media", "indexes", ...; "" before the first and after the last */
    char item[256]; /* what is being worked on: a table, a file */
    double started; /* clock_monotonic() of the phase */
    atomic_uint_least64_t bytes_done, bytes_total; /* total 0: unknown */
    atomic_uint_least64_t rows_done;               /* rows, or files */
    /* Told the last counters of each phase that another one follows. Set before the first phase; NULL: nobody. */
    void (*on_end)(void *ctx, const ProgressSnapshot *last);
    void *on_end_ctx;
} Progress;

#define PROGRESS_INIT                                                                                                  \
    {                                                                                                                  \
        .mutex = PTHREAD_MUTEX_INITIALIZER                                                                             \
    }

/* Begins a phase and zeroes the counters; logs it too (log.h, info). progress may be NULL in all of these. */
void progress_phase(Progress *progress, const char *phase, uint64_t bytes_total);
/* Corrects the running phase's total. */
void progress_total(Progress *progress, uint64_t bytes_total);
void progress_item(Progress *progress, const char *item);
void progress_add(Progress *progress, uint64_t bytes, uint64_t rows);
void progress_snapshot(Progress *progress, ProgressSnapshot *ret);

#endif
