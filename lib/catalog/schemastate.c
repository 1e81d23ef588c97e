#include "kura/schemastate.h"

#include "catalog_priv.h"
#include "catalog_sql.h"

int catalog_schema_state(PgConn *conn, PGresult **ret, Error *err)
{
    return catalog_query(conn, sql_schema_state, 0, NULL, ret, err) < 0 ? error_wrap(err, "reading the schema") : 0;
}

int catalog_held_locks(PgConn *conn, PGresult **ret, Error *err)
{
    return catalog_query(conn, sql_held_locks, 0, NULL, ret, err);
}
