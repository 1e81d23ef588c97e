/* Statements and their results. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kura/mem.h"
#include "pg_priv.h"

static bool is_copy(ExecStatusType status)
{
    return status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
}

int conn_finish(PgConn *conn, PGresult **ret, Error *err)
{
    PGresult *last = NULL;
    int rc = 0;
    for (;;) {
        PGresult *result;
        Error waiting = ERROR_INIT;
        if (conn_result(conn, &result, &waiting) < 0) {
            /* what the server said before it went explains more than that it went */
            if (rc == 0 && err)
                *err = waiting;
            rc = -1;
            break;
        }
        if (result == NULL)
            break;
        ExecStatusType status = PQresultStatus(result);
        if (is_copy(status)) {
            PQclear(result);
            conn_abandon(conn);
            rc = error_set(err, ERR_FAILED, "COPY where a plain statement was expected");
            break;
        }
        if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY) {
            PQclear(last);
            last = result;
            continue;
        }
        if (rc == 0)
            rc = conn_server_error(conn, result, err);
        PQclear(result);
    }
    if (rc == 0 && ret)
        *ret = steal(last);
    PQclear(last);
    return rc;
}

int pg_exec(PgConn *conn, const char *sql, Error *err)
{
    conn_call_begin(conn);
    if (conn_usable(conn, err) < 0 || conn_check(conn, err) < 0)
        return -1;
    if (!PQsendQuery(conn->pg, sql))
        return conn_lost_error(conn, err);
    if (conn_flush(conn, err) < 0)
        return -1;
    return conn_finish(conn, NULL, err);
}

int pg_execf(PgConn *conn, Error *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *sql = xvasprintf(format, args);
    va_end(args);
    int rc = pg_exec(conn, sql, err);
    free(sql);
    return rc;
}

int pg_query(PgConn *conn, const char *sql, int n_params, const char *const *params, PGresult **ret, Error *err)
{
    conn_call_begin(conn);
    if (conn_usable(conn, err) < 0 || conn_check(conn, err) < 0)
        return -1;
    if (!PQsendQueryParams(conn->pg, sql, n_params, NULL, params, NULL, NULL, 0))
        return conn_lost_error(conn, err);
    if (conn_flush(conn, err) < 0)
        return -1;
    return conn_finish(conn, ret, err);
}

int pg_query_value(PgConn *conn, const char *sql, int n_params, const char *const *params, char **ret, Error *err)
{
    PGresult *result;
    if (pg_query(conn, sql, n_params, params, &result, err) < 0)
        return -1;
    int rc = 0;
    if (PQntuples(result) == 0 || PQnfields(result) == 0)
        rc = error_set(err, ERR_NOT_FOUND, "the query returned no row");
    else
        *ret = PQgetisnull(result, 0, 0) ? NULL : xstrdup(PQgetvalue(result, 0, 0));
    PQclear(result);
    return rc;
}

const char *pg_cell(const PGresult *result, int row, int column)
{
    return PQgetvalue(result, row, column);
}

bool pg_cell_bool(const PGresult *result, int row, int column)
{
    return PQgetvalue(result, row, column)[0] == 't';
}

uint64_t pg_cell_u64(const PGresult *result, int row, int column)
{
    return strtoull(PQgetvalue(result, row, column), NULL, 10);
}
