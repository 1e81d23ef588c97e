#include "kura/relation.h"

#include <stdlib.h>

#include "catalog_priv.h"
#include "catalog_sql.h"
#include "kura/mem.h"
#include "kura/sqllex.h"
#include "kura/words.h"

int catalog_relation_find(PgConn *conn, const char *name, uint32_t *ret, Error *err)
{
    const char *params[] = {name};
    _cleanup_free_ char *oid = NULL;
    if (pg_query_value(conn, "SELECT pg_catalog.to_regclass($1)::pg_catalog.oid", 1, params, &oid, err) < 0)
        return -1;
    if (oid == NULL) {
        error_set(err, ERR_NOT_FOUND, "there is no table %s in database \"%s\"", name, pg_dbname(conn));
        return error_hint(err, "Name it with its schema if that is not in the search_path.");
    }
    *ret = (uint32_t)strtoul(oid, NULL, 10);
    return 0;
}

static void read(const PGresult *rows, CatalogRelation *ret)
{
    *ret = (CatalogRelation){
        .kind = pg_cell(rows, 0, 2)[0], .schema = catalog_dup(rows, 0, 0), .name = catalog_dup(rows, 0, 1)};
    _cleanup_free_ char *schema = sql_quote_ident(ret->schema), *name = sql_quote_ident(ret->name);
    ret->sql = xasprintf("%s.%s", schema, name);
    for (int i = 0; i < PQntuples(rows) && !PQgetisnull(rows, i, 3); i++) {
        strvec_push(&ret->columns, pg_cell(rows, i, 3));
        if (pg_cell_bool(rows, i, 4))
            strvec_push(&ret->not_null, pg_cell(rows, i, 3));
        if (pg_cell_bool(rows, i, 5))
            strvec_push(&ret->primary, pg_cell(rows, i, 3));
    }
}

int catalog_relation(PgConn *conn, uint32_t oid, CatalogRelation *ret, Error *err)
{
    _cleanup_free_ char *text = xasprintf("%u", oid);
    const char *params[] = {text};
    PGresult *rows;
    *ret = (CatalogRelation){0};
    if (catalog_query(conn, sql_relation, 1, params, &rows, err) < 0)
        return -1;
    if (PQntuples(rows) > 0)
        read(rows, ret);
    PQclear(rows);
    ret->oid = oid;
    if (ret->kind == 'r' || ret->kind == 'p')
        return 0;
    error_set(err, ERR_UNSUPPORTED, "%s is no table that can have constraints", ret->sql ? ret->sql : _("it"));
    catalog_relation_done(ret);
    return -1;
}

void catalog_relation_done(CatalogRelation *relation)
{
    if (relation == NULL)
        return;
    free(relation->schema);
    free(relation->name);
    free(relation->sql);
    strvec_done(&relation->columns);
    strvec_done(&relation->not_null);
    strvec_done(&relation->primary);
    *relation = (CatalogRelation){0};
}

/* An array of names as its literal. */
static void add_array(Buf *out, const StrVec *names)
{
    buf_append_str(out, "{", NULL);
    for (size_t i = 0; i < names->n; i++) {
        buf_append_str(out, i ? ",\"" : "\"", NULL);
        for (const char *at = names->v[i]; *at; at++) {
            if (*at == '"' || *at == '\\')
                buf_append_str(out, "\\", NULL);
            buf_append(out, at, 1, NULL);
        }
        buf_append_str(out, "\"", NULL);
    }
    buf_append_str(out, "}", NULL);
}

int catalog_relation_is_unique(PgConn *conn, const CatalogRelation *relation, const StrVec *columns, bool *ret,
                               Error *err)
{
    _cleanup_(buf_done) Buf array = BUF_INIT(256 * 1024);
    _cleanup_free_ char *oid = xasprintf("%u", relation->oid);
    PGresult *row;
    add_array(&array, columns);
    const char *params[] = {oid, buf_str(&array)};
    if (catalog_query(conn, sql_relation_unique, 2, params, &row, err) < 0)
        return -1;
    *ret = pg_cell_bool(row, 0, 0);
    PQclear(row);
    return 0;
}
