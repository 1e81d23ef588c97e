/* How new the newest row is: the largest of what columns of moments hold. */
#include <stdlib.h>
#include <string.h>

#include "catalog_priv.h"
#include "catalog_sql.h"
#include "kura/clock.h"
#include "kura/mem.h"
#include "proofs_priv.h"

/* A column whose value takes too long tells nothing. */
static int read_one(PgConn *conn, const char *sql, double seconds, double *ret, bool *ret_found, Error *err)
{
    enum { MILLISECONDS = 1000 };
    _cleanup_free_ char *value = NULL;
    Error refused = ERROR_INIT;
    *ret_found = false;
    if (pg_execf(conn, err, "SET statement_timeout = %d", (int)(seconds * MILLISECONDS) + 1) < 0)
        return -1;
    if (pg_query_value(conn, sql, 0, NULL, &value, &refused) < 0 && refused.code != ERR_SERVER) {
        *err = refused;
        return -1;
    }
    char *end = NULL;
    double epoch = value ? strtod(value, &end) : 0;
    *ret_found = value && end != value && epoch > 0 && epoch < 1e12;
    *ret = epoch;
    return 0;
}

int proof_newest_row(PgConn *conn, const char *before, double seconds, double *ret_epoch, char **ret_where, Error *err)
{
    const char *params[] = {before};
    double deadline = clock_monotonic() + seconds, left = seconds, newest = 0;
    PGresult *rows;
    _cleanup_free_ char *where = NULL;
    if (catalog_query(conn, sql_proof_moments, 1, params, &rows, err) < 0)
        return -1;
    int rc = 0;
    for (int i = 0; i < PQntuples(rows) && rc == 0 && left > 0; i++) {
        double epoch;
        bool found;
        rc = read_one(conn, pg_cell(rows, i, 1), left, &epoch, &found, err);
        if (rc == 0 && found && epoch > newest) {
            newest = epoch;
            free(where);
            where = xstrdup(pg_cell(rows, i, 0));
        }
        left = deadline - clock_monotonic();
    }
    PQclear(rows);
    if (rc < 0 || pg_exec(conn, "SET statement_timeout = 0", err) < 0)
        return -1;
    *ret_epoch = newest;
    *ret_where = steal(where);
    return 0;
}
