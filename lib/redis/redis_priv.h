/* What the files of this folder share. */
#ifndef KURA_REDIS_PRIV_H
#define KURA_REDIS_PRIV_H

#include <hiredis/hiredis.h>

#include "kura/redis.h"

enum { REDIS_PORT = 6379 };

struct RedisConn {
    redisContext *context;
    char *where;
    char *refusal;   /* what the server said last instead of an answer; NULL: nothing yet */
    double patience; /* seconds that all answers together may still take */
    size_t elements; /* that the lists of the answer that is read may still have, those within others among them */
};

/* ERR_UNSUPPORTED when the server is to be reached by TLS alone. */
int redis_check_tls(const AppServer *server, Error *err);
const char *redis_host(const AppServer *server);
unsigned redis_port(const AppServer *server); /* 0: none that exists */

/* Lists in answers shall have no more elements than is reasonable. */
void redis_limit_lists(RedisConn *conn);
/* Waits until there is something to read, at most until that moment of clock_monotonic(). */
int redis_wait(RedisConn *conn, double deadline, Error *err);
/* Sends a command, and waits for no answer. */
int redis_send(RedisConn *conn, const char *const *command, Error *err);
/* Says what the server answered instead; text need not end with a NUL. */
int redis_refused(RedisConn *conn, const char *text, size_t len, Error *err);

#endif
