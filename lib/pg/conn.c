/* Connecting and closing. */
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kura/clock.h"
#include "kura/log.h"
#include "kura/mem.h"
#include "kura/words.h"
#include "pg_priv.h"

enum { CONNECT_SECONDS = 30 };

static void on_notice(void *arg, const PGresult *result)
{
    PgConn *conn = arg;
    conn->notices++;
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY);
    const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    log_debug("%s: %s: %s", conn->where, severity ? severity : "NOTICE", primary ? primary : "");
}

/* "a=b" options in libpq's order: what stands before the caller's string gives way to it, what stands after does not.
 */
static PGconn *start(const char *conninfo, const PgOptions *options)
{
    const char *keys[8] = {"fallback_application_name", "keepalives_idle", "keepalives_interval",
                           "keepalives_count",          "dbname",          options->dbname ? "dbname" : NULL};
    const char *values[8] = {"kura", "60", "10", "6", conninfo, options->dbname};
    return PQconnectStartParams(keys, values, 1);
}

static char *describe(PGconn *pg)
{
    const char *host = PQhost(pg), *port = PQport(pg), *db = PQdb(pg);
    if (host == NULL || host[0] == 0)
        return xasprintf(_("database \"%s\""), db ? db : "");
    bool socket = host[0] == '/' || host[0] == '@';
    return xasprintf(socket ? _("database \"%s\" on socket %s, port %s") : _("database \"%s\" on %s:%s"), db ? db : "",
                     host, port ? port : "");
}

/* The seconds that connecting may take. libpq looks at connect_timeout only in its blocking functions. */
static double connect_seconds(PGconn *pg, const PgOptions *options)
{
    double seconds = options->connect_timeout > 0 ? options->connect_timeout : CONNECT_SECONDS;
    PQconninfoOption *all = PQconninfo(pg);
    for (const PQconninfoOption *option = all; option && option->keyword; option++)
        if (strcmp(option->keyword, "connect_timeout") == 0 && option->val && option->val[0])
            seconds = strtod(option->val, NULL);
    PQconninfoFree(all);
    return seconds;
}

/* Takes "XXXXX: " out of libpq's verbose "FATAL:  XXXXX: text", the only place where a refused connection shows its
 * SQLSTATE, and puts it in sqlstate. */
static void take_sqlstate(char *text, char sqlstate[6])
{
    for (char *at = text; (at = strstr(at, ":  ")) != NULL;) {
        char *state = at + 3;
        if (strspn(state, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 5 && strncmp(state + 5, ": ", 2) == 0) {
            memcpy(sqlstate, state, 5);
            sqlstate[5] = 0;
            memmove(at + 2, state + 7, strlen(state + 7) + 1);
        } else {
            at = state;
        }
    }
}

/* "LOCATION:  auth_failed, auth.c:326", whose first word is in the user's language. */
static bool names_source(const char *line, size_t len)
{
    size_t digits = 0;
    while (digits < len && line[len - 1 - digits] >= '0' && line[len - 1 - digits] <= '9')
        digits++;
    return digits > 0 && len > digits + 3 && memcmp(line + len - digits - 3, ".c:", 3) == 0;
}

/* One line out of many, without those that name a place in the server's source, or that ask whether it runs. */
static void one_line(char *text)
{
    char *out = text;
    for (char *line = text; *line;) {
        size_t len = strcspn(line, "\n");
        char *next = line + len + (line[len] == '\n');
        if (len > 0 && line[0] != '\t' && !names_source(line, len)) {
            if (out > text)
                *out++ = ' ';
            memmove(out, line, len);
            out += len;
        }
        line = next;
    }
    *out = 0;
}

/* "peer" that root's acting as the role's system user does not help: there is none, or kura is not root. */
static const char peer_hint[] =
    N_("On its socket the server may let in a role only under the system user of the same name: run kura as root or as "
       "that user, let another one in by pg_ident.conf and map= in pg_hba.conf, or use a password and host=localhost.");

static const char container_hint[] =
    N_("Containers have names that only they know. Publish the port of the server, as 127.0.0.1:5432:5432 under "
       "\"ports\" of "
       "docker-compose, and write the name behind 127.0.0.1 in /etc/hosts, so that both reach it by the same name.");

/* A name as containers have them, without a dot, that means nothing here. */
static bool is_of_container(PGconn *pg)
{
    struct addrinfo *found;
    const char *host = PQhost(pg);
    if (host == NULL || *host == 0 || strpbrk(host, "./,:") != NULL)
        return false;
    if (getaddrinfo(host, NULL, NULL, &found) != 0)
        return true;
    freeaddrinfo(found);
    return false;
}

static const char *connect_hint(PGconn *pg, const char *sqlstate)
{
    if (strcmp(sqlstate, "28000") == 0 && strstr(PQerrorMessage(pg), "Peer authentication"))
        return peer_hint;
    static const struct {
        const char *state, *hint;
    } hints[] = {
        {"28P01",
         N_("Check user name and password; the password may stand in ~/.pgpass (mode 0600) or in PGPASSWORD.")},
        {"28000",
         N_("The server does not let this user in: check the user name, that the role exists, and pg_hba.conf.")},
        {"3D000", N_("Check the name of the database; \"psql -l\" lists what there is.")},
        {"42501", N_("The role needs CONNECT on the database.")},
        {"53300", N_("All connections of the server are in use: raise max_connections, or use fewer jobs.")},
        {"57P03", N_("The server is starting up, shutting down or recovering: try again in a moment.")},
    };
    for (size_t i = 0; i < ARRAY_SIZE(hints); i++)
        if (strcmp(hints[i].state, sqlstate) == 0)
            return hints[i].hint;
    if (PQconnectionNeedsPassword(pg))
        return hints[0].hint;
    if (sqlstate[0] == 0 && is_of_container(pg))
        return container_hint;
    return sqlstate[0] ? NULL : N_("Check host and port, and that PostgreSQL runs there and accepts connections.");
}

static int refused(PgConn *conn, Error *err)
{
    if (err == NULL)
        return -1;
    char sqlstate[6] = "";
    _cleanup_free_ char *text = xstrdup(PQerrorMessage(conn->pg));
    one_line(text);
    take_sqlstate(text, sqlstate);
    error_set(err, ERR_CONNECTION, "cannot connect to %s: %s", conn->where, text);
    memcpy(err->sqlstate, sqlstate, sizeof sqlstate);
    const char *hint = connect_hint(conn->pg, sqlstate);
    return hint ? error_hint(err, "%s", words_get(hint)) : -1;
}

static int connect_in_time(PgConn *conn, Error *err)
{
    for (PostgresPollingStatusType next = PGRES_POLLING_WRITING; next != PGRES_POLLING_OK;) {
        if (next == PGRES_POLLING_FAILED)
            return refused(conn, err);
        if (conn_wait(conn, next == PGRES_POLLING_READING ? POLLIN : POLLOUT, NULL, err) < 0)
            return error_wrap(err, "connecting");
        next = PQconnectPoll(conn->pg);
    }
    return 0;
}

/* Text must pass unchanged, so the client speaks the database's own encoding, SQL_ASCII included. */
static int set_encoding(PgConn *conn, Error *err)
{
    const char *server = PQparameterStatus(conn->pg, "server_encoding");
    const char *client = PQparameterStatus(conn->pg, "client_encoding");
    if (server && client && strcmp(server, client) == 0)
        return 0;
    return pg_exec(conn, "SELECT pg_catalog.set_config('client_encoding', pg_catalog.getdatabaseencoding(), false)",
                   err);
}

static int set_role(PgConn *conn, const char *role, Error *err)
{
    char *quoted = PQescapeIdentifier(conn->pg, role, strlen(role));
    if (quoted == NULL)
        return error_set(err, ERR_USAGE, "invalid role name \"%s\"", role);
    int rc = pg_execf(conn, err, "SET ROLE %s", quoted);
    PQfreemem(quoted);
    if (rc < 0)
        error_hint(err, "The user of the connection must be a member of that role, or a superuser.");
    return rc;
}

static int establish(PgConn *conn, const PgOptions *options, Error *err)
{
    if (PQstatus(conn->pg) == CONNECTION_BAD)
        return refused(conn, err);
    PQsetErrorVerbosity(conn->pg, PQERRORS_VERBOSE);
    PQsetNoticeReceiver(conn->pg, on_notice, conn);
    conn->seconds = connect_seconds(conn->pg, options);
    conn_call_begin(conn);
    if (connect_in_time(conn, err) < 0)
        return -1;
    free(conn->where);
    conn->where = describe(conn->pg);
    PQsetErrorVerbosity(conn->pg, PQERRORS_DEFAULT);
    PQsetnonblocking(conn->pg, 1);
    if (set_encoding(conn, err) < 0 || (options->role && set_role(conn, options->role, err) < 0))
        return -1;
    conn->seconds = 0;
    return 0;
}

static bool is_socket(const PgConn *conn)
{
    const char *host = PQhost(conn->pg);
    return host == NULL || host[0] == 0 || host[0] == '/' || host[0] == '@';
}

/* libpq connects to a socket when it is started. user NULL: as this process. The connection is made in any case. */
static PgConn *begin(const char *conninfo, const PgOptions *options, const SystemUser *user)
{
    PgConn *conn = xcalloc(1, sizeof *conn);
    conn->give_up = options->give_up;
    conn->as_user = user && become_begin(user);
    if (conn->as_user)
        conn->user = *user;
    conn->pg = start(conninfo, options);
    if (conn->as_user)
        become_end();
    if (conn->pg == NULL)
        abort();
    conn->where = describe(conn->pg);
    return conn;
}

/* "peer": many guides have an application that way, and its backups are made by root. */
static bool is_for_another_user(const PgConn *conn, const Error *err, SystemUser *ret)
{
    return strcmp(err->sqlstate, "28000") == 0 && is_socket(conn) && become_find(PQuser(conn->pg), ret);
}

/* The connection string that was last let in under another user: a run makes many connections by it, and each that is
 * refused first would stand in the server's log. */
static struct {
    pthread_mutex_t lock;
    char *conninfo;
    SystemUser user;
} known = {.lock = PTHREAD_MUTEX_INITIALIZER};

static bool known_user(const char *conninfo, SystemUser *ret)
{
    pthread_mutex_lock(&known.lock);
    bool found = known.conninfo && strcmp(known.conninfo, conninfo) == 0;
    *ret = known.user;
    pthread_mutex_unlock(&known.lock);
    return found;
}

static void know_user(const char *conninfo, const SystemUser *user)
{
    pthread_mutex_lock(&known.lock);
    free(known.conninfo);
    known.conninfo = xstrdup(conninfo);
    known.user = *user;
    pthread_mutex_unlock(&known.lock);
}

/* Whether the server has said something else than that it does not know us. */
static bool is_news(const Error *again)
{
    return again->code != ERR_CONNECTION || (again->sqlstate[0] && strcmp(again->sqlstate, "28000") != 0);
}

/* A second attempt, as the role's own system user. */
static int establish_as(const char *conninfo, const PgOptions *options, const SystemUser *user, PgConn **conn,
                        Error *err)
{
    Error again = ERROR_INIT;
    pg_close(*conn);
    *conn = begin(conninfo, options, user);
    if (establish(*conn, options, &again) == 0) {
        if ((*conn)->as_user)
            know_user(conninfo, user);
        return 0;
    }
    if (is_news(&again))
        *err = again;
    return -1;
}

int pg_connect(const char *conninfo, const PgOptions *options, PgConn **ret, Error *err)
{
    const PgOptions none = {0};
    SystemUser user;
    Error why = ERROR_INIT;
    if (options == NULL)
        options = &none;
    if (conninfo == NULL)
        conninfo = "";
    if (conninfo_check(conninfo, err) < 0)
        return -1;
    PgConn *conn = begin(conninfo, options, known_user(conninfo, &user) ? &user : NULL);
    int rc = establish(conn, options, &why);
    if (rc < 0 && !conn->as_user && is_for_another_user(conn, &why, &user))
        rc = establish_as(conninfo, options, &user, &conn, &why);
    if (rc == 0) {
        *ret = conn;
        return 0;
    }
    pg_close(conn);
    if (err)
        *err = why;
    return -1;
}

void pg_close(PgConn *conn)
{
    if (conn == NULL)
        return;
    if (!conn->lost)
        conn_abandon(conn);
    PQfinish(conn->pg);
    free(conn->where);
    free(conn);
}

PGconn *pg_raw(PgConn *conn)
{
    return conn->pg;
}

int pg_server_version(const PgConn *conn)
{
    return PQserverVersion(conn->pg);
}

const char *pg_dbname(const PgConn *conn)
{
    return PQdb(conn->pg);
}

const char *pg_user(const PgConn *conn)
{
    return PQuser(conn->pg);
}

const SystemUser *pg_child_user(const PgConn *conn)
{
    return conn->as_user ? &conn->user : NULL;
}

const char *pg_where(const PgConn *conn)
{
    return conn->where;
}

void pg_set_deadline(PgConn *conn, double seconds)
{
    conn->seconds = seconds;
}

double pg_deadline(const PgConn *conn)
{
    return conn->seconds;
}
