/* What a target offers. */
#include "catalog_priv.h"
#include "catalog_sql.h"
#include "kura/catalog.h"
#include "kura/log.h"
#include "kura/mem.h"

static int read_rights(PgConn *conn, CatalogTarget *target, Error *err)
{
    PGresult *row;
    if (catalog_query(conn, sql_target, 0, NULL, &row, err) < 0)
        return -1;
    target->server_version_num = pg_server_version(conn);
    target->superuser = pg_cell_bool(row, 0, 0);
    target->createdb = pg_cell_bool(row, 0, 1) || target->superuser;
    target->createrole = pg_cell_bool(row, 0, 2) || target->superuser;
    target->standby = pg_cell_bool(row, 0, 3);
    target->superuser_name = catalog_dup(row, 0, 4);
    PQclear(row);
    return 0;
}

static StrVec *list_of(CatalogTarget *target, char kind)
{
    switch (kind) {
    case 'r':
        return &target->roles;
    case 'd':
        return &target->databases;
    case 'e':
        return &target->extensions;
    default:
        return &target->tablespaces;
    }
}

static int read_names(PgConn *conn, CatalogTarget *target, Error *err)
{
    PGresult *rows;
    if (catalog_query(conn, sql_target_names, 0, NULL, &rows, err) < 0)
        return -1;
    for (int i = 0; i < PQntuples(rows); i++)
        strvec_push(list_of(target, pg_cell(rows, i, 0)[0]), pg_cell(rows, i, 1));
    PQclear(rows);
    return 0;
}

/* A database that we may not look into counts as one that holds something. */
static int read_emptiness(const char *conninfo, const char *dbname, CatalogTarget *target, Error *err)
{
    PgConn *conn;
    Error refused = ERROR_INIT;
    if (pg_connect(conninfo, &(PgOptions){.dbname = dbname}, &conn, &refused) < 0) {
        if (refused.code != ERR_CONNECTION) {
            if (err)
                *err = refused;
            return -1;
        }
        log_debug("looking into database \"%s\": %s", dbname, refused.message);
        return 0;
    }
    int rc = catalog_is_bare(conn, &target->database_empty, err);
    pg_close(conn);
    return rc;
}

int catalog_target(PgConn *conn, const char *conninfo, const char *dbname, CatalogTarget *ret, Error *err)
{
    CatalogTarget target = {0};
    int rc = read_rights(conn, &target, err) < 0 || read_names(conn, &target, err) < 0 ? -1 : 0;
    if (rc == 0) {
        target.database_exists = strvec_contains(&target.databases, dbname);
        if (target.database_exists)
            rc = read_emptiness(conninfo, dbname, &target, err);
    }
    if (rc < 0) {
        catalog_target_done(&target);
        return error_wrap(err, "looking at the target server");
    }
    *ret = target;
    return 0;
}

void catalog_target_done(CatalogTarget *target)
{
    if (target == NULL)
        return;
    strvec_done(&target->roles);
    strvec_done(&target->databases);
    strvec_done(&target->extensions);
    strvec_done(&target->tablespaces);
    free(target->superuser_name);
    *target = (CatalogTarget){0};
}

int catalog_text_may_differ(PgConn *conn, const char *const params[4], PGresult **ret, Error *err)
{
    return catalog_query(conn, sql_text_may_differ, 4, params, ret, err);
}
