/* The state wanted is that of another database, or of an archive. */
#include <string.h>

#include "kura/mem.h"
#include "want.h"

static bool is_default_acl(const OwnObject *object)
{
    return object->kind >= OWN_DEFAULT_TABLES && object->kind <= OWN_DEFAULT_LARGE_OBJECTS;
}

/* Default privileges, and objects of the server's own, that only the other state lists. */
static void add_absent(OwnState *have, const OwnState *like)
{
    for (size_t i = 0; i < like->n; i++) {
        const OwnObject *other = &like->v[i];
        if (is_default_acl(other))
            own_default_acl(have, other->owner, other->schema, own_kinds[other->kind].grant);
        if (!(other->flags & OWN_SYSTEM) || own_state_find(have, other->key))
            continue;
        OwnObject *object = own_state_add(have, other->kind, other->key);
        object->flags = OWN_SYSTEM;
        object->sql = other->sql;
        object->grant_sql = other->grant_sql;
        object->schema = other->schema;
        object->owner = other->owner;
        own_acl_copy(&object->acl, &other->base);
        own_acl_copy(&object->base, &other->base);
    }
}

/* ---- objects that came later ---- */

typedef struct OwnerCount {
    const char *owner;
    size_t n;
} OwnerCount;

typedef struct Owners {
    OwnerCount *v;
    size_t n, cap;
} Owners;

/* Who owns what in a schema of the other state; in all of it when nothing is in that schema. */
static void count_owners(const OwnState *like, const char *schema, Owners *owners)
{
    owners->n = 0;
    for (size_t i = 0; i < like->n; i++) {
        const OwnObject *object = &like->v[i];
        if (!own_is_ordinary(object) || object->owner == NULL || (schema && object->schema != schema))
            continue;
        size_t at = 0;
        while (at < owners->n && owners->v[at].owner != object->owner)
            at++;
        xgrow(&owners->v, &owners->cap, owners->n);
        if (at == owners->n)
            owners->v[owners->n++] = (OwnerCount){.owner = object->owner};
        owners->v[at].n++;
    }
    if (owners->n == 0 && schema)
        count_owners(like, NULL, owners);
}

/* Who should own what came later: whoever does, when he owns other things there, else who owns most. */
static const char *later_owner(const Owners *owners, const char *owner)
{
    const OwnerCount *most = NULL;
    for (size_t i = 0; i < owners->n; i++) {
        if (owners->v[i].owner == owner)
            return owner;
        if (most == NULL || owners->v[i].n > most->n)
            most = &owners->v[i];
    }
    return most ? most->owner : owner;
}

typedef struct Later {
    const OwnState *like;
    Owners owners; /* of `schema` */
    const char *schema;
    bool counted;
} Later;

static void want_later(Later *later, OwnObject *object)
{
    if (object->flags & (OWN_FOLLOWS | OWN_ADMIN) || object->kind == OWN_DATABASE || object->parent ||
        strcmp(object->key, "SCHEMA public") == 0)
        return;
    if (!later->counted || later->schema != object->schema)
        count_owners(later->like, object->schema, &later->owners);
    later->counted = true;
    later->schema = object->schema;
    const char *owner = later_owner(&later->owners, object->owner);
    if (owner == object->owner)
        return;
    object->flags |= OWN_LATER;
    own_acl_change_owner(&object->acl, object->owner, owner);
    object->owner = owner;
}

/* ---- objects of both ---- */

static void want_same(const OwnState *have, OwnObject *object, const OwnObject *other)
{
    if (object->kind == OWN_POLICY || object->kind == OWN_USER_MAPPING) {
        own_object_set_roles(object, other->roles, other->n_roles);
        return;
    }
    if (other->owner == NULL)
        return;
    bool keeps = !own_is_ordinary(object) || (object->flags & OWN_ADMIN && !own_is_superuser(have, other->owner));
    own_acl_done(&object->acl);
    own_acl_copy(&object->acl, &other->acl);
    if (!keeps || is_default_acl(object))
        object->owner = other->owner;
    own_acl_change_owner(&object->acl, other->owner, object->owner);
}

static void want_nothing_special(const OwnState *have, OwnObject *object)
{
    OwnAcl baseline;
    if (!own_baseline(have, object, &baseline))
        return;
    own_acl_done(&object->acl);
    object->acl = baseline;
}

void own_want_like(OwnState *have, const OwnState *like, OwnState *ret, StrVec *ret_missing)
{
    Later later = {.like = like};
    add_absent(have, like);
    own_state_copy(ret, have);
    for (size_t i = 0; i < ret->n; i++) {
        OwnObject *object = &ret->v[i];
        const OwnObject *other = own_state_find(like, object->key);
        if (other)
            want_same(have, object, other);
        else if (own_is_ordinary(object))
            want_later(&later, object);
        else
            want_nothing_special(have, object);
    }
    own_follow_parents(ret);
    free(later.owners.v);
    for (size_t i = 0; i < like->n; i++)
        if (own_is_ordinary(&like->v[i]) && own_state_find(have, like->v[i].key) == NULL)
            strvec_push(ret_missing, like->v[i].key);
}
