/* A role map applied to what a backup recorded about the database itself. */
#include <string.h>

#include "kura/mem.h"
#include "kura/rolemap.h"

static void set_name(char **name, const char *new_name)
{
    if (new_name != *name) {
        char *copy = xstrdup_null(new_name);
        free(*name);
        *name = copy;
    }
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static void grant_done(DbGrant *grant)
{
    free(grant->grantor);
    free(grant->grantee);
    free(grant->privilege);
}

static void setting_done(DbSetting *setting)
{
    free(setting->role);
    free(setting->name);
    free(setting->value);
}

/* Whether a grant is left after the map; a dropped grantor's grants become the owner's. A role that became its own
 * grantor has the right already. */
static bool map_grant(const RoleMap *map, const char *owner, DbGrant *grant)
{
    bool was_self = same_text(grant->grantor, grant->grantee);
    if (grant->grantee && rolemap_lookup(map, grant->grantee) == NULL)
        return false;
    if (grant->grantee)
        set_name(&grant->grantee, rolemap_lookup(map, grant->grantee));
    if (grant->grantor) {
        const char *grantor = rolemap_lookup(map, grant->grantor);
        set_name(&grant->grantor, grantor ? grantor : owner);
    }
    return was_self || !same_text(grant->grantor, grant->grantee) || same_text(grant->grantor, owner);
}

/* Adds the grant to an equal one among the first n; false when there is none. */
static bool merge_grant(DbGrant *grants, size_t n, const DbGrant *grant)
{
    for (size_t i = 0; i < n; i++) {
        if (same_text(grants[i].grantor, grant->grantor) && same_text(grants[i].grantee, grant->grantee) &&
            same_text(grants[i].privilege, grant->privilege)) {
            grants[i].grantable |= grant->grantable;
            return true;
        }
    }
    return false;
}

static void apply_grants(const RoleMap *map, DbFacts *facts)
{
    size_t n = 0;
    for (size_t i = 0; i < facts->n_grants; i++) {
        DbGrant *grant = &facts->grants[i];
        if (map_grant(map, facts->owner, grant) && !merge_grant(facts->grants, n, grant))
            facts->grants[n++] = *grant;
        else
            grant_done(grant);
    }
    facts->n_grants = n;
}

/* The last one wins, as it does among ALTER ROLE statements. */
static bool is_overridden(const DbFacts *facts, size_t i)
{
    for (size_t j = i + 1; j < facts->n_settings; j++)
        if (same_text(facts->settings[i].role, facts->settings[j].role) &&
            same_text(facts->settings[i].name, facts->settings[j].name))
            return true;
    return false;
}

/* Takes the settings that are to go out of the list. */
static void apply_settings(const RoleMap *map, DbFacts *facts)
{
    size_t mapped = 0, kept = 0;
    for (size_t i = 0; i < facts->n_settings; i++) {
        DbSetting *setting = &facts->settings[i];
        const char *role = setting->role ? rolemap_lookup(map, setting->role) : NULL;
        if (setting->role && role == NULL) {
            setting_done(setting);
            continue;
        }
        set_name(&setting->role, role);
        facts->settings[mapped++] = *setting;
    }
    facts->n_settings = mapped;
    for (size_t i = 0; i < mapped; i++) {
        if (is_overridden(facts, i))
            setting_done(&facts->settings[i]);
        else
            facts->settings[kept++] = facts->settings[i];
    }
    facts->n_settings = kept;
}

int rolemap_apply_facts(const RoleMap *map, DbFacts *facts, Error *err)
{
    const char *owner = facts->owner ? rolemap_lookup(map, facts->owner) : NULL;
    if (facts->owner && owner == NULL) {
        error_set(err, ERR_USAGE, "role \"%s\" is to be dropped, but it owns database \"%s\"", facts->owner,
                  facts->name ? facts->name : "");
        return error_hint(err, "Map the role to one that takes the database over.");
    }
    set_name(&facts->owner, owner);
    apply_grants(map, facts);
    apply_settings(map, facts);
    return 0;
}
