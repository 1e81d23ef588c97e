#include "rolesql.h"

#include <string.h>

#include "kura/mem.h"
#include "rolemap_priv.h"

/* A statement with more tokens or a list with more roles than this is no work of pg_dump's. */
enum { MAX_TOKENS = 4 << 20, MAX_ROLES = 4096 };

static void refs_clear(RoleRefs *refs)
{
    for (size_t i = 0; i < refs->n; i++)
        free(refs->v[i].name);
    refs->n = 0;
}

static void clear_findings(RoleSql *sql)
{
    RoleSql kept = {
        .from = sql->from,
        .to = sql->to,
        .roles = sql->roles,
        .owners = sql->owners,
        .grantor = sql->grantor,
        .tokens = sql->tokens,
        .n_tokens = sql->n_tokens,
        .cap_tokens = sql->cap_tokens,
    };
    refs_clear(&kept.roles);
    refs_clear(&kept.owners);
    refs_clear(&kept.grantor);
    *sql = kept;
}

void rolesql_done(RoleSql *sql)
{
    clear_findings(sql);
    free(sql->roles.v);
    free(sql->owners.v);
    free(sql->grantor.v);
    free(sql->tokens);
    *sql = (RoleSql){0};
}

RoleSqlReader rolesql_begin(const char *text)
{
    return (RoleSqlReader){.lexer = {.text = text, .len = strlen(text)}};
}

/* Reads a statement token by token; functions that match nothing leave pos where it was and return false. */
typedef struct Cursor {
    RoleSql *sql;
    const char *text;
    size_t pos;
} Cursor;

static const SqlToken *peek(const Cursor *cursor)
{
    return &cursor->sql->tokens[cursor->pos];
}

static bool at_end(const Cursor *cursor)
{
    return peek(cursor)->kind == SQL_END || sql_is_punct(peek(cursor), ";");
}

static size_t position(const Cursor *cursor)
{
    return (size_t)(peek(cursor)->start - cursor->text);
}

static bool accept_word(Cursor *cursor, const char *word)
{
    if (!sql_is_word(peek(cursor), word))
        return false;
    cursor->pos++;
    return true;
}

/* Several words, NULL at the end. */
static bool accept_words(Cursor *cursor, const char *const *words)
{
    size_t start = cursor->pos;
    for (; *words; words++) {
        if (!accept_word(cursor, *words)) {
            cursor->pos = start;
            return false;
        }
    }
    return true;
}
#define accept_phrase(cursor, ...) accept_words(cursor, (const char *const[]){__VA_ARGS__, NULL})

static bool accept_punct(Cursor *cursor, const char *text)
{
    if (!sql_is_punct(peek(cursor), text))
        return false;
    cursor->pos++;
    return true;
}

static bool is_ident(const SqlToken *token)
{
    return token->kind == SQL_IDENT || token->kind == SQL_QUOTED_IDENT;
}

static bool accept_ident(Cursor *cursor)
{
    if (!is_ident(peek(cursor)))
        return false;
    cursor->pos++;
    return true;
}

/* a, a.b, .. */
static bool accept_qualified(Cursor *cursor)
{
    do {
        if (!accept_ident(cursor))
            return false;
    } while (accept_punct(cursor, "."));
    return true;
}

static bool accept_ident_list(Cursor *cursor)
{
    do {
        if (!accept_ident(cursor))
            return false;
    } while (accept_punct(cursor, ","));
    return true;
}

/* One role. GROUP is a noise word from before there were roles; USER without quotes is the current user. U&"" with an
 * escape character of its own (UESCAPE) fails at what follows it. */
static bool accept_role(Cursor *cursor, RoleRefs *refs)
{
    RoleRef ref = {.from = position(cursor)};
    if (sql_is_word(peek(cursor), "group"))
        cursor->pos++;
    const SqlToken *token = peek(cursor);
    ref.name_from = position(cursor);
    ref.to = ref.name_from + token->len;
    ref.name = sql_ident_value(token);
    if (ref.name == NULL)
        return false;
    cursor->pos++;
    ref.is_public = strcmp(ref.name, "public") == 0;
    bool quoted = token->kind == SQL_QUOTED_IDENT;
    if (quoted ? role_is_reserved(ref.name) : role_is_word(ref.name) || sql_is_word(token, "user")) {
        free(ref.name);
        ref.name = NULL;
    }
    xgrow(&refs->v, &refs->cap, refs->n);
    refs->v[refs->n++] = ref;
    return true;
}

static bool accept_roles(Cursor *cursor, RoleRefs *refs)
{
    do {
        if (refs->n == MAX_ROLES || !accept_role(cursor, refs))
            return false;
    } while (accept_punct(cursor, ","));
    return true;
}

/* Goes on to an unquoted word outside parentheses: ON, TO and FROM are reserved, no name is one of them unquoted.
 * Returns false when there is none, or nothing before it. */
static bool skip_to_word(Cursor *cursor, const char *word)
{
    size_t start = cursor->pos, depth = 0;
    for (; !at_end(cursor); cursor->pos++) {
        if (depth == 0 && sql_is_word(peek(cursor), word))
            return cursor->pos > start;
        if (sql_is_punct(peek(cursor), "("))
            depth++;
        else if (sql_is_punct(peek(cursor), ")") && depth > 0)
            depth--;
    }
    return false;
}

/* Where the last token that was taken ends. */
static size_t end_of_last(const Cursor *cursor)
{
    const SqlToken *last = &cursor->sql->tokens[cursor->pos - 1];
    return (size_t)(last->start - cursor->text) + last->len;
}

/* What may follow the roles of a GRANT or REVOKE. */
static bool parse_grant_tail(Cursor *cursor)
{
    RoleSql *sql = cursor->sql;
    while (!at_end(cursor)) {
        size_t from = end_of_last(cursor);
        if (accept_phrase(cursor, "with", "grant", "option")) {
            sql->grant_option_from = from;
            sql->grant_option_to = end_of_last(cursor);
        } else if (sql->grantor.n == 0 && accept_phrase(cursor, "granted", "by")) {
            sql->granted_by_from = from;
            if (!accept_role(cursor, &sql->grantor))
                return false;
        } else if (!accept_word(cursor, "cascade") && !accept_word(cursor, "restrict")) {
            return false;
        }
    }
    return true;
}

/* privileges ON object TO|FROM roles .. */
static bool parse_grant_body(Cursor *cursor, bool grant)
{
    RoleSql *sql = cursor->sql;
    sql->grant_option_for = !grant && accept_phrase(cursor, "grant", "option", "for");
    sql->privileges = cursor->pos;
    if (!skip_to_word(cursor, "on"))
        return false;
    sql->privileges_end = cursor->pos++;
    sql->object = cursor->pos;
    if (!skip_to_word(cursor, grant ? "to" : "from"))
        return false;
    sql->object_end = cursor->pos++;
    return accept_roles(cursor, &sql->roles) && parse_grant_tail(cursor);
}

static RoleSqlKind parse_grant(Cursor *cursor)
{
    if (accept_word(cursor, "grant"))
        return parse_grant_body(cursor, true) ? ROLE_SQL_GRANT : ROLE_SQL_OTHER;
    if (accept_word(cursor, "revoke"))
        return parse_grant_body(cursor, false) ? ROLE_SQL_REVOKE : ROLE_SQL_OTHER;
    return ROLE_SQL_OTHER;
}

static RoleSqlKind parse_default_privileges(Cursor *cursor)
{
    RoleSql *sql = cursor->sql;
    sql->default_privileges = true;
    if (accept_phrase(cursor, "for", "role") || accept_phrase(cursor, "for", "user"))
        if (!accept_roles(cursor, &sql->owners))
            return ROLE_SQL_OTHER;
    sql->schemas = sql->schemas_end = cursor->pos;
    if (accept_phrase(cursor, "in", "schema")) {
        if (!accept_ident_list(cursor))
            return ROLE_SQL_OTHER;
        sql->schemas_end = cursor->pos;
    }
    return parse_grant(cursor);
}

static RoleSqlKind parse_policy(Cursor *cursor)
{
    if (!accept_ident(cursor) || !accept_word(cursor, "on") || !accept_qualified(cursor))
        return ROLE_SQL_OTHER;
    if (accept_word(cursor, "as") && !accept_ident(cursor))
        return ROLE_SQL_OTHER;
    if (accept_word(cursor, "for") && !accept_ident(cursor))
        return ROLE_SQL_OTHER;
    if (accept_word(cursor, "to") && !accept_roles(cursor, &cursor->sql->roles))
        return ROLE_SQL_OTHER;
    if (at_end(cursor) || sql_is_word(peek(cursor), "using") || sql_is_word(peek(cursor), "with"))
        return ROLE_SQL_POLICY;
    return ROLE_SQL_OTHER;
}

static RoleSqlKind parse_user_mapping(Cursor *cursor)
{
    if (!accept_phrase(cursor, "if", "exists"))
        accept_phrase(cursor, "if", "not", "exists");
    if (accept_word(cursor, "for") && accept_role(cursor, &cursor->sql->roles) && accept_word(cursor, "server"))
        return ROLE_SQL_USER_MAPPING;
    return ROLE_SQL_OTHER;
}

static RoleSqlKind parse_session(Cursor *cursor)
{
    if (accept_word(cursor, "default"))
        return at_end(cursor) ? ROLE_SQL_RESET_SESSION : ROLE_SQL_OTHER;
    return accept_role(cursor, &cursor->sql->roles) && at_end(cursor) ? ROLE_SQL_SET_SESSION : ROLE_SQL_OTHER;
}

static RoleSqlKind parse_role_setting(Cursor *cursor)
{
    if (!accept_role(cursor, &cursor->sql->roles))
        return ROLE_SQL_OTHER;
    return accept_phrase(cursor, "in", "database") || sql_is_word(peek(cursor), "set") ||
                   sql_is_word(peek(cursor), "reset")
               ? ROLE_SQL_SETTING
               : ROLE_SQL_OTHER;
}

static RoleSqlKind parse_statement(Cursor *cursor)
{
    if (accept_phrase(cursor, "alter", "default", "privileges"))
        return parse_default_privileges(cursor);
    if (accept_phrase(cursor, "create", "policy"))
        return parse_policy(cursor);
    if (accept_phrase(cursor, "create", "user", "mapping") || accept_phrase(cursor, "drop", "user", "mapping"))
        return parse_user_mapping(cursor);
    if (accept_phrase(cursor, "set", "session", "authorization"))
        return parse_session(cursor);
    if (accept_phrase(cursor, "reset", "session", "authorization"))
        return at_end(cursor) ? ROLE_SQL_RESET_SESSION : ROLE_SQL_OTHER;
    if (accept_phrase(cursor, "alter", "role") || accept_phrase(cursor, "alter", "user"))
        return parse_role_setting(cursor);
    return parse_grant(cursor);
}

/* Collects the tokens up to a semicolon or the end of the text, without white space and comments. */
static int read_tokens(RoleSqlReader *reader, RoleSql *sql, Error *err)
{
    bool ended = false;
    sql->n_tokens = 0;
    while (!ended) {
        SqlToken token;
        if (sql_next(&reader->lexer, &token, err) < 0)
            return -1;
        if (token.kind == SQL_SPACE || token.kind == SQL_COMMENT)
            continue;
        if (sql->n_tokens + 1 >= MAX_TOKENS)
            return error_set(err, ERR_CORRUPT, "an SQL statement has more than %d tokens", (int)MAX_TOKENS);
        xgrow(&sql->tokens, &sql->cap_tokens, sql->n_tokens + 1);
        sql->tokens[sql->n_tokens] = token;
        if (token.kind != SQL_END)
            sql->n_tokens++;
        ended = token.kind == SQL_END || sql_is_punct(&token, ";");
    }
    sql->tokens[sql->n_tokens] = (SqlToken){.kind = SQL_END, .start = reader->lexer.text + reader->lexer.pos};
    return 0;
}

int rolesql_next(RoleSqlReader *reader, RoleSql *ret, Error *err)
{
    const char *text = reader->lexer.text;
    if (read_tokens(reader, ret, err) < 0)
        return -1;
    if (ret->n_tokens == 0)
        return 0;
    const SqlToken *last = &ret->tokens[ret->n_tokens - 1];
    clear_findings(ret);
    ret->from = (size_t)(ret->tokens[0].start - text);
    ret->to = (size_t)(last->start + last->len - text);
    ret->grant_option_from = ret->grant_option_to = ret->from;
    Cursor cursor = {.sql = ret, .text = text};
    RoleSqlKind kind = parse_statement(&cursor);
    if (kind == ROLE_SQL_OTHER)
        clear_findings(ret);
    ret->kind = kind;
    return 1;
}
