#include "kura/newsql.h"

#include <stdlib.h>
#include <string.h>

#include "kura/mem.h"
#include "kura/sqllex.h"
#include "kura/words.h"

/* A pattern is a sequence of words and punctuation, separated by spaces: "?" stands for any identifier, "()" for a
 * group in parentheses, "!word" for anything but that word. An empty one matches every entry of the type. `desc` is a
 * list of entry types separated by '|'. */
typedef struct Rule {
    int since;
    const char *what, *desc, *pattern;
} Rule;

#define CONSTRAINTS "CONSTRAINT|CHECK CONSTRAINT|FK CONSTRAINT|TABLE|FOREIGN TABLE|DOMAIN"
#define QUERIES "VIEW|MATERIALIZED VIEW|RULE|FUNCTION|PROCEDURE"
#define TABLES "TABLE|FOREIGN TABLE"

static const Rule rules[] = {
    {14, N_("multirange types"), "TYPE", "multirange_type_name"},
    {14, N_("subscripting functions of types"), "TYPE", "subscript ="},
    {14, N_("functions with a body in SQL"), "FUNCTION|PROCEDURE", "begin atomic"},
    {14, N_("OUT arguments of procedures"), "PROCEDURE", "( out"},
    {14, N_("OUT arguments of procedures"), "PROCEDURE", ", out"},
    {14, N_("compression methods of columns"), "TABLE|MATERIALIZED VIEW", "set compression"},
    {14, N_("extended statistics on expressions"), "STATISTICS", "on ("},
    {15, N_("NULLS NOT DISTINCT"), "INDEX|CONSTRAINT", "nulls not distinct"},
    {15, N_("ON DELETE SET NULL or DEFAULT of some columns"), "FK CONSTRAINT", "set null ("},
    {15, N_("ON DELETE SET NULL or DEFAULT of some columns"), "FK CONSTRAINT", "set default ("},
    {15, N_("views with security_invoker"), "VIEW", "security_invoker"},
    {15, N_("publications of whole schemas"), "PUBLICATION TABLES IN SCHEMA", ""},
    {15, N_("publications of some rows or columns"), "PUBLICATION TABLE", "("},
    {15, N_("MERGE"), "FUNCTION|PROCEDURE", "merge into"},
    {15, N_("databases with a locale of ICU"), "DATABASE", "locale_provider = icu"},
    {15, N_("subscription options"), "SUBSCRIPTION", "two_phase"},
    {15, N_("subscription options"), "SUBSCRIPTION", "disable_on_error"},
    {16, N_("subscription options"), "SUBSCRIPTION", "origin"},
    {16, N_("subscription options"), "SUBSCRIPTION", "password_required"},
    {16, N_("subscription options"), "SUBSCRIPTION", "run_as_owner"},
    {16, N_("subscription options"), "SUBSCRIPTION", "streaming = parallel"},
    {16, N_("rules of ICU collations"), "COLLATION", "rules ="},
    {16, N_("rules of ICU collations"), "DATABASE", "icu_rules"},
    {16, N_("SQL/JSON: IS JSON, JSON_ARRAY, JSON_ARRAYAGG, JSON_OBJECTAGG"), QUERIES, "is json"},
    {16, N_("SQL/JSON: IS JSON, JSON_ARRAY, JSON_ARRAYAGG, JSON_OBJECTAGG"), QUERIES, "json_array ("},
    {16, N_("SQL/JSON: IS JSON, JSON_ARRAY, JSON_ARRAYAGG, JSON_OBJECTAGG"), QUERIES, "json_arrayagg ("},
    {16, N_("SQL/JSON: IS JSON, JSON_ARRAY, JSON_ARRAYAGG, JSON_OBJECTAGG"), QUERIES, "json_objectagg ("},
    {17, N_("SQL/JSON: JSON_TABLE, JSON_EXISTS, JSON_QUERY, JSON_VALUE"), QUERIES, "json_table ("},
    {17, N_("SQL/JSON: JSON_TABLE, JSON_EXISTS, JSON_QUERY, JSON_VALUE"), QUERIES, "json_exists ("},
    {17, N_("SQL/JSON: JSON_TABLE, JSON_EXISTS, JSON_QUERY, JSON_VALUE"), QUERIES, "json_query ("},
    {17, N_("SQL/JSON: JSON_TABLE, JSON_EXISTS, JSON_QUERY, JSON_VALUE"), QUERIES, "json_value ("},
    {17, N_("the privilege MAINTAIN"), "ACL|DEFAULT ACL", "maintain"},
    {17, N_("databases with a locale of the builtin provider"), "DATABASE", "locale_provider = builtin"},
    {17, N_("collations of the builtin provider"), "COLLATION", "provider = builtin"},
    {17, N_("event triggers on login"), "EVENT TRIGGER", "on login"},
    {17, N_("subscription options"), "SUBSCRIPTION", "failover"},
    {18, N_("constraints that are NOT ENFORCED"), CONSTRAINTS, "not enforced"},
    {18, N_("temporal keys (WITHOUT OVERLAPS, PERIOD)"), "CONSTRAINT", "without overlaps"},
    {18, N_("temporal keys (WITHOUT OVERLAPS, PERIOD)"), "FK CONSTRAINT", ", period ?"},
    {18, N_("virtual generated columns"), TABLES, "generated always as () !stored"},
    {18, N_("NOT NULL constraints that are not inherited, or not valid"), TABLES, "not null no inherit"},
    {18, N_("NOT NULL constraints that are not inherited, or not valid"), TABLES "|CONSTRAINT",
     "add constraint ? not null"},
    {18, N_("statistics of tables"), "STATISTICS DATA", ""},
};

static bool has_desc(const char *list, const char *desc)
{
    size_t len = strlen(desc);
    for (const char *at = list; (at = strstr(at, desc)) != NULL; at += len)
        if ((at == list || at[-1] == '|') && (at[len] == 0 || at[len] == '|'))
            return true;
    return false;
}

static bool is_ident(const SqlToken *token)
{
    return token->kind == SQL_IDENT || token->kind == SQL_QUOTED_IDENT;
}

/* Whether one token is what one word of a pattern wants. */
static bool token_matches(const SqlToken *token, const char *word)
{
    if (word[0] == '!')
        return !sql_is_word(token, word + 1);
    if (strcmp(word, "?") == 0)
        return is_ident(token);
    return sql_is_word(token, word) || sql_is_punct(token, word);
}

/* Behind the group in parentheses that begins at tokens[i]; i itself when there is none. */
static size_t behind_group(const SqlToken *tokens, size_t n, size_t i)
{
    size_t depth = 0;
    for (size_t at = i; at < n; at++) {
        if (sql_is_punct(&tokens[at], "("))
            depth++;
        else if (sql_is_punct(&tokens[at], ")") && --depth == 0)
            return at + 1;
        if (depth == 0)
            return i;
    }
    return i;
}

static bool matches_at(const SqlToken *tokens, size_t n, size_t i, const char *pattern)
{
    while (*pattern) {
        char word[32];
        size_t len = strcspn(pattern, " ");
        memcpy(word, pattern, len);
        word[len] = 0;
        pattern += len + (pattern[len] == ' ');
        if (i >= n)
            return false;
        if (strcmp(word, "()") == 0) {
            size_t behind = behind_group(tokens, n, i);
            if (behind == i)
                return false;
            i = behind;
        } else if (!token_matches(&tokens[i++], word)) {
            return false;
        }
    }
    return true;
}

static bool matches(const SqlToken *tokens, size_t n, const char *pattern)
{
    if (*pattern == 0)
        return true;
    for (size_t i = 0; i < n; i++)
        if (matches_at(tokens, n, i, pattern))
            return true;
    return false;
}

/* The tokens of an entry's SQL that mean something, with the end at last. */
static int meaningful_tokens(const TocEntry *entry, SqlToken **ret, size_t *ret_n, Error *err)
{
    size_t n, kept = 0;
    const char *defn = entry->defn ? entry->defn : "";
    if (sql_tokens(defn, strlen(defn), ret, &n, err) < 0)
        return error_wrap(err, "%s %s", entry->desc, entry->tag ? entry->tag : "");
    for (size_t i = 0; i < n; i++)
        if ((*ret)[i].kind != SQL_SPACE && (*ret)[i].kind != SQL_COMMENT)
            (*ret)[kept++] = (*ret)[i];
    *ret_n = kept;
    return 0;
}

static void count(NewSqls *list, const Rule *rule, const TocEntry *entry)
{
    size_t i = 0;
    while (i < list->n && (list->v[i].since != rule->since || strcmp(list->v[i].what, rule->what) != 0))
        i++;
    if (i == list->n)
        list->v[list->n++] = (NewSql){.since = rule->since, .what = rule->what, .first = entry};
    list->v[i].n++;
}

static bool counted(const Rule *rule, const Rule *before)
{
    return before && before->since == rule->since && strcmp(before->what, rule->what) == 0;
}

static int look_at(const TocEntry *entry, int major, NewSqls *list, Error *err)
{
    SqlToken *tokens = NULL;
    size_t n = 0;
    const Rule *last = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
        const Rule *rule = &rules[i];
        if (rule->since <= major || !has_desc(rule->desc, entry->desc) || counted(rule, last))
            continue;
        if (tokens == NULL && meaningful_tokens(entry, &tokens, &n, err) < 0)
            return -1;
        if (!matches(tokens, n, rule->pattern))
            continue;
        count(list, rule, entry);
        last = rule;
    }
    free(tokens);
    return 0;
}

int newsql_find(const Toc *toc, int major, NewSqls *ret, Error *err)
{
    NewSqls list = {.v = xcalloc(ARRAY_SIZE(rules), sizeof *list.v)};
    for (size_t i = 0; i < toc->n_entries; i++) {
        if (toc->entries[i].desc && look_at(&toc->entries[i], major, &list, err) < 0) {
            newsqls_done(&list);
            return -1;
        }
    }
    *ret = list;
    return 0;
}

void newsqls_done(NewSqls *list)
{
    if (list == NULL)
        return;
    free(list->v);
    *list = (NewSqls){0};
}

int newsql_role_since(const char *role)
{
    static const struct {
        const char *role;
        int since;
    } roles[] = {{"pg_database_owner", 14}, {"pg_read_all_data", 14},           {"pg_write_all_data", 14},
                 {"pg_checkpoint", 15},     {"pg_create_subscription", 16},     {"pg_use_reserved_connections", 16},
                 {"pg_maintain", 17},       {"pg_signal_autovacuum_worker", 18}};
    for (size_t i = 0; i < ARRAY_SIZE(roles); i++)
        if (strcmp(roles[i].role, role) == 0)
            return roles[i].since;
    return 0;
}
