#include "catalog_priv.h"

#include "kura/mem.h"

int catalog_query(PgConn *conn, const char *sql, int n_params, const char *const *params, PGresult **ret, Error *err)
{
    if (pg_exec(conn, "SELECT pg_catalog.set_config('search_path', '', false)", err) < 0)
        return -1;
    return pg_query(conn, sql, n_params, params, ret, err);
}

char *catalog_dup(const PGresult *result, int row, int column)
{
    return PQgetisnull(result, row, column) ? NULL : xstrdup(PQgetvalue(result, row, column));
}

static void add_quoted(Buf *out, const char *name)
{
    buf_append(out, "\"", 1, NULL);
    for (; *name; name++)
        buf_append(out, *name == '"' ? "\"\"" : name, *name == '"' ? 2 : 1, NULL);
    buf_append(out, "\"", 1, NULL);
}

void catalog_add_name(Buf *out, const char *schema, const char *name)
{
    add_quoted(out, schema);
    buf_append(out, ".", 1, NULL);
    add_quoted(out, name);
}
