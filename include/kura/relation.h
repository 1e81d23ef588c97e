/* One table of the live database, as a person names it. */
#ifndef KURA_RELATION_H
#define KURA_RELATION_H

#include <stdbool.h>
#include <stdint.h>

#include "kura/buf.h"
#include "kura/error.h"
#include "kura/pg.h"

typedef struct CatalogRelation {
    uint32_t oid;
    char kind; /* relkind */
    char *schema, *name;
    char *sql;       /* both, quoted */
    StrVec columns;  /* names */
    StrVec not_null; /* those of them that cannot be null */
    StrVec primary;  /* those of the primary key, in the table's order */
} CatalogRelation;

/* Looks up a name (SQL, perhaps with a schema) along the session's search_path. ERR_NOT_FOUND. */
int catalog_relation_find(PgConn *conn, const char *name, uint32_t *ret, Error *err);
/* Leaves the session with an empty search_path, as all queries of the catalog do. ERR_UNSUPPORTED for what is no
 * ordinary or partitioned table. */
int catalog_relation(PgConn *conn, uint32_t oid, CatalogRelation *ret, Error *err);
void catalog_relation_done(CatalogRelation *relation); /* NULL-safe */
/* Whether a foreign key may reference these columns: there is a unique index on exactly them. */
int catalog_relation_is_unique(PgConn *conn, const CatalogRelation *relation, const StrVec *columns, bool *ret,
                               Error *err);

#endif
