#include "redisarg.h"

#include <string.h>

#include "kura/redis.h"

int redis_arg_read(Session *session, RedisArg *ret, Error *err)
{
    const char *text = options_text(session->options, OPT_REDIS);
    *ret = (RedisArg){0};
    if (text == NULL || strcmp(text, "no") == 0)
        return 0;
    if (redis_server_parse(text, &ret->own, err) < 0)
        return error_wrap(err, "--redis");
    ret->servers = &ret->own;
    ret->n = 1;
    return 0;
}

void redis_arg_done(RedisArg *arg)
{
    redis_server_done(&arg->own);
}
