/* The state that an archive describes. pg_dump writes an ACL as what differs from the default (of extensions' and of
 * the server's own objects: from what they came with), so the statements are replayed onto that. */
#include <string.h>

#include "kura/mem.h"
#include "kura/owned.h"
#include "kura/sqllex.h"
#include "tocname.h"

/* Which objects of the state an entry stands for: one, or the large objects of a BLOB METADATA. */
typedef struct Place {
    int dump_id;
    size_t first, n;
} Place;

typedef struct Reader {
    const Toc *toc;
    const OwnState *live;
    OwnState *state;
    Place *places; /* sorted by dump_id once collected */
    size_t n_places, cap_places;
} Reader;

enum { PUBLIC_FOR_OWNER_SINCE = 15 };

static bool is_empty(const char *text)
{
    return text == NULL || *text == 0;
}

/* ---- objects ---- */

static OwnObject *add_object(Reader *reader, OwnKind kind, const char *key, const char *owner)
{
    OwnObject *object = own_state_find(reader->state, key);
    if (object == NULL)
        object = own_state_add(reader->state, kind, key);
    object->owner = is_empty(owner) ? NULL : own_name(reader->state->names, owner);
    return object;
}

/* What pg_dump takes the ACL of schema public to be before any statement. */
static void public_default(const Reader *reader, OwnObject *object)
{
    uint32_t all = own_rights(OWN_SCHEMA, false, 0);
    bool closed = toc_version_major(reader->toc->dump_version) >= PUBLIC_FOR_OWNER_SINCE;
    own_acl_grant(&object->acl, &(OwnGrant){.grantee = object->owner, .grantor = object->owner, .rights = all});
    own_acl_grant(&object->acl, &(OwnGrant){.grantor = object->owner, .rights = closed ? own_right('U') : all});
}

static void default_acl(const Reader *reader, OwnObject *object)
{
    if (object->owner == NULL || own_kinds[object->kind].grant == NULL)
        return;
    own_acl_done(&object->acl);
    if (strcmp(object->key, "SCHEMA public") == 0)
        public_default(reader, object);
    else
        own_acl_default(object->kind, object->owner, reader->live->server_version, &object->acl);
}

static void add_place(Reader *reader, const TocEntry *entry, size_t first, size_t n)
{
    xgrow(&reader->places, &reader->cap_places, reader->n_places);
    reader->places[reader->n_places++] = (Place){.dump_id = entry->dump_id, .first = first, .n = n};
}

/* "4201\n4202\n" */
static void add_large_objects(Reader *reader, const TocEntry *entry)
{
    for (const char *at = entry->defn; at && *at;) {
        size_t digits = strspn(at, "0123456789");
        _cleanup_free_ char *oid = xstrndup(at, digits);
        _cleanup_free_ char *key = own_key(OWN_LARGE_OBJECT, NULL, oid);
        if (digits > 0)
            default_acl(reader, add_object(reader, OWN_LARGE_OBJECT, key, entry->owner));
        at += digits;
        at += strcspn(at, "0123456789");
    }
}

static void add_policy(Reader *reader, const TocEntry *entry)
{
    TocPolicy policy = {0};
    if (toc_policy_parse(entry->defn, &policy) == 0) {
        _cleanup_free_ char *key = own_key_policy(policy.schema, policy.table, policy.name);
        OwnObject *object = add_object(reader, OWN_POLICY, key, NULL);
        const char **roles = xcalloc(policy.roles.n + 1, sizeof *roles); /* none: PUBLIC */
        size_t n = policy.roles.n ? policy.roles.n : 1;
        for (size_t i = 0; i < policy.roles.n; i++)
            roles[i] = policy.roles.v[i][0] ? own_name(reader->state->names, policy.roles.v[i]) : NULL;
        own_object_set_roles(object, roles, n);
        free(roles);
    }
    toc_policy_done(&policy);
}

static void add_mapping(Reader *reader, const TocEntry *entry)
{
    _cleanup_free_ char *role = NULL, *server = NULL;
    if (toc_mapping_parse(entry->defn, &role, &server) < 0)
        return;
    own_object_add_role(own_user_mappings(reader->state, server),
                        strcmp(role, "public") == 0 ? NULL : own_name(reader->state->names, role));
}

static void add_plain(Reader *reader, const TocEntry *entry)
{
    OwnKind kind = toc_entry_kind(entry);
    _cleanup_free_ char *key = kind == OWN_KIND_COUNT ? NULL : toc_entry_key(kind, entry);
    if (key == NULL)
        return;
    OwnObject *object = add_object(reader, kind, key, entry->owner);
    object->schema = is_empty(entry->namespace) ? NULL : own_name(reader->state->names, entry->namespace);
    default_acl(reader, object);
    add_place(reader, entry, (size_t)(object - reader->state->v), 1);
}

static void add_entry(Reader *reader, const TocEntry *entry)
{
    size_t first = reader->state->n;
    if (toc_entry_is(entry, "BLOB METADATA")) {
        add_large_objects(reader, entry);
        add_place(reader, entry, first, reader->state->n - first);
    } else if (toc_entry_is(entry, "POLICY")) {
        add_policy(reader, entry);
    } else if (toc_entry_is(entry, "USER MAPPING")) {
        add_mapping(reader, entry);
    } else {
        add_plain(reader, entry);
        if (toc_entry_is(entry, "SERVER") && entry->tag)
            own_user_mappings(reader->state, entry->tag);
    }
}

static int by_dump_id(const void *a, const void *b)
{
    int left = ((const Place *)a)->dump_id, right = ((const Place *)b)->dump_id;
    return (left > right) - (left < right);
}

static const Place *find_place(const Reader *reader, const TocEntry *entry)
{
    for (size_t i = 0; reader->n_places > 0 && i < entry->n_deps; i++) {
        Place key = {.dump_id = atoi(entry->deps[i])};
        const Place *place = bsearch(&key, reader->places, reader->n_places, sizeof *reader->places, by_dump_id);
        if (place)
            return place;
    }
    return NULL;
}

/* ---- grants ---- */

static uint32_t rights_of(const Reader *reader, const OwnObject *object, const AclItem *item)
{
    uint32_t all = own_rights(object->kind, item->column != NULL, reader->live->server_version);
    if (strcmp(item->privilege, "ALL") == 0)
        return all;
    for (size_t bit = 0; own_right_name(bit); bit++)
        if (strcmp(own_right_name(bit), item->privilege) == 0)
            return 1u << bit & all;
    return 0;
}

static void replay(const Reader *reader, OwnObject *object, const AclItems *items)
{
    OwnNames *names = reader->state->names;
    for (size_t i = 0; object->owner && i < items->n; i++) {
        const AclItem *item = &items->v[i];
        uint32_t rights = rights_of(reader, object, item);
        OwnGrant grant = {.column = own_name(names, item->column),
                          .grantee = own_name(names, item->grantee),
                          .grantor = own_name(names, item->grantor),
                          .rights = rights};
        if (item->grant) {
            grant.grantor = grant.grantor ? grant.grantor : object->owner;
            grant.grantable = item->grantable ? rights : 0;
            own_acl_grant(&object->acl, &grant);
            continue;
        }
        if (item->grantable) { /* GRANT OPTION FOR */
            grant.grantable = rights;
            grant.rights = 0;
        }
        own_acl_revoke(&object->acl, &grant);
    }
}

/* An object that has no entry: an extension's, the server's own, schema public. NULL: there is no such thing here. */
static OwnObject *foreign_object(Reader *reader, const TocEntry *entry, const char *statement_object)
{
    OwnKind kind;
    _cleanup_free_ char *key = own_key_of_grant(statement_object, &kind);
    OwnObject *object = key ? own_state_find(reader->state, key) : NULL;
    if (key == NULL || object)
        return object;
    const OwnObject *live = own_state_find(reader->live, key);
    const char *bootstrap = NULL;
    for (size_t i = 0; i < reader->live->n_roles; i++)
        if (reader->live->roles[i].bootstrap)
            bootstrap = reader->live->roles[i].name;
    if (live == NULL && strstr(key, " pg_catalog.") == NULL && strstr(key, " information_schema.") == NULL)
        return NULL;
    object = own_state_add(reader->state, live ? live->kind : kind, key);
    if (live && own_is_ordinary(live)) {
        object->owner = is_empty(entry->owner) ? live->owner : own_name(reader->state->names, entry->owner);
        default_acl(reader, object);
        return object;
    }
    object->flags = live ? live->flags : OWN_SYSTEM;
    object->owner = live ? live->owner : bootstrap;
    object->sql = object->grant_sql = own_name(reader->state->names, strchr(statement_object, ' ') + 1);
    if (live)
        own_acl_copy(&object->acl, &live->base);
    else
        default_acl(reader, object);
    own_acl_copy(&object->base, &object->acl);
    return object;
}

static OwnObject *default_privileges(Reader *reader, const TocEntry *entry)
{
    static const char prefix[] = "DEFAULT PRIVILEGES FOR ";
    if (is_empty(entry->owner) || entry->tag == NULL || strncmp(entry->tag, prefix, strlen(prefix)) != 0)
        return NULL;
    return own_default_acl(reader->state, entry->owner, is_empty(entry->namespace) ? NULL : entry->namespace,
                           entry->tag + strlen(prefix));
}

static int add_grants(Reader *reader, const TocEntry *entry, Error *err)
{
    AclItems items = {0};
    if (is_empty(entry->defn))
        return 0;
    if (acl_parse(entry->defn, &items, err) < 0)
        return error_wrap(err, "entry %d", entry->dump_id);
    const Place *place = find_place(reader, entry);
    if (toc_entry_is(entry, "DEFAULT ACL")) {
        OwnObject *object = default_privileges(reader, entry);
        if (object)
            replay(reader, object, &items);
    } else if (place) {
        for (size_t i = 0; i < place->n; i++)
            replay(reader, &reader->state->v[place->first + i], &items);
    } else if (items.n > 0) {
        OwnObject *object = foreign_object(reader, entry, items.v[0].object);
        if (object)
            replay(reader, object, &items);
    }
    aclitems_done(&items);
    return 0;
}

/* An archive is silent about a schema public that is as initdb made it. */
static void add_public(Reader *reader)
{
    const OwnObject *live = own_state_find(reader->live, "SCHEMA public");
    if (live == NULL || own_state_find(reader->state, "SCHEMA public") ||
        toc_version_major(reader->toc->server_version) < PUBLIC_FOR_OWNER_SINCE ||
        toc_version_major(reader->toc->dump_version) < PUBLIC_FOR_OWNER_SINCE ||
        reader->live->server_version / 10000 < PUBLIC_FOR_OWNER_SINCE)
        return;
    default_acl(reader, add_object(reader, OWN_SCHEMA, "SCHEMA public", "pg_database_owner"));
}

int own_state_from_toc(const Toc *toc, const OwnState *live, OwnState *ret, Error *err)
{
    OwnState state = {.names = live->names, .server_version = live->server_version};
    Reader reader = {.toc = toc, .live = live, .state = &state};
    for (size_t i = 0; i < toc->n_entries; i++)
        add_entry(&reader, &toc->entries[i]);
    if (reader.n_places > 0)
        qsort(reader.places, reader.n_places, sizeof *reader.places, by_dump_id);
    int rc = 0;
    for (size_t i = 0; i < toc->n_entries && rc == 0; i++)
        if (toc_entry_is(&toc->entries[i], "ACL") || toc_entry_is(&toc->entries[i], "DEFAULT ACL"))
            rc = add_grants(&reader, &toc->entries[i], err);
    free(reader.places);
    if (rc < 0) {
        own_state_done(&state);
        return error_wrap(err, "reading the owners and grants of the archive");
    }
    add_public(&reader);
    *ret = state;
    return 0;
}
