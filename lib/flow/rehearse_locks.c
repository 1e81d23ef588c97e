/* Who has to wait for a migration: the locks that it holds on tables, looked at every few milliseconds. */
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "kura/clock.h"
#include "kura/log.h"
#include "kura/mem.h"
#include "kura/schemastate.h"
#include "rehearse_run.h"

enum { INTERVAL_MS = 20 };

typedef struct Held {
    char *transaction, *relation, *mode, *name;
    double since, until;
} Held;

struct LockWatch {
    Restore *restore;
    pthread_t thread;
    atomic_bool over;
    Held *held;
    size_t n, cap;
};

static Held *find(LockWatch *watch, const PGresult *rows, int row)
{
    for (size_t i = 0; i < watch->n; i++) {
        Held *held = &watch->held[i];
        if (strcmp(held->transaction, pg_cell(rows, row, HELD_TRANSACTION)) == 0 &&
            strcmp(held->relation, pg_cell(rows, row, HELD_RELATION)) == 0 &&
            strcmp(held->mode, pg_cell(rows, row, HELD_MODE)) == 0)
            return held;
    }
    return NULL;
}

static void note(LockWatch *watch, const PGresult *rows, double now)
{
    for (int i = 0; i < PQntuples(rows); i++) {
        Held *held = find(watch, rows, i);
        if (held == NULL) {
            xgrow(&watch->held, &watch->cap, watch->n);
            held = &watch->held[watch->n++];
            *held = (Held){.transaction = xstrdup(pg_cell(rows, i, HELD_TRANSACTION)),
                           .relation = xstrdup(pg_cell(rows, i, HELD_RELATION)),
                           .mode = xstrdup(pg_cell(rows, i, HELD_MODE)),
                           .name = xstrdup(pg_cell(rows, i, HELD_NAME)),
                           .since = now};
        }
        held->until = now;
    }
}

static void *look(void *arg)
{
    LockWatch *watch = arg;
    PgConn *conn;
    Error err = ERROR_INIT;
    if (target_connect(watch->restore, NULL, &conn, &err) < 0) {
        log_debug("watching locks: %s", err.message);
        return NULL;
    }
    while (!watch->over) {
        PGresult *rows;
        if (catalog_held_locks(conn, &rows, &err) < 0)
            break;
        note(watch, rows, clock_monotonic());
        PQclear(rows);
        poll(NULL, 0, INTERVAL_MS);
    }
    pg_close(conn);
    return NULL;
}

LockWatch *lockwatch_start(Restore *restore)
{
    LockWatch *watch = xcalloc(1, sizeof *watch);
    watch->restore = restore;
    if (pthread_create(&watch->thread, NULL, look, watch) != 0)
        abort();
    return watch;
}

/* The longest of one table and mode. */
static void add(RehearsalRun *run, size_t *cap, Held *held)
{
    double seconds = held->until - held->since + INTERVAL_MS / 1000.0;
    for (size_t i = 0; i < run->n_locks; i++) {
        RehearsalLock *lock = &run->locks[i];
        if (strcmp(lock->table, held->name) != 0 || strcmp(lock->mode, held->mode) != 0)
            continue;
        lock->seconds = seconds > lock->seconds ? seconds : lock->seconds;
        return;
    }
    xgrow(&run->locks, cap, run->n_locks);
    run->locks[run->n_locks++] =
        (RehearsalLock){.table = xstrdup(held->name), .mode = xstrdup(held->mode), .seconds = seconds};
}

static int longest_first(const void *a, const void *b)
{
    double x = ((const RehearsalLock *)a)->seconds, y = ((const RehearsalLock *)b)->seconds;
    return x < y ? 1 : x > y ? -1 : 0;
}

void lockwatch_stop(LockWatch *watch, RehearsalRun *run)
{
    size_t cap = 0;
    watch->over = true;
    pthread_join(watch->thread, NULL);
    for (size_t i = 0; i < watch->n; i++) {
        Held *held = &watch->held[i];
        add(run, &cap, held);
        free(held->transaction);
        free(held->relation);
        free(held->mode);
        free(held->name);
    }
    if (run->n_locks > 0)
        qsort(run->locks, run->n_locks, sizeof *run->locks, longest_first);
    free(watch->held);
    free(watch);
}
