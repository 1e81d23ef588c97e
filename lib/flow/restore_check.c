/* All that can go wrong is looked for before the first statement, and all of it is reported at once. */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "kura/mem.h"
#include "kura/sqllex.h"
#include "restore_priv.h"

enum { SUFFIX_DIGITS = 4 };

static void problem(Restore *restore, const char *code, const char *hint, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void problem(Restore *restore, const char *code, const char *hint, const char *format, ...)
{
    char text[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    findings_add(restore->findings, FINDING_ERROR, code, hint, "%s", text);
}

/* The database a connection string names: libpq's own rules, a bare word is a name. */
static int target_name(const char *conninfo, char **ret, Error *err)
{
    bool is_string = strchr(conninfo, '=') || strncmp(conninfo, "postgres://", 11) == 0 ||
                     strncmp(conninfo, "postgresql://", 13) == 0;
    *ret = NULL;
    if (!is_string) {
        *ret = xstrdup(conninfo);
    } else {
        char *message = NULL;
        PQconninfoOption *options = PQconninfoParse(conninfo, &message);
        if (options == NULL) {
            error_set(err, ERR_USAGE, "the connection string is not understood: %s", message ? message : "");
            PQfreemem(message);
            return -1;
        }
        for (PQconninfoOption *option = options; option->keyword; option++)
            if (strcmp(option->keyword, "dbname") == 0)
                *ret = xstrdup_null(option->val);
        PQconninfoFree(options);
    }
    if (*ret == NULL)
        *ret = xstrdup_null(getenv("PGDATABASE"));
    if (*ret && **ret)
        return 0;
    free(*ret);
    *ret = NULL;
    error_set(err, ERR_USAGE, "the connection string names no database");
    return error_hint(err, "Add dbname=NAME: the database that will exist after the restore.");
}

static int connect_admin(Restore *restore, Error *err)
{
    PgOptions pg = {.dbname = "postgres"};
    if (pg_connect(restore->options->db, &pg, &restore->admin, err) == 0)
        return 0;
    if (strcmp(err->sqlstate, "3D000") != 0 && strstr(err->message, "\"postgres\" does not exist") == NULL)
        return -1;
    error_clear(err);
    pg.dbname = "template1";
    return pg_connect(restore->options->db, &pg, &restore->admin, err);
}

/* name + ending within the 63 bytes of an identifier: the name gives way. */
static char *name_with(const char *name, const char *ending)
{
    enum { IDENTIFIER_MAX = 63 };
    size_t room = IDENTIFIER_MAX - strlen(ending), len = strlen(name);
    if (len > room) {
        len = room;
        while (len > 0 && ((unsigned char)name[len] & 0xc0) == 0x80)
            len--; /* not in the middle of a UTF-8 character */
    }
    return xasprintf("%.*s%s", (int)len, name, ending);
}

static char *free_name(const Restore *restore, const char *middle)
{
    for (;;) {
        unsigned number;
        if (getrandom(&number, sizeof number, 0) != sizeof number)
            abort();
        _cleanup_free_ char *ending = xasprintf("_%s_%0*x", middle, SUFFIX_DIGITS, number & 0xffff);
        char *name = name_with(restore->database, ending);
        if (!strvec_contains(&restore->target.databases, name))
            return name;
        free(name);
    }
}

static int check_existing(Restore *restore, Error *err)
{
    restore->scratch = free_name(restore, "kura");
    if (!restore->target.database_exists)
        return 0;
    if (!restore->target.database_empty && !restore->options->swap)
        problem(restore, "database-exists",
                "Use --swap to put the restored one in its place (the old one is kept under another name), or restore "
                "under another name.",
                "database \"%s\" exists and is not empty", restore->database);
    if (restore->manifest) {
        _cleanup_free_ char *ending = xasprintf("_before_%s", restore->manifest->id);
        restore->kept = name_with(restore->database, ending);
    }
    if (restore->kept == NULL || strvec_contains(&restore->target.databases, restore->kept)) {
        free(restore->kept);
        restore->kept = free_name(restore, "before");
    }
    restore->report->replaced = xstrdup(restore->kept);
    const char *params[] = {restore->database};
    _cleanup_free_ char *sessions = NULL;
    if (pg_query_value(restore->admin, "SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity WHERE datname = $1",
                       1, params, &sessions, err) < 0)
        return -1;
    if (strcmp(sessions, "0") != 0)
        findings_add(restore->findings, FINDING_NOTE, "database-in-use",
                     "Stop the application before the restore ends: a database in use cannot be renamed.",
                     "%s session%s connected to database \"%s\"", sessions,
                     strcmp(sessions, "1") == 0 ? " is" : "s are", restore->database);
    return 0;
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
        problem(
            restore, "older-server",
            "Restore into PostgreSQL of the same or a newer major, or say --allow-downgrade (its SQL may fail there).",
            "the target server is PostgreSQL %d, the source was %d", major, source);
}

static void check_extensions(Restore *restore)
{
    for (size_t i = 0; i < restore->toc->n_entries; i++) {
        const TocEntry *entry = &restore->toc->entries[i];
        if (strcmp(entry->desc ? entry->desc : "", "EXTENSION") != 0 || entry->tag == NULL ||
            strvec_contains(&restore->target.extensions, entry->tag))
            continue;
        _cleanup_free_ char *hint =
            xasprintf("Install the package that brings it (apt search postgresql-%d %s); without it indexes and "
                      "columns that need it could not be restored.",
                      restore->target.server_version_num / 10000, entry->tag);
        problem(restore, "extension-missing", hint, "extension \"%s\" is not available on the target server",
                entry->tag);
    }
}

static void check_tablespaces(Restore *restore)
{
    StrVec told = {0};
    for (size_t i = 0; i < restore->toc->n_entries; i++) {
        const char *name = restore->toc->entries[i].tablespace;
        if (name == NULL || *name == 0 || strvec_contains(&restore->target.tablespaces, name) ||
            strvec_contains(&told, name))
            continue;
        strvec_push(&told, name);
        restore->no_tablespaces = true;
        findings_add(restore->findings, FINDING_WARNING, "tablespace-missing",
                     "Create it first with CREATE TABLESPACE if the data should be there.",
                     "tablespace \"%s\" does not exist on the target; everything goes into the default one", name);
    }
    strvec_done(&told);
}

/* A new role's uses that need it to exist. */
static size_t hard_uses(const RoleUse *use)
{
    return use->owns + use->grants + use->granted_by + use->default_acls + use->policies + use->user_mappings +
           use->settings + use->owns_database;
}

static void check_roles(Restore *restore)
{
    const RoleUses *uses = &restore->report->roles;
    for (size_t i = 0; i < uses->n; i++) {
        const RoleUse *use = &uses->v[i];
        if (use->new_name == NULL || rolemap_is_fixed(use->new_name) || hard_uses(use) == 0)
            continue;
        for (size_t j = 0; j < i; j++)
            restore->merges |= uses->v[j].new_name && strcmp(uses->v[j].new_name, use->new_name) == 0;
        if (restore->options->create_roles || strvec_contains(&restore->target.roles, use->new_name))
            continue;
        _cleanup_free_ char *old = sql_quote_ident(use->name);
        _cleanup_free_ char *hint = xasprintf("Map it with --map %s=ROLE, drop its grants with --map %s=@drop, or "
                                              "create what is missing with --create-roles.",
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
        if (changed && use->ruled && use->owns > 0 && restore->target.superuser_name &&
            strcmp(use->new_name, restore->target.superuser_name) == 0)
            findings_add(
                restore->findings, FINDING_WARNING, "superuser-owner", "Map it to the application's own role instead.",
                "%zu objects of role \"%s\" would belong to superuser \"%s\"", use->owns, use->name, use->new_name);
    }
}

static const char *database_owner(const Restore *restore)
{
    for (size_t i = 0; i < restore->toc->n_entries; i++)
        if (restore->toc->entries[i].desc && strcmp(restore->toc->entries[i].desc, "DATABASE") == 0)
            return restore->toc->entries[i].owner;
    return NULL;
}

/* Types whose owner the server wants to be a superuser. */
static bool needs_superuser(const TocEntry *entry)
{
    if (entry->desc == NULL || entry->owner == NULL || *entry->owner == 0)
        return false;
    return strcmp(entry->desc, "FOREIGN DATA WRAPPER") == 0 || strcmp(entry->desc, "EVENT TRIGGER") == 0 ||
           strcmp(entry->desc, "SUBSCRIPTION") == 0 ||
           (strcmp(entry->desc, "PUBLICATION") == 0 && entry->defn && strstr(entry->defn, " FOR ALL TABLES"));
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
    const char *owner = database_owner(restore);
    restore->owner = owner && *owner ? xstrdup(owner) : NULL;
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
        if (entry->desc && strcmp(entry->desc, "TABLE") == 0 && entry->owner && *entry->owner)
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

/* The role whose eyes the probe uses. */
static void choose_app_role(Restore *restore)
{
    const char *owner = owner_of_most_tables(restore->toc);
    restore->report->app_role = xstrdup_null(restore->options->app_role ? restore->options->app_role
                                             : owner                    ? owner
                                                                        : restore->owner);
}

int restore_check(Restore *restore, Error *err)
{
    if (target_name(restore->options->db, &restore->database, err) < 0 || connect_admin(restore, err) < 0 ||
        catalog_target(restore->admin, restore->options->db, restore->database, &restore->target, err) < 0)
        return -1;
    restore->report->database = xstrdup(restore->database);
    check_server(restore);
    int major = restore->target.server_version_num / 10000, needs = toc_minor_needs(restore->toc->minor);
    Error tools = ERROR_INIT;
    if (pgtools_find(restore->options->pg_bindir, major > needs ? major : needs, &restore->tools, &tools) < 0)
        problem(restore, "tools", tools.hint[0] ? tools.hint : NULL, "%s", tools.message);
    if (check_existing(restore, err) < 0)
        return -1;
    check_extensions(restore);
    check_tablespaces(restore);
    if (check_map(restore, err) < 0)
        return -1;
    choose_app_role(restore);
    return 0;
}
