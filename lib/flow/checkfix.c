#include "checkfix.h"

#include <string.h>

#include "kura/mem.h"
#include "kura/sqllex.h"
#include "targetdb.h"

char *check_list(const StrVec *columns, const char *before)
{
    Buf out = BUF_INIT(1024 * 1024);
    for (size_t i = 0; i < columns->n; i++) {
        buf_append_str(&out, i ? ", " : "", NULL);
        buf_append_str(&out, before, NULL);
        sql_append_ident(&out, columns->v[i]);
    }
    char *list = xstrdup(buf_str(&out));
    buf_done(&out);
    return list;
}

char *check_constraint(CheckKind kind, const CheckSpec *spec, const CatalogRelation *parent)
{
    _cleanup_free_ char *columns = check_list(&spec->table.columns, "");
    if (kind == CHECK_UNIQUE)
        return xasprintf("UNIQUE (%s)", columns);
    if (kind == CHECK_NOT_NULL)
        return xasprintf("CHECK (%s IS NOT NULL)", columns);
    if (kind == CHECK_CHECK)
        return xasprintf("CHECK (%s)", spec->expression);
    _cleanup_free_ char *referenced = check_list(&spec->parent.columns, "");
    return xasprintf("FOREIGN KEY (%s) REFERENCES %s (%s)", columns, parent->sql, referenced);
}

/* As PostgreSQL would call it: "goods_order_id_fkey". */
static char *constraint_name(CheckKind kind, const CheckSpec *spec, const CatalogRelation *table)
{
    static const char *const endings[] = {
        [CHECK_FK] = "fkey", [CHECK_UNIQUE] = "key", [CHECK_NOT_NULL] = "not_null", [CHECK_CHECK] = "check"};
    _cleanup_(buf_done) Buf text = BUF_INIT(256 * 1024);
    for (size_t i = 0; i < spec->table.columns.n; i++)
        buf_printf(&text, NULL, "_%s", spec->table.columns.v[i]);
    _cleanup_free_ char *columns = targetdb_name_with(table->name, buf_str(&text));
    _cleanup_free_ char *ending = xasprintf("_%s", endings[kind]);
    _cleanup_free_ char *name = targetdb_name_with(columns, ending);
    return sql_quote_ident(name);
}

/* An index is built first, while everybody writes on. */
static void add_unique(const CheckSpec *spec, const CatalogRelation *table, const char *name, StrVec *ret)
{
    _cleanup_free_ char *columns = check_list(&spec->table.columns, "");
    strvec_pushf(ret, "CREATE UNIQUE INDEX CONCURRENTLY %s ON %s (%s);", name, table->sql, columns);
    strvec_pushf(ret, "ALTER TABLE %s ADD CONSTRAINT %s UNIQUE USING INDEX %s;", table->sql, name, name);
}

void check_statements_for(CheckKind kind, const CheckSpec *spec, const CatalogRelation *table, const char *constraint,
                          StrVec *ret)
{
    _cleanup_free_ char *name = constraint_name(kind, spec, table);
    bool divided = table->kind == 'p' && kind != CHECK_CHECK && kind != CHECK_NOT_NULL;
    if (kind == CHECK_UNIQUE && !divided) {
        add_unique(spec, table, name, ret);
        return;
    }
    strvec_pushf(ret, "ALTER TABLE %s ADD CONSTRAINT %s %s%s;", table->sql, name, constraint,
                 divided ? "" : " NOT VALID");
    if (!divided)
        strvec_pushf(ret, "ALTER TABLE %s VALIDATE CONSTRAINT %s;", table->sql, name);
    if (kind != CHECK_NOT_NULL)
        return;
    _cleanup_free_ char *column = sql_quote_ident(spec->table.columns.v[0]);
    strvec_pushf(ret, "ALTER TABLE %s ALTER COLUMN %s SET NOT NULL;", table->sql, column);
    strvec_pushf(ret, "ALTER TABLE %s DROP CONSTRAINT %s;", table->sql, name);
}
