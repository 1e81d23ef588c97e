#include <stdlib.h>
#include <string.h>

#include "kura/clock.h"
#include "kura/log.h"
#include "kura/mem.h"
#include "kura/sqllex.h"
#include "kura/stop.h"
#include "restore_priv.h"

enum { RENAME_WAIT_SECONDS = 10 };

int target_connect(const Restore *restore, const atomic_bool *give_up, PgConn **ret, Error *err)
{
    PgOptions pg = {.dbname = restore->scratch, .give_up = give_up};
    if (pg_connect(restore->options->db, &pg, ret, err) < 0)
        return -1;
    if (catalog_session_setup(*ret, err) < 0 || pg_exec(*ret, "SET synchronous_commit = off", err) < 0) {
        pg_close(*ret);
        *ret = NULL;
        return -1;
    }
    return 0;
}

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

/* Never a superuser, and never a member of a predefined role, whatever the source had: kura hands out no such power. */
static int create_role(Restore *restore, const char *name, Error *err)
{
    const DbRole *role = recorded_role(restore, name);
    _cleanup_free_ char *quoted = sql_quote_ident(name);
    bool login = role && role->login;
    if (pg_execf(restore->admin, err, "CREATE ROLE %s %s %s %s %s CONNECTION LIMIT %d", quoted,
                 login ? "LOGIN" : "NOLOGIN", !role || role->inherit ? "INHERIT" : "NOINHERIT",
                 role && role->createdb ? "CREATEDB" : "NOCREATEDB",
                 role && role->createrole ? "CREATEROLE" : "NOCREATEROLE", role ? role->connection_limit : -1) < 0)
        return error_wrap(err, "creating role %s", quoted);
    strvec_push(&restore->created_roles, name);
    findings_add(restore->findings, FINDING_NOTE, "role-created",
                 login ? "Set its password with \\password in psql, and put it into the application's configuration."
                       : NULL,
                 "role %s was created%s", quoted, login ? ", without a password" : " and may not log in");
    if (role && (role->superuser || role->bypassrls || role->replication))
        findings_add(restore->findings, FINDING_WARNING, "role-power",
                     "Grant it with ALTER ROLE if the application needs it.",
                     "role %s was created without SUPERUSER, BYPASSRLS and REPLICATION, some of which role \"%s\" had",
                     quoted, role->name);
    return 0;
}

static int grant_memberships(Restore *restore, const char *name, Error *err)
{
    const DbRole *role = recorded_role(restore, name);
    for (size_t i = 0; role && i < role->member_of.n; i++) {
        const char *of = rolemap_lookup(restore->options->map, role->member_of.v[i]);
        if (of == NULL || strcmp(of, name) == 0)
            continue;
        bool known = strvec_contains(&restore->target.roles, of) || strvec_contains(&restore->created_roles, of);
        _cleanup_free_ char *member = sql_quote_ident(name), *group = sql_quote_ident(of);
        if (rolemap_is_fixed(of) || !known) {
            _cleanup_free_ char *hint = xasprintf("If it needs that: GRANT %s TO %s;", group, member);
            findings_add(restore->findings, FINDING_WARNING, "role-membership", hint,
                         "role %s was not made a member of %s", member, group);
        } else if (pg_execf(restore->admin, err, "GRANT %s TO %s", group, member) < 0) {
            return error_wrap(err, "making role %s a member of %s", member, group);
        }
    }
    return 0;
}

/* Whether a use of a role needs it to exist: mentions in strings do not. */
static bool is_needed(const RoleUse *use)
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
        if (is_needed(&uses->v[i]) && !strvec_contains(&restore->target.roles, name) &&
            !strvec_contains(&restore->created_roles, name) && create_role(restore, name, err) < 0)
            return -1;
    }
    for (size_t i = 0; i < restore->created_roles.n; i++)
        if (grant_memberships(restore, restore->created_roles.v[i], err) < 0)
            return -1;
    return 0;
}

static const TocEntry *find_entry(const Toc *toc, const char *desc, const char *tag_prefix)
{
    for (size_t i = 0; i < toc->n_entries; i++) {
        const TocEntry *entry = &toc->entries[i];
        if (entry->desc && strcmp(entry->desc, desc) == 0 && entry->tag &&
            strncmp(entry->tag, tag_prefix, strlen(tag_prefix)) == 0)
            return entry;
    }
    return NULL;
}

/* Copies SQL with the name behind every word DATABASE replaced, one statement after the other into *ret; a TABLESPACE
 * clause goes if asked. */
static int retarget(const char *sql, const char *name, bool drop_tablespace, StrVec *ret, Error *err)
{
    _cleanup_free_ SqlToken *tokens = NULL;
    size_t n;
    if (sql_tokens(sql, strlen(sql), &tokens, &n, err) < 0)
        return -1;
    _cleanup_(buf_done) Buf out = BUF_INIT(64 * 1024 * 1024);
    bool after_database = false, in_tablespace = false, has_words = false;
    for (size_t i = 0; tokens[i].kind != SQL_END; i++) {
        const SqlToken *token = &tokens[i];
        bool ident = token->kind == SQL_IDENT || token->kind == SQL_QUOTED_IDENT;
        if (sql_is_punct(token, ";")) {
            if (has_words)
                strvec_push(ret, buf_str(&out));
            buf_clear(&out);
            has_words = in_tablespace = false;
            continue;
        }
        if (token->kind == SQL_COMMENT)
            continue;
        if (drop_tablespace && sql_is_word(token, "tablespace"))
            in_tablespace = true;
        if (in_tablespace) {
            in_tablespace = !ident || sql_is_word(token, "tablespace");
            continue;
        }
        if (after_database && ident) {
            sql_append_ident(&out, name);
            after_database = false;
        } else if (buf_append(&out, token->start, token->len, err) < 0) {
            return -1;
        } else if (token->kind != SQL_SPACE) {
            after_database = sql_is_word(token, "database");
        }
        has_words |= token->kind != SQL_SPACE;
    }
    if (has_words)
        strvec_push(ret, buf_str(&out));
    return 0;
}

int target_create_database(Restore *restore, Error *err)
{
    _cleanup_(strvec_done) StrVec statements = {0};
    _cleanup_free_ char *quoted = sql_quote_ident(restore->scratch);
    const TocEntry *entry = find_entry(restore->toc, "DATABASE", "");
    if (entry && entry->defn && retarget(entry->defn, restore->scratch, restore->no_tablespaces, &statements, err) < 0)
        return error_wrap(err, "the archive's CREATE DATABASE");
    if (statements.n == 0)
        strvec_pushf(&statements, "CREATE DATABASE %s TEMPLATE template0", quoted);
    if (pg_exec(restore->admin, statements.v[0], err) < 0) {
        error_wrap(err, "creating database %s", quoted);
        if (err->hint[0] == 0)
            error_hint(err, "The statement was: %s", statements.v[0]);
        return -1;
    }
    restore->scratch_exists = true;
    return pg_execf(restore->admin, err, "REVOKE CONNECT, TEMPORARY ON DATABASE %s FROM PUBLIC", quoted);
}

/* Settings and comment: one that the target refuses (a parameter it does not know) is a warning. */
static int apply_property(Restore *restore, const TocEntry *entry, Error *err)
{
    _cleanup_(strvec_done) StrVec statements = {0};
    if (entry == NULL || entry->defn == NULL)
        return 0;
    if (retarget(entry->defn, restore->scratch, false, &statements, err) < 0)
        return error_wrap(err, "the archive's %s", entry->desc);
    for (size_t i = 0; i < statements.n; i++) {
        Error refused = ERROR_INIT;
        if (pg_exec(restore->admin, statements.v[i], &refused) == 0)
            continue;
        if (refused.code != ERR_SERVER) {
            *err = refused;
            return -1;
        }
        findings_add(restore->findings, FINDING_WARNING, "database-property", refused.hint[0] ? refused.hint : NULL,
                     "the target refused \"%s\": %s", statements.v[i], refused.message);
    }
    return 0;
}

static int apply_owner_and_acl(Restore *restore, Error *err)
{
    _cleanup_free_ char *quoted = sql_quote_ident(restore->scratch);
    _cleanup_(strvec_done) StrVec statements = {0};
    strvec_push(&statements, "BEGIN");
    strvec_pushf(&statements, "GRANT CONNECT, TEMPORARY ON DATABASE %s TO PUBLIC", quoted);
    if (restore->owner) {
        _cleanup_free_ char *owner = sql_quote_ident(restore->owner);
        strvec_pushf(&statements, "ALTER DATABASE %s OWNER TO %s", quoted, owner);
    }
    const TocEntry *acl = find_entry(restore->toc, "ACL", "DATABASE ");
    if (acl && acl->defn && retarget(acl->defn, restore->scratch, false, &statements, err) < 0)
        return error_wrap(err, "the archive's database ACL");
    strvec_push(&statements, "COMMIT");
    for (size_t i = 0; i < statements.n; i++)
        if (pg_exec(restore->admin, statements.v[i], err) < 0) {
            pg_exec(restore->admin, "ROLLBACK", NULL);
            return error_wrap(err, "owner and grants of the database");
        }
    return 0;
}

int target_properties(Restore *restore, Error *err)
{
    if (apply_property(restore, find_entry(restore->toc, "DATABASE PROPERTIES", ""), err) < 0 ||
        apply_property(restore, find_entry(restore->toc, "COMMENT", "DATABASE "), err) < 0)
        return -1;
    return apply_owner_and_acl(restore, err);
}

static int rename_once(Restore *restore, Error *err)
{
    _cleanup_free_ char *scratch = sql_quote_ident(restore->scratch), *name = sql_quote_ident(restore->database);
    int rc = pg_exec(restore->admin, "BEGIN", err);
    if (rc == 0 && restore->kept) {
        _cleanup_free_ char *kept = sql_quote_ident(restore->kept);
        rc = pg_execf(restore->admin, err, "ALTER DATABASE %s RENAME TO %s", name, kept);
    }
    if (rc == 0)
        rc = pg_execf(restore->admin, err, "ALTER DATABASE %s RENAME TO %s", scratch, name);
    if (rc == 0)
        rc = pg_exec(restore->admin, "COMMIT", err);
    if (rc < 0)
        pg_exec(restore->admin, "ROLLBACK", NULL);
    return rc;
}

int target_rename(Restore *restore, Error *err)
{
    double deadline = clock_monotonic() + RENAME_WAIT_SECONDS;
    while (rename_once(restore, err) < 0) {
        if (strcmp(err->sqlstate, "55006") != 0 || clock_monotonic() > deadline || stop_check(err) < 0) {
            error_wrap(err, "giving the restored database its name");
            if (strcmp(err->sqlstate, "55006") == 0) {
                restore->scratch_exists = false; /* it is complete: the user finishes by hand */
                error_hint(err,
                           "The restored database is complete and is called \"%s\". Stop what is connected to \"%s\", "
                           "then rename both by "
                           "hand with ALTER DATABASE .. RENAME TO.",
                           restore->scratch, restore->database);
            }
            return -1;
        }
        error_clear(err);
        struct timespec pause = {.tv_nsec = 200 * 1000 * 1000};
        nanosleep(&pause, NULL);
    }
    restore->scratch_exists = false;
    strvec_done(&restore->created_roles);
    return 0;
}

/* A database with a subscription cannot be dropped; restored ones are disabled and without a slot, so nothing else
 * hears of it. */
static int drop_subscriptions(Restore *restore, Error *err)
{
    PgConn *conn;
    PGresult *names;
    if (pg_connect(restore->options->db, &(PgOptions){.dbname = restore->scratch}, &conn, err) < 0)
        return -1;
    int rc = pg_query(
        conn,
        "SELECT pg_catalog.format('ALTER SUBSCRIPTION %1$I DISABLE; ALTER SUBSCRIPTION %1$I SET (slot_name = NONE);"
        " DROP SUBSCRIPTION %1$I', subname) FROM pg_catalog.pg_subscription WHERE subdbid ="
        " (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())",
        0, NULL, &names, err);
    for (int i = 0; rc == 0 && i < PQntuples(names); i++)
        rc = pg_exec(conn, pg_cell(names, i, 0), err);
    if (rc == 0)
        PQclear(names);
    pg_close(conn);
    return rc;
}

static int drop_database(Restore *restore, Error *err)
{
    _cleanup_free_ char *quoted = sql_quote_ident(restore->scratch);
    const char *force = restore->target.server_version_num >= 130000 ? " WITH (FORCE)" : "";
    if (pg_execf(restore->admin, err, "DROP DATABASE IF EXISTS %s%s", quoted, force) == 0)
        return 0;
    if (strcmp(err->sqlstate, "55006") == 0 && drop_subscriptions(restore, err) < 0)
        return -1;
    if (err->code == ERR_CONNECTION) {
        pg_close(restore->admin);
        restore->admin = NULL;
        if (pg_connect(restore->options->db, &(PgOptions){.dbname = "postgres"}, &restore->admin, err) < 0)
            return -1;
    }
    return pg_execf(restore->admin, err, "DROP DATABASE IF EXISTS %s%s", quoted, force);
}

void target_undo(Restore *restore)
{
    stop_hold();
    Error err = ERROR_INIT;
    if (restore->scratch_exists && drop_database(restore, &err) < 0)
        findings_add(restore->findings, FINDING_WARNING, "scratch-left", "Drop it by hand with DROP DATABASE.",
                     "the unfinished database \"%s\" could not be dropped: %s", restore->scratch, err.message);
    for (size_t i = restore->created_roles.n; restore->admin && i-- > 0;) {
        _cleanup_free_ char *role = sql_quote_ident(restore->created_roles.v[i]);
        if (pg_execf(restore->admin, &err, "DROP ROLE IF EXISTS %s", role) < 0)
            findings_add(restore->findings, FINDING_WARNING, "role-left",
                         "Drop it by hand with DROP ROLE if it is not wanted.",
                         "role %s, created by this restore, could not be dropped: %s", role, err.message);
    }
    stop_release();
}
