#include "kura/condition.h"

#include <stdio.h>
#include <sys/time.h>

#include "catalog_priv.h"
#include "catalog_sql.h"
#include "kura/mem.h"

int catalog_role(PgConn *conn, const char *name, CatalogRole *ret, Error *err)
{
    PGresult *row;
    const char *params[] = {name};
    if (catalog_query(conn, sql_role_state, 1, params, &row, err) < 0)
        return error_wrap(err, "looking at role \"%s\"", name);
    *ret = (CatalogRole){0};
    if (PQntuples(row) > 0)
        *ret = (CatalogRole){.exists = true,
                             .superuser = pg_cell_bool(row, 0, 0),
                             .login = pg_cell_bool(row, 0, 1),
                             .expired = pg_cell_bool(row, 0, 2)};
    PQclear(row);
    return 0;
}

int catalog_idle_transactions(PgConn *conn, double seconds, PGresult **ret, Error *err)
{
    _cleanup_free_ char *text = xasprintf("%.3f", seconds);
    const char *params[] = {text};
    return catalog_query(conn, sql_idle_transactions, 1, params, ret, err);
}

int catalog_stale_collations(PgConn *conn, PGresult **ret, Error *err)
{
    return catalog_query(conn, sql_stale_collations, 0, NULL, ret, err);
}

static double now(void)
{
    struct timeval moment;
    gettimeofday(&moment, NULL);
    return (double)moment.tv_sec + (double)moment.tv_usec / 1e6;
}

int catalog_clock_ahead(PgConn *conn, double *ret, Error *err)
{
    _cleanup_free_ char *text = NULL;
    double before = now();
    if (pg_query_value(conn, "SELECT pg_catalog.date_part('epoch', pg_catalog.clock_timestamp())", 0, NULL, &text,
                       err) < 0)
        return -1;
    *ret = strtod(text ? text : "0", NULL) - (before + now()) / 2;
    return 0;
}
