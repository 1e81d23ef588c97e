/* What the files of lib/catalog share. */
#ifndef KURA_CATALOG_PRIV_H
#define KURA_CATALOG_PRIV_H

#include "kura/buf.h"
#include "kura/pg.h"

/* Runs a query of ours under an empty search_path, whatever the session's was. */
int catalog_query(PgConn *conn, const char *sql, int n_params, const char *const *params, PGresult **ret, Error *err);
/* A copy of a cell; NULL for NULL. */
char *catalog_dup(const PGresult *result, int row, int column);
/* Adds "schema"."name". Doubling the quotes is enough: client_encoding is the server's own, and in those no other
 * character has the byte of a quote. */
void catalog_add_name(Buf *out, const char *schema, const char *name);

#endif
