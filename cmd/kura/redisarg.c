#include "redisarg.h"

#include <string.h>

#include "kura/redis.h"
#include "site.h"

static int take_site(Session *session, RedisArg *ret, Error *err)
{
    AppSite *site;
    if (session_site(session, &site, err) < 0)
        return -1;
    if (site == NULL) {
        error_set(err, ERR_USAGE, "--redis app means an application's own servers, and no application is named");
        return error_hint(err, "Give --app-dir with its directory, or the URL of a server.");
    }
    ret->servers = site->redis;
    ret->n = site->n_redis;
    return 0;
}

int redis_arg_read(Session *session, RedisArg *ret, Error *err)
{
    const char *text = options_text(session->options, OPT_REDIS);
    *ret = (RedisArg){0};
    if (text == NULL || strcmp(text, "no") == 0)
        return 0;
    if (strcmp(text, "app") == 0)
        return take_site(session, ret, err);
    if (redis_server_parse(text, &ret->own, err) < 0)
        return error_wrap(err, "--redis");
    ret->servers = &ret->own;
    ret->n = 1;
    return 0;
}

void redis_arg_done(RedisArg *arg)
{
    app_server_done(&arg->own);
}
