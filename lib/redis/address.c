/* Where a Redis server is, from a URL. */
#include <string.h>

#include "kura/mem.h"
#include "kura/redis.h"
#include "redis_priv.h"

static int wrong_url(Error *err)
{
    error_set(err, ERR_USAGE, "the address of Redis is no URL that kura knows");
    return error_hint(err,
                      "Write redis://HOST:PORT/DATABASE, rediss:// for TLS, or unix:///PATH, with :PASSWORD@ or "
                      "USER:PASSWORD@ before "
                      "the host where the server asks for one, or ?password=PASSWORD behind the path of a socket.");
}

static bool is_number(const char *text)
{
    return text[0] != 0 && text[strspn(text, "0123456789")] == 0;
}

static bool is_complete(const AppServer *server)
{
    return server->host && server->host[strspn(server->host, "/")] &&
           (server->port == NULL || redis_port(server) > 0) &&
           (server->database == NULL || is_number(server->database));
}

int redis_server_parse(const char *url, AppServer *ret, Error *err)
{
    AppServer server = {0};
    bool known =
        strncmp(url, "redis://", 8) == 0 || strncmp(url, "rediss://", 9) == 0 || strncmp(url, "unix:///", 8) == 0;
    RedisTls tls;
    int rc = known && app_server_read_url(url, &server, NULL) == 0 && is_complete(&server)
                 ? redis_tls(&server, &tls, err)
                 : wrong_url(err);
    if (rc < 0) {
        app_server_done(&server);
        return -1;
    }
    server.role = xstrdup("redis");
    *ret = server;
    return 0;
}

int redis_tls(const AppServer *server, RedisTls *ret, Error *err)
{
    static const char *const modes[] = {
        [REDIS_TLS_NONE] = "disable", [REDIS_TLS_UNCHECKED] = "require", [REDIS_TLS_CHECKED] = "verify-full"};
    const char *mode = server->sslmode && redis_host(server)[0] != '/' ? server->sslmode : "disable";
    for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
        if (strcmp(mode, modes[i]) == 0) {
            *ret = (RedisTls)i;
            return 0;
        }
    error_set(err, ERR_USAGE, "there is no such sslmode for Redis");
    return error_hint(err, "It is disable, require (any certificate will do) or verify-full, which rediss:// means.");
}

const char *redis_host(const AppServer *server)
{
    return server->host && server->host[0] ? server->host : "127.0.0.1";
}

unsigned redis_port(const AppServer *server)
{
    if (server->port == NULL || server->port[0] == 0)
        return REDIS_PORT;
    unsigned long port = is_number(server->port) ? strtoul(server->port, NULL, 10) : 0;
    return port > 65535 ? 0 : (unsigned)port;
}

char *redis_where(const AppServer *server)
{
    const char *host = redis_host(server);
    if (host[0] == '/')
        return xasprintf("unix://%s", host);
    if (strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 || strcmp(host, "[::1]") == 0)
        host = "127.0.0.1";
    RedisTls tls = REDIS_TLS_NONE;
    const char *scheme = redis_tls(server, &tls, NULL) == 0 && tls == REDIS_TLS_NONE ? "redis" : "rediss";
    return xasprintf(strchr(host, ':') && host[0] != '[' ? "%s://[%s]:%u" : "%s://%s:%u", scheme, host,
                     redis_port(server));
}
