/* What a backup records about the database beside its archive. */
#include <string.h>

#include "catalog_priv.h"
#include "catalog_sql.h"
#include "kura/catalog.h"
#include "kura/mem.h"

static int read_system_identifier(PgConn *conn, DbFacts *facts, Error *err)
{
    return pg_query_value(conn, sql_system_identifier, 0, NULL, &facts->system_identifier, err);
}

static int read_database(PgConn *conn, DbFacts *facts, Error *err)
{
    PGresult *row;
    if (catalog_query(conn, sql_database, 0, NULL, &row, err) < 0)
        return -1;
    facts->server_version = xstrdup(PQparameterStatus(pg_raw(conn), "server_version"));
    facts->server_version_num = pg_server_version(conn);
    facts->name = catalog_dup(row, 0, 0);
    facts->standby = pg_cell_bool(row, 0, 1);
    facts->owner = catalog_dup(row, 0, 2);
    facts->encoding = catalog_dup(row, 0, 3);
    facts->locale_provider = catalog_dup(row, 0, 4);
    facts->collate = catalog_dup(row, 0, 5);
    facts->ctype = catalog_dup(row, 0, 6);
    facts->icu_locale = catalog_dup(row, 0, 7);
    facts->collation_version = catalog_dup(row, 0, 8);
    facts->tablespace = catalog_dup(row, 0, 9);
    facts->connection_limit = atoi(pg_cell(row, 0, 10));
    facts->comment = catalog_dup(row, 0, 11);
    facts->acl_default = pg_cell_bool(row, 0, 12);
    facts->size_bytes = pg_cell_u64(row, 0, 13);
    bool may_identify = pg_cell_bool(row, 0, 14);
    PQclear(row);
    return may_identify ? read_system_identifier(conn, facts, err) : 0;
}

static int read_grants(PgConn *conn, DbFacts *facts, Error *err)
{
    PGresult *rows;
    if (catalog_query(conn, sql_grants, 0, NULL, &rows, err) < 0)
        return -1;
    facts->n_grants = (size_t)PQntuples(rows);
    facts->grants = xcalloc(facts->n_grants, sizeof *facts->grants);
    for (int i = 0; i < PQntuples(rows); i++)
        facts->grants[i] = (DbGrant){.grantor = catalog_dup(rows, i, 0),
                                     .grantee = catalog_dup(rows, i, 1),
                                     .privilege = catalog_dup(rows, i, 2),
                                     .grantable = pg_cell_bool(rows, i, 3)};
    PQclear(rows);
    return 0;
}

static int read_settings(PgConn *conn, DbFacts *facts, Error *err)
{
    PGresult *rows;
    if (catalog_query(conn, sql_settings, 0, NULL, &rows, err) < 0)
        return -1;
    facts->n_settings = (size_t)PQntuples(rows);
    facts->settings = xcalloc(facts->n_settings, sizeof *facts->settings);
    for (int i = 0; i < PQntuples(rows); i++)
        facts->settings[i] = (DbSetting){
            .role = catalog_dup(rows, i, 0), .name = catalog_dup(rows, i, 1), .value = catalog_dup(rows, i, 2)};
    PQclear(rows);
    return 0;
}

static int read_extensions(PgConn *conn, DbFacts *facts, Error *err)
{
    PGresult *rows;
    if (catalog_query(conn, sql_extensions, 0, NULL, &rows, err) < 0)
        return -1;
    facts->n_extensions = (size_t)PQntuples(rows);
    facts->extensions = xcalloc(facts->n_extensions, sizeof *facts->extensions);
    for (int i = 0; i < PQntuples(rows); i++)
        facts->extensions[i] = (DbExtension){
            .name = catalog_dup(rows, i, 0), .version = catalog_dup(rows, i, 1), .schema = catalog_dup(rows, i, 2)};
    PQclear(rows);
    return 0;
}

static DbRole role_from_row(const PGresult *rows, int i)
{
    return (DbRole){.name = catalog_dup(rows, i, 0),
                    .superuser = pg_cell_bool(rows, i, 3),
                    .inherit = pg_cell_bool(rows, i, 4),
                    .createrole = pg_cell_bool(rows, i, 5),
                    .createdb = pg_cell_bool(rows, i, 6),
                    .login = pg_cell_bool(rows, i, 7),
                    .replication = pg_cell_bool(rows, i, 8),
                    .bypassrls = pg_cell_bool(rows, i, 9),
                    .connection_limit = atoi(pg_cell(rows, i, 10)),
                    .bootstrap = pg_cell_bool(rows, i, 11)};
}

static int read_roles(PgConn *conn, DbFacts *facts, Error *err)
{
    enum { ROLE = '0', MEMBERSHIP = '1' }; /* kinds of rows in roles.sql */
    PGresult *rows;
    if (catalog_query(conn, sql_roles, 0, NULL, &rows, err) < 0)
        return -1;
    facts->roles = xcalloc((size_t)PQntuples(rows), sizeof *facts->roles);
    for (int i = 0; i < PQntuples(rows); i++) {
        char kind = pg_cell(rows, i, 1)[0];
        if (kind == ROLE) {
            facts->roles[facts->n_roles++] = role_from_row(rows, i);
            continue;
        }
        DbRole *role = &facts->roles[facts->n_roles - 1];
        strvec_push(kind == MEMBERSHIP ? &role->member_of : &role->settings, pg_cell(rows, i, 2));
    }
    PQclear(rows);
    return 0;
}

int catalog_facts(PgConn *conn, DbFacts *ret, Error *err)
{
    DbFacts facts = {0};
    if (read_database(conn, &facts, err) < 0 || read_grants(conn, &facts, err) < 0 ||
        read_settings(conn, &facts, err) < 0 || read_extensions(conn, &facts, err) < 0 ||
        read_roles(conn, &facts, err) < 0) {
        dbfacts_done(&facts);
        return error_wrap(err, "reading the facts about %s", pg_where(conn));
    }
    *ret = facts;
    return 0;
}
