/* What the role of a connection may do on its server. */
#include "catalog_priv.h"
#include "catalog_sql.h"
#include "kura/catalog.h"
#include "kura/mem.h"

static int read_self(PgConn *conn, CatalogRights *rights, Error *err)
{
    PGresult *row;
    if (catalog_query(conn, sql_rights_self, 0, NULL, &row, err) < 0)
        return -1;
    rights->user = catalog_dup(row, 0, 0);
    rights->superuser = pg_cell_bool(row, 0, 1);
    rights->createrole = pg_cell_bool(row, 0, 2);
    rights->inherits = pg_cell_bool(row, 0, 3);
    rights->managed = pg_cell_bool(row, 0, 4);
    PQclear(row);
    return 0;
}

static int read_roles(PgConn *conn, CatalogRights *rights, Error *err)
{
    PGresult *rows;
    if (catalog_query(conn, sql_rights_roles, 0, NULL, &rows, err) < 0)
        return -1;
    for (int i = 0; i < PQntuples(rows); i++) {
        const char *name = pg_cell(rows, i, 0);
        if (pg_cell_bool(rows, i, 1))
            strvec_push(&rights->superusers, name);
        if (pg_cell_bool(rows, i, 2) && pg_cell_bool(rows, i, 3))
            strvec_push(&rights->becomes, name);
        if (pg_cell_bool(rows, i, 4))
            strvec_push(&rights->grants, name);
    }
    PQclear(rows);
    return 0;
}

int catalog_rights(PgConn *conn, CatalogRights *ret, Error *err)
{
    CatalogRights rights = {0};
    if (read_self(conn, &rights, err) < 0 || read_roles(conn, &rights, err) < 0) {
        catalog_rights_done(&rights);
        return error_wrap(err, "looking at the rights of the role");
    }
    *ret = rights;
    return 0;
}

void catalog_rights_done(CatalogRights *rights)
{
    free(rights->user);
    strvec_done(&rights->superusers);
    strvec_done(&rights->becomes);
    strvec_done(&rights->grants);
    *rights = (CatalogRights){0};
}

int catalog_extensions(PgConn *conn, CatalogExtensions *ret, Error *err)
{
    PGresult *rows;
    if (catalog_query(conn, sql_rights_extensions, 0, NULL, &rows, err) < 0)
        return error_wrap(err, "looking at the server's extensions");
    *ret = (CatalogExtensions){.n = (size_t)PQntuples(rows)};
    ret->v = xcalloc(ret->n + 1, sizeof *ret->v);
    for (int i = 0; i < PQntuples(rows); i++)
        ret->v[i] = (CatalogExtension){.name = catalog_dup(rows, i, 0),
                                       .trusted = pg_cell_bool(rows, i, 1),
                                       .superuser = pg_cell_bool(rows, i, 2),
                                       .present = pg_cell_bool(rows, i, 3)};
    PQclear(rows);
    return 0;
}

void catalog_extensions_done(CatalogExtensions *extensions)
{
    for (size_t i = 0; i < extensions->n; i++)
        free(extensions->v[i].name);
    free(extensions->v);
    *extensions = (CatalogExtensions){0};
}

int catalog_memberships(PgConn *conn, const char *role, const char *member, CatalogMemberships *ret, Error *err)
{
    const char *params[] = {role, member};
    PGresult *rows;
    if (catalog_query(conn, sql_memberships, 2, params, &rows, err) < 0)
        return -1;
    *ret = (CatalogMemberships){.n = (size_t)PQntuples(rows)};
    ret->v = xcalloc(ret->n + 1, sizeof *ret->v);
    for (int i = 0; i < PQntuples(rows); i++)
        ret->v[i] = (CatalogMembership){.grantor = catalog_dup(rows, i, 0),
                                        .stamp = catalog_dup(rows, i, 1),
                                        .inherits = pg_cell_bool(rows, i, 2),
                                        .becomes = pg_cell_bool(rows, i, 3)};
    PQclear(rows);
    return 0;
}

void catalog_memberships_done(CatalogMemberships *memberships)
{
    for (size_t i = 0; i < memberships->n; i++) {
        free(memberships->v[i].grantor);
        free(memberships->v[i].stamp);
    }
    free(memberships->v);
    *memberships = (CatalogMemberships){0};
}

int catalog_may_borrow(PgConn *conn, uint32_t database, const char *role, const char *member, bool *ret, Error *err)
{
    _cleanup_free_ char *oid = xasprintf("%u", database);
    const char *params[] = {oid, role, member};
    PGresult *row;
    if (catalog_query(conn, sql_may_borrow, 3, params, &row, err) < 0)
        return -1;
    *ret = PQntuples(row) == 1 && pg_cell_bool(row, 0, 0);
    PQclear(row);
    return 0;
}

int catalog_unreadable(PgConn *conn, PGresult **ret, Error *err)
{
    return catalog_query(conn, sql_unreadable, 0, NULL, ret, err);
}

int catalog_is_bare(PgConn *conn, bool *ret, Error *err)
{
    PGresult *row;
    if (catalog_query(conn, sql_user_objects, 0, NULL, &row, err) < 0)
        return -1;
    *ret = !pg_cell_bool(row, 0, 0);
    PQclear(row);
    return 0;
}
