#include <string.h>

#include "index.h"
#include "kura/mem.h"
#include "kura/owned.h"
#include "kura/sqllex.h"

/* Keys to positions, by open addressing. */
struct OwnIndex {
    uint32_t *slots; /* position + 1; 0: free */
    size_t cap;
};

static void object_done(OwnObject *object)
{
    own_acl_done(&object->acl);
    own_acl_done(&object->base);
    free(object->roles);
}

void own_state_done(OwnState *state)
{
    if (state == NULL)
        return;
    for (size_t i = 0; i < state->n; i++)
        object_done(&state->v[i]);
    free(state->v);
    free(state->roles);
    if (state->index)
        free(state->index->slots);
    free(state->index);
    *state = (OwnState){0};
}

/* Keys are interned, so that equal ones are the same pointer. */
static size_t slot_of(const OwnState *state, const char *key)
{
    size_t cap = state->index->cap, i = own_hash(key) % cap;
    while (state->index->slots[i] && strcmp(state->v[state->index->slots[i] - 1].key, key) != 0)
        i = (i + 1) % cap;
    return i;
}

static void index_grow(OwnState *state)
{
    if (state->index == NULL)
        state->index = xcalloc(1, sizeof *state->index);
    if (state->n * 2 < state->index->cap)
        return;
    state->index->cap = state->index->cap ? state->index->cap * 2 : 256;
    free(state->index->slots);
    state->index->slots = xcalloc(state->index->cap, sizeof *state->index->slots);
    for (size_t i = 0; i < state->n; i++)
        state->index->slots[slot_of(state, state->v[i].key)] = (uint32_t)i + 1;
}

OwnObject *own_state_add(OwnState *state, OwnKind kind, const char *key)
{
    index_grow(state);
    xgrow(&state->v, &state->cap, state->n);
    OwnObject *object = &state->v[state->n];
    *object = (OwnObject){.kind = kind, .key = own_name(state->names, key)};
    state->index->slots[slot_of(state, object->key)] = (uint32_t)++state->n;
    return object;
}

OwnObject *own_state_find(const OwnState *state, const char *key)
{
    if (state->index == NULL)
        return NULL;
    uint32_t position = state->index->slots[slot_of(state, key)];
    return position ? &state->v[position - 1] : NULL;
}

void own_object_set_roles(OwnObject *object, const char *const *roles, size_t n)
{
    const char **copy = xcalloc(n + 1, sizeof *copy);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        size_t at = 0;
        while (at < kept && copy[at] != roles[i] && (copy[at] == NULL || (roles[i] && strcmp(copy[at], roles[i]) < 0)))
            at++;
        if (at < kept && copy[at] == roles[i])
            continue;
        memmove(&copy[at + 1], &copy[at], (kept - at) * sizeof *copy);
        copy[at] = roles[i];
        kept++;
    }
    free(object->roles);
    object->roles = copy;
    object->n_roles = kept;
}

void own_object_add_role(OwnObject *object, const char *role)
{
    const char **roles = xcalloc(object->n_roles + 1, sizeof *roles);
    for (size_t i = 0; i < object->n_roles; i++)
        roles[i] = object->roles[i];
    roles[object->n_roles] = role;
    own_object_set_roles(object, roles, object->n_roles + 1);
    free(roles);
}

void own_state_copy(OwnState *ret, const OwnState *state)
{
    *ret = (OwnState){.names = state->names, .server_version = state->server_version, .database = state->database};
    for (size_t i = 0; i < state->n; i++) {
        const OwnObject *from = &state->v[i];
        OwnObject *to = own_state_add(ret, from->kind, from->key);
        *to = *from;
        own_acl_copy(&to->acl, &from->acl);
        own_acl_copy(&to->base, &from->base);
        to->roles = NULL;
        if (from->roles)
            own_object_set_roles(to, from->roles, from->n_roles);
    }
}

const OwnRole *own_state_role(const OwnState *state, const char *name)
{
    for (size_t i = 0; name && i < state->n_roles; i++)
        if (state->roles[i].name == name)
            return &state->roles[i];
    return NULL;
}

bool own_is_superuser(const OwnState *state, const char *name)
{
    const OwnRole *role = own_state_role(state, name);
    return role && role->superuser;
}

const OwnObject *own_schema_of(const OwnState *state, const OwnObject *object)
{
    if (object->schema == NULL || object->kind == OWN_SCHEMA)
        return NULL;
    _cleanup_free_ char *key = own_key(OWN_SCHEMA, NULL, object->schema);
    return own_state_find(state, key);
}

bool own_is_ordinary(const OwnObject *object)
{
    return own_kinds[object->kind].alter && !(object->flags & (OWN_MEMBER | OWN_SYSTEM));
}

char *own_object_name(const OwnObject *object)
{
    const char *words = own_kinds[object->kind].alter;
    return words && object->sql ? xasprintf("%s %s", words, object->sql) : xstrdup(object->key);
}

/* ---- keys ---- */

enum { KEY_MAX = 1 << 20 };

char *own_key(OwnKind kind, const char *schema, const char *name)
{
    Buf out = BUF_INIT(KEY_MAX);
    buf_append_str(&out, own_kinds[kind].class_name, NULL);
    if (kind == OWN_DATABASE) /* there is one, and its name may differ */
        return (char *)out.data;
    buf_append_str(&out, " ", NULL);
    if (schema) {
        sql_append_ident(&out, schema);
        buf_append_str(&out, ".", NULL);
    }
    if (kind == OWN_LARGE_OBJECT)
        buf_append_str(&out, name, NULL);
    else
        sql_append_ident(&out, name);
    return (char *)out.data;
}

char *own_key_policy(const char *schema, const char *table, const char *name)
{
    _cleanup_free_ char *in = sql_quote_ident(schema);
    _cleanup_free_ char *on = sql_quote_ident(table);
    _cleanup_free_ char *of = sql_quote_ident(name);
    return xasprintf("POLICY %s ON %s.%s", of, in, on);
}

char *own_canonical(const char *sql)
{
    Buf out = BUF_INIT(4 * strlen(sql) + 16);
    SqlLexer lexer = {.text = sql, .len = strlen(sql)};
    for (SqlToken token;;) {
        if (sql_next(&lexer, &token, NULL) < 0) {
            buf_done(&out);
            return NULL;
        }
        if (token.kind == SQL_END)
            return out.len ? (char *)out.data : xstrdup("");
        _cleanup_free_ char *name = sql_ident_value(&token);
        if (name)
            sql_append_ident(&out, name);
        else if (token.kind == SQL_SPACE)
            buf_append_str(&out, " ", NULL);
        else
            buf_append(&out, token.start, token.len, NULL);
    }
}

char *own_key_default_acl(const char *role, const char *schema, const char *objects)
{
    _cleanup_free_ char *of = sql_quote_ident(role);
    _cleanup_free_ char *in = schema ? sql_quote_ident(schema) : NULL;
    return xasprintf("ALTER DEFAULT PRIVILEGES FOR ROLE %s%s%s ON %s", of, in ? " IN SCHEMA " : "", in ? in : "",
                     objects);
}

static OwnKind default_kind(const char *objects)
{
    for (OwnKind kind = OWN_DEFAULT_TABLES; kind <= OWN_DEFAULT_LARGE_OBJECTS; kind++)
        if (strcmp(own_kinds[kind].grant, objects) == 0)
            return kind;
    return OWN_KIND_COUNT;
}

OwnObject *own_default_acl(OwnState *state, const char *role, const char *schema, const char *objects)
{
    OwnKind kind = default_kind(objects);
    if (kind == OWN_KIND_COUNT)
        return NULL;
    _cleanup_free_ char *key = own_key_default_acl(role, schema, objects);
    OwnObject *object = own_state_find(state, key);
    if (object)
        return object;
    object = own_state_add(state, kind, key);
    object->owner = own_name(state->names, role);
    object->schema = own_name(state->names, schema);
    if (schema == NULL)
        own_acl_default(kind, object->owner, state->server_version, &object->acl);
    return object;
}

OwnObject *own_user_mappings(OwnState *state, const char *server)
{
    _cleanup_free_ char *quoted = sql_quote_ident(server);
    _cleanup_free_ char *key = xasprintf("%s SERVER %s", own_kinds[OWN_USER_MAPPING].class_name, quoted);
    OwnObject *object = own_state_find(state, key);
    if (object)
        return object;
    object = own_state_add(state, OWN_USER_MAPPING, key);
    object->sql = own_name(state->names, quoted);
    return object;
}
