#include "guard.h"

#include <string.h>

#include "kura/mem.h"
#include "rolemap_priv.h"

int guard_init(RoleGuard *guard, const RoleMap *map, const Toc *toc, Error *err)
{
    *guard = (RoleGuard){.map = map};
    return map->rest.new_name ? rolemap_survey(toc, NULL, NULL, &guard->uses, err) : 0;
}

void guard_done(RoleGuard *guard)
{
    roleuses_done(&guard->uses);
}

static int check_name(const RoleGuard *guard, const char *name, Error *err)
{
    const char *new_name = rolemap_lookup(guard->map, name);
    if (new_name && strcmp(new_name, name) == 0)
        return 0;
    if (rolemap_rule_of(guard->map, name) == NULL && roleuses_find(&guard->uses, name) == NULL)
        return 0;
    error_set(err, ERR_UNSUPPORTED,
              "kura does not know this kind of statement, and it names \"%s\", which the map changes", name);
    return error_hint(err, "Leave this role's name as it is, or restore with a kura that knows the statement.");
}

static int check_token(const RoleGuard *guard, const SqlToken *token, Error *err)
{
    _cleanup_free_ char *name = NULL;
    if (token->kind == SQL_IDENT || token->kind == SQL_QUOTED_IDENT)
        name = sql_ident_value(token);
    else if (token->kind == SQL_STRING || token->kind == SQL_DOLLAR)
        name = sql_string_value(token);
    else
        return 0;
    if (sql_is_word(token, "uescape") || (name == NULL && token->kind == SQL_QUOTED_IDENT))
        return error_set(err, ERR_UNSUPPORTED, "kura cannot tell which name is meant by an escape in an identifier");
    return name ? check_name(guard, name, err) : 0;
}

int guard_tokens(const RoleGuard *guard, const SqlToken *tokens, size_t n, Error *err)
{
    for (size_t i = 0; i < n; i++)
        if (check_token(guard, &tokens[i], err) < 0)
            return -1;
    return 0;
}

int guard_text(const RoleGuard *guard, const char *text, Error *err)
{
    SqlLexer lexer = {.text = text ? text : "", .len = text ? strlen(text) : 0};
    SqlToken token;
    do {
        if (sql_next(&lexer, &token, err) < 0 || check_token(guard, &token, err) < 0)
            return -1;
    } while (token.kind != SQL_END);
    return 0;
}
