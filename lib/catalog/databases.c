#include "kura/databases.h"

#include <stdio.h>
#include <string.h>

#include "catalog_priv.h"
#include "catalog_sql.h"
#include "kura/mem.h"
#include "kura/words.h"

enum { OID_TEXT = 12 };

static const char *oid_text(uint32_t oid, char text[OID_TEXT])
{
    snprintf(text, OID_TEXT, "%u", oid);
    return text;
}

static int query_oid(PgConn *conn, const char *sql, uint32_t oid, PGresult **ret, Error *err)
{
    char text[OID_TEXT];
    const char *params[] = {oid_text(oid, text)};
    return catalog_query(conn, sql, 1, params, ret, err);
}

int catalog_marked_databases(PgConn *conn, CatalogMarkedList *ret, Error *err)
{
    PGresult *rows;
    if (catalog_query(conn, sql_marked_databases, 0, NULL, &rows, err) < 0)
        return error_wrap(err, "looking for databases that kura keeps");
    CatalogMarkedList list = {.n = (size_t)PQntuples(rows)};
    list.v = xcalloc(list.n + 1, sizeof *list.v);
    for (int i = 0; i < PQntuples(rows); i++)
        list.v[i] = (CatalogMarked){.oid = (uint32_t)pg_cell_u64(rows, i, 0),
                                    .name = catalog_dup(rows, i, 1),
                                    .comment = catalog_dup(rows, i, 2),
                                    .bytes = pg_cell_u64(rows, i, 3),
                                    .sessions = pg_cell_u64(rows, i, 4)};
    if (list.n > 0)
        snprintf(list.now, sizeof list.now, "%s", pg_cell(rows, 0, 5));
    PQclear(rows);
    *ret = list;
    return 0;
}

static int query_names(PgConn *conn, const char *sql, const char *param, StrVec *ret, Error *err)
{
    PGresult *rows;
    if (catalog_query(conn, sql, 1, &param, &rows, err) < 0)
        return -1;
    for (int i = 0; i < PQntuples(rows); i++)
        strvec_push(ret, pg_cell(rows, i, 0));
    PQclear(rows);
    return 0;
}

int catalog_rehearsals(PgConn *conn, const char *prefix, StrVec *ret, Error *err)
{
    return query_names(conn, sql_rehearsals, prefix, ret, err);
}

int catalog_marked_roles(PgConn *conn, const char *comment, StrVec *ret, Error *err)
{
    return query_names(conn, sql_marked_roles, comment, ret, err);
}

void catalog_marked_done(CatalogMarkedList *list)
{
    if (list == NULL)
        return;
    for (size_t i = 0; i < list->n; i++) {
        free(list->v[i].name);
        free(list->v[i].comment);
    }
    free(list->v);
    *list = (CatalogMarkedList){0};
}

int catalog_database_oid(PgConn *conn, const char *name, uint32_t *ret, Error *err)
{
    PGresult *row;
    const char *params[] = {name};
    if (catalog_query(conn, "SELECT oid FROM pg_catalog.pg_database WHERE datname = $1", 1, params, &row, err) < 0)
        return -1;
    *ret = PQntuples(row) ? (uint32_t)pg_cell_u64(row, 0, 0) : 0;
    PQclear(row);
    return 0;
}

static int database_text(PgConn *conn, const char *sql, uint32_t oid, char **ret, Error *err)
{
    PGresult *row;
    if (query_oid(conn, sql, oid, &row, err) < 0)
        return -1;
    *ret = PQntuples(row) ? catalog_dup(row, 0, 0) : NULL;
    PQclear(row);
    return 0;
}

int catalog_database_name(PgConn *conn, uint32_t oid, char **ret, Error *err)
{
    return database_text(conn, "SELECT datname FROM pg_catalog.pg_database WHERE oid = $1::pg_catalog.oid", oid, ret,
                         err);
}

int catalog_database_comment(PgConn *conn, uint32_t oid, char **ret, Error *err)
{
    return database_text(conn, "SELECT pg_catalog.shobj_description($1::pg_catalog.oid, 'pg_database')", oid, ret, err);
}

int catalog_database_locale(PgConn *conn, uint32_t oid, CatalogLocale *ret, Error *err)
{
    PGresult *row;
    if (query_oid(conn, sql_database_locale, oid, &row, err) < 0)
        return -1;
    *ret = (CatalogLocale){0};
    if (PQntuples(row))
        *ret = (CatalogLocale){.encoding = catalog_dup(row, 0, 0),
                               .provider = catalog_dup(row, 0, 1),
                               .collate = catalog_dup(row, 0, 2),
                               .ctype = catalog_dup(row, 0, 3),
                               .name = catalog_dup(row, 0, 4)};
    PQclear(row);
    return 0;
}

void catalog_locale_done(CatalogLocale *locale)
{
    free(locale->encoding);
    free(locale->provider);
    free(locale->collate);
    free(locale->ctype);
    free(locale->name);
    *locale = (CatalogLocale){0};
}

int catalog_may_rename(PgConn *conn, uint32_t oid, bool *ret, char **ret_owner, Error *err)
{
    PGresult *row;
    if (query_oid(conn, sql_may_rename, oid, &row, err) < 0)
        return -1;
    *ret = PQntuples(row) && pg_cell_bool(row, 0, 0);
    *ret_owner = xstrdup(PQntuples(row) ? pg_cell(row, 0, 1) : "");
    PQclear(row);
    return 0;
}

int catalog_database_holds(PgConn *conn, uint32_t oid, CatalogHolds *ret, Error *err)
{
    PGresult *rows;
    if (query_oid(conn, sql_database_holds, oid, &rows, err) < 0)
        return -1;
    CatalogHolds holds = {0};
    for (int i = 0; i < PQntuples(rows); i++) {
        char kind = pg_cell(rows, i, 0)[0];
        strvec_push(kind == 'p'   ? &holds.prepared
                    : kind == 'r' ? &holds.slots
                                  : &holds.subscriptions,
                    pg_cell(rows, i, 1));
    }
    PQclear(rows);
    *ret = holds;
    return 0;
}

void catalog_holds_done(CatalogHolds *holds)
{
    if (holds == NULL)
        return;
    strvec_done(&holds->prepared);
    strvec_done(&holds->slots);
    strvec_done(&holds->subscriptions);
}

void catalog_holds_list(const CatalogHolds *holds, StrVec *ret)
{
    for (size_t i = 0; i < holds->prepared.n; i++)
        strvec_pushf(ret, _("prepared transaction \"%s\""), holds->prepared.v[i]);
    for (size_t i = 0; i < holds->slots.n; i++)
        strvec_pushf(ret, _("replication slot \"%s\""), holds->slots.v[i]);
    for (size_t i = 0; i < holds->subscriptions.n; i++)
        strvec_pushf(ret, _("subscription \"%s\""), holds->subscriptions.v[i]);
}

int catalog_sessions(PgConn *conn, const uint32_t *oids, size_t n_oids, CatalogSessions *ret, Error *err)
{
    _cleanup_(buf_done) Buf array = BUF_INIT(1024);
    for (size_t i = 0; i < n_oids; i++)
        if (oids[i] != 0 && buf_printf(&array, err, "%s%u", array.len ? "," : "{", oids[i]) < 0)
            return -1;
    if (buf_append_str(&array, array.len ? "}" : "{}", err) < 0)
        return -1;
    PGresult *rows;
    const char *params[] = {buf_str(&array)};
    if (catalog_query(conn, sql_sessions, 1, params, &rows, err) < 0)
        return -1;
    *ret = (CatalogSessions){.n = (size_t)PQntuples(rows), .v = xcalloc((size_t)PQntuples(rows) + 1, sizeof *ret->v)};
    for (int i = 0; i < PQntuples(rows); i++)
        ret->v[i] = (CatalogSession){
            .pid = catalog_dup(rows, i, 0),
            .role = catalog_dup(rows, i, 1),
            .application = xstrdup(pg_cell(rows, i, PQgetisnull(rows, i, 2) || pg_cell(rows, i, 2)[0] == 0 ? 3 : 2)),
            .ours_to_end = pg_cell_bool(rows, i, 4)};
    PQclear(rows);
    return 0;
}

void catalog_sessions_done(CatalogSessions *sessions)
{
    if (sessions == NULL)
        return;
    for (size_t i = 0; i < sessions->n; i++) {
        free(sessions->v[i].pid);
        free(sessions->v[i].role);
        free(sessions->v[i].application);
    }
    free(sessions->v);
    *sessions = (CatalogSessions){0};
}

int catalog_database_differences(PgConn *conn, uint32_t from, uint32_t to, const char *name, StrVec *ret, Error *err)
{
    char first[OID_TEXT], second[OID_TEXT];
    const char *params[] = {oid_text(from, first), oid_text(to, second), name};
    PGresult *rows;
    if (catalog_query(conn, sql_database_differences, 3, params, &rows, err) < 0)
        return error_wrap(err, "comparing the properties of two databases");
    for (int i = 0; i < PQntuples(rows); i++)
        strvec_push(ret, pg_cell(rows, i, 0));
    PQclear(rows);
    return 0;
}

int catalog_stale_collation(PgConn *conn, uint32_t oid, char **ret, Error *err)
{
    enum { KNOWS_VERSIONS = 150000 };
    PGresult *row;
    *ret = NULL;
    if (pg_server_version(conn) < KNOWS_VERSIONS)
        return 0;
    if (query_oid(conn, sql_stale_collation, oid, &row, err) < 0)
        return -1;
    if (PQntuples(row))
        *ret = xasprintf(_("%s, now %s"), pg_cell(row, 0, 0), pg_cell(row, 0, 1));
    PQclear(row);
    return 0;
}

int catalog_database_weight(PgConn *conn, uint64_t *ret_tables, uint64_t *ret_bytes, Error *err)
{
    PGresult *row;
    if (catalog_query(conn, sql_database_weight, 0, NULL, &row, err) < 0)
        return -1;
    *ret_tables = pg_cell_u64(row, 0, 0);
    *ret_bytes = pg_cell_u64(row, 0, 1);
    PQclear(row);
    return 0;
}
