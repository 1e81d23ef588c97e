/* Wanted states made from the one there is: under the rule that one role owns the application, and under a role map. */
#include <string.h>

#include "kura/mem.h"
#include "want.h"

bool own_baseline(const OwnState *state, const OwnObject *object, OwnAcl *ret)
{
    *ret = (OwnAcl){0};
    if (object->flags & (OWN_MEMBER | OWN_SYSTEM)) {
        own_acl_copy(ret, &object->base);
        return true;
    }
    if (object->kind < OWN_DEFAULT_TABLES || object->kind > OWN_DEFAULT_LARGE_OBJECTS)
        return false;
    if (object->schema == NULL)
        own_acl_default(object->kind, object->owner, state->server_version, ret);
    return true;
}

void own_follow_parents(OwnState *state)
{
    for (size_t i = 0; i < state->n; i++) {
        OwnObject *object = &state->v[i];
        if (!(object->flags & OWN_FOLLOWS) || object->parent == 0)
            continue;
        const char *owner = state->v[object->parent - 1].owner;
        own_acl_change_owner(&object->acl, object->owner, owner);
        object->owner = owner;
    }
}

static bool is_default_acl(const OwnObject *object)
{
    return object->kind >= OWN_DEFAULT_TABLES && object->kind <= OWN_DEFAULT_LARGE_OBJECTS;
}

/* Where default privileges go: from the role they are of to another. */
typedef struct Moves {
    const char *(*role)(const void *ctx, const char *role); /* NULL: nowhere */
    void (*grants)(const void *ctx, const char *from, const char *to, const OwnAcl *acl, OwnAcl *ret);
    const void *ctx;
} Moves;

static bool says_nothing(const OwnState *state, const OwnObject *object)
{
    OwnAcl baseline;
    own_baseline(state, object, &baseline);
    bool same = own_acl_equal(&baseline, &object->acl);
    own_acl_done(&baseline);
    return same;
}

/* Entries that moves will need, so that both states have them. */
static void add_destinations(OwnState *have, const Moves *moves)
{
    for (size_t i = 0, n = have->n; i < n; i++) {
        const OwnObject *object = &have->v[i];
        const char *to = is_default_acl(object) ? moves->role(moves->ctx, object->owner) : NULL;
        if (to && to != object->owner)
            own_default_acl(have, to, object->schema, own_kinds[object->kind].grant);
    }
}

static void move_defaults(const OwnState *have, OwnState *want, const Moves *moves)
{
    for (size_t i = 0; i < want->n; i++) {
        if (!is_default_acl(&want->v[i]))
            continue;
        own_acl_done(&want->v[i].acl);
        own_baseline(want, &want->v[i], &want->v[i].acl);
    }
    for (size_t i = 0; i < have->n; i++) {
        const OwnObject *object = &have->v[i];
        if (!is_default_acl(object) || says_nothing(have, object))
            continue;
        const char *to = moves->role(moves->ctx, object->owner);
        if (to == NULL)
            continue;
        OwnAcl moved = {0};
        moves->grants(moves->ctx, object->owner, to, &object->acl, &moved);
        OwnObject *target = own_default_acl(want, to, object->schema, own_kinds[object->kind].grant);
        if (says_nothing(want, target))
            own_acl_done(&target->acl);
        for (size_t j = 0; j < moved.n; j++)
            own_acl_grant(&target->acl, &moved.v[j]);
        own_acl_done(&moved);
    }
}

/* ---- one role owns all ---- */

typedef struct AppRule {
    const char *role;
    const char **wrong; /* roles that own something of the application's */
    size_t n_wrong;
} AppRule;

/* Languages and subscriptions are an administrator's, whoever may own them. */
static bool is_application(const OwnObject *object)
{
    return own_is_ordinary(object) && !(object->flags & OWN_ADMIN) && object->kind != OWN_LANGUAGE &&
           object->kind != OWN_SUBSCRIPTION && strcmp(object->key, "SCHEMA public") != 0;
}

static const char *app_role(const void *ctx, const char *role)
{
    const AppRule *rule = ctx;
    for (size_t i = 0; i < rule->n_wrong; i++)
        if (rule->wrong[i] == role)
            return rule->role;
    return role;
}

static void app_grants(const void *ctx, const char *from, const char *to, const OwnAcl *acl, OwnAcl *ret)
{
    own_acl_copy(ret, acl);
    own_acl_change_owner(ret, from, to);
}

static void find_wrong(const OwnState *have, AppRule *rule)
{
    size_t cap = 0;
    for (size_t i = 0; i < have->n; i++) {
        const OwnObject *object = &have->v[i];
        if (!is_application(object) || app_role(rule, object->owner) == rule->role)
            continue;
        xgrow(&rule->wrong, &cap, rule->n_wrong);
        rule->wrong[rule->n_wrong++] = object->owner;
    }
}

static bool may_create(const OwnObject *schema, const char *role)
{
    for (size_t i = 0; i < schema->acl.n; i++) {
        const OwnGrant *grant = &schema->acl.v[i];
        if ((grant->grantee == NULL || grant->grantee == role) && grant->rights & own_right('C'))
            return true;
    }
    return false;
}

/* Schema public may belong to the server's owner, or to whoever owns the database, as long as the application can
 * create in it. */
static void want_public(const OwnState *have, OwnObject *schema, const char *role)
{
    enum { DATABASE_OWNER_SINCE = 140000 };
    const char *database_owner = own_name(have->names, "pg_database_owner");
    if (may_create(schema, role) || (schema->owner == database_owner && may_create(schema, database_owner)))
        return;
    const char *owner = have->server_version >= DATABASE_OWNER_SINCE ? database_owner : role;
    own_acl_change_owner(&schema->acl, schema->owner, owner);
    schema->owner = owner;
    OwnGrant own = {.grantee = owner, .grantor = owner, .rights = own_rights(OWN_SCHEMA, false, 0)};
    own_acl_grant(&schema->acl, &own);
}

void own_want_app(OwnState *have, const char *role, OwnState *ret)
{
    AppRule rule = {.role = own_name(have->names, role)};
    Moves moves = {.role = app_role, .grants = app_grants, .ctx = &rule};
    find_wrong(have, &rule);
    add_destinations(have, &moves);
    own_state_copy(ret, have);
    for (size_t i = 0; i < ret->n; i++) {
        OwnObject *object = &ret->v[i];
        if (strcmp(object->key, "SCHEMA public") == 0)
            want_public(have, object, rule.role);
        if (!is_application(object) || object->flags & OWN_FOLLOWS)
            continue;
        own_acl_change_owner(&object->acl, object->owner, rule.role);
        object->owner = rule.role;
    }
    own_follow_parents(ret);
    move_defaults(have, ret, &moves);
    free(rule.wrong);
}

/* ---- a role map ---- */

typedef struct MapRule {
    const RoleMap *map;
    OwnNames *names;
} MapRule;

static const char *map_role(const void *ctx, const char *role)
{
    const MapRule *rule = ctx;
    return own_name(rule->names, rolemap_lookup(rule->map, role));
}

/* A dropped grantor's grants become the owner's; a role that becomes its own grantor has the right already. */
static void map_grants(const void *ctx, const char *from, const char *to, const OwnAcl *acl, OwnAcl *ret)
{
    for (size_t i = 0; i < acl->n; i++) {
        OwnGrant grant = acl->v[i];
        bool was_self = grant.grantee == grant.grantor;
        if (grant.grantee && (grant.grantee = map_role(ctx, grant.grantee)) == NULL)
            continue;
        grant.grantor = grant.grantor == from ? to : map_role(ctx, grant.grantor);
        if (grant.grantor == NULL)
            grant.grantor = to;
        if (was_self || grant.grantee != grant.grantor || grant.grantor == to)
            own_acl_grant(ret, &grant);
    }
}

/* Of what an extension or the server brought along only the grants to others are the site's. */
static void map_foreign(const MapRule *rule, OwnObject *object)
{
    OwnAcl mapped = {0};
    for (size_t i = 0; i < object->acl.n; i++) {
        OwnGrant grant = object->acl.v[i];
        bool others = grant.grantee && grant.grantee != object->owner;
        const OwnGrant *own = own_acl_find(&object->base, grant.column, grant.grantee, grant.grantor);
        if (others && own == NULL && (grant.grantee = map_role(rule, grant.grantee)) == NULL)
            continue;
        if (grant.grantor != object->owner && map_role(rule, grant.grantor))
            grant.grantor = map_role(rule, grant.grantor);
        own_acl_grant(&mapped, &grant);
    }
    own_acl_done(&object->acl);
    object->acl = mapped;
}

static void map_policy(const MapRule *rule, OwnObject *object)
{
    const char **roles = xcalloc(object->n_roles + 1, sizeof *roles);
    size_t n = 0;
    for (size_t i = 0; i < object->n_roles; i++) {
        const char *role = object->roles[i] ? map_role(rule, object->roles[i]) : NULL;
        if (role || object->roles[i] == NULL)
            roles[n++] = role;
    }
    if (n > 0) /* else it would be for PUBLIC: it stays for roles that may not come any more */
        own_object_set_roles(object, roles, n);
    free(roles);
}

static int map_owned(const MapRule *rule, const OwnState *have, OwnObject *object, Error *err)
{
    const char *owner = map_role(rule, object->owner);
    OwnAcl mapped = {0};
    if (owner == NULL) {
        error_set(err, ERR_USAGE, "role \"%s\" is to be dropped, but it owns %s", object->owner, object->key);
        return error_hint(err, "Map the role to one that takes over what it owns.");
    }
    if (object->flags & OWN_ADMIN && !own_is_superuser(have, owner))
        owner = object->owner;
    map_grants(rule, object->owner, owner, &object->acl, &mapped);
    own_acl_done(&object->acl);
    object->acl = mapped;
    object->owner = owner;
    return 0;
}

int own_want_map(OwnState *have, const RoleMap *map, OwnState *ret, Error *err)
{
    MapRule rule = {.map = map, .names = have->names};
    Moves moves = {.role = map_role, .grants = map_grants, .ctx = &rule};
    add_destinations(have, &moves);
    own_state_copy(ret, have);
    for (size_t i = 0; i < ret->n; i++) {
        OwnObject *object = &ret->v[i];
        if (object->kind == OWN_POLICY || object->kind == OWN_USER_MAPPING)
            map_policy(&rule, object);
        else if (object->flags & (OWN_MEMBER | OWN_SYSTEM))
            map_foreign(&rule, object);
        else if (own_is_ordinary(object) && map_owned(&rule, have, object, err) < 0) {
            own_state_done(ret);
            return -1;
        }
    }
    own_follow_parents(ret);
    move_defaults(have, ret, &moves);
    return 0;
}
