/* A role map applied to a table of contents.
 *
 * A dropped role's statements go. An entry that loses its last statement keeps its place, since others may depend on
 * its id, with an empty definition: pg_restore then does nothing for it. So it is with a policy, too, all of whose
 * roles are dropped: without its TO it would apply to PUBLIC, while without the policy the table's row-level security
 * only lets fewer people at fewer rows. */
#include <string.h>

#include "entrykind.h"
#include "guard.h"
#include "kura/mem.h"
#include "kura/sqllex.h"
#include "rewrite.h"
#include "rolemap_priv.h"

typedef struct Application {
    const RoleMap *map;
    Toc *toc;
    RoleGuard guard;
    TocEntry **mappings; /* user mappings */
    size_t n_mappings;
    size_t cap_mappings;
    StrVec gone; /* dump ids of policies that were dropped */
} Application;

static int owner_error(const TocEntry *entry, Error *err)
{
    error_set(err, ERR_USAGE, "role \"%s\" is to be dropped, but it is the owner", entry->owner);
    return error_hint(err, "Map the role to one that takes over what it owns; @drop is for roles with grants alone.");
}

static int apply_owner(Application *app, TocEntry *entry, Error *err)
{
    if (entry->owner == NULL || entry->owner[0] == 0)
        return 0;
    const char *new_owner = rolemap_lookup(app->map, entry->owner);
    if (new_owner == NULL && entry_is_owned(entry))
        return owner_error(entry, err);
    if (new_owner == NULL)
        entry->owner = "";
    else if (strcmp(new_owner, entry->owner) != 0)
        entry->owner = toc_strdup(app->toc, new_owner);
    return 0;
}

/* Rewrites one text of an entry in place; NULL stays NULL. */
static int apply_text(Application *app, const TocEntry *entry, const char **text, bool guarded, Error *err)
{
    _cleanup_free_ char *changed = NULL;
    if (*text == NULL)
        return 0;
    if (rewrite_text(app->map, *text, entry->owner, guarded ? &app->guard : NULL, &changed, err) < 0)
        return -1;
    if (changed)
        *text = toc_strdup(app->toc, changed);
    return 0;
}

static bool is_empty(const char *text)
{
    return text == NULL || text[0] == 0;
}

static int apply_policy(Application *app, TocEntry *entry, Error *err)
{
    bool was_empty = is_empty(entry->defn);
    if (apply_text(app, entry, &entry->defn, true, err) < 0)
        return -1;
    if (!was_empty && is_empty(entry->defn)) {
        entry->drop_stmt = "";
        strvec_pushf(&app->gone, "%d", entry->dump_id);
    }
    return 0;
}

/* The role that a user mapping is for, or NULL. To be freed. */
static int mapped_user(const TocEntry *entry, char **ret, Error *err)
{
    RoleSqlReader reader = rolesql_begin(is_empty(entry->defn) ? "" : entry->defn);
    RoleSql sql = {0};
    int rc = rolesql_next(&reader, &sql, err);
    *ret = rc > 0 && sql.kind == ROLE_SQL_USER_MAPPING ? xstrdup_null(sql.roles.v[0].name) : NULL;
    rolesql_done(&sql);
    return rc < 0 ? -1 : 0;
}

/* pg_dump's tag: "USER MAPPING name SERVER server", names as they are. */
static void apply_mapping_tag(Application *app, TocEntry *entry, const char *old_name, const char *new_name)
{
    static const char before[] = "USER MAPPING ", behind[] = " SERVER ";
    size_t len = strlen(old_name);
    const char *tag = entry->tag ? entry->tag : "";
    if (strncmp(tag, before, strlen(before)) != 0)
        return;
    const char *name = tag + strlen(before);
    if (strncmp(name, old_name, len) != 0 || strncmp(name + len, behind, strlen(behind)) != 0)
        return;
    _cleanup_free_ char *changed = xasprintf("%s%s%s", before, new_name, name + len);
    entry->tag = toc_strdup(app->toc, changed);
}

static int apply_user_mapping(Application *app, TocEntry *entry, Error *err)
{
    _cleanup_free_ char *user = NULL;
    if (mapped_user(entry, &user, err) < 0 || apply_text(app, entry, &entry->defn, true, err) < 0 ||
        apply_text(app, entry, &entry->drop_stmt, true, err) < 0)
        return -1;
    const char *new_user = user ? rolemap_lookup(app->map, user) : NULL;
    if (new_user && strcmp(new_user, user) != 0)
        apply_mapping_tag(app, entry, user, new_user);
    xgrow(&app->mappings, &app->cap_mappings, app->n_mappings);
    app->mappings[app->n_mappings++] = entry;
    return 0;
}

static int apply_unknown(Application *app, const TocEntry *entry, Error *err)
{
    if (guard_text(&app->guard, entry->defn, err) < 0 || guard_text(&app->guard, entry->drop_stmt, err) < 0)
        return -1;
    return guard_text(&app->guard, entry->copy_stmt, err);
}

static int apply_entry(Application *app, TocEntry *entry, Error *err)
{
    if (apply_owner(app, entry, err) < 0)
        return -1;
    switch (entry_type(entry->desc)->kind) {
    case ENTRY_PLAIN:
        return 0;
    case ENTRY_ACL:
    case ENTRY_DEFAULT_ACL:
        return apply_text(app, entry, &entry->defn, true, err);
    case ENTRY_DB_SETTINGS: /* other statements there are about the database, which may well be named like its role */
        return apply_text(app, entry, &entry->defn, false, err);
    case ENTRY_POLICY:
        return apply_policy(app, entry, err);
    case ENTRY_USER_MAPPING:
        return apply_user_mapping(app, entry, err);
    case ENTRY_UNKNOWN:
        break;
    }
    return apply_unknown(app, entry, err);
}

static int compare_drop(const TocEntry *a, const TocEntry *b)
{
    return strcmp(a->drop_stmt ? a->drop_stmt : "", b->drop_stmt ? b->drop_stmt : "");
}

static int compare_mappings(const void *left, const void *right)
{
    const TocEntry *a = *(TocEntry *const *)left, *b = *(TocEntry *const *)right;
    int order = compare_drop(a, b);
    return order ? order : a < b ? -1 : a > b;
}

/* A role can have one mapping a server: of roles that became one the first one's stays. Their drop statements tell. */
static void merge_user_mappings(Application *app)
{
    if (app->n_mappings == 0)
        return;
    qsort(app->mappings, app->n_mappings, sizeof *app->mappings, compare_mappings);
    for (size_t i = 1, first = 0; i < app->n_mappings; i++) {
        TocEntry *entry = app->mappings[i];
        if (compare_drop(app->mappings[first], entry) != 0)
            first = i;
        else if (!is_empty(entry->drop_stmt))
            entry->defn = entry->drop_stmt = "";
    }
}

static int compare_texts(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* What is said about a policy that is gone goes with it. */
static void drop_comments_on_gone(Application *app)
{
    StrVec *gone = &app->gone;
    if (gone->n == 0)
        return;
    qsort(gone->v, gone->n, sizeof *gone->v, compare_texts);
    for (size_t i = 0; i < app->toc->n_entries; i++) {
        TocEntry *entry = &app->toc->entries[i];
        bool about = entry->desc && (strcmp(entry->desc, "COMMENT") == 0 || strcmp(entry->desc, "SECURITY LABEL") == 0);
        for (size_t j = 0; about && j < entry->n_deps; j++)
            if (bsearch(&entry->deps[j], gone->v, gone->n, sizeof *gone->v, compare_texts))
                entry->defn = "";
    }
}

static int apply_entries(Application *app, Error *err)
{
    for (size_t i = 0; i < app->toc->n_entries; i++) {
        TocEntry *entry = &app->toc->entries[i];
        if (apply_entry(app, entry, err) < 0) {
            _cleanup_free_ char *label = entry_label(entry);
            return error_wrap(err, "applying the role map to %.200s", label);
        }
    }
    merge_user_mappings(app);
    drop_comments_on_gone(app);
    return 0;
}

int rolemap_apply(const RoleMap *map, Toc *toc, Error *err)
{
    if (rolemap_is_empty(map))
        return 0;
    Application app = {.map = map, .toc = toc};
    int rc = guard_init(&app.guard, map, toc, err);
    if (rc == 0)
        rc = apply_entries(&app, err);
    guard_done(&app.guard);
    strvec_done(&app.gone);
    free(app.mappings);
    return rc;
}
