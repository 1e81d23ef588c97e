/* Where a Redis server is, from a URL. */
#include <string.h>

#include "kura/mem.h"
#include "kura/redis.h"
#include "redis_priv.h"

static int wrong_url(Error *err)
{
    error_set(err, ERR_USAGE, "the address of Redis is no URL that kura knows");
    return error_hint(err,
                      "Write redis://HOST:PORT/DATABASE or unix:///PATH, with :PASSWORD@ or USER:PASSWORD@ before "
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
    int rc = known && app_server_read_url(url, &server, NULL) == 0 && is_complete(&server)
                 ? redis_check_tls(&server, err)
                 : wrong_url(err);
    if (rc < 0) {
        app_server_done(&server);
        return -1;
    }
    server.role = xstrdup("redis");
    *ret = server;
    return 0;
}

int redis_check_tls(const AppServer *server, Error *err)
{
    if (server->sslmode == NULL || strcmp(server->sslmode, "disable") == 0)
        return 0;
    error_set(err, ERR_UNSUPPORTED, "Redis over TLS is not supported");
    return error_hint(err, "Name a socket or a port of the server without TLS on its own host, or a tunnel (stunnel).");
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
    return xasprintf(strchr(host, ':') && host[0] != '[' ? "redis://[%s]:%u" : "redis://%s:%u", host,
                     redis_port(server));
}
