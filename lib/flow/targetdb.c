#include "targetdb.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kura/catalog.h"
#include "kura/clock.h"
#include "kura/mem.h"
#include "kura/sqllex.h"
#include "kura/stop.h"
#include "kura/words.h"

enum { LOCK_CLASS = 0x6b757261 /* "kura" */, LOCK_WAIT_SECONDS = 10 };

static int parse_dbname(const char *conninfo, char **ret, Error *err)
{
    char *message = NULL;
    PQconninfoOption *options = PQconninfoParse(conninfo, &message);
    if (options == NULL) {
        error_set(err, ERR_USAGE, "the connection string is not understood: %s", message ? message : "");
        PQfreemem(message);
        return -1;
    }
    for (PQconninfoOption *option = options; option->keyword; option++)
        if (strcmp(option->keyword, "dbname") == 0)
            *ret = xstrdup_null(option->val);
    PQconninfoFree(options);
    return 0;
}

static bool is_uri(const char *conninfo)
{
    return strncmp(conninfo, "postgres://", 11) == 0 || strncmp(conninfo, "postgresql://", 13) == 0;
}

/* Of two values for one keyword libpq takes the later. */
char *targetdb_conninfo(const char *conninfo, const char *name)
{
    if (conninfo && is_uri(conninfo))
        return xasprintf("%s%sdbname=%s", conninfo, strchr(conninfo, '?') ? "&" : "?", name);
    bool is_string = conninfo && strchr(conninfo, '=');
    return xasprintf("%s%sdbname=%s", is_string ? conninfo : "", is_string ? " " : "", name);
}

int targetdb_name(const char *conninfo, char **ret, Error *err)
{
    bool is_string = strchr(conninfo, '=') || is_uri(conninfo);
    _cleanup_free_ char *name = is_string ? NULL : xstrdup(conninfo);
    if (is_string && parse_dbname(conninfo, &name, err) < 0)
        return -1;
    if (name == NULL || *name == 0) {
        free(name);
        name = xstrdup_null(getenv("PGDATABASE"));
    }
    if (name && strlen(name) > IDENTIFIER_MAX)
        return error_set(err, ERR_USAGE,
                         "the name of database \"%s\" is longer than the %d bytes that PostgreSQL keeps", name,
                         IDENTIFIER_MAX);
    if (name == NULL || *name == 0) {
        error_set(err, ERR_USAGE, "the connection string names no database");
        return error_hint(err, "Add dbname=NAME: the database that will exist under this name afterwards.");
    }
    *ret = steal(name);
    return 0;
}

char *targetdb_name_with(const char *name, const char *ending)
{
    enum { ENDING_MAX = 48 };
    if (strlen(ending) > ENDING_MAX)
        ending += strlen(ending) - ENDING_MAX;
    size_t room = IDENTIFIER_MAX - strlen(ending), len = strlen(name);
    if (len > room) {
        len = room;
        while (len > 0 && ((unsigned char)name[len] & 0xc0) == 0x80)
            len--; /* not in the middle of a UTF-8 character */
    }
    return xasprintf("%.*s%s", (int)len, name, ending);
}

int targetdb_connect_admin(const char *conninfo, const char *name, PgConn **ret, Error *err)
{
    PgOptions pg = {.dbname = strcmp(name, "postgres") == 0 ? "template1" : "postgres"};
    PgConn *conn;
    if (pg_connect(conninfo, &pg, &conn, err) < 0) {
        if (strcmp(err->sqlstate, "3D000") != 0)
            return -1;
        error_clear(err);
        pg.dbname = "template1";
        if (pg_connect(conninfo, &pg, &conn, err) < 0)
            return -1;
    }
    if (catalog_session_setup(conn, err) < 0) {
        pg_close(conn);
        return -1;
    }
    *ret = conn;
    return 0;
}

static int locked_by(PgConn *conn, const char *name, const char *key, Error *err)
{
    const char *params[] = {key};
    _cleanup_free_ char *holder = NULL;
    if (pg_query_value(conn,
                       "SELECT pg_catalog.min(l.pid) FROM pg_catalog.pg_locks l WHERE l.locktype = 'advisory'"
                       " AND l.classid = 1802859105 AND l.objid = $1::pg_catalog.int8 & 4294967295 AND l.granted",
                       1, params, &holder, err) < 0)
        return -1;
    error_set(err, ERR_LOCKED, "another kura is at work on database \"%s\" (server process %s)", name,
              holder ? holder : _("unknown"));
    return error_hint(err, "Wait until it has finished, then try again.");
}

static int try_lock(PgConn *conn, const char *key, bool *ret, Error *err)
{
    const char *params[] = {key};
    _cleanup_free_ char *got = NULL;
    if (pg_query_value(conn, "SELECT pg_catalog.pg_try_advisory_lock(1802859105, $1::pg_catalog.int4)", 1, params, &got,
                       err) < 0)
        return -1;
    *ret = got && strcmp(got, "t") == 0;
    return 0;
}

static int lock_key(PgConn *conn, const char *name, char **ret, Error *err)
{
    const char *params[] = {name};
    return pg_query_value(conn, "SELECT pg_catalog.hashtext($1)", 1, params, ret, err);
}

int targetdb_try_lock(PgConn *conn, const char *name, bool *ret, Error *err)
{
    _cleanup_free_ char *key = NULL;
    return lock_key(conn, name, &key, err) < 0 ? -1 : try_lock(conn, key, ret, err);
}

void targetdb_unlock(PgConn *conn, const char *name)
{
    const char *params[] = {name};
    _cleanup_free_ char *was = NULL;
    pg_query_value(conn, "SELECT pg_catalog.pg_advisory_unlock(1802859105, pg_catalog.hashtext($1))", 1, params, &was,
                   NULL);
}

int targetdb_lock(PgConn *conn, const char *name, Error *err)
{
    _Static_assert(LOCK_CLASS == 1802859105, "locked_by() looks for the same class");
    double deadline = clock_monotonic() + LOCK_WAIT_SECONDS;
    _cleanup_free_ char *key = NULL;
    if (lock_key(conn, name, &key, err) < 0)
        return -1;
    for (;;) {
        bool got;
        if (try_lock(conn, key, &got, err) < 0)
            return -1;
        if (got)
            return 0;
        if (clock_monotonic() > deadline)
            return locked_by(conn, name, key, err);
        if (stop_check(err) < 0)
            return -1;
        nanosleep(&(struct timespec){.tv_nsec = 100 * 1000 * 1000}, NULL);
    }
}

/* Restored subscriptions are disabled and without a slot, so nothing else hears of their end. */
static int drop_subscriptions(const char *conninfo, const char *name, Error *err)
{
    PgConn *conn;
    PGresult *names;
    if (pg_connect(conninfo, &(PgOptions){.dbname = name}, &conn, err) < 0)
        return -1;
    int rc = pg_query(
        conn,
        "SELECT pg_catalog.format('ALTER SUBSCRIPTION %1$I DISABLE; ALTER SUBSCRIPTION %1$I SET (slot_name = NONE);"
        " DROP SUBSCRIPTION %1$I', subname) FROM pg_catalog.pg_subscription WHERE subdbid ="
        " (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())",
        0, NULL, &names, err);
    for (int i = 0; rc == 0 && i < PQntuples(names); i++)
        rc = pg_exec(conn, pg_cell(names, i, 0), err);
    if (rc == 0)
        PQclear(names);
    pg_close(conn);
    return rc;
}

/* Who is no superuser may not force out an autovacuum worker, which nobody's role runs; without force it goes by
 * itself. What is left of sessions is ended first. */
static int end_our_sessions(PgConn *admin, const char *name, Error *err)
{
    const char *params[] = {name};
    PGresult *rows;
    if (pg_query(
            admin,
            "SELECT CASE WHEN pg_catalog.pg_has_role(usesysid, 'USAGE') THEN pg_catalog.pg_terminate_backend(pid) END"
            " FROM pg_catalog.pg_stat_activity WHERE datname = $1 AND usesysid IS NOT NULL"
            " AND pid <> pg_catalog.pg_backend_pid()",
            1, params, &rows, err) < 0)
        return -1;
    PQclear(rows);
    return 0;
}

int targetdb_drop(PgConn *admin, const char *conninfo, const char *name, bool force, Error *err)
{
    _cleanup_free_ char *quoted = sql_quote_ident(name);
    _cleanup_free_ char *drop = xasprintf("DROP DATABASE IF EXISTS %s%s", quoted, force ? " WITH (FORCE)" : "");
    Error first = ERROR_INIT;
    if (pg_exec(admin, drop, &first) == 0)
        return 0;
    if (strcmp(first.sqlstate, "42809") == 0) { /* a template */
        if (pg_execf(admin, err, "ALTER DATABASE %s IS_TEMPLATE false", quoted) < 0)
            return -1;
        error_clear(&first);
        if (pg_exec(admin, drop, &first) == 0)
            return 0;
    }
    if (force && strcmp(first.sqlstate, "42501") == 0)
        return end_our_sessions(admin, name, err) < 0 ? -1 : pg_execf(admin, err, "DROP DATABASE %s", quoted);
    if (force && strcmp(first.sqlstate, "55006") == 0)
        return drop_subscriptions(conninfo, name, err) < 0 ? -1 : pg_exec(admin, drop, err);
    if (err)
        *err = first;
    return -1;
}

int targetdb_is_untouched(PgConn *admin, const char *conninfo, const char *name, bool *ret, Error *err)
{
    const char *params[] = {name};
    _cleanup_free_ char *bare = NULL;
    CatalogTarget inside;
    *ret = false;
    if (pg_query_value(admin,
                       "SELECT pg_catalog.count(*) FROM pg_catalog.pg_database WHERE datname = $1"
                       " AND pg_catalog.pg_has_role(datdba, 'USAGE') AND datacl IS NULL"
                       " AND pg_catalog.shobj_description(oid, 'pg_database') IS NULL",
                       1, params, &bare, err) < 0)
        return -1;
    if (strcmp(bare, "1") != 0)
        return 0;
    if (catalog_target(admin, conninfo, name, &inside, err) < 0)
        return -1;
    *ret = inside.database_empty;
    catalog_target_done(&inside);
    return 0;
}

int targetdb_identity(PgConn *conn, char **ret, Error *err)
{
    return pg_query_value(conn,
                          "SELECT pid || ' ' || backend_start FROM pg_catalog.pg_stat_activity"
                          " WHERE pid = pg_catalog.pg_backend_pid()",
                          0, NULL, ret, err);
}

int targetdb_end_session(PgConn *conn, const char *identity, Error *err)
{
    const char *params[] = {identity};
    PGresult *rows;
    if (pg_query(conn,
                 "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity"
                 " WHERE pid || ' ' || backend_start = $1",
                 1, params, &rows, err) < 0)
        return -1;
    PQclear(rows);
    return 0;
}
