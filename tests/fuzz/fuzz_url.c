/* URLs of servers: what an application says of its database is what libpq gets to read, and no more. */
#include <libpq-fe.h>
#include <string.h>

#include "fuzz.h"
#include "kura/app.h"
#include "kura/mem.h"
#include "kura/redis.h"

static const char *member(const AppServer *server, const char *keyword)
{
    return strcmp(keyword, "host") == 0       ? server->host
           : strcmp(keyword, "port") == 0     ? server->port
           : strcmp(keyword, "dbname") == 0   ? server->database
           : strcmp(keyword, "user") == 0     ? server->user
           : strcmp(keyword, "password") == 0 ? server->password
           : strcmp(keyword, "sslmode") == 0  ? server->sslmode
                                              : NULL;
}

static void check_conninfo(const AppServer *server)
{
    _cleanup_free_ char *conninfo = app_conninfo(server, true);
    PQconninfoOption *all = PQconninfoParse(conninfo, NULL);
    fuzz_require(all != NULL);
    for (const PQconninfoOption *option = all; option->keyword; option++) {
        const char *wanted = member(server, option->keyword);
        fuzz_require((wanted == NULL) == (option->val == NULL) && (wanted == NULL || strcmp(wanted, option->val) == 0));
    }
    PQconninfoFree(all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    AppServer server = {0}, redis = {0};
    Error err = ERROR_INIT;
    _cleanup_free_ char *url = xstrndup((const char *)data, len);
    if (app_server_read_url(url, &server, &err) == 0)
        check_conninfo(&server);
    else
        fuzz_require(err.code == ERR_CORRUPT);
    if (redis_server_parse(url, &redis, &err) == 0) {
        _cleanup_free_ char *where = redis_where(&redis);
        fuzz_require(strncmp(where, "redis://", 8) == 0 || strncmp(where, "unix://", 7) == 0);
    }
    app_server_done(&server);
    app_server_done(&redis);
    return 0;
}
