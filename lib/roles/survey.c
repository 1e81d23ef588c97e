/* Who has what in a TOC. */
#include <string.h>

#include "entrykind.h"
#include "kura/mem.h"
#include "mentions.h"
#include "rolemap_priv.h"
#include "rolesql.h"

void roleuses_done(RoleUses *uses)
{
    if (uses == NULL)
        return;
    for (size_t i = 0; i < uses->n; i++) {
        free(uses->v[i].name);
        free(uses->v[i].new_name);
        strvec_done(&uses->v[i].mentioned_in);
    }
    free(uses->v);
    *uses = (RoleUses){0};
}

static int compare_name(const void *name, const void *use)
{
    return strcmp(name, ((const RoleUse *)use)->name);
}

const RoleUse *roleuses_find(const RoleUses *uses, const char *name)
{
    return uses->n ? bsearch(name, uses->v, uses->n, sizeof *uses->v, compare_name) : NULL;
}

/* While roles are collected they are found by a hash table of their positions: a hostile archive can name millions. */
typedef struct Survey {
    RoleUses uses; /* in the order of their first use */
    size_t *slots; /* position + 1; 0: free */
    size_t n_slots;
} Survey;

static size_t hash_name(const char *name)
{
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 1099511628211u;
    return (size_t)(hash ^ hash >> 32);
}

static size_t *slot_of(const Survey *survey, const char *name)
{
    size_t i = hash_name(name) & (survey->n_slots - 1);
    while (survey->slots[i] && strcmp(survey->uses.v[survey->slots[i] - 1].name, name) != 0)
        i = (i + 1) & (survey->n_slots - 1);
    return &survey->slots[i];
}

static void grow_slots(Survey *survey)
{
    survey->n_slots = survey->n_slots ? 2 * survey->n_slots : 64;
    free(survey->slots);
    survey->slots = xcalloc(survey->n_slots, sizeof *survey->slots);
    for (size_t i = 0; i < survey->uses.n; i++)
        *slot_of(survey, survey->uses.v[i].name) = i + 1;
}

/* The use of a role, made when it is new. Valid until the next call. */
static RoleUse *use_of(Survey *survey, const char *name)
{
    RoleUses *uses = &survey->uses;
    if (2 * uses->n >= survey->n_slots)
        grow_slots(survey);
    size_t *slot = slot_of(survey, name);
    if (*slot == 0) {
        xgrow(&uses->v, &uses->cap, uses->n);
        uses->v[uses->n++] = (RoleUse){.name = xstrdup(name)};
        *slot = uses->n;
    }
    return &uses->v[*slot - 1];
}

/* Notes that a role is named; NULL when the name is no role's. */
static RoleUse *note(Survey *survey, const char *name)
{
    if (name == NULL || name[0] == 0 || role_is_reserved(name))
        return NULL;
    RoleUse *use = use_of(survey, name);
    use->named = true;
    return use;
}

/* Notes a role and adds one to a counter of its: offsetof(RoleUse, ..). */
static void count(Survey *survey, const char *name, size_t counter)
{
    RoleUse *use = note(survey, name);
    if (use)
        ++*(size_t *)((char *)use + counter);
}

static void count_all(Survey *survey, const RoleRefs *refs, size_t counter)
{
    for (size_t i = 0; i < refs->n; i++)
        count(survey, refs->v[i].name, counter);
}

static void survey_grant(Survey *survey, const RoleSql *sql)
{
    count_all(survey, &sql->owners, offsetof(RoleUse, default_acls));
    count_all(survey, &sql->grantor, offsetof(RoleUse, granted_by));
    if (sql->default_privileges)
        count_all(survey, &sql->roles, offsetof(RoleUse, default_acls));
    else if (sql->kind == ROLE_SQL_GRANT)
        count_all(survey, &sql->roles, offsetof(RoleUse, grants));
    else
        for (size_t i = 0; i < sql->roles.n; i++)
            note(survey, sql->roles.v[i].name);
}

static void survey_statement(Survey *survey, const RoleSql *sql)
{
    switch (sql->kind) {
    case ROLE_SQL_GRANT:
    case ROLE_SQL_REVOKE:
        survey_grant(survey, sql);
        break;
    case ROLE_SQL_SET_SESSION:
        count_all(survey, &sql->roles, offsetof(RoleUse, granted_by));
        break;
    case ROLE_SQL_POLICY:
        count_all(survey, &sql->roles, offsetof(RoleUse, policies));
        break;
    case ROLE_SQL_USER_MAPPING:
        count_all(survey, &sql->roles, offsetof(RoleUse, user_mappings));
        break;
    case ROLE_SQL_SETTING:
        count_all(survey, &sql->roles, offsetof(RoleUse, settings));
        break;
    case ROLE_SQL_RESET_SESSION:
    case ROLE_SQL_OTHER:
        break;
    }
}

static int survey_text(Survey *survey, const char *text, Error *err)
{
    RoleSqlReader reader = rolesql_begin(text);
    RoleSql sql = {0};
    int rc;
    while ((rc = rolesql_next(&reader, &sql, err)) > 0)
        survey_statement(survey, &sql);
    rolesql_done(&sql);
    return rc;
}

static bool is_database(const TocEntry *entry)
{
    return entry->desc && strcmp(entry->desc, "DATABASE") == 0;
}

static int survey_entry(Survey *survey, const TocEntry *entry, Error *err)
{
    EntryKind kind = entry_type(entry->desc)->kind;
    RoleUse *owner = note(survey, entry->owner);
    if (owner && is_database(entry))
        owner->owns_database = true;
    else if (owner && entry_is_owned(entry))
        owner->owns++;
    if (kind == ENTRY_PLAIN || kind == ENTRY_UNKNOWN || entry->defn == NULL)
        return 0;
    if (survey_text(survey, entry->defn, err) == 0)
        return 0;
    _cleanup_free_ char *label = entry_label(entry);
    return error_wrap(err, "reading %.200s", label);
}

/* Facts repeat what the TOC says about the database, unless the archive is one of some schemas or tables alone. */
static void survey_facts(Survey *survey, const DbFacts *facts, bool counted)
{
    RoleUse *owner = note(survey, facts->owner);
    if (owner)
        owner->owns_database = true;
    for (size_t i = 0; i < facts->n_grants; i++) {
        note(survey, facts->grants[i].grantor);
        RoleUse *grantee = note(survey, facts->grants[i].grantee);
        if (grantee && counted)
            grantee->grants++;
    }
    for (size_t i = 0; i < facts->n_settings; i++) {
        RoleUse *role = note(survey, facts->settings[i].role);
        if (role && counted)
            role->settings++;
    }
    for (size_t i = 0; i < facts->n_roles; i++) {
        note(survey, facts->roles[i].name);
        for (size_t j = 0; j < facts->roles[i].member_of.n; j++)
            note(survey, facts->roles[i].member_of.v[j]);
    }
}

static int compare_uses(const void *left, const void *right)
{
    return strcmp(((const RoleUse *)left)->name, ((const RoleUse *)right)->name);
}

static void sort_uses(RoleUses *uses)
{
    if (uses->n)
        qsort(uses->v, uses->n, sizeof *uses->v, compare_uses);
}

/* A role that a rule names may be mentioned somewhere without being named anywhere. */
static void add_ruled(Survey *survey, const RoleMap *map)
{
    for (size_t i = 0; map && i < map->n; i++)
        use_of(survey, map->v[i].old_name);
}

/* Takes out who is neither named nor mentioned, and says what the map makes of the others. */
static void finish(RoleUses *uses, const RoleMap *map)
{
    size_t kept = 0;
    for (size_t i = 0; i < uses->n; i++) {
        RoleUse *use = &uses->v[i];
        if (!use->named && use->mentions == 0) {
            free(use->name);
            continue;
        }
        use->new_name = xstrdup_null(map ? rolemap_lookup(map, use->name) : use->name);
        use->ruled = map && rolemap_rule_of(map, use->name);
        uses->v[kept++] = *use;
    }
    uses->n = kept;
}

int rolemap_survey(const Toc *toc, const DbFacts *facts, const RoleMap *map, RoleUses *ret, Error *err)
{
    Survey survey = {0};
    bool has_database = false;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < toc->n_entries; i++) {
        has_database |= is_database(&toc->entries[i]);
        rc = survey_entry(&survey, &toc->entries[i], err);
    }
    if (rc == 0 && facts)
        survey_facts(&survey, facts, !has_database);
    add_ruled(&survey, map);
    sort_uses(&survey.uses);
    free(survey.slots);
    if (rc < 0) {
        roleuses_done(&survey.uses);
        return -1;
    }
    for (size_t i = 0; i < toc->n_entries; i++)
        mentions_in_entry(&survey.uses, &toc->entries[i]);
    finish(&survey.uses, map);
    *ret = survey.uses;
    return 0;
}
