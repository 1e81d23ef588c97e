#include "kura/pool.h"

#include <pthread.h>

#include "kura/mem.h"
#include "kura/stop.h"

typedef struct Run {
    Pool pool;
    int (*fn)(void *ctx, Pool *pool, size_t worker, Error *err);
    void *ctx;
    pthread_mutex_t mutex;
    Error first;
} Run;

typedef struct Worker {
    Run *run;
    size_t number;
    pthread_t thread;
} Worker;

static void *work(void *arg)
{
    Worker *worker = arg;
    Run *run = worker->run;
    Error err = ERROR_INIT;
    if (run->fn(run->ctx, &run->pool, worker->number, &err) < 0) {
        pthread_mutex_lock(&run->mutex);
        if (!run->pool.failed) {
            run->first = err;
            run->pool.failed = true;
        }
        pthread_mutex_unlock(&run->mutex);
    }
    return NULL;
}

int pool_run(size_t workers, int (*fn)(void *ctx, Pool *pool, size_t worker, Error *err), void *ctx, Error *err)
{
    Run run = {.fn = fn, .ctx = ctx, .mutex = PTHREAD_MUTEX_INITIALIZER};
    if (workers == 0)
        workers = 1;
    Worker *all = xcalloc(workers, sizeof *all);
    for (size_t i = 0; i < workers; i++) {
        all[i] = (Worker){.run = &run, .number = i};
        if (pthread_create(&all[i].thread, NULL, work, &all[i]) != 0)
            abort();
    }
    for (size_t i = 0; i < workers; i++)
        pthread_join(all[i].thread, NULL);
    free(all);
    if (!run.pool.failed)
        return 0;
    if (err)
        *err = run.first;
    return -1;
}

int pool_check(Pool *pool, Error *err)
{
    if (stop_check(err) < 0)
        return -1;
    if (pool->failed)
        return error_set(err, ERR_FAILED, "ended because another worker failed");
    return 0;
}
