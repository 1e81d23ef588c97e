/* Connection strings: refusing bad ones without showing a password, and handing a connection's own on to children. */
#include <stdio.h>
#include <string.h>

#include "kura/mem.h"
#include "kura/words.h"
#include "pg_priv.h"

enum { CONNINFO_MAX = 1 << 20 };

static const char encode_hint[] = N_(
    "In a connection URI every \"@\", \"/\", \"?\" and \"%\" of a user name or password must be written as %40, %2F, "
    "%3F and %25; or leave the password out and keep it in ~/.pgpass.");

static const char *after_scheme(const char *conninfo)
{
    static const char *const schemes[] = {"postgresql://", "postgres://"};
    for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
        if (strncmp(conninfo, schemes[i], strlen(schemes[i])) == 0)
            return conninfo + strlen(schemes[i]);
    return NULL;
}

/* user:pa/ss@host and user:pa@ss@host: libpq takes a piece of the password for a database or host name, and shows it
 * in its next error. */
static bool password_would_leak(const char *uri)
{
    _cleanup_free_ char *text = xstrndup(uri, strcspn(uri, "?"));
    char *at = strchr(text, '@');
    if (at == NULL)
        return false;
    size_t host = strcspn(text, "/");
    if (text + host < at)
        return memchr(text, ':', host) != NULL;
    return memchr(at + 1, '@', strcspn(at + 1, "/")) != NULL;
}

/* Blanks everything between double quotes. */
static void blank_quoted(char *text)
{
    bool quoted = false;
    for (char *at = text; *at; at++) {
        if (*at == '"')
            quoted = !quoted;
        else if (quoted)
            *at = '*';
    }
}

int conninfo_check(const char *conninfo, Error *err)
{
    const char *uri = after_scheme(conninfo);
    if (uri == NULL && strchr(conninfo, '=') == NULL)
        return 0; /* a plain database name */
    if (uri && password_would_leak(uri)) {
        error_set(err, ERR_USAGE, "invalid connection URI: a special character in it is not percent-encoded");
        return error_hint(err, "%s", words_get(encode_hint));
    }
    char *text = NULL;
    PQconninfoOption *parsed = PQconninfoParse(conninfo, &text);
    if (parsed) {
        PQconninfoFree(parsed);
        return 0;
    }
    if (text == NULL)
        abort();
    text[strcspn(text, "\n")] = 0;
    if (strcasestr(conninfo, "password") || strchr(conninfo, '@'))
        blank_quoted(text);
    error_set(err, ERR_USAGE, "invalid connection string: %s", text);
    error_hint(err, "%s",
               uri ? words_get(encode_hint)
                   : _("Write key=value pairs with blanks between them, and quote a value with blanks: "
                       "host=/run/postgresql dbname='my app'."));
    PQfreemem(text);
    return -1;
}

static void add_option(Buf *out, const char *keyword, const char *value)
{
    buf_printf(out, NULL, "%s%s='", out->len ? " " : "", keyword);
    for (; *value; value++)
        buf_printf(out, NULL, "%s%c", *value == '\'' || *value == '\\' ? "\\" : "", *value);
    buf_append_str(out, "'", NULL);
}

static bool any_of(const char *text, const char *const *list)
{
    for (; *list; list++)
        if (strcmp(text, *list) == 0)
            return true;
    return false;
}

/* Whether a child needs to be told: older children do not know every keyword, so values that are libpq's defaults are
 * left out, unless the child would find another one in its environment. */
static bool is_needed(const PQconninfoOption *option, bool service)
{
    /* the server that was reached, the encoding and what names the program are dealt with by themselves */
    static const char *const apart[] = {"host",
                                        "hostaddr",
                                        "port",
                                        "dbname",
                                        "service",
                                        "client_encoding",
                                        "password",
                                        "sslpassword",
                                        "fallback_application_name",
                                        "load_balance_hosts",
                                        NULL};
    if (option->val == NULL || option->val[0] == 0 || any_of(option->keyword, apart))
        return false;
    return service || option->compiled == NULL || strcmp(option->val, option->compiled) != 0 ||
           (option->envvar && getenv(option->envvar));
}

void pg_child_conninfo(PgConn *conn, const char *dbname, char **ret_conninfo, char **ret_env)
{
    PQconninfoOption *all = PQconninfo(conn->pg);
    if (all == NULL)
        abort();
    Buf out = BUF_INIT(CONNINFO_MAX);
    add_option(&out, "dbname", dbname ? dbname : PQdb(conn->pg));
    add_option(&out, "host", PQhost(conn->pg));
    if (PQhostaddr(conn->pg)[0])
        add_option(&out, "hostaddr", PQhostaddr(conn->pg));
    add_option(&out, "port", PQport(conn->pg));
    /* of another database we do not know the encoding */
    if (dbname == NULL || strcmp(dbname, PQdb(conn->pg)) == 0)
        add_option(&out, "client_encoding", pg_encoding_to_char(PQclientEncoding(conn->pg)));
    bool service = false;
    for (const PQconninfoOption *option = all; option->keyword; option++)
        service |= strcmp(option->keyword, "service") == 0 && option->val != NULL;
    for (const PQconninfoOption *option = all; option->keyword; option++)
        if (is_needed(option, service))
            add_option(&out, option->keyword, option->val);
    PQconninfoFree(all);
    *ret_conninfo = xstrdup(buf_str(&out));
    buf_done(&out);
    const char *password = PQpass(conn->pg);
    *ret_env = password && password[0] ? xasprintf("PGPASSWORD=%s", password) : NULL;
}

/* NULL when it is malformed. A plain name is that of a database, as libpq has it. */
static PQconninfoOption *parse(const char *conninfo)
{
    Buf named = BUF_INIT(CONNINFO_MAX);
    bool plain = conninfo[0] && after_scheme(conninfo) == NULL && strchr(conninfo, '=') == NULL;
    if (plain)
        add_option(&named, "dbname", conninfo);
    PQconninfoOption *all = PQconninfoParse(plain ? buf_str(&named) : conninfo, NULL);
    buf_done(&named);
    return all;
}

int pg_conninfo_at(const char *conninfo, const char *host, const char *port, char **ret, Error *err)
{
    static const char *const apart[] = {"host", "hostaddr", "port", "service", NULL};
    if (conninfo_check(conninfo, err) < 0)
        return -1;
    PQconninfoOption *all = parse(conninfo);
    if (all == NULL)
        abort();
    Buf out = BUF_INIT(CONNINFO_MAX);
    add_option(&out, "host", host);
    add_option(&out, "port", port);
    for (const PQconninfoOption *option = all; option->keyword; option++)
        if (option->val && !any_of(option->keyword, apart))
            add_option(&out, option->keyword, option->val);
    PQconninfoFree(all);
    *ret = xstrdup(buf_str(&out));
    buf_done(&out);
    return 0;
}

char *pg_conninfo_get(const char *conninfo, const char *keyword)
{
    PQconninfoOption *all = parse(conninfo);
    char *value = NULL;
    for (const PQconninfoOption *option = all; option && option->keyword && value == NULL; option++)
        if (strcmp(option->keyword, keyword) == 0)
            value = xstrdup_null(option->val);
    PQconninfoFree(all);
    return value;
}
