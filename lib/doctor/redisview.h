/* What servers of Redis say of themselves. Asked once, for all checks. */
#ifndef KURA_DOCTOR_REDISVIEW_H
#define KURA_DOCTOR_REDISVIEW_H

#include <time.h>

#include "kura/doctor.h"
#include "kura/redis.h"

/* The queues of one server together. */
typedef struct RedisQueues {
    size_t n; /* known queues, empty ones too */
    uint64_t waiting, delayed;
    time_t oldest;      /* when the job that waits longest was put there; 0: none is known */
    char *oldest_queue; /* where it waits */
} RedisQueues;

typedef struct RedisView {
    const AppServer *server;
    char *where;
    Error trouble; /* why it could not be asked */
    char *info;    /* what INFO says of memory and persistence */
    char *save;    /* configuration: when a dump is written; NULL: it may not be asked */
    RedisQueues queues;
} RedisView;

typedef struct RedisViews {
    RedisView *v;
    size_t n;
} RedisViews;

/* One for each server and database of the scene; NULL, with the check skipped, when there is none to look at. *ret
 * belongs to the scene. */
int redis_views(DoctorScene *scene, const RedisViews **ret, Error *err);
void redis_views_free(RedisViews *views); /* NULL-safe */

/* Counts what waits in the queues of Sidekiq and BullMQ below the server's prefix. */
int redis_queues_read(RedisConn *conn, const AppServer *server, RedisQueues *ret, Error *err);
void redis_queues_done(RedisQueues *queues);

#endif
