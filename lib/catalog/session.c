/* What a session is set to, and whether it is fit for a backup. */
#include <stdio.h>

#include "catalog_priv.h"
#include "catalog_sql.h"
#include "kura/catalog.h"
#include "kura/mem.h"

enum { OLDEST_SERVER = 130000, POOLER_PROBES = 3 };

int catalog_session_setup(PgConn *conn, Error *err)
{
    PGresult *result;
    if (catalog_query(conn, sql_session, 0, NULL, &result, err) < 0)
        return error_wrap(err, "preparing the session");
    PQclear(result);
    return 0;
}

int catalog_begin_reading(PgConn *conn, Error *err)
{
    return pg_exec(conn,
                   "BEGIN READ ONLY; SET LOCAL search_path TO DEFAULT; "
                   "SELECT pg_catalog.set_config(name, 'view, foreign-table', true) FROM pg_catalog.pg_settings "
                   "WHERE name = 'restrict_nonsystem_relation_kind'",
                   err);
}

/* A pooler answers the login itself, with a process id of its own making, or moves us between servers. */
int catalog_is_pooled(PgConn *conn, bool *ret, Error *err)
{
    *ret = false;
    for (int i = 0; i < POOLER_PROBES && !*ret; i++) {
        _cleanup_free_ char *pid = NULL;
        if (pg_query_value(conn, "SELECT pg_catalog.pg_backend_pid()", 0, NULL, &pid, err) < 0)
            return -1;
        *ret = pid == NULL || atoi(pid) != PQbackendPID(pg_raw(conn));
    }
    return 0;
}

static int check_pooler(PgConn *conn, Findings *findings, Error *err)
{
    bool pooled;
    if (catalog_is_pooled(conn, &pooled, err) < 0)
        return -1;
    if (pooled)
        findings_add(findings, FINDING_ERROR, "connection-pooler",
                     "Give host and port of the PostgreSQL server itself: a pooler such as PgBouncer hands one "
                     "transaction's session to the next, so snapshots, locks and settings do not hold.",
                     "the connection to %s goes through a connection pooler", pg_where(conn));
    return 0;
}

static void check_lag(const PGresult *standby, double max_lag, Findings *findings)
{
    if (max_lag < 0)
        return;
    if (PQgetisnull(standby, 0, 1)) {
        findings_add(findings, FINDING_ERROR, "standby-lag",
                     "Look at the standby's log: it may not be connected to its primary. --max-lag=-1 accepts any lag.",
                     "how far the standby is behind its primary cannot be told");
        return;
    }
    double lag = strtod(pg_cell(standby, 0, 1), NULL);
    if (lag > max_lag)
        findings_add(findings, FINDING_ERROR, "standby-lag",
                     "Wait until the standby has caught up, back up the primary, or allow more with --max-lag.",
                     "the standby is %.0f s behind its primary, more than the %.0f s allowed", lag, max_lag);
}

static int check_standby(PgConn *conn, double max_lag, Findings *findings, Error *err)
{
    PGresult *standby;
    if (catalog_query(conn, sql_standby, 0, NULL, &standby, err) < 0)
        return -1;
    if (pg_cell_bool(standby, 0, 0)) {
        check_lag(standby, max_lag, findings);
        const char *delay = pg_cell(standby, 0, 3);
        if (!pg_cell_bool(standby, 0, 2) && delay[0] != '-')
            findings_add(findings, FINDING_NOTE, "standby-conflict",
                         "Set hot_standby_feedback = on and max_standby_streaming_delay = -1 on the standby.",
                         "the standby ends queries that hold up replay for more than %s, this backup's too", delay);
    }
    PQclear(standby);
    return 0;
}

int catalog_preflight(PgConn *conn, double max_lag, Findings *findings, Error *err)
{
    if (pg_server_version(conn) < OLDEST_SERVER)
        findings_add(findings, FINDING_ERROR, "server-version", "Upgrade the server to PostgreSQL 13 or later.",
                     "the server's version %s is not supported", PQparameterStatus(pg_raw(conn), "server_version"));
    if (check_pooler(conn, findings, err) < 0)
        return -1;
    return check_standby(conn, max_lag, findings, err);
}
