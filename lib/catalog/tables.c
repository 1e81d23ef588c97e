/* Which tables there are. */
#include "catalog_priv.h"
#include "catalog_sql.h"
#include "kura/catalog.h"
#include "kura/mem.h"

static CatalogTable table_from_row(const PGresult *rows, int i)
{
    return (CatalogTable){
        .oid = (uint32_t)pg_cell_u64(rows, i, 0),
        .schema = catalog_dup(rows, i, 1),
        .name = catalog_dup(rows, i, 2),
        .relkind = pg_cell(rows, i, 3)[0],
        .persistence = pg_cell(rows, i, 4)[0],
        .bytes = pg_cell_u64(rows, i, 5),
        .blocks = pg_cell_u64(rows, i, 6),
        .readable = pg_cell_bool(rows, i, 7),
        .row_security = pg_cell_bool(rows, i, 8),
        .extension = catalog_dup(rows, i, 9),
        .config = pg_cell_bool(rows, i, 10),
        .condition = catalog_dup(rows, i, 11),
        .root_schema = catalog_dup(rows, i, 12),
        .root_name = catalog_dup(rows, i, 13),
        .access_method = catalog_dup(rows, i, 14),
    };
}

int catalog_tables(PgConn *conn, CatalogTables *ret, Error *err)
{
    PGresult *rows;
    if (catalog_query(conn, sql_tables, 0, NULL, &rows, err) < 0)
        return error_wrap(err, "listing the tables");
    size_t n = (size_t)PQntuples(rows);
    *ret = (CatalogTables){.v = xcalloc(n, sizeof *ret->v), .n = n};
    for (size_t i = 0; i < n; i++)
        ret->v[i] = table_from_row(rows, (int)i);
    PQclear(rows);
    return 0;
}

void catalog_tables_done(CatalogTables *tables)
{
    if (tables == NULL)
        return;
    for (size_t i = 0; i < tables->n; i++) {
        CatalogTable *table = &tables->v[i];
        free(table->schema);
        free(table->name);
        free(table->extension);
        free(table->condition);
        free(table->root_schema);
        free(table->root_name);
        free(table->access_method);
    }
    free(tables->v);
    *tables = (CatalogTables){0};
}

const CatalogTable *catalog_tables_find(const CatalogTables *tables, uint32_t oid)
{
    size_t low = 0, high = tables->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (tables->v[middle].oid < oid)
            low = middle + 1;
        else
            high = middle;
    }
    return low < tables->n && tables->v[low].oid == oid ? &tables->v[low] : NULL;
}

int catalog_rewritten(PgConn *conn, size_t *ret_n, Error *err)
{
    PGresult *rows;
    if (catalog_query(conn, sql_rewritten, 0, NULL, &rows, err) < 0)
        return error_wrap(err, "looking for rewritten tables");
    *ret_n = (size_t)pg_cell_u64(rows, 0, 0);
    PQclear(rows);
    return 0;
}

size_t catalog_tables_locked(const CatalogTables *tables)
{
    size_t n = 0;
    for (size_t i = 0; i < tables->n; i++)
        n += tables->v[i].relkind == 'r' || tables->v[i].relkind == 'p';
    return n;
}
