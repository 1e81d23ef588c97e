/* In which condition a live database is: what a doctor asks of it. */
#ifndef KURA_CONDITION_H
#define KURA_CONDITION_H

#include <stdbool.h>
#include <stddef.h>

#include "kura/error.h"
#include "kura/pg.h"

typedef struct CatalogRole {
    bool exists, superuser, login;
    bool expired; /* its password is of no use any more */
} CatalogRole;

int catalog_role(PgConn *conn, const char *name, CatalogRole *ret, Error *err);

/* Columns of catalog_idle_transactions(). */
enum {
    IDLE_KIND /* "s": session, "p": prepared */,
    IDLE_NAME /* pid, or gid */,
    IDLE_ROLE,
    IDLE_PROGRAM,
    IDLE_SECONDS
};
/* Transactions in the connection's database that have stood still for longer than that, the oldest first. *ret to be
 * cleared with PQclear. */
int catalog_idle_transactions(PgConn *conn, double seconds, PGresult **ret, Error *err);

/* Columns of catalog_stale_collations(). */
enum { STALE_NAME, STALE_RECORDED, STALE_ACTUAL };
/* Collations of columns whose library has another version than the one that sorted the indexes. For the database's own
 * collation see catalog_stale_collation(). *ret to be cleared with PQclear. */
int catalog_stale_collations(PgConn *conn, PGresult **ret, Error *err);

/* How many seconds the server's clock is ahead of ours; the time of the question counts half. */
int catalog_clock_ahead(PgConn *conn, double *ret, Error *err);

#endif
