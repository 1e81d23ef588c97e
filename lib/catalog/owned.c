/* The ownership state of a live database: six queries under one snapshot. */
#include <string.h>

#include "catalog_priv.h"
#include "catalog_sql.h"
#include "kura/catalog.h"
#include "kura/mem.h"
#include "kura/sqllex.h"

/* Columns of owned-objects.sql. */
enum {
    O_KIND,
    O_SCHEMA,
    O_NAME,
    O_ARGS,
    O_TYPES,
    O_OID,
    O_OWNER,
    O_ACL,
    O_INIT,
    O_MEMBER,
    O_SYSTEM,
    O_PARENT,
    O_USED_BY,
    O_SPECIAL,
    O_LOCKS
};

enum { NAME_MAX_BYTES = 1 << 20, MULTIRANGE_FOLLOWS_SINCE = 170000, SUBSCRIPTION_ROLE_SINCE = 160000 };

/* Where a relation or a type stands in the state. */
typedef struct OidPlace {
    bool type;
    uint32_t oid, at;
} OidPlace;

typedef struct Reading {
    PgConn *conn;
    OwnState *state;
    OidPlace *places; /* sorted */
    size_t n_places, cap_places;
} Reading;

static const char *intern(const Reading *reading, const PGresult *rows, int row, int column)
{
    return PQgetisnull(rows, row, column) ? NULL : own_name(reading->state->names, pg_cell(rows, row, column));
}

/* ---- names ---- */

/* As SQL writes it: the name, and what follows it for kinds whose name is not enough. */
static char *sql_name(OwnKind kind, const char *schema, const char *name, const char *args)
{
    Buf out = BUF_INIT(NAME_MAX_BYTES);
    if (schema) {
        sql_append_ident(&out, schema);
        buf_append_str(&out, ".", NULL);
    }
    if (kind == OWN_OPERATOR || kind == OWN_LARGE_OBJECT)
        buf_append_str(&out, name, NULL);
    else
        sql_append_ident(&out, name);
    buf_append_str(&out, args ? args : "", NULL);
    return (char *)out.data;
}

/* Arguments are the server's text, whose quoting differs between versions. */
static char *key_of(OwnKind kind, const char *schema, const char *name, const char *args)
{
    if (kind == OWN_DATABASE)
        return own_key(kind, NULL, name);
    _cleanup_free_ char *sql = sql_name(kind, schema, name, args);
    _cleanup_free_ char *canonical = args ? own_canonical(sql) : NULL;
    return xasprintf("%s %s", own_kinds[kind].class_name, canonical ? canonical : sql);
}

static void set_names(const Reading *reading, OwnObject *object, const PGresult *rows, int row)
{
    const char *schema = intern(reading, rows, row, O_SCHEMA), *name = pg_cell(rows, row, O_NAME);
    const char *args = PQgetisnull(rows, row, O_ARGS) ? NULL : pg_cell(rows, row, O_ARGS);
    const char *types = PQgetisnull(rows, row, O_TYPES) ? args : pg_cell(rows, row, O_TYPES);
    _cleanup_free_ char *sql = sql_name(object->kind, schema, name, args);
    _cleanup_free_ char *for_grant = sql_name(object->kind, schema, name, types);
    object->schema = schema;
    object->sql = own_name(reading->state->names, sql);
    object->grant_sql = own_name(reading->state->names, for_grant);
}

/* ---- objects ---- */

static unsigned flags_of(const Reading *reading, OwnKind kind, const PGresult *rows, int row)
{
    int version = reading->state->server_version;
    bool special = pg_cell_bool(rows, row, O_SPECIAL), has_parent = !PQgetisnull(rows, row, O_PARENT);
    unsigned flags = pg_cell_bool(rows, row, O_MEMBER) ? OWN_MEMBER : 0;
    if (pg_cell_bool(rows, row, O_SYSTEM))
        flags |= OWN_SYSTEM;
    if (has_parent && (kind == OWN_SEQUENCE || version >= MULTIRANGE_FOLLOWS_SINCE))
        flags |= OWN_FOLLOWS;
    if (special && (kind == OWN_FUNCTION || kind == OWN_PROCEDURE))
        return flags | OWN_DEFINER;
    if (special && (kind != OWN_SUBSCRIPTION || version < SUBSCRIPTION_ROLE_SINCE))
        flags |= OWN_ADMIN;
    return flags;
}

/* aclitem[] as text, or the default where it is NULL. */
static int read_acl(const Reading *reading, const OwnObject *object, const PGresult *rows, int row, int column,
                    OwnAcl *ret, Error *err)
{
    if (own_kinds[object->kind].grant == NULL)
        return 0;
    if (!PQgetisnull(rows, row, column))
        return own_acl_parse(reading->state->names, pg_cell(rows, row, column), NULL, ret, err);
    own_acl_default(object->kind, object->owner, reading->state->server_version, ret);
    return 0;
}

static void add_place(Reading *reading, const OwnObject *object)
{
    bool type = strncmp(object->key, "TYPE ", 5) == 0, relation = strncmp(object->key, "TABLE ", 6) == 0;
    if (!type && !relation)
        return;
    xgrow(&reading->places, &reading->cap_places, reading->n_places);
    reading->places[reading->n_places++] =
        (OidPlace){.type = type, .oid = object->oid, .at = (uint32_t)(object - reading->state->v)};
}

static int add_object(Reading *reading, const PGresult *rows, int row, Error *err)
{
    OwnKind kind = own_kind_find(pg_cell(rows, row, O_KIND));
    const char *schema = intern(reading, rows, row, O_SCHEMA);
    const char *args = PQgetisnull(rows, row, O_ARGS) ? NULL : pg_cell(rows, row, O_ARGS);
    _cleanup_free_ char *key = key_of(kind, schema, pg_cell(rows, row, O_NAME), args);
    OwnObject *object = own_state_add(reading->state, kind, key);
    set_names(reading, object, rows, row);
    object->flags = flags_of(reading, kind, rows, row);
    object->owner = intern(reading, rows, row, O_OWNER);
    object->oid = (uint32_t)pg_cell_u64(rows, row, O_OID);
    object->parent = (uint32_t)pg_cell_u64(rows, row, O_PARENT); /* OIDs for now */
    object->user = (uint32_t)pg_cell_u64(rows, row, O_USED_BY);
    object->locks = (unsigned)pg_cell_u64(rows, row, O_LOCKS);
    add_place(reading, object);
    if (read_acl(reading, object, rows, row, O_ACL, &object->acl, err) < 0)
        return error_wrap(err, "%s", object->key);
    if (object->flags & (OWN_MEMBER | OWN_SYSTEM))
        return read_acl(reading, object, rows, row, O_INIT, &object->base, err);
    return 0;
}

static int by_oid(const void *a, const void *b)
{
    const OidPlace *left = a, *right = b;
    if (left->type != right->type)
        return left->type - right->type;
    return (left->oid > right->oid) - (left->oid < right->oid);
}

/* Position plus one; 0: it is not in the state. */
static uint32_t position(const Reading *reading, bool type, uint32_t oid)
{
    OidPlace key = {.type = type, .oid = oid};
    if (oid == 0 || reading->n_places == 0)
        return 0;
    const OidPlace *place = bsearch(&key, reading->places, reading->n_places, sizeof key, by_oid);
    return place ? place->at + 1 : 0;
}

static void resolve_parents(Reading *reading)
{
    if (reading->n_places > 0)
        qsort(reading->places, reading->n_places, sizeof *reading->places, by_oid);
    for (size_t i = 0; i < reading->state->n; i++) {
        OwnObject *object = &reading->state->v[i];
        object->parent = position(reading, object->kind == OWN_TYPE, object->parent);
        object->user = position(reading, false, object->user);
        if (object->parent == 0)
            object->flags &= ~(unsigned)OWN_FOLLOWS;
    }
}

/* ---- the queries ---- */

static int each_row(Reading *reading, const char *sql, int (*add)(Reading *, const PGresult *, int, Error *),
                    Error *err)
{
    PGresult *rows;
    if (catalog_query(reading->conn, sql, 0, NULL, &rows, err) < 0)
        return -1;
    int rc = 0;
    for (int i = 0; i < PQntuples(rows) && rc == 0; i++)
        rc = add(reading, rows, i, err);
    PQclear(rows);
    return rc;
}

static int add_column(Reading *reading, const PGresult *rows, int row, Error *err)
{
    uint32_t at = position(reading, false, (uint32_t)pg_cell_u64(rows, row, 0));
    const char *column = intern(reading, rows, row, 1);
    OwnNames *names = reading->state->names;
    if (at == 0)
        return 0;
    OwnObject *object = &reading->state->v[at - 1];
    if (!PQgetisnull(rows, row, 2) && own_acl_parse(names, pg_cell(rows, row, 2), column, &object->acl, err) < 0)
        return -1;
    if (PQgetisnull(rows, row, 3) || !(object->flags & (OWN_MEMBER | OWN_SYSTEM)))
        return 0;
    return own_acl_parse(names, pg_cell(rows, row, 3), column, &object->base, err);
}

static int add_default(Reading *reading, const PGresult *rows, int row, Error *err)
{
    OwnObject *object =
        own_default_acl(reading->state, pg_cell(rows, row, 0), intern(reading, rows, row, 1), pg_cell(rows, row, 2));
    if (object == NULL) /* of a later server's */
        return 0;
    own_acl_done(&object->acl);
    return own_acl_parse(reading->state->names, pg_cell(rows, row, 3), NULL, &object->acl, err);
}

static int add_policy(Reading *reading, const PGresult *rows, int row, Error *err)
{
    const char *schema = pg_cell(rows, row, 0), *table = pg_cell(rows, row, 1), *name = pg_cell(rows, row, 2);
    const char *role = intern(reading, rows, row, 3);
    _cleanup_free_ char *key = own_key_policy(schema, table, name);
    OwnObject *object = own_state_find(reading->state, key);
    if (object == NULL)
        object = own_state_add(reading->state, OWN_POLICY, key);
    object->sql = object->key;
    object->schema = own_name(reading->state->names, schema);
    own_object_add_role(object, role);
    return 0;
}

static int add_mapping(Reading *reading, const PGresult *rows, int row, Error *err)
{
    OwnObject *object = own_user_mappings(reading->state, pg_cell(rows, row, 0));
    if (pg_cell_bool(rows, row, 1))
        own_object_add_role(object, intern(reading, rows, row, 2));
    return 0;
}

static int add_role(Reading *reading, const PGresult *rows, int row, Error *err)
{
    OwnState *state = reading->state;
    if (state->roles == NULL)
        state->roles = xcalloc((size_t)PQntuples(rows), sizeof *state->roles);
    state->roles[state->n_roles++] = (OwnRole){.name = intern(reading, rows, row, 0),
                                               .superuser = pg_cell_bool(rows, row, 1),
                                               .bootstrap = pg_cell_bool(rows, row, 2)};
    return 0;
}

static int read_all(Reading *reading, Error *err)
{
    if (each_row(reading, sql_owned_roles, add_role, err) < 0 ||
        each_row(reading, sql_owned_objects, add_object, err) < 0)
        return -1;
    resolve_parents(reading);
    if (each_row(reading, sql_owned_columns, add_column, err) < 0 ||
        each_row(reading, sql_owned_defaults, add_default, err) < 0)
        return -1;
    if (each_row(reading, sql_owned_policies, add_policy, err) < 0)
        return -1;
    return each_row(reading, sql_owned_mappings, add_mapping, err);
}

int catalog_owned(PgConn *conn, OwnNames *names, OwnState *ret, Error *err)
{
    OwnState state = {
        .names = names, .server_version = pg_server_version(conn), .database = own_name(names, pg_dbname(conn))};
    Reading reading = {.conn = conn, .state = &state};
    int rc = pg_exec(conn, "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY", err);
    if (rc == 0) {
        rc = read_all(&reading, err);
        Error ending = ERROR_INIT;
        if (pg_exec(conn, rc == 0 ? "COMMIT" : "ROLLBACK", &ending) < 0 && rc == 0) {
            *err = ending;
            rc = -1;
        }
    }
    free(reading.places);
    if (rc < 0) {
        own_state_done(&state);
        return error_wrap(err, "reading the owners and grants of %s", pg_where(conn));
    }
    *ret = state;
    return 0;
}
