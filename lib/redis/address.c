/* Where a Redis server is, from a URL. */
#include <curl/curl.h>
#include <string.h>

#include "kura/mem.h"
#include "kura/redis.h"
#include "kura/secret.h"
#include "redis_priv.h"

static void wipe_text(char **text)
{
    secret_wipe(*text, strlen(*text));
    free(*text);
}

static char *part(CURLU *url, CURLUPart which)
{
    char *text = NULL, *ret = NULL;
    if (curl_url_get(url, which, &text, which == CURLUPART_SCHEME ? 0 : CURLU_URLDECODE) == CURLUE_OK && text[0])
        ret = xstrdup(text);
    curl_free(text);
    return ret;
}

static int wrong_url(Error *err)
{
    error_set(err, ERR_USAGE, "the address of Redis is no URL that kura knows");
    return error_hint(err, "Write redis://HOST:PORT/DATABASE or unix:///PATH, with :PASSWORD@ or USER:PASSWORD@ behind "
                           "the slashes where the server asks for one.");
}

static bool is_number(const char *text)
{
    return text[0] != 0 && text[strspn(text, "0123456789")] == 0;
}

static int take_parts(CURLU *url, bool is_socket, AppServer *server, Error *err)
{
    _cleanup_free_ char *scheme = part(url, CURLUPART_SCHEME), *path = part(url, CURLUPART_PATH);
    const char *inside = path && path[0] && path[1] ? path + 1 : NULL;
    server->user = part(url, CURLUPART_USER);
    server->password = part(url, CURLUPART_PASSWORD);
    if (is_socket) {
        server->host = inside ? steal(path) : NULL;
        return inside ? 0 : wrong_url(err);
    }
    if (scheme && strcmp(scheme, "rediss") == 0)
        server->sslmode = xstrdup("require");
    else if (scheme == NULL || strcmp(scheme, "redis") != 0)
        return wrong_url(err);
    server->host = part(url, CURLUPART_HOST);
    server->port = part(url, CURLUPART_PORT);
    server->database = xstrdup_null(inside);
    return server->host && (inside == NULL || is_number(inside)) ? 0 : wrong_url(err);
}

/* A URL must have a host. */
static char *with_host(const char *unix_url)
{
    const char *rest = unix_url + strlen("unix://");
    size_t login = strcspn(rest, "/");
    return xasprintf("redis://%.*ssocket%s", (int)login, rest, rest + login);
}

static int parse(const char *text, AppServer *server, Error *err)
{
    bool is_socket = strncmp(text, "unix://", 7) == 0;
    _cleanup_(wipe_text) char *whole = is_socket ? with_host(text) : xstrdup(text);
    CURLU *url = curl_url();
    if (url == NULL)
        abort();                                   /* only without memory */
    bool parsed = strstr(whole, ":///") == NULL && /* curl takes what follows for a host */
                  curl_url_set(url, CURLUPART_URL, whole, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK;
    int rc = parsed ? take_parts(url, is_socket, server, err) : wrong_url(err);
    curl_url_cleanup(url);
    return rc < 0 ? -1 : redis_check_tls(server, err);
}

int redis_server_parse(const char *text, AppServer *ret, Error *err)
{
    AppServer server = {0};
    if (parse(text, &server, err) < 0) {
        redis_server_done(&server);
        return -1;
    }
    server.role = xstrdup("redis");
    *ret = server;
    return 0;
}

void redis_server_done(AppServer *server)
{
    if (server->password)
        secret_wipe(server->password, strlen(server->password));
    char *members[] = {server->role,     server->host,    server->port,   server->database, server->user,
                       server->password, server->sslmode, server->prefix, server->host_key, server->port_key};
    for (size_t i = 0; i < ARRAY_SIZE(members); i++)
        free(members[i]);
    *server = (AppServer){0};
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
    unsigned long port = server->port && is_number(server->port) ? strtoul(server->port, NULL, 10) : REDIS_PORT;
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
