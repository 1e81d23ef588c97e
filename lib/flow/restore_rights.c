/* A restore without superuser: what the server lets us do is found out before the first statement, memberships are
 * borrowed for its time, and objects get their owners when everything is in them. */
#include <stdlib.h>
#include <string.h>

#include "kura/log.h"
#include "kura/mem.h"
#include "kura/sqllex.h"
#include "restore_priv.h"
#include "targetdb.h"

int target_connect_helper(Restore *restore, Error *err)
{
    pg_close(restore->helper);
    restore->helper = NULL;
    if (targetdb_connect_admin(restore->options->admin_db, restore->database, &restore->helper, err) < 0)
        return error_wrap(err, "the connection of --admin-db");
    return 0;
}

int target_helper(Restore *restore, Error *err)
{
    Error lost = ERROR_INIT;
    if (restore->helper && pg_exec(restore->helper, "SELECT 1", &lost) == 0)
        return 0;
    return target_connect_helper(restore, err);
}

/* Another server, or another cluster behind the same name, would get the grants. */
static int check_same_server(Restore *restore, Error *err)
{
    static const char *const started = "SELECT pg_catalog.pg_postmaster_start_time()::pg_catalog.text || "
                                       "(SELECT oid::pg_catalog.text FROM pg_catalog.pg_database WHERE datname = "
                                       "'template0')";
    _cleanup_free_ char *ours = NULL, *theirs = NULL;
    if (pg_query_value(restore->admin, started, 0, NULL, &ours, err) < 0 ||
        pg_query_value(restore->helper, started, 0, NULL, &theirs, err) < 0)
        return -1;
    if (strcmp(ours, theirs) == 0)
        return 0;
    error_set(err, ERR_USAGE, "--admin-db is a connection to another server than --db");
    return error_hint(err, "Both must reach the same PostgreSQL server; only the role may differ.");
}

int rights_connect(Restore *restore, Error *err)
{
    if (restore->target.superuser || restore->options->admin_db == NULL)
        return 0;
    if (target_connect_helper(restore, err) < 0 || check_same_server(restore, err) < 0)
        return -1;
    return catalog_rights(restore->helper, &restore->aid, err);
}

static void want(StrVec *wanted, const char *role)
{
    if (role && *role && !rolemap_is_fixed(role) && !strvec_contains(wanted, role))
        strvec_push(wanted, role);
}

/* The roles that statements of a text are run as, or that it sets something for: SET SESSION AUTHORIZATION role; ALTER
 * ROLE role IN DATABASE. */
static void want_named(StrVec *wanted, const char *sql)
{
    SqlLexer lexer = {.text = sql ? sql : "", .len = sql ? strlen(sql) : 0};
    SqlToken token, before[2] = {0};
    while (sql_next(&lexer, &token, NULL) == 0 && token.kind != SQL_END) {
        if (token.kind == SQL_SPACE || token.kind == SQL_COMMENT)
            continue;
        bool session =
            before[1].start && sql_is_word(&before[0], "session") && sql_is_word(&before[1], "authorization");
        bool alter = before[1].start && sql_is_word(&before[0], "alter") && sql_is_word(&before[1], "role");
        _cleanup_free_ char *name = session || alter ? sql_ident_value(&token) : NULL;
        want(wanted, name);
        before[0] = before[1].start ? before[1] : token;
        before[1] = token;
    }
}

static int want_owner_of_existing(Restore *restore, StrVec *wanted, Error *err)
{
    if (restore->kept == NULL)
        return 0;
    const char *params[] = {restore->database};
    _cleanup_free_ char *owner = NULL;
    if (pg_query_value(restore->admin,
                       "SELECT pg_catalog.pg_get_userbyid(datdba) FROM pg_catalog.pg_database WHERE datname = $1", 1,
                       params, &owner, err) < 0)
        return -1;
    want(wanted, owner);
    return 0;
}

/* The roles that the restoring one has to act as. */
static int wanted_roles(Restore *restore, StrVec *ret, Error *err)
{
    for (size_t i = 0; i < restore->toc->n_entries; i++) {
        const TocEntry *entry = &restore->toc->entries[i];
        want(ret, entry->owner);
        if (toc_entry_is(entry, "ACL") || toc_entry_is(entry, "DATABASE PROPERTIES"))
            want_named(ret, entry->defn);
    }
    want(ret, restore->owner);
    want(ret, restore->options->app_role);
    return want_owner_of_existing(restore, ret, err);
}

static bool may_grant(const CatalogRights *rights, const char *role, bool created, bool before_16)
{
    if (created)
        return rights->createrole || rights->superuser;
    return strvec_contains(&rights->grants, role) || (before_16 && rights->superuser);
}

/* How each wanted role is had: as it is, borrowed through one of the connections, or not at all. Membership in a
 * superuser is superuser: that is never borrowed. */
static void plan_loans(Restore *restore, const StrVec *wanted)
{
    bool before_16 = restore->target.server_version_num < 160000;
    bool helps = !before_16 || restore->self.inherits; /* else being a member gives it nothing by itself */
    for (size_t i = 0; i < wanted->n; i++) {
        const char *role = wanted->v[i];
        bool created = !strvec_contains(&restore->target.roles, role);
        if (strvec_contains(&restore->self.superusers, role) || (created && !restore->options->create_roles))
            continue;
        bool has = strvec_contains(&restore->self.becomes, role) && !strvec_contains(&restore->still_lent, role);
        bool self = !has && helps && may_grant(&restore->self, role, created, before_16);
        bool helper = !has && helps && !self && restore->helper && may_grant(&restore->aid, role, created, before_16);
        if (has || self || helper)
            strvec_push(&restore->becomes, role);
        if (self || helper)
            strvec_push(self ? &restore->borrow_self : &restore->borrow_helper, role);
    }
    if (!strvec_contains(&restore->becomes, restore->self.user))
        strvec_push(&restore->becomes, restore->self.user);
}

/* What template1 has is there in a database made from it. */
static int look_at_template1(Restore *restore, CatalogExtensions *ret, bool *ret_bare, Error *err)
{
    PgConn *conn;
    Error refused = ERROR_INIT;
    *ret_bare = false;
    if (pg_connect(restore->options->db, &(PgOptions){.dbname = "template1"}, &conn, &refused) < 0) {
        log_debug("looking into template1: %s", refused.message);
        if (catalog_extensions(restore->admin, ret, err) < 0)
            return -1;
        for (size_t i = 0; i < ret->n; i++)
            ret->v[i].present = false;
        return 0;
    }
    int rc = catalog_extensions(conn, ret, err);
    if (rc == 0)
        rc = catalog_is_bare(conn, ret_bare, err);
    pg_close(conn);
    return rc;
}

/* The database's own owner is given at the end, its name too. */
static void check_database_owner(Restore *restore)
{
    const char *owner = restore->owner;
    if (owner == NULL || strvec_contains(&restore->becomes, owner) || restore->aid.superuser)
        return;
    findings_add(restore->findings, FINDING_ERROR, "not-a-member", rights_membership_hint,
                 "role \"%s\" is no superuser and may not give the database to role \"%s\"", restore->self.user, owner);
}

static void check_role_creation(Restore *restore)
{
    if (!restore->options->create_roles || restore->self.createrole || restore->aid.createrole ||
        restore->aid.superuser)
        return;
    for (size_t i = 0; i < restore->report->roles.n; i++) {
        const RoleUse *use = &restore->report->roles.v[i];
        if (role_is_needed(use) && !strvec_contains(&restore->target.roles, use->new_name))
            findings_add(restore->findings, FINDING_ERROR, "no-createrole",
                         "Let an administrator create it, map it with --map, or give a connection that may with "
                         "--admin-db.",
                         "role \"%s\" does not exist, and role \"%s\" may not create roles", use->new_name,
                         restore->self.user);
    }
}

static void note_loans(Restore *restore, const StrVec *roles, const char *by)
{
    for (size_t i = 0; i < roles->n; i++)
        findings_add(restore->findings, FINDING_NOTE, "membership-borrowed", NULL,
                     "\"%s\" is made a member of role \"%s\" by \"%s\" while the restore runs", restore->self.user,
                     roles->v[i], by);
}

static int make_plan(Restore *restore, Error *err)
{
    CatalogExtensions extensions = {0};
    RightsFacts facts = {.self = restore->self.user,
                         .server_version_num = restore->target.server_version_num,
                         .self_managed = restore->self.managed,
                         .admin_superuser = restore->aid.superuser,
                         .admin_managed = restore->aid.managed,
                         .becomes = &restore->becomes,
                         .superusers = &restore->self.superusers,
                         .extensions = &extensions};
    if (look_at_template1(restore, &extensions, &facts.template1_bare, err) < 0)
        return -1;
    restore->limited = true;
    rights_plan(restore->toc, &facts, &restore->rights, restore->findings);
    catalog_extensions_done(&extensions);
    check_database_owner(restore);
    check_role_creation(restore);
    return 0;
}

int rights_check(Restore *restore, Error *err)
{
    if (restore->target.superuser)
        return 0;
    _cleanup_(strvec_done) StrVec wanted = {0};
    if (catalog_rights(restore->admin, &restore->self, err) < 0 || wanted_roles(restore, &wanted, err) < 0)
        return -1;
    plan_loans(restore, &wanted);
    note_loans(restore, &restore->borrow_self, restore->self.user);
    note_loans(restore, &restore->borrow_helper, restore->aid.user ? restore->aid.user : "");
    return make_plan(restore, err);
}

void rights_done(Restore *restore)
{
    pg_close(restore->helper);
    catalog_rights_done(&restore->self);
    catalog_rights_done(&restore->aid);
    strvec_done(&restore->becomes);
    strvec_done(&restore->borrow_self);
    strvec_done(&restore->borrow_helper);
    strvec_done(&restore->still_lent);
    loans_done(&restore->loans);
    free(restore->ledger);
    rights_plan_done(&restore->rights);
}

size_t entry_place(const Restore *restore, const TocEntry *entry)
{
    return (size_t)(entry - restore->toc->entries);
}

Doer entry_doer(const Restore *restore, const TocEntry *entry)
{
    return restore->limited ? (Doer)restore->rights.make[entry_place(restore, entry)] : DOER_SELF;
}
