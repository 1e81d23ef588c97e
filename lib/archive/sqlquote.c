/* How names and literals are written in SQL. */
#include <string.h>

#include "kura/mem.h"
#include "kura/sqllex.h"

/* PostgreSQL 18's keywords that are not unreserved (pg_get_keywords() without catcode U), in strcmp order. Later ones
 * than a server knows do no harm: a quoted name is the same name. */
/* clang-format off */
static const char *const quoted_keywords[] = {
    "all", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric", "authorization", "between",
    "bigint", "binary", "bit", "boolean", "both", "case", "cast", "char", "character", "check", "coalesce", "collate",
    "collation", "column", "concurrently", "constraint", "create", "cross", "current_catalog", "current_date",
    "current_role", "current_schema", "current_time", "current_timestamp", "current_user", "dec", "decimal",
    "default", "deferrable", "desc", "distinct", "do", "else", "end", "except", "exists", "extract", "false", "fetch",
    "float", "for", "foreign", "freeze", "from", "full", "grant", "greatest", "group", "grouping", "having", "ilike",
    "in", "initially", "inner", "inout", "int", "integer", "intersect", "interval", "into", "is", "isnull", "join",
    "json", "json_array", "json_arrayagg", "json_exists", "json_object", "json_objectagg", "json_query",
    "json_scalar", "json_serialize", "json_table", "json_value", "lateral", "leading", "least", "left", "like",
    "limit", "localtime", "localtimestamp", "merge_action", "national", "natural", "nchar", "none", "normalize",
    "not", "notnull", "null", "nullif", "numeric", "offset", "on", "only", "or", "order", "out", "outer", "overlaps",
    "overlay", "placing", "position", "precision", "primary", "real", "references", "returning", "right", "row",
    "select", "session_user", "setof", "similar", "smallint", "some", "substring", "symmetric", "system_user",
    "table", "tablesample", "then", "time", "timestamp", "to", "trailing", "treat", "trim", "true", "union", "unique",
    "user", "using", "values", "varchar", "variadic", "verbose", "when", "where", "window", "with", "xmlattributes",
    "xmlconcat", "xmlelement", "xmlexists", "xmlforest", "xmlnamespaces", "xmlparse", "xmlpi", "xmlroot",
    "xmlserialize", "xmltable",
};
/* clang-format on */

static int compare_keyword(const void *word, const void *keyword)
{
    return strcmp(word, *(const char *const *)keyword);
}

static bool is_bare(const char *name)
{
    if (!((name[0] >= 'a' && name[0] <= 'z') || name[0] == '_'))
        return false;
    for (const char *c = name; *c; c++)
        if (!((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '_'))
            return false;
    return bsearch(name, quoted_keywords, ARRAY_SIZE(quoted_keywords), sizeof *quoted_keywords, compare_keyword) ==
           NULL;
}

/* text in quotes, the given characters doubled; prefix stands before the first quote. */
static char *quote_text(const char *prefix, const char *text, char quote, const char *doubled)
{
    size_t len = strlen(text);
    char *quoted = xmalloc(strlen(prefix) + 2 * len + 3), *out = stpcpy(quoted, prefix);
    *out++ = quote;
    for (const char *c = text; *c; c++) {
        if (strchr(doubled, *c))
            *out++ = *c;
        *out++ = *c;
    }
    *out++ = quote;
    *out = 0;
    return quoted;
}

char *sql_quote_ident(const char *name)
{
    return is_bare(name) ? xstrdup(name) : quote_text("", name, '"', "\"");
}

void sql_append_ident(Buf *out, const char *name)
{
    _cleanup_free_ char *quoted = sql_quote_ident(name);
    if (buf_append_str(out, quoted, NULL) < 0)
        abort();
}

char *sql_quote_literal(const char *text)
{
    return strchr(text, '\\') ? quote_text("E", text, '\'', "'\\") : quote_text("", text, '\'', "'");
}
