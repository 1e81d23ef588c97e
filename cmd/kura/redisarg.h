/* The Redis servers of --redis. */
#ifndef KURA_CMD_REDISARG_H
#define KURA_CMD_REDISARG_H

#include "session.h"

typedef struct RedisArg {
    const AppServer *servers;
    size_t n;
    AppServer own; /* of a URL; zeroed when the servers are the application's */
} RedisArg;

/* None without the option. *ret is to be freed with redis_arg_done, and good as long as the session. */
int redis_arg_read(Session *session, RedisArg *ret, Error *err);
void redis_arg_done(RedisArg *arg);

#endif
