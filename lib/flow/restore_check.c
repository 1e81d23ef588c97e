/* All that can go wrong is looked for before the first statement, and all of it is reported at once. */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "kura/mem.h"
#include "kura/sqllex.h"
#include "kura/words.h"
#include "restore_priv.h"
#include "targetdb.h"

enum { SUFFIX_DIGITS = 4 };

static void problem(Restore *restore, const char *code, const char *hint, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void problem(Restore *restore, const char *code, const char *hint, const char *format, ...)
{
    char text[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, words_get(format), args);
    va_end(args);
    findings_add(restore->findings, FINDING_ERROR, code, hint, "%s", text);
}

char *target_free_name(const Restore *restore, const char *middle)
{
    for (;;) {
        unsigned number;
        if (getrandom(&number, sizeof number, 0) != sizeof number)
            abort();
        _cleanup_free_ char *ending = xasprintf("_%s_%0*x", middle, SUFFIX_DIGITS, number & 0xffff);
        char *name = targetdb_name_with(restore->database, ending);
        if (!strvec_contains(&restore->target.databases, name))
            return name;
        free(name);
    }
}

static void check_existing(Restore *restore)
{
    restore->scratch = restore->options->trial ? xstrdup(restore->database) : target_free_name(restore, "kura");
    strvec_push(&restore->target.databases, restore->scratch);
    if (!restore->target.database_exists)
        return;
    if (!restore->target.database_empty && !restore->options->swap)
        problem(restore, "database-exists",
                "Use --swap to put the restored one in its place (the old one is kept under another name), or restore "
                "under another name.",
                "database \"%s\" exists and is not empty", restore->database);
    if (restore->manifest) {
        _cleanup_free_ char *ending = xasprintf("_before_%s", restore->manifest->id);
        restore->kept = targetdb_name_with(restore->database, ending);
    }
    if (restore->kept == NULL || strvec_contains(&restore->target.databases, restore->kept)) {
        free(restore->kept);
        restore->kept = target_free_name(restore, "before");
    }
    restore->report->replaced = xstrdup(restore->kept);
}

static void check_server(Restore *restore)
{
    const CatalogTarget *target = &restore->target;
    int source = toc_version_major(restore->toc->server_version), major = target->server_version_num / 10000;
    if (target->standby)
        problem(restore, "standby", "Restore into the primary.", "the target server is a standby and takes no writes");
    if (!target->superuser && !target->createdb)
        problem(restore, "no-createdb", "Connect as a superuser, or as a role with CREATEDB.",
                "role \"%s\" may not create databases", pg_user(restore->admin));
    if (major < source && !restore->options->allow_downgrade)
        problem(restore, "older-server",
                "Restore into PostgreSQL of the same or a newer major, or say --allow-downgrade, which first lists "
                "what cannot be "
                "restored there.",
                "the target server is PostgreSQL %d, the source was %d", major, source);
}

static void check_extensions(Restore *restore)
{
    for (size_t i = 0; i < restore->toc->n_entries; i++) {
        const TocEntry *entry = &restore->toc->entries[i];
        if (!toc_entry_is(entry, "EXTENSION") || entry->tag == NULL ||
            strvec_contains(&restore->target.extensions, entry->tag))
            continue;
        _cleanup_free_ char *hint =
            xasprintf(_("Install the package that brings it (apt search postgresql-%d %s); without it indexes and "
                        "columns that need it could not be restored."),
                      restore->target.server_version_num / 10000, entry->tag);
        problem(restore, "extension-missing", hint, "extension \"%s\" is not available on the target server",
                entry->tag);
    }
}

static void check_tablespace(Restore *restore, const char *name, StrVec *told)
{
    if (name == NULL || *name == 0 || strvec_contains(&restore->target.tablespaces, name) ||
        strvec_contains(told, name))
        return;
    strvec_push(told, name);
    restore->no_tablespaces = true;
    findings_add(restore->findings, FINDING_WARNING, "tablespace-missing",
                 "Create it first with CREATE TABLESPACE if the data should be there.",
                 "tablespace \"%s\" does not exist on the target; everything goes into the default one", name);
}

/* The one of the database itself stands only in the text of CREATE DATABASE. */
static char *database_tablespace(const TocEntry *entry)
{
    SqlToken *tokens = NULL;
    size_t n;
    if (entry->defn == NULL || sql_tokens(entry->defn, strlen(entry->defn), &tokens, &n, NULL) < 0)
        return NULL;
    char *name = NULL;
    bool behind = false;
    for (size_t i = 0; i < n && name == NULL; i++) {
        if (behind)
            name = sql_ident_value(&tokens[i]);
        behind |= sql_is_word(&tokens[i], "tablespace");
    }
    free(tokens);
    return name;
}

static void check_tablespaces(Restore *restore)
{
    _cleanup_(strvec_done) StrVec told = {0};
    for (size_t i = 0; i < restore->toc->n_entries; i++) {
        const TocEntry *entry = &restore->toc->entries[i];
        check_tablespace(restore, entry->tablespace, &told);
        if (!toc_entry_is(entry, "DATABASE"))
            continue;
        _cleanup_free_ char *of_database = database_tablespace(entry);
        check_tablespace(restore, of_database, &told);
    }
}

/* A manifest that lacks a table, or the large objects, would restore them empty without an error. */
static int check_manifest(const Restore *restore, Error *err)
{
    const ManifestDatabase *database = &restore->manifest->database;
    size_t next = 0;
    for (size_t i = 0; i < restore->toc->n_entries; i++) {
        const TocEntry *entry = &restore->toc->entries[i];
        if (toc_entry_is(entry, "BLOBS") && database->large_objects.name == NULL)
            return error_set(err, ERR_CORRUPT, "the archive has large objects, the manifest has none");
        if (!toc_entry_has_rows(entry))
            continue;
        const ManifestTable *table = next < database->n_tables ? &database->tables[next++] : NULL;
        if (table == NULL || table->dump_id != entry->dump_id || entry->namespace == NULL || entry->tag == NULL ||
            strcmp(table->schema, entry->namespace) != 0 || strcmp(table->name, entry->tag) != 0)
            return error_set(err, ERR_CORRUPT,
                             "the manifest's tables are not those of the archive (entry %d, TABLE DATA %s)",
                             entry->dump_id, entry->tag ? entry->tag : "");
    }
    if (next != database->n_tables)
        return error_set(err, ERR_CORRUPT, "the manifest has more tables than the archive");
    return 0;
}

static void check_roles(Restore *restore)
{
    const RoleUses *uses = &restore->report->roles;
    for (size_t i = 0; i < uses->n; i++) {
        const RoleUse *use = &uses->v[i];
        if (!role_is_needed(use))
            continue;
        for (size_t j = 0; j < i; j++)
            restore->merges |= uses->v[j].new_name && strcmp(uses->v[j].new_name, use->new_name) == 0;
        if (restore->options->create_roles || strvec_contains(&restore->target.roles, use->new_name))
            continue;
        _cleanup_free_ char *old = sql_quote_ident(use->name);
        _cleanup_free_ char *hint = xasprintf(_("Map it with --map %s=ROLE, drop its grants with --map %s=@drop, or "
                                                "create what is missing with --create-roles."),
                                              old, old);
        problem(restore, "role-missing", hint,
                "role \"%s\" does not exist on the target (it owns %zu objects and has %zu grants)", use->new_name,
                use->owns, use->grants + use->default_acls);
    }
}

/* The source's bootstrap superuser stands for the target's where no rule says otherwise and no role of that name is
 * there. */
static int map_bootstrap(Restore *restore, Error *err)
{
    const DbFacts *facts = restore->manifest ? &restore->manifest->database.facts : NULL;
    for (size_t i = 0; facts && i < facts->n_roles; i++) {
        const char *name = facts->roles[i].name;
        const char *to = restore->target.superuser_name;
        const RoleUse *use = roleuses_find(&restore->report->roles, name);
        if (!facts->roles[i].bootstrap || use == NULL || use->new_name == NULL || strcmp(use->new_name, name) != 0 ||
            to == NULL || strvec_contains(&restore->target.roles, name))
            continue;
        _cleanup_free_ char *from_quoted = sql_quote_ident(name), *to_quoted = sql_quote_ident(to);
        _cleanup_free_ char *rule = xasprintf("%s=%s", from_quoted, to_quoted);
        if (rolemap_add(restore->options->map, rule, err) < 0)
            return -1;
        findings_add(restore->findings, FINDING_NOTE, "superuser-mapped", NULL,
                     "superuser %s of the source stands for %s here (it owns %zu objects)", from_quoted, to_quoted,
                     use->owns);
        roleuses_done(&restore->report->roles);
        return rolemap_survey(restore->toc, facts, restore->options->map, &restore->report->roles, err);
    }
    return 0;
}

/* A superuser that ends as owner of the application's tables is the mistake kura exists to prevent. */
static void check_superuser_owner(Restore *restore)
{
    const RoleUses *uses = &restore->report->roles;
    for (size_t i = 0; i < uses->n; i++) {
        const RoleUse *use = &uses->v[i];
        bool changed = use->new_name && strcmp(use->new_name, use->name) != 0;
        const DbRole *was = restore->manifest ? dbfacts_role(&restore->manifest->database.facts, use->name) : NULL;
        if (changed && !(was && was->superuser) && use->ruled && use->owns > 0 && restore->target.superuser_name &&
            strcmp(use->new_name, restore->target.superuser_name) == 0)
            findings_add(
                restore->findings, FINDING_WARNING, "superuser-owner", "Map it to the application's own role instead.",
                "%zu objects of role \"%s\" would belong to superuser \"%s\"", use->owns, use->name, use->new_name);
    }
}

/* Types whose owner the server wants to be a superuser. */
static bool needs_superuser(const TocEntry *entry)
{
    if (entry->owner == NULL || *entry->owner == 0)
        return false;
    return toc_entry_is(entry, "FOREIGN DATA WRAPPER") || toc_entry_is(entry, "EVENT TRIGGER") ||
           toc_entry_is(entry, "SUBSCRIPTION") ||
           (toc_entry_is(entry, "PUBLICATION") && entry->defn && strstr(entry->defn, " FOR ALL TABLES"));
}

static int superusers(Restore *restore, StrVec *ret, Error *err)
{
    PGresult *result;
    if (pg_query(restore->admin, "SELECT rolname FROM pg_catalog.pg_roles WHERE rolsuper", 0, NULL, &result, err) < 0)
        return -1;
    for (int i = 0; i < PQntuples(result); i++)
        strvec_push(ret, pg_cell(result, i, 0));
    PQclear(result);
    return 0;
}

/* What must belong to a superuser goes to the target's own when the map would give it to somebody else. */
static int keep_superusers(Restore *restore, Error *err)
{
    _cleanup_(strvec_done) StrVec known = {0};
    if (superusers(restore, &known, err) < 0)
        return -1;
    for (size_t i = 0; i < restore->toc->n_entries; i++) {
        TocEntry *entry = &restore->toc->entries[i];
        if (!needs_superuser(entry) || strvec_contains(&known, entry->owner) || restore->target.superuser_name == NULL)
            continue;
        findings_add(restore->findings, FINDING_NOTE, "superuser-kept", NULL,
                     "%s %s must belong to a superuser: it goes to \"%s\", not to \"%s\"", entry->desc, entry->tag,
                     restore->target.superuser_name, entry->owner);
        entry->owner = toc_strdup(restore->toc, restore->target.superuser_name);
    }
    return 0;
}

static int check_map(Restore *restore, Error *err)
{
    const DbFacts *facts = restore->manifest ? &restore->manifest->database.facts : NULL;
    if (rolemap_survey(restore->toc, facts, restore->options->map, &restore->report->roles, err) < 0)
        return -1;
    rolemap_check(restore->options->map, &restore->report->roles, restore->findings);
    if (map_bootstrap(restore, err) < 0)
        return -1;
    check_roles(restore);
    check_superuser_owner(restore);
    if (findings_count(restore->findings, FINDING_ERROR) > 0)
        return 0;
    if (rolemap_apply(restore->options->map, restore->toc, err) < 0 || keep_superusers(restore, err) < 0)
        return -1;
    const TocEntry *database = toc_find_first(restore->toc, "DATABASE", "");
    restore->owner = database && database->owner && *database->owner ? xstrdup(database->owner) : NULL;
    return 0;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The role that owns most tables; borrowed from the TOC, NULL without tables. */
static const char *owner_of_most_tables(const Toc *toc)
{
    const char **owners = xcalloc(toc->n_entries, sizeof *owners);
    size_t n = 0;
    for (size_t i = 0; i < toc->n_entries; i++) {
        const TocEntry *entry = &toc->entries[i];
        if (toc_entry_is(entry, "TABLE") && entry->owner && *entry->owner)
            owners[n++] = entry->owner;
    }
    qsort(owners, n, sizeof *owners, by_text);
    const char *best = NULL;
    for (size_t i = 0, most = 0, first = 0; i < n; i++) {
        if (strcmp(owners[i], owners[first]) != 0)
            first = i;
        if (i - first + 1 > most) {
            most = i - first + 1;
            best = owners[i];
        }
    }
    free(owners);
    return best;
}

/* The role whose eyes the probe uses; none where there is no table to look at. */
static void choose_app_role(Restore *restore)
{
    const char *asked = restore->options->app_role;
    restore->report->app_role = xstrdup_null(asked ? asked : owner_of_most_tables(restore->toc));
}

/* The probe would find out only at the end. */
static void check_app_role(Restore *restore)
{
    const char *role = restore->report->app_role;
    bool made = false;
    for (size_t i = 0; role && i < restore->report->roles.n; i++)
        made |= restore->options->create_roles && role_is_needed(&restore->report->roles.v[i]) &&
                strcmp(restore->report->roles.v[i].new_name, role) == 0;
    if (restore->options->app_role && !made && !strvec_contains(&restore->target.roles, role))
        problem(restore, "app-role-missing", "Name a role of the target, as it is called after the map.",
                "role \"%s\", whose access is to be probed, does not exist on the target", role);
}

static int check_standbys(Restore *restore, Error *err)
{
    PgConn *conn;
    if (restore->options->wait_standbys <= 0)
        return 0;
    return target_closing(restore, &conn, err) < 0 ? -1 : standbys_check(conn, restore->findings, err);
}

int restore_check(Restore *restore, Error *err)
{
    if (restore->manifest && check_manifest(restore, err) < 0)
        return -1;
    if (targetdb_name(restore->options->db, &restore->database, err) < 0 || target_connect_admin(restore, err) < 0 ||
        catalog_target(restore->admin, restore->options->db, restore->database, &restore->target, err) < 0)
        return -1;
    restore->report->database = xstrdup(restore->database);
    if ((!restore->plan && target_lock(restore, err) < 0) || rights_connect(restore, err) < 0 ||
        rights_settle(restore, err) < 0)
        return -1;
    check_server(restore);
    int major = restore->target.server_version_num / 10000, needs = toc_minor_needs(restore->toc->minor);
    Error tools = ERROR_INIT;
    if (pgtools_find(restore->options->pg_bindir, major > needs ? major : needs, &restore->tools, &tools) < 0)
        problem(restore, "tools", tools.hint[0] ? tools.hint : NULL, "%s", tools.message);
    check_existing(restore);
    check_extensions(restore);
    check_tablespaces(restore);
    restore_check_schema(restore);
    restore_check_secrets(restore);
    check_preamble(restore);
    if (check_locale(restore, err) < 0 || check_map(restore, err) < 0 || check_downgrade(restore, err) < 0)
        return -1;
    if (findings_count(restore->findings, FINDING_ERROR) == 0 &&
        (rights_check(restore, err) < 0 || target_check_swap(restore, err) < 0))
        return -1;
    if (target_check_leftovers(restore, err) < 0 ||
        catalog_lock_estimate(restore->admin, check_ownership_locks(restore), 1, restore->findings, err) < 0)
        return -1;
    choose_app_role(restore);
    check_app_role(restore);
    return check_standbys(restore, err);
}
