#include "tocname.h"

#include <string.h>

#include "kura/mem.h"
#include "kura/sqllex.h"

OwnKind toc_entry_kind(const TocEntry *entry)
{
    for (size_t i = 0; entry->desc && i < OWN_KIND_COUNT; i++)
        if (own_kinds[i].toc && strcmp(own_kinds[i].toc, entry->desc) == 0)
            return (OwnKind)i;
    return OWN_KIND_COUNT;
}

/* Kinds whose tag does not tell them apart; the drop statement does. */
static bool is_named_by_drop(OwnKind kind)
{
    return kind == OWN_FUNCTION || kind == OWN_PROCEDURE || kind == OWN_AGGREGATE || kind == OWN_OPERATOR ||
           kind == OWN_OPERATOR_CLASS || kind == OWN_OPERATOR_FAMILY;
}

static bool is_in_schema(OwnKind kind)
{
    switch (kind) {
    case OWN_DATABASE:
    case OWN_SCHEMA:
    case OWN_LANGUAGE:
    case OWN_WRAPPER:
    case OWN_SERVER:
    case OWN_LARGE_OBJECT:
    case OWN_PUBLICATION:
    case OWN_SUBSCRIPTION:
    case OWN_EVENT_TRIGGER:
        return false;
    default:
        return true;
    }
}

/* "DROP FUNCTION public.f(integer);" without what stands around the name. */
static char *key_of_drop(OwnKind kind, const TocEntry *entry)
{
    _cleanup_free_ char *prefix = xasprintf("DROP %s ", own_kinds[kind].toc);
    if (entry->drop_stmt == NULL || strncmp(entry->drop_stmt, prefix, strlen(prefix)) != 0)
        return NULL;
    const char *name = entry->drop_stmt + strlen(prefix);
    size_t len = strlen(name);
    while (len > 0 && strchr(";\n", name[len - 1]))
        len--;
    _cleanup_free_ char *text = xstrndup(name, len);
    _cleanup_free_ char *canonical = own_canonical(text);
    return canonical ? xasprintf("%s %s", own_kinds[kind].class_name, canonical) : NULL;
}

char *toc_entry_key(OwnKind kind, const TocEntry *entry)
{
    if (is_named_by_drop(kind))
        return key_of_drop(kind, entry);
    if (entry->tag == NULL)
        return NULL;
    return own_key(kind, is_in_schema(kind) ? entry->namespace : NULL, entry->tag);
}

char *own_key_of_grant(const char *object, OwnKind *ret_kind)
{
    size_t longest = 0;
    for (OwnKind kind = 0; kind < OWN_KIND_COUNT; kind++) {
        const char *grant = own_kinds[kind].grant;
        size_t len = own_kinds[kind].alter && grant ? strlen(grant) : 0;
        if (len > longest && strncmp(object, grant, len) == 0 && object[len] == ' ') {
            longest = len;
            *ret_kind = kind;
        }
    }
    if (longest == 0)
        return NULL;
    if (*ret_kind == OWN_DATABASE)
        return own_key(OWN_DATABASE, NULL, "");
    _cleanup_free_ char *canonical = own_canonical(object + longest + 1);
    return canonical ? xasprintf("%s %s", own_kinds[*ret_kind].class_name, canonical) : NULL;
}

/* ---- policies ---- */

/* The next token that says something. */
static SqlToken next(SqlLexer *lexer)
{
    SqlToken token = {.kind = SQL_END};
    do {
        if (sql_next(lexer, &token, NULL) < 0)
            return (SqlToken){.kind = SQL_END};
    } while (token.kind == SQL_SPACE || token.kind == SQL_COMMENT);
    return token;
}

static bool next_is(SqlLexer *lexer, const char *word)
{
    SqlToken token = next(lexer);
    return sql_is_word(&token, word);
}

static char *next_name(SqlLexer *lexer)
{
    SqlToken token = next(lexer);
    return sql_ident_value(&token);
}

static void read_roles(SqlLexer *lexer, StrVec *roles)
{
    SqlToken token;
    do {
        token = next(lexer);
        _cleanup_free_ char *role = sql_ident_value(&token);
        if (role == NULL)
            return;
        strvec_push(roles, sql_is_word(&token, "public") ? "" : role);
        token = next(lexer);
    } while (sql_is_punct(&token, ","));
}

int toc_policy_parse(const char *defn, TocPolicy *ret)
{
    SqlLexer lexer = {.text = defn ? defn : "", .len = defn ? strlen(defn) : 0};
    if (!next_is(&lexer, "create") || !next_is(&lexer, "policy"))
        return -1;
    ret->name = next_name(&lexer);
    bool on = next_is(&lexer, "on");
    ret->schema = next_name(&lexer);
    SqlToken dot = next(&lexer);
    ret->table = next_name(&lexer);
    if (!on || !sql_is_punct(&dot, ".") || ret->name == NULL || ret->schema == NULL || ret->table == NULL)
        return -1;
    for (SqlToken token = next(&lexer); token.kind == SQL_IDENT; token = next(&lexer)) {
        if (sql_is_word(&token, "using") || sql_is_word(&token, "with"))
            break;
        if (sql_is_word(&token, "to")) {
            read_roles(&lexer, &ret->roles);
            break;
        }
    }
    return 0;
}

void toc_policy_done(TocPolicy *policy)
{
    free(policy->schema);
    free(policy->table);
    free(policy->name);
    strvec_done(&policy->roles);
}

int toc_mapping_parse(const char *defn, char **ret_role, char **ret_server)
{
    SqlLexer lexer = {.text = defn ? defn : "", .len = defn ? strlen(defn) : 0};
    static const char *const words[] = {"create", "user", "mapping", "for"};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (!next_is(&lexer, words[i]))
            return -1;
    char *role = next_name(&lexer);
    char *server = role && next_is(&lexer, "server") ? next_name(&lexer) : NULL;
    *ret_role = role;
    *ret_server = server;
    return role && server ? 0 : -1;
}
