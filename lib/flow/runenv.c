/* How a program finds the scratch database: libpq's variables, and URLs for those that are not built on libpq. The
 * application's role cannot log in; who restores does, and acts as that role from the first moment. */
#include <ctype.h>
#include <string.h>

#include "kura/mem.h"
#include "rehearse_run.h"

enum { TEXT_MAX = 1 << 20 };

static char *percent(const char *text)
{
    Buf out = BUF_INIT(TEXT_MAX);
    for (; *text; text++) {
        bool plain = isascii(*text) && (isalnum(*text) || strchr("-._~", *text));
        buf_printf(&out, NULL, plain ? "%c" : "%%%02X", plain ? *text : (unsigned char)*text);
    }
    char *ret = xstrdup(buf_str(&out));
    buf_done(&out);
    return ret;
}

/* " -c name=value" as libpq's options have it: blanks and backslashes in the value escaped. */
static void add_setting(Buf *options, const char *name, const char *value)
{
    buf_printf(options, NULL, "%s-c %s=", options->len ? " " : "", name);
    for (; *value; value++)
        buf_printf(options, NULL, "%s%c", isspace((unsigned char)*value) || *value == '\\' ? "\\" : "", *value);
}

/* Settings of a role hold for whom it logs in as; so they are given here. */
static char *session_options(const char *role, const DbFacts *facts, const char *old_role)
{
    const char *given = getenv("PGOPTIONS");
    Buf options = BUF_INIT(TEXT_MAX);
    if (given)
        buf_append_str(&options, given, NULL);
    for (size_t i = 0; old_role && i < facts->n_settings; i++) {
        const DbSetting *setting = &facts->settings[i];
        if (setting->role && strcmp(setting->role, old_role) == 0)
            add_setting(&options, setting->name, setting->value);
    }
    if (role)
        add_setting(&options, "role", role);
    char *ret = xstrdup(buf_str(&options));
    buf_done(&options);
    return ret;
}

static void add_url(StrVec *env, const char *name, const char *scheme, const char *host, const char *port,
                    const char *database, const char *user, const char *password, const char *options)
{
    _cleanup_free_ char *u = percent(user), *d = percent(database), *o = percent(options), *h = percent(host);
    _cleanup_free_ char *p = password ? percent(password) : NULL;
    bool jdbc = strncmp(scheme, "jdbc:", 5) == 0, is_socket = *host == '/';
    if (jdbc)
        strvec_pushf(env, "%s=%s://%s:%s/%s?user=%s%s%s&options=%s", name, scheme, is_socket ? "localhost" : host, port,
                     d, u, p ? "&password=" : "", p ? p : "", o);
    else
        strvec_pushf(env, "%s=%s://%s%s%s@%s%s%s/%s?%s%s%soptions=%s", name, scheme, u, p ? ":" : "", p ? p : "",
                     is_socket ? "" : host, is_socket ? "" : ":", is_socket ? "" : port, d, is_socket ? "host=" : "",
                     is_socket ? h : "", is_socket ? "&" : "", o);
}

/* How the connection is made, so far as libpq has a variable for it: certificates, sslmode and the like. */
static void add_others(PgConn *conn, StrVec *env)
{
    static const char *const apart[] = {"host",     "hostaddr", "port",    "dbname",           "user",
                                        "password", "options",  "service", "application_name", "client_encoding"};
    PQconninfoOption *all = PQconninfo(pg_raw(conn));
    if (all == NULL)
        abort();
    for (const PQconninfoOption *option = all; option->keyword; option++) {
        bool skipped = option->envvar == NULL || option->val == NULL || option->val[0] == 0;
        for (size_t i = 0; i < ARRAY_SIZE(apart); i++)
            skipped |= strcmp(option->keyword, apart[i]) == 0;
        if (!skipped)
            strvec_pushf(env, "%s=%s", option->envvar, option->val);
    }
    PQconninfoFree(all);
}

void runenv_make(PgConn *conn, const char *database, const char *role, const DbFacts *facts, const char *old_role,
                 StrVec *ret_env, StrVec *ret_secrets)
{
    const char *host = PQhost(pg_raw(conn)), *port = PQport(pg_raw(conn)), *user = pg_user(conn);
    const char *password = PQpass(pg_raw(conn));
    _cleanup_free_ char *options = session_options(role, facts, old_role);
    password = password && *password ? password : NULL;
    add_others(conn, ret_env);
    strvec_pushf(ret_env, "PGHOST=%s", host);
    strvec_pushf(ret_env, "PGPORT=%s", port);
    strvec_pushf(ret_env, "PGUSER=%s", user);
    strvec_pushf(ret_env, "PGDATABASE=%s", database);
    strvec_pushf(ret_env, "PGOPTIONS=%s", options);
    strvec_pushf(ret_env, "KURA_DATABASE=%s", database);
    add_url(ret_env, "DATABASE_URL", "postgresql", host, port, database, user, password, options);
    add_url(ret_env, "KURA_JDBC_URL", "jdbc:postgresql", host, port, database, user, password, options);
    if (password == NULL)
        return;
    strvec_pushf(ret_env, "PGPASSWORD=%s", password);
    strvec_push(ret_secrets, password);
    _cleanup_free_ char *escaped = percent(password);
    strvec_push(ret_secrets, escaped);
}

void runenv_hide(const StrVec *secrets, char *text)
{
    for (size_t i = 0; i < secrets->n; i++)
        for (char *at = text; (at = strstr(at, secrets->v[i])) != NULL;)
            memset(at, '*', strlen(secrets->v[i]));
}
