/* The server's lock table, for who is about to take many locks, and who holds those that are in the way. */
#include "catalog_priv.h"
#include "catalog_sql.h"
#include "kura/catalog.h"
#include "kura/mem.h"

enum { LEAST_ROOM = 100 };

int catalog_lock_room(PgConn *conn, size_t *ret, Error *err)
{
    PGresult *settings, *used;
    if (catalog_query(conn, sql_lock_settings, 0, NULL, &settings, err) < 0)
        return error_wrap(err, "reading the lock settings");
    uint64_t room = pg_cell_u64(settings, 0, 0) * (pg_cell_u64(settings, 0, 1) + 1);
    PQclear(settings);
    if (catalog_query(conn, sql_lock_used, 0, NULL, &used, err) < 0)
        return error_wrap(err, "counting the locks");
    uint64_t taken = pg_cell_u64(used, 0, 0);
    PQclear(used);
    uint64_t half = room > taken ? (room - taken) / 2 : 0;
    *ret = half < LEAST_ROOM ? LEAST_ROOM : (size_t)half;
    return 0;
}

int catalog_lock_holder(PgConn *conn, const char *relation, char **ret, Error *err)
{
    PGresult *row;
    const char *params[] = {relation};
    if (catalog_query(conn, sql_lock_holder, 1, params, &row, err) < 0)
        return -1;
    *ret = NULL;
    if (PQntuples(row) > 0)
        *ret = xasprintf("process %s (role \"%s\", %s) holds %s since %s s, %s", pg_cell(row, 0, 0), pg_cell(row, 0, 1),
                         pg_cell(row, 0, 2)[0] ? pg_cell(row, 0, 2) : "unnamed", pg_cell(row, 0, 3), pg_cell(row, 0, 5),
                         pg_cell(row, 0, 4));
    PQclear(row);
    return 0;
}
