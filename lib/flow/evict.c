#include "evict.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kura/databases.h"
#include "kura/log.h"
#include "kura/mem.h"

enum { OIDS_MAX = 2 };

struct Evictor {
    pthread_t thread;
    bool running;
    atomic_bool stop;
    PgConn *conn;
    char renamer[12];
    uint32_t oids[OIDS_MAX];
    StrVec ended; /* processes */
    StrVec roles; /* theirs */
};

/* While RENAME waits for the last session to leave it holds this lock, which every newcomer needs for a moment. */
static int is_renaming(Evictor *evictor, bool *ret, Error *err)
{
    const char *params[] = {evictor->renamer};
    _cleanup_free_ char *found = NULL;
    int rc = pg_query_value(evictor->conn,
                            "SELECT EXISTS (SELECT FROM pg_catalog.pg_locks l WHERE l.pid = $1::pg_catalog.int4"
                            " AND l.locktype = 'object' AND l.mode = 'AccessExclusiveLock'"
                            " AND l.classid = 'pg_catalog.pg_database'::pg_catalog.regclass)",
                            1, params, &found, err);
    *ret = rc == 0 && found && strcmp(found, "t") == 0;
    return rc;
}

static int end_sessions(Evictor *evictor, Error *err)
{
    CatalogSessions sessions;
    if (catalog_sessions(evictor->conn, evictor->oids, OIDS_MAX, &sessions, err) < 0)
        return -1;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < sessions.n; i++) {
        const CatalogSession *session = &sessions.v[i];
        const char *params[] = {session->pid};
        if (!session->ours_to_end)
            continue;
        _cleanup_free_ char *done = NULL;
        rc = pg_query_value(evictor->conn, "SELECT pg_catalog.pg_terminate_backend($1::pg_catalog.int4)", 1, params,
                            &done, err);
        if (rc < 0 || strvec_contains(&evictor->ended, session->pid))
            continue;
        strvec_push(&evictor->ended, session->pid);
        strvec_push(&evictor->roles, session->role ? session->role : session->application);
    }
    catalog_sessions_done(&sessions);
    return rc;
}

static void *run(void *arg)
{
    enum { TICK_NS = 30 * 1000 * 1000 };
    Evictor *evictor = arg;
    Error err = ERROR_INIT;
    while (!evictor->stop) {
        bool renaming;
        if (is_renaming(evictor, &renaming, &err) < 0 || (renaming && end_sessions(evictor, &err) < 0)) {
            log_debug("ending sessions: %s", err.message); /* whoever stays is named by swap_run() */
            break;
        }
        nanosleep(&(struct timespec){.tv_nsec = TICK_NS}, NULL);
    }
    return NULL;
}

Evictor *evictor_begin(PgConn *conn, int renamer, const uint32_t *oids, size_t n_oids)
{
    Evictor *evictor = xcalloc(1, sizeof *evictor);
    evictor->conn = conn;
    snprintf(evictor->renamer, sizeof evictor->renamer, "%d", renamer);
    for (size_t i = 0; i < n_oids && i < OIDS_MAX; i++)
        evictor->oids[i] = oids[i];
    evictor->running = pthread_create(&evictor->thread, NULL, run, evictor) == 0;
    return evictor;
}

void evictor_end(Evictor *evictor, StrVec *roles)
{
    evictor->stop = true;
    if (evictor->running)
        pthread_join(evictor->thread, NULL);
    for (size_t i = 0; i < evictor->roles.n; i++)
        strvec_push(roles, evictor->roles.v[i]);
    strvec_done(&evictor->ended);
    strvec_done(&evictor->roles);
    free(evictor);
}
