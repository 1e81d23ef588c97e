/* Creating the roles that a restore needs. */
#include <string.h>

#include "kura/mem.h"
#include "kura/secret.h"
#include "kura/sqllex.h"
#include "kura/stop.h"
#include "kura/words.h"
#include "restore_priv.h"

/* The recorded role that a new name stands for: the first one that maps to it. */
static const DbRole *recorded_role(const Restore *restore, const char *name)
{
    const DbFacts *facts = restore->manifest ? &restore->manifest->database.facts : NULL;
    for (size_t i = 0; facts && i < facts->n_roles; i++) {
        const char *mapped = rolemap_lookup(restore->options->map, facts->roles[i].name);
        if (mapped && strcmp(mapped, name) == 0)
            return &facts->roles[i];
    }
    return NULL;
}

/* What ALTER ROLE .. SET gave it in the whole cluster is for the administrator to decide. */
static void note_settings(Restore *restore, const DbRole *role, const char *quoted)
{
    for (size_t i = 0; role && i < role->settings.n; i++) {
        const char *setting = role->settings.v[i];
        int name_len = (int)strcspn(setting, "=");
        _cleanup_free_ char *hint =
            xasprintf(_("If it should hold here too: ALTER ROLE %s SET %.*s = ..; (it was: %s)"), quoted, name_len,
                      setting, setting);
        findings_add(restore->findings, FINDING_NOTE, "role-setting", hint,
                     "role %s was created without its setting of %.*s", quoted, name_len, setting);
    }
}

PgConn **role_conn(Restore *restore)
{
    bool helped = restore->limited && !restore->self.createrole && restore->helper;
    return helped ? &restore->helper : &restore->admin;
}

/* With the mark in the same transaction: whatever is killed, a role of a rehearsal is known for one. */
static int create_marked(Restore *restore, const char *quoted, Error *err)
{
    _cleanup_free_ char *mark = sql_quote_literal(restore->options->trial->role_mark);
    return pg_execf(*role_conn(restore), err, "CREATE ROLE %s NOLOGIN; COMMENT ON ROLE %s IS %s", quoted, quoted, mark);
}

/* " PASSWORD '..'" with a verifier, which is no password; NULL: nobody knows one. *ret to be freed. */
static int password_clause(Restore *restore, const char *name, char **ret, Error *err)
{
    const RestoreOptions *options = restore->options;
    *ret = NULL;
    char *password = options->password ? options->password(options->password_ctx, name) : NULL;
    if (password == NULL)
        return 0;
    PGconn *conn = pg_raw(*role_conn(restore));
    char *verifier = PQencryptPasswordConn(conn, password, name, "scram-sha-256");
    secret_wipe(password, strlen(password));
    free(password);
    if (verifier == NULL)
        return error_set(err, ERR_FAILED, "no password could be made for role \"%s\"", name);
    _cleanup_free_ char *literal = sql_quote_literal(verifier);
    PQfreemem(verifier);
    *ret = xasprintf(" PASSWORD %s", literal);
    return 0;
}

static void tell_created(Restore *restore, const DbRole *role, const char *quoted, bool password)
{
    bool login = role && role->login;
    findings_add(restore->findings, FINDING_NOTE, "role-created",
                 login && !password
                     ? N_("Set its password with \\password in psql, and put it into the application's configuration.")
                     : NULL,
                 password ? N_("role %s was created, with the password that the application's configuration has for it")
                 : login  ? N_("role %s was created, without a password")
                          : N_("role %s was created and may not log in"),
                 quoted);
    if (role && (role->superuser || role->bypassrls || role->replication))
        findings_add(restore->findings, FINDING_WARNING, "role-power",
                     "Grant it with ALTER ROLE if the application needs it.",
                     "role %s was created without SUPERUSER, BYPASSRLS and REPLICATION, some of which role \"%s\" had",
                     quoted, role->name);
}

/* Never a superuser, and never a member of a predefined role, whatever the source had: kura hands out no such power. */
static int create_role(Restore *restore, const char *name, Error *err)
{
    const DbRole *role = recorded_role(restore, name);
    _cleanup_free_ char *quoted = sql_quote_ident(name), *password = NULL;
    bool login = role && role->login, trial = restore->options->trial != NULL;
    if (login && !trial && password_clause(restore, name, &password, err) < 0)
        return error_wrap(err, "creating role %s", quoted);
    stop_hold(); /* so that a role that was made is always known to be ours */
    int rc = trial ? create_marked(restore, quoted, err)
                   : pg_execf(*role_conn(restore), err, "CREATE ROLE %s %s %s %s %s CONNECTION LIMIT %d%s", quoted,
                              login ? "LOGIN" : "NOLOGIN", !role || role->inherit ? "INHERIT" : "NOINHERIT",
                              role && role->createdb ? "CREATEDB" : "NOCREATEDB",
                              role && role->createrole ? "CREATEROLE" : "NOCREATEROLE",
                              role ? role->connection_limit : -1, password ? password : "");
    stop_release();
    if (rc < 0)
        return error_wrap(err, "creating role %s", quoted);
    strvec_push(&restore->created_roles, name);
    if (trial)
        return 0;
    note_settings(restore, role, quoted);
    tell_created(restore, role, quoted, password != NULL);
    return 0;
}

/* Who may make others members of a role that was there before: a superuser, or who administers it. */
static bool may_grant(Restore *restore, const char *role)
{
    if (!restore->limited || strvec_contains(&restore->created_roles, role))
        return true;
    const CatalogRights *rights = *role_conn(restore) == restore->helper ? &restore->aid : &restore->self;
    return rights->superuser || strvec_contains(&rights->grants, role);
}

static int grant_memberships(Restore *restore, const char *name, Error *err)
{
    const DbRole *role = recorded_role(restore, name);
    for (size_t i = 0; role && i < role->member_of.n; i++) {
        const char *of = rolemap_lookup(restore->options->map, role->member_of.v[i]);
        if (of == NULL || strcmp(of, name) == 0)
            continue;
        bool made = strvec_contains(&restore->created_roles, of);
        if (restore->options->trial && !made && !rolemap_is_fixed(of))
            continue; /* it has nothing in this database, and what it has elsewhere is none of a rehearsal's business */
        bool known = made || strvec_contains(&restore->target.roles, of);
        _cleanup_free_ char *member = sql_quote_ident(name), *group = sql_quote_ident(of);
        if (rolemap_is_fixed(of) || !known || !may_grant(restore, of)) {
            _cleanup_free_ char *hint = xasprintf(_("If it needs that: GRANT %s TO %s;"), group, member);
            findings_add(restore->findings, FINDING_WARNING, "role-membership", hint,
                         "role %s was not made a member of %s", member, group);
        } else if (pg_execf(*role_conn(restore), err, "GRANT %s TO %s", group, member) < 0) {
            return error_wrap(err, "making role %s a member of %s", member, group);
        }
    }
    return 0;
}

bool role_is_needed(const RoleUse *use)
{
    return use->new_name && !rolemap_is_fixed(use->new_name) &&
           (use->owns || use->grants || use->granted_by || use->default_acls || use->policies || use->user_mappings ||
            use->settings || use->owns_database);
}

int target_create_roles(Restore *restore, Error *err)
{
    const RoleUses *uses = &restore->report->roles;
    for (size_t i = 0; i < uses->n; i++) {
        const char *name = uses->v[i].new_name;
        if (role_is_needed(&uses->v[i]) && !strvec_contains(&restore->target.roles, name) &&
            !strvec_contains(&restore->created_roles, name) && create_role(restore, name, err) < 0)
            return -1;
    }
    for (size_t i = 0; i < restore->created_roles.n; i++)
        if (grant_memberships(restore, restore->created_roles.v[i], err) < 0)
            return -1;
    return 0;
}
