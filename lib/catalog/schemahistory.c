#include "kura/schemahistory.h"

#include <stdlib.h>
#include <string.h>

#include "catalog_priv.h"
#include "catalog_sql.h"
#include "kura/catalog.h"
#include "kura/mem.h"

enum { ROWS_MAX = 200000, COLUMNS_MAX = 8 };
/* Columns of the tools' queries. */
enum { ROW_ID, ROW_TITLE, ROW_CHECKSUM, ROW_FAILED, ROW_FOREIGN, ROW_BASELINE };

/* usual: names of the table. columns: those, with their types, that tell it from others, and all that `rows` computes
 * with: a type of somebody's own could bring a cast that runs his function. rows: what to read of it; a title that is
 * NULL is the id. */
static const struct {
    const char *usual, *other_usual;
    const char *columns[COLUMNS_MAX];
    const char *rows;
} tools[SCHEMA_TOOLS] = {
    [SCHEMA_RAILS] = {"schema_migrations",
                      NULL,
                      {"version character varying"},
                      "SELECT version, NULL, NULL, false, false, false FROM %s "
                      "ORDER BY pg_catalog.length(version), version"},
    [SCHEMA_ECTO] = {"schema_migrations",
                     NULL,
                     {"version bigint", "inserted_at timestamp without time zone"},
                     "SELECT version, NULL, NULL, false, false, false FROM %s ORDER BY version"},
    [SCHEMA_GOLANG_MIGRATE] = {"schema_migrations",
                               NULL,
                               {"version bigint", "dirty boolean"},
                               "SELECT version, NULL, NULL, dirty, false, false FROM %s"},
    [SCHEMA_TYPEORM] = {"migrations",
                        NULL,
                        {"timestamp bigint", "name character varying"},
                        "SELECT name, NULL, NULL, false, false, false FROM %s ORDER BY id"},
    /* The last word on each version counts: one may have been undone, or removed. */
    [SCHEMA_FLYWAY] = {"flyway_schema_history",
                       "schema_version",
                       {"installed_rank integer", "version character varying", "description character varying",
                        "type character varying", "script character varying", "checksum integer", "success boolean"},
                       "SELECT id, script, checksum, NOT success, type <> 'SQL', type LIKE '%%BASELINE' FROM ("
                       "SELECT DISTINCT ON (1) COALESCE(version, 'R ' || description) AS id, * FROM %s "
                       "ORDER BY 1, installed_rank DESC) AS last "
                       "WHERE type NOT LIKE 'UNDO%%' AND type NOT IN ('SCHEMA', 'DELETE') ORDER BY installed_rank"},
    [SCHEMA_DJANGO] = {"django_migrations",
                       NULL,
                       {"app character varying", "name character varying", "applied timestamp with time zone"},
                       "SELECT app || '.' || name, NULL, NULL, false, false, false FROM %s ORDER BY id"},
    [SCHEMA_ALEMBIC] = {"alembic_version",
                        NULL,
                        {"version_num character varying"},
                        "SELECT version_num, NULL, NULL, false, false, false FROM %s ORDER BY 1"},
    [SCHEMA_PRISMA] = {"_prisma_migrations",
                       NULL,
                       {"migration_name character varying", "checksum character varying",
                        "finished_at timestamp with time zone"},
                       "SELECT migration_name, NULL, checksum, finished_at IS NULL, false, false FROM ("
                       "SELECT DISTINCT ON (migration_name) * FROM %s WHERE rolled_back_at IS NULL "
                       "ORDER BY migration_name, started_at DESC) AS last ORDER BY started_at"},
    [SCHEMA_SQLX] = {"_sqlx_migrations",
                     NULL,
                     {"version bigint", "description text", "checksum bytea", "success boolean"},
                     "SELECT version, version || '_' || pg_catalog.replace(description, ' ', '_'), "
                     "pg_catalog.encode(checksum, 'hex'), NOT success, false, false FROM %s ORDER BY version"},
    [SCHEMA_DIESEL] = {"__diesel_schema_migrations",
                       NULL,
                       {"version character varying", "run_on timestamp without time zone"},
                       "SELECT version, NULL, NULL, false, false, false FROM %s ORDER BY version"},
    [SCHEMA_XORM] = {"version",
                     NULL,
                     {"id bigint", "version bigint"},
                     "SELECT version, NULL, NULL, false, false, false FROM %s ORDER BY id"},
    [SCHEMA_PEERTUBE] = {"application",
                         NULL,
                         {"migrationVersion integer"},
                         "SELECT \"migrationVersion\", NULL, NULL, false, false, false FROM %s"},
    [SCHEMA_SYNAPSE] = {"schema_version",
                        NULL,
                        {"version integer", "upgraded boolean"},
                        "SELECT version, NULL, NULL, false, false, false FROM %s"},
};

/* ---- finding the table ---- */

static bool has_columns(const char *columns, SchemaTool tool)
{
    for (size_t i = 0; i < COLUMNS_MAX && tools[tool].columns[i]; i++) {
        _cleanup_free_ char *line = xasprintf("\n%s\n", tools[tool].columns[i]);
        if (strstr(columns, line) == NULL)
            return false;
    }
    return true;
}

static bool has_name(const char *name, SchemaTool tool)
{
    const char *other = tools[tool].other_usual;
    return strcmp(name, tools[tool].usual) == 0 || (other && strcmp(name, other) == 0);
}

/* Whose table it is. One by an unusual name may only be that of the tool that was named. */
static bool tell_tool(const PGresult *tables, int row, const SchemaTool *wanted, bool named, SchemaTool *ret)
{
    const char *name = pg_cell(tables, row, 1), *columns = pg_cell(tables, row, 2);
    for (size_t i = 0; i < SCHEMA_TOOLS; i++) {
        SchemaTool tool = (SchemaTool)i;
        if ((wanted && tool != *wanted) || !has_columns(columns, tool) || !(named || has_name(name, tool)))
            continue;
        *ret = tool;
        return true;
    }
    return false;
}

static int none_found(PgConn *conn, const PGresult *tables, const SchemaTool *tool, const char *table, Error *err)
{
    bool bare;
    SchemaTool other;
    if (catalog_is_bare(conn, &bare, err) < 0)
        return -1;
    if (bare) {
        error_set(err, ERR_NOT_FOUND, "%s is empty: nothing was migrated in it yet", pg_where(conn));
        return error_hint(err, "Make sure that this is the database that the application uses.");
    }
    for (int i = 0; tool && i < PQntuples(tables); i++)
        if ((table || has_name(pg_cell(tables, i, 1), *tool)) && tell_tool(tables, i, NULL, table != NULL, &other)) {
            error_set(err, ERR_UNSUPPORTED, "table %s.%s is one of %s, not of %s", pg_cell(tables, i, 0),
                      pg_cell(tables, i, 1), schema_tool_title(other), schema_tool_title(*tool));
            return error_hint(err, "Name the tool with --tool, or another table with --migrations-table.");
        }
    if (table)
        error_set(err, ERR_NOT_FOUND, "%s has no table \"%s\" of a migration tool", pg_where(conn), table);
    else if (tool)
        error_set(err, ERR_NOT_FOUND, "%s has no table of %s", pg_where(conn), schema_tool_title(*tool));
    else
        error_set(err, ERR_NOT_FOUND, "%s has no table of a migration tool that kura knows", pg_where(conn));
    return error_hint(err, "Make sure that this is the database that the application uses.");
}

/* The row of the one table that it is; a table of schema "public" goes before those of others. */
static int choose(PgConn *conn, const PGresult *tables, const SchemaTool *wanted, const char *table,
                  SchemaTool *ret_tool, int *ret_row, Error *err)
{
    int found = -1;
    for (int i = 0; i < PQntuples(tables); i++) {
        SchemaTool tool;
        if (!tell_tool(tables, i, wanted, table != NULL, &tool))
            continue;
        if (found < 0) {
            found = i;
            *ret_tool = tool;
            continue;
        }
        if (tool == *ret_tool && strcmp(pg_cell(tables, found, 0), "public") == 0)
            continue;
        error_set(err, ERR_UNSUPPORTED, "several tables of migration tools are there: %s.%s of %s, %s.%s of %s",
                  pg_cell(tables, found, 0), pg_cell(tables, found, 1), schema_tool_title(*ret_tool),
                  pg_cell(tables, i, 0), pg_cell(tables, i, 1), schema_tool_title(tool));
        return error_hint(err, "Name the tool with --tool, or the table with --migrations-table SCHEMA.TABLE.");
    }
    *ret_row = found;
    return found < 0 ? none_found(conn, tables, wanted, table, err) : 0;
}

/* ---- reading it ---- */

static void read_rows(const PGresult *rows, SchemaHistory *ret)
{
    for (int i = 0; i < PQntuples(rows); i++) {
        _cleanup_free_ char *id = schema_row_id(ret->tool, pg_cell(rows, i, ROW_ID));
        SchemaMigration *made = schema_history_add(
            ret, id, PQgetisnull(rows, i, ROW_TITLE) ? pg_cell(rows, i, ROW_ID) : pg_cell(rows, i, ROW_TITLE));
        made->checksum = catalog_dup(rows, i, ROW_CHECKSUM);
        made->failed = pg_cell_bool(rows, i, ROW_FAILED);
        made->foreign = pg_cell_bool(rows, i, ROW_FOREIGN);
        made->baseline = pg_cell_bool(rows, i, ROW_BASELINE);
    }
}

/* Synapse says which code may still use the database. Before it did so, the number alone counted. */
static int read_least(PgConn *conn, const char *schema, SchemaHistory *ret, Error *err)
{
    _cleanup_free_ char *there = NULL;
    _cleanup_(buf_done) Buf table = BUF_INIT(4096);
    catalog_add_name(&table, schema, "schema_compat_version");
    const char *const params[] = {buf_str(&table)};
    if (pg_query_value(conn, "SELECT pg_catalog.to_regclass($1)", 1, params, &there, err) < 0)
        return -1;
    if (there == NULL)
        return 0;
    _cleanup_free_ char *sql = xasprintf("SELECT pg_catalog.max(compat_version) FROM %s", buf_str(&table));
    return pg_query_value(conn, sql, 0, NULL, &ret->least, err);
}

static int read_table(PgConn *conn, const char *schema, const char *name, SchemaHistory *ret, Error *err)
{
    PGresult *rows;
    _cleanup_(buf_done) Buf table = BUF_INIT(4096), sql = BUF_INIT(16 * 1024);
    catalog_add_name(&table, schema, name);
    buf_printf(&sql, NULL, tools[ret->tool].rows, buf_str(&table));
    if (catalog_query(conn, buf_str(&sql), 0, NULL, &rows, err) < 0)
        return error_wrap(err, "reading the migrations of table %s.%s", schema, name);
    int rc = PQntuples(rows) <= ROWS_MAX
                 ? 0
                 : error_set(err, ERR_UNSUPPORTED, "table %s.%s has more than %d rows", schema, name, ROWS_MAX);
    if (rc == 0)
        read_rows(rows, ret);
    PQclear(rows);
    return rc == 0 && ret->tool == SCHEMA_SYNAPSE ? read_least(conn, schema, ret, err) : rc;
}

int catalog_schema_history(PgConn *conn, const SchemaTool *tool, const char *table, SchemaHistory *ret, Error *err)
{
    PGresult *tables;
    SchemaHistory made = {0};
    int row = -1;
    const char *const params[] = {table};
    if (catalog_query(conn, sql_schema_tables, 1, params, &tables, err) < 0)
        return -1;
    int rc = choose(conn, tables, tool, table, &made.tool, &row, err);
    if (rc == 0) {
        made.table = xasprintf("%s.%s", pg_cell(tables, row, 0), pg_cell(tables, row, 1));
        rc = read_table(conn, pg_cell(tables, row, 0), pg_cell(tables, row, 1), &made, err);
    }
    PQclear(tables);
    if (rc < 0) {
        schema_history_done(&made);
        return -1;
    }
    *ret = made;
    return 0;
}
