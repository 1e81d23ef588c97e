/* What the files of this folder share. */
#ifndef KURA_REDIS_PRIV_H
#define KURA_REDIS_PRIV_H

#include <hiredis/hiredis.h>

#include "kura/redis.h"

enum { REDIS_PORT = 6379 };

struct RedisConn {
    redisContext *context;
    char *where;
};

/* ERR_UNSUPPORTED when the server is to be reached by TLS alone. */
int redis_check_tls(const AppServer *server, Error *err);
const char *redis_host(const AppServer *server);
unsigned redis_port(const AppServer *server); /* 0: none that exists */

/* Waits until there is something to read, at most until that moment of clock_monotonic(). */
int redis_wait(RedisConn *conn, double deadline, Error *err);
/* Sends a command, and waits for no answer. */
int redis_send(RedisConn *conn, const char *const *command, Error *err);
/* Says what the server answered instead; text need not end with a NUL. */
int redis_refused(const RedisConn *conn, const char *text, size_t len, Error *err);

#endif
