#include "rights_needs.h"

#include <stdlib.h>
#include <string.h>

#include "kura/mem.h"
#include "kura/sqllex.h"

static bool is_one_of(const TocEntry *entry, const char *const *descs)
{
    for (; *descs; descs++)
        if (toc_entry_is(entry, *descs))
            return true;
    return false;
}

/* The next token that means something; false at the end. */
static bool next_word(SqlLexer *lexer, SqlToken *ret)
{
    do
        if (sql_next(lexer, ret, NULL) < 0)
            return false;
    while (ret->kind == SQL_SPACE || ret->kind == SQL_COMMENT);
    return ret->kind != SQL_END;
}

/* Whether the definition has these words one after the other, outside strings and bodies; "" stands for any token. */
static bool has_words(const TocEntry *entry, const char *first, const char *second, const char *third)
{
    SqlLexer lexer = {.text = entry->defn ? entry->defn : "", .len = entry->defn ? strlen(entry->defn) : 0};
    const char *const words[] = {first, second, third};
    size_t found = 0, n = third ? 3 : second ? 2 : 1;
    for (SqlToken token; found < n && next_word(&lexer, &token);) {
        bool fits = *words[found] == 0 || sql_is_word(&token, words[found]) || sql_is_punct(&token, words[found]);
        found = fits ? found + 1 : sql_is_word(&token, first) ? 1 : 0;
    }
    return found == n;
}

/* The language a function is written in, to be freed. */
static char *language_of(const TocEntry *entry)
{
    SqlLexer lexer = {.text = entry->defn ? entry->defn : "", .len = entry->defn ? strlen(entry->defn) : 0};
    for (SqlToken token; next_word(&lexer, &token);)
        if (sql_is_word(&token, "language") && next_word(&lexer, &token))
            return sql_ident_value(&token);
    return NULL;
}

/* A language that the archive makes says itself whether it is trusted; of the others the names are PostgreSQL's own:
 * "c", "internal", and those of untrusted procedural languages end with a "u". */
static bool is_trusted(const Toc *toc, const char *language)
{
    for (size_t i = 0; i < toc->n_entries; i++) {
        const TocEntry *entry = &toc->entries[i];
        if (toc_entry_is(entry, "PROCEDURAL LANGUAGE") && entry->tag && strcmp(entry->tag, language) == 0)
            return has_words(entry, "trusted", NULL, NULL);
    }
    size_t len = strlen(language);
    return strcmp(language, "c") != 0 && strcmp(language, "internal") != 0 && (len == 0 || language[len - 1] != 'u');
}

static bool function_needs(const Toc *toc, const TocEntry *entry)
{
    _cleanup_free_ char *language = language_of(entry);
    return (language && !is_trusted(toc, language)) || has_words(entry, "leakproof", NULL, NULL) ||
           has_words(entry, "support", NULL, NULL);
}

/* Whether an entry that it depends on makes a type: who makes that owns it. */
static bool has_own_type(const Toc *toc, const TocEntry *entry)
{
    static const char *const makes_type[] = {"TYPE",       "DOMAIN",        "TABLE", "VIEW", "MATERIALIZED VIEW",
                                             "SHELL TYPE", "FOREIGN TABLE", NULL};
    for (size_t i = 0; i < entry->n_deps; i++) {
        const TocEntry *dep = toc_find(toc, atoi(entry->deps[i]));
        if (dep && is_one_of(dep, makes_type) && !needs_superuser(toc, dep))
            return true;
    }
    return false;
}

bool needs_superuser(const Toc *toc, const TocEntry *entry)
{
    static const char *const always[] = {"OPERATOR CLASS",
                                         "OPERATOR FAMILY",
                                         "ACCESS METHOD",
                                         "TEXT SEARCH PARSER",
                                         "TEXT SEARCH TEMPLATE",
                                         "PROCEDURAL LANGUAGE",
                                         "FOREIGN DATA WRAPPER",
                                         "SERVER",
                                         "USER MAPPING",
                                         "FOREIGN TABLE",
                                         "EVENT TRIGGER",
                                         "SUBSCRIPTION",
                                         "SHELL TYPE",
                                         "PUBLICATION TABLES IN SCHEMA",
                                         NULL};
    if (is_one_of(entry, always))
        return true;
    if (toc_entry_is(entry, "FUNCTION") || toc_entry_is(entry, "PROCEDURE"))
        return function_needs(toc, entry);
    if (toc_entry_is(entry, "AGGREGATE"))
        return has_words(entry, "stype", "=", "internal") || has_words(entry, "mstype", "=", "internal");
    if (toc_entry_is(entry, "TYPE"))
        return !has_words(entry, "as", NULL, NULL); /* a base type, or one of which nothing is known but the name */
    if (toc_entry_is(entry, "PUBLICATION"))
        return has_words(entry, "for", "all", "tables");
    if (toc_entry_is(entry, "CAST"))
        return has_words(entry, "without", "function", NULL) || !has_own_type(toc, entry);
    return toc_entry_is(entry, "TRANSFORM") && !has_own_type(toc, entry);
}

bool is_about_another(const TocEntry *entry)
{
    static const char *const descs[] = {"COMMENT", "ACL", "SECURITY LABEL", NULL};
    return is_one_of(entry, descs);
}

bool may_be_skipped(const TocEntry *entry)
{
    static const char *const descs[] = {"EVENT TRIGGER",
                                        "PUBLICATION",
                                        "PUBLICATION TABLE",
                                        "PUBLICATION TABLES IN SCHEMA",
                                        "SUBSCRIPTION",
                                        "PROCEDURAL LANGUAGE",
                                        "CAST",
                                        "TRANSFORM",
                                        "FOREIGN DATA WRAPPER",
                                        "SERVER",
                                        "USER MAPPING",
                                        "FOREIGN TABLE",
                                        "DEFAULT ACL",
                                        NULL};
    return is_about_another(entry) || is_one_of(entry, descs);
}
