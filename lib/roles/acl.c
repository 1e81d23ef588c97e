/* GRANT and REVOKE taken apart: one item a privilege, column and grantee. */
#include <string.h>

#include "kura/mem.h"
#include "kura/rolemap.h"
#include "rolesql.h"

/* Lists multiply, columns by privileges by grantees, and each item holds the object's name. */
enum { MAX_ITEMS = 1 << 20, MAX_OBJECT_BYTES = 256 << 20 };

static void item_done(AclItem *item)
{
    free(item->privilege);
    free(item->column);
    free(item->object);
    free(item->grantee);
    free(item->grantor);
}

void aclitems_done(AclItems *items)
{
    if (items == NULL)
        return;
    for (size_t i = 0; i < items->n; i++)
        item_done(&items->v[i]);
    free(items->v);
    *items = (AclItems){0};
}

typedef struct AclReader {
    AclItems *items;
    const char *text;
    char *session; /* SET SESSION AUTHORIZATION, NULL: none */
    size_t object_bytes;
} AclReader;

/* Appends tokens as they are written, a single space wherever there is white space or a comment between two. */
static void append_tokens(Buf *out, const SqlToken *tokens, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        if (i > from && tokens[i - 1].start + tokens[i - 1].len != tokens[i].start)
            buf_append_str(out, " ", NULL);
        buf_append(out, tokens[i].start, tokens[i].len, NULL);
    }
}

/* "TABLE public.t", or "FOR ROLE x IN SCHEMA y TABLES". The tokens are shorter than the text, which bounds the buffer.
 */
static char *format_object(const RoleSql *sql)
{
    enum { BEHIND_ALTER_DEFAULT_PRIVILEGES = 3 };
    Buf out = BUF_INIT(2 * (sql->to - sql->from) + 2);
    if (sql->default_privileges) {
        append_tokens(&out, sql->tokens, BEHIND_ALTER_DEFAULT_PRIVILEGES, sql->schemas_end);
        if (out.len)
            buf_append_str(&out, " ", NULL);
    }
    append_tokens(&out, sql->tokens, sql->object, sql->object_end);
    return (char *)out.data;
}

static int unclear(const AclReader *reader, const RoleSql *sql, Error *err)
{
    enum { SHOWN = 200 };
    size_t len = sql->to - sql->from;
    return error_set(err, ERR_CORRUPT, "not a GRANT or REVOKE that kura understands: %.*s",
                     (int)(len < SHOWN ? len : SHOWN), reader->text + sql->from);
}

/* A privilege's words in upper case, without the noise word of ALL PRIVILEGES; NULL when there is none at *pos. */
static char *read_privilege(const RoleSql *sql, size_t *pos)
{
    Buf out = BUF_INIT(sql->to - sql->from);
    for (; *pos < sql->privileges_end && sql->tokens[*pos].kind == SQL_IDENT; ++*pos) {
        if (out.len)
            buf_append_str(&out, " ", NULL);
        buf_append(&out, sql->tokens[*pos].start, sql->tokens[*pos].len, NULL);
    }
    char *text = (char *)out.data;
    for (char *c = text; c && *c; c++)
        if (*c >= 'a' && *c <= 'z')
            *c = (char)(*c - ('a' - 'A'));
    if (text && strcmp(text, "ALL PRIVILEGES") == 0)
        text[strlen("ALL")] = 0;
    return text;
}

/* Adds the privilege for each grantee, on a column or (NULL) the whole object. */
static int add_items(AclReader *reader, const RoleSql *sql, const char *privilege, const char *column, Error *err)
{
    const char *grantor = sql->grantor.n ? sql->grantor.v[0].name : reader->session;
    for (size_t i = 0; i < sql->roles.n; i++) {
        const RoleRef *ref = &sql->roles.v[i];
        if (ref->name == NULL && !ref->is_public)
            return unclear(reader, sql, err);
        reader->object_bytes += sql->to - sql->from;
        if (reader->items->n == MAX_ITEMS || reader->object_bytes > MAX_OBJECT_BYTES)
            return error_set(err, ERR_CORRUPT, "an access control list is too large");
        xgrow(&reader->items->v, &reader->items->cap, reader->items->n);
        reader->items->v[reader->items->n++] = (AclItem){
            .grant = sql->kind == ROLE_SQL_GRANT,
            .privilege = xstrdup(privilege),
            .column = xstrdup_null(column),
            .object = format_object(sql),
            .grantee = xstrdup_null(ref->name),
            .grantor = xstrdup_null(grantor),
            .grantable = sql->grant_option_for || sql->grant_option_to > sql->grant_option_from,
        };
    }
    return 0;
}

/* (a, "B"): *pos is at the opening parenthesis, afterwards behind the closing one. */
static int read_columns(AclReader *reader, const RoleSql *sql, const char *privilege, size_t *pos, Error *err)
{
    do {
        _cleanup_free_ char *column = sql_ident_value(&sql->tokens[++*pos]);
        if (column == NULL || add_items(reader, sql, privilege, column, err) < 0)
            return column ? -1 : unclear(reader, sql, err);
        ++*pos;
    } while (sql_is_punct(&sql->tokens[*pos], ","));
    if (!sql_is_punct(&sql->tokens[*pos], ")"))
        return unclear(reader, sql, err);
    ++*pos;
    return 0;
}

static int read_grant(AclReader *reader, const RoleSql *sql, Error *err)
{
    size_t pos = sql->privileges;
    for (;;) {
        _cleanup_free_ char *privilege = read_privilege(sql, &pos);
        if (privilege == NULL)
            return unclear(reader, sql, err);
        int rc = sql_is_punct(&sql->tokens[pos], "(") ? read_columns(reader, sql, privilege, &pos, err)
                                                      : add_items(reader, sql, privilege, NULL, err);
        if (rc < 0)
            return -1;
        if (pos == sql->privileges_end)
            return 0;
        if (!sql_is_punct(&sql->tokens[pos++], ","))
            return unclear(reader, sql, err);
    }
}

static int read_statement(AclReader *reader, const RoleSql *sql, Error *err)
{
    if (sql->kind == ROLE_SQL_GRANT || sql->kind == ROLE_SQL_REVOKE)
        return read_grant(reader, sql, err);
    if (sql->kind != ROLE_SQL_SET_SESSION && sql->kind != ROLE_SQL_RESET_SESSION)
        return unclear(reader, sql, err);
    free(reader->session);
    reader->session = sql->kind == ROLE_SQL_SET_SESSION ? xstrdup_null(sql->roles.v[0].name) : NULL;
    return 0;
}

int acl_parse(const char *defn, AclItems *ret, Error *err)
{
    AclItems items = {0};
    AclReader reader = {.items = &items, .text = defn};
    RoleSqlReader statements = rolesql_begin(defn);
    RoleSql sql = {0};
    int rc;
    while ((rc = rolesql_next(&statements, &sql, err)) > 0)
        if ((rc = read_statement(&reader, &sql, err)) < 0)
            break;
    rolesql_done(&sql);
    free(reader.session);
    if (rc < 0) {
        aclitems_done(&items);
        return -1;
    }
    *ret = items;
    return 0;
}

static bool same_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

bool aclitem_covers(const AclItem *have, const AclItem *want)
{
    return have->grant && want->grant && same_text(have->object, want->object) &&
           same_text(have->column, want->column) && same_text(have->grantee, want->grantee) &&
           same_text(have->grantor, want->grantor) && have->grantable >= want->grantable &&
           (same_text(have->privilege, want->privilege) || strcmp(have->privilege, "ALL") == 0);
}
