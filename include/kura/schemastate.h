/* What the schemas of a database hold, to be compared with a later state of it; and who holds which locks. */
#ifndef KURA_SCHEMASTATE_H
#define KURA_SCHEMASTATE_H

#include "kura/error.h"
#include "kura/pg.h"

/* Columns of catalog_schema_state(), sorted by the first two. */
enum { STATE_WHAT, STATE_NAME, STATE_DEFINITION };
/* *ret to be cleared with PQclear. */
int catalog_schema_state(PgConn *conn, PGresult **ret, Error *err);

/* Columns of catalog_held_locks(). */
enum { HELD_TRANSACTION, HELD_RELATION, HELD_MODE, HELD_NAME };
/* Locks on tables in the connection's database that others could have to wait for. */
int catalog_held_locks(PgConn *conn, PGresult **ret, Error *err);

#endif
