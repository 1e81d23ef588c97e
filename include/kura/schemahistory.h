/* What a migration tool's own table says of a database. */
#ifndef KURA_SCHEMAHISTORY_H
#define KURA_SCHEMAHISTORY_H

#include "kura/pg.h"
#include "kura/schema.h"

/* Finds the table, tells the tool by the types of its columns (three tools have one of the same name), and reads it.
 * tool NULL: whichever there is. table: its name, with or without its schema, where it is not the usual one; or NULL.
 * ERR_NOT_FOUND: there is none, or the database is empty. ERR_UNSUPPORTED: there are several, or it is another tool's.
 */
int catalog_schema_history(PgConn *conn, const SchemaTool *tool, const char *table, SchemaHistory *ret, Error *err);

#endif
