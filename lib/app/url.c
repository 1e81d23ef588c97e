/* URLs of database and Redis servers. */
#include <ctype.h>
#include <string.h>

#include "kura/app.h"
#include "kura/mem.h"
#include "kura/secret.h"
#include "site.h"
#include "wipe.h"

static int hex(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? strchr(digits, tolower((unsigned char)c)) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* Percent-decodes len bytes in the place of *member; nothing at all leaves it. */
static int put(char **member, const char *text, size_t len, Error *err)
{
    if (len == 0)
        return 0;
    char *decoded = xmalloc(len + 1), *to = decoded;
    for (size_t i = 0; i < len; i++) {
        int high = text[i] == '%' && i + 2 < len ? hex(text[i + 1]) : -1, low = high < 0 ? -1 : hex(text[i + 2]);
        if (text[i] == '%' && (low < 0 || high * 16 + low == 0)) {
            *to = 0;
            wipe_text(&decoded);
            error_set(err, ERR_CORRUPT, "invalid percent-encoding in a URL");
            return error_hint(err, "A \"%%\" in a user name or password is written as %%25.");
        }
        *to++ = low < 0 ? text[i] : (char)(high * 16 + low);
        i += low < 0 ? 0 : 2;
    }
    *to = 0;
    wipe_text(member);
    *member = decoded;
    return 0;
}

static int put_credentials(AppServer *server, const char *text, size_t len, Error *err)
{
    const char *colon = memchr(text, ':', len);
    size_t user = colon ? (size_t)(colon - text) : len;
    if (put(&server->user, text, user, err) < 0)
        return -1;
    return colon ? put(&server->password, colon + 1, len - user - 1, err) : 0;
}

/* "host", "host:port", "[::1]:port", "a:1,b:2": of several the ports go to the port, as libpq has them. */
static int put_hosts(AppServer *server, const char *text, size_t len, Error *err)
{
    const char *colon = NULL;
    if (len && *text == '[') {
        const char *close = memchr(text, ']', len);
        if (close == NULL)
            return error_set(err, ERR_CORRUPT, "a \"[\" in a URL is not closed");
        size_t host = (size_t)(close - text) - 1;
        if (host + 2 < len && close[1] == ':' && put(&server->port, close + 2, len - host - 3, err) < 0)
            return -1;
        return put(&server->host, text + 1, host, err);
    }
    colon = memchr(text, ':', len);
    size_t host = colon ? (size_t)(colon - text) : len;
    if (colon && put(&server->port, colon + 1, len - host - 1, err) < 0)
        return -1;
    return put(&server->host, text, host, err);
}

/* Whom to trust, and who we are: without it "sslmode=verify-full" would not connect. */
static int put_tls(AppServer *server, const char *name, const char *text, size_t len, Error *err)
{
    _cleanup_(wipe_text) char *value = NULL;
    if (put(&value, text, len, err) < 0)
        return -1;
    if (value == NULL)
        return 0;
    Buf more = BUF_INIT(SIZE_MAX / 2);
    if (server->tls)
        buf_append_str(&more, server->tls, NULL);
    conninfo_append(&more, name, value);
    wipe_text(&server->tls);
    server->tls = xstrdup(buf_str(&more));
    secret_buf_done(&more);
    return 0;
}

static const char *tls_parameter(const char *text, size_t len)
{
    static const char *const names[] = {"sslrootcert", "sslcert", "sslkey", "sslcrl", "channel_binding", "gssencmode"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        size_t name = strlen(names[i]);
        if (len > name && text[name] == '=' && memcmp(text, names[i], name) == 0)
            return names[i];
    }
    return NULL;
}

static int put_parameter(AppServer *server, const char *text, size_t len, Error *err)
{
    const struct {
        const char *name;
        char **member;
    } members[] = {
        {"host", &server->host},         {"port", &server->port},       {"user", &server->user},
        {"password", &server->password}, {"sslmode", &server->sslmode}, {"dbname", &server->database},
    };
    for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
        size_t name = strlen(members[i].name);
        if (len > name && text[name] == '=' && memcmp(text, members[i].name, name) == 0)
            return put(members[i].member, text + name + 1, len - name - 1, err);
    }
    const char *tls = tls_parameter(text, len);
    size_t skip = tls ? strlen(tls) + 1 : 0;
    return tls ? put_tls(server, tls, text + skip, len - skip, err) : 0;
}

static int put_parameters(AppServer *server, const char *text, Error *err)
{
    while (*text) {
        size_t len = strcspn(text, "&#");
        if (put_parameter(server, text, len, err) < 0)
            return -1;
        text += len;
        if (*text != '&')
            return 0;
        text++;
    }
    return 0;
}

int app_server_read_url(const char *url, AppServer *server, Error *err)
{
    const char *at = strstr(url, "://");
    if (at == NULL || strcspn(url, "/?#") < (size_t)(at - url)) {
        error_set(err, ERR_CORRUPT, "invalid URL of a server");
        return error_hint(err, "It begins as \"postgresql://\" or \"redis://\" does.");
    }
    bool socket = strncmp(url, "unix:", 5) == 0;
    if (strncmp(url, "rediss:", 7) == 0 && put(&server->sslmode, "verify-full", 11, err) < 0)
        return -1;
    at += 3;
    size_t authority = socket ? 0 : strcspn(at, "/?#"), user = 0;
    for (size_t i = 0; i < authority; i++)
        if (at[i] == '@')
            user = i + 1;
    if (user && put_credentials(server, at, user - 1, err) < 0)
        return -1;
    if (put_hosts(server, at + user, authority - user, err) < 0)
        return -1;
    at += authority;
    size_t path = strcspn(at, "?#");
    if (socket ? put(&server->host, at, path, err) < 0 : path > 1 && put(&server->database, at + 1, path - 1, err) < 0)
        return -1;
    return at[path] == '?' ? put_parameters(server, at + path + 1, err) : 0;
}
