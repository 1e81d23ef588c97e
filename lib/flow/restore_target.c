#include <stdlib.h>
#include <string.h>

#include "dbmark.h"
#include "kura/databases.h"
#include "kura/log.h"
#include "kura/mem.h"
#include "kura/sqllex.h"
#include "kura/stop.h"
#include "restore_priv.h"
#include "retarget.h"
#include "targetdb.h"

static const char spare_the_server[] =
    "SET max_parallel_workers_per_gather = 0; SET max_parallel_maintenance_workers = 0; SET vacuum_cost_delay = '2ms'";

static int connect_scratch(const Restore *restore, const char *conninfo, const atomic_bool *give_up, PgConn **ret,
                           Error *err)
{
    PgOptions pg = {.dbname = restore->scratch, .give_up = give_up};
    if (pg_connect(conninfo, &pg, ret, err) < 0)
        return -1;
    /* constraints see rows in the server's own time zone, as in pg_restore's session */
    if (catalog_session_setup(*ret, err) < 0 ||
        pg_exec(*ret, "SET synchronous_commit = off; SET xmloption = content; RESET TimeZone", err) < 0 ||
        (restore->options->low_cost && pg_exec(*ret, spare_the_server, err) < 0)) {
        pg_close(*ret);
        *ret = NULL;
        return -1;
    }
    return 0;
}

int target_connect(const Restore *restore, const atomic_bool *give_up, PgConn **ret, Error *err)
{
    return connect_scratch(restore, restore->options->db, give_up, ret, err);
}

int target_connect_helped(const Restore *restore, PgConn **ret, Error *err)
{
    return connect_scratch(restore, restore->options->admin_db, NULL, ret, err);
}

int target_connect_strongest(const Restore *restore, const atomic_bool *give_up, PgConn **ret, Error *err)
{
    const RestoreOptions *options = restore->options;
    return connect_scratch(restore, restore->aid.superuser ? options->admin_db : options->db, give_up, ret, err);
}

int target_connect_for(const Restore *restore, const TocEntry *entry, PgConn **ret, Error *err)
{
    if (entry_doer(restore, entry) == DOER_ADMIN)
        return target_connect_helped(restore, ret, err);
    return target_connect(restore, NULL, ret, err);
}

int target_connect_admin(Restore *restore, Error *err)
{
    pg_close(restore->admin);
    restore->admin = NULL;
    return targetdb_connect_admin(restore->options->db, restore->database, &restore->admin, err);
}

int target_lock(Restore *restore, Error *err)
{
    free(restore->admin_session);
    restore->admin_session = NULL;
    if (targetdb_lock(restore->admin, restore->database, err) < 0)
        return -1;
    return targetdb_identity(restore->admin, &restore->admin_session, err);
}

int target_admin(Restore *restore, Error *err)
{
    Error lost = ERROR_INIT;
    if (restore->admin && pg_exec(restore->admin, "SELECT 1", &lost) == 0)
        return 0;
    if (restore->admin && lost.code != ERR_CONNECTION) {
        *err = lost;
        return -1;
    }
    if (target_connect_admin(restore, err) < 0)
        return -1;
    if (restore->admin_session && targetdb_end_session(restore->admin, restore->admin_session, err) < 0)
        return -1;
    return target_lock(restore, err);
}

PgConn **target_closing_slot(Restore *restore)
{
    return restore->aid.superuser ? &restore->helper : &restore->admin;
}

const char *target_closing_conninfo(const Restore *restore)
{
    return restore->aid.superuser ? restore->options->admin_db : restore->options->db;
}

int target_closing(Restore *restore, PgConn **ret, Error *err)
{
    if ((restore->aid.superuser ? target_helper(restore, err) : target_admin(restore, err)) < 0)
        return -1;
    *ret = *target_closing_slot(restore);
    return 0;
}

/* Extensions that only a superuser could create may be in template1. */
static void use_template1(char **statement)
{
    SqlLexer lexer = {.text = *statement, .len = strlen(*statement)};
    SqlToken token;
    while (sql_next(&lexer, &token, NULL) == 0 && token.kind != SQL_END) {
        if (!sql_is_word(&token, "template0"))
            continue;
        char *changed =
            xasprintf("%.*stemplate1%s", (int)(token.start - *statement), *statement, token.start + token.len);
        free(*statement);
        *statement = changed;
        return;
    }
}

/* Nobody else may connect until the end; a helper that is no superuser is let in. */
static int close_database(Restore *restore, Error *err)
{
    _cleanup_free_ char *quoted = sql_quote_ident(restore->scratch);
    if (pg_execf(restore->admin, err, "REVOKE CONNECT, TEMPORARY ON DATABASE %s FROM PUBLIC", quoted) < 0)
        return -1;
    if (restore->helper == NULL || restore->aid.superuser)
        return 0;
    _cleanup_free_ char *helper = sql_quote_ident(restore->aid.user);
    return pg_execf(restore->admin, err, "GRANT CONNECT, CREATE, TEMPORARY ON DATABASE %s TO %s", quoted, helper);
}

int target_create_database(Restore *restore, Error *err)
{
    _cleanup_(strvec_done) StrVec statements = {0};
    _cleanup_free_ char *quoted = sql_quote_ident(restore->scratch);
    const TocEntry *entry = toc_find_first(restore->toc, "DATABASE", "");
    int drop = (restore->no_tablespaces ? DROP_TABLESPACE : 0) | (restore->no_provider ? DROP_PROVIDER : 0);
    if (entry && entry->defn && retarget(entry->defn, restore->scratch, drop, &statements, err) < 0)
        return error_wrap(err, "the archive's CREATE DATABASE");
    if (retarget_check(&statements, "DATABASE", err) < 0)
        return -1;
    if (statements.n == 0)
        strvec_pushf(&statements, "CREATE DATABASE %s TEMPLATE template0", quoted);
    if (restore->rights.from_template1)
        use_template1(&statements.v[0]);
    stop_hold(); /* so that a database that was made is always known to be ours */
    int rc = pg_exec(restore->admin, statements.v[0], err);
    restore->scratch_exists = rc == 0;
    stop_release();
    if (rc < 0) {
        error_wrap(err, "creating database %s", quoted);
        if (err->hint[0] == 0)
            error_hint(err, "The statement was: %s", statements.v[0]);
        return -1;
    }
    if (catalog_database_oid(restore->admin, restore->scratch, &restore->scratch_oid, err) < 0 ||
        target_mark(restore, restore->options->trial ? KEPT_REHEARSAL : KEPT_BUILDING, err) < 0)
        return -1;
    return close_database(restore, err);
}

/* ALTER ROLE .. IN DATABASE .. is everybody's own right, and to set it for others a superuser's: so it is done as that
 * role. */
static int set_property(Restore *restore, PgConn *conn, const char *statement, Error *err)
{
    SqlLexer lexer = {.text = statement, .len = strlen(statement)};
    SqlToken token;
    size_t words = 0;
    _cleanup_free_ char *role = NULL;
    while (restore->limited && conn == restore->admin && words < 3 && sql_next(&lexer, &token, err) == 0 &&
           token.kind != SQL_END) {
        if (token.kind == SQL_SPACE || token.kind == SQL_COMMENT)
            continue;
        if (words == 1 && !sql_is_word(&token, "role"))
            break;
        if (words++ == 2)
            role = sql_ident_value(&token);
    }
    if (role == NULL)
        return pg_exec(conn, statement, err);
    _cleanup_free_ char *quoted = sql_quote_ident(role);
    return pg_execf(conn, err, "SET ROLE %s; %s; RESET ROLE", quoted, statement);
}

/* Settings: the target may not know one, or not let us set it. */
static int apply_property(Restore *restore, PgConn *conn, const TocEntry *entry, Error *err)
{
    _cleanup_(strvec_done) StrVec statements = {0}, later = {0};
    if (entry == NULL || entry->defn == NULL)
        return 0;
    if (retarget(entry->defn, restore->scratch, DROP_NOTHING, &statements, err) < 0 ||
        retarget(entry->defn, restore->database, DROP_NOTHING, &later, err) < 0)
        return error_wrap(err, "the archive's %s", entry->desc);
    if (retarget_check(&statements, entry->desc, err) < 0)
        return -1;
    for (size_t i = 0; i < statements.n; i++) {
        const char *repeat = later.v[i] + strspn(later.v[i], " \t\r\n");
        OwnTrouble own = {.desc = entry->desc, .object = restore->database, .statement = repeat, .entry = entry};
        Error refused = ERROR_INIT;
        if (set_property(restore, conn, statements.v[i], &refused) < 0 && trouble_own(restore, &own, &refused, err) < 0)
            return -1;
    }
    return 0;
}

static int run_all(PgConn *conn, const StrVec *statements, Error *err)
{
    for (size_t i = 0; i < statements->n; i++)
        if (pg_exec(conn, statements->v[i], err) < 0)
            return -1;
    return 0;
}

/* All of them or none, within the transaction; the restore can go on without. */
static int run_unit(Restore *restore, PgConn *conn, const StrVec *statements, const OwnTrouble *own, Error *err)
{
    Error refused = ERROR_INIT;
    if (pg_exec(conn, "SAVEPOINT unit", err) < 0)
        return -1;
    if (run_all(conn, statements, &refused) == 0)
        return 0;
    pg_exec(conn, "ROLLBACK TO SAVEPOINT unit", NULL);
    return trouble_own(restore, own, &refused, err);
}

static void grant_as_roles(StrVec *statements)
{
    for (size_t i = 0; i < statements->n; i++) {
        char *changed = as_role(statements->v[i]);
        free(statements->v[i]);
        statements->v[i] = changed;
    }
}

/* From here on others may connect, but for a helper that was let in. */
static int open_database(Restore *restore, PgConn *conn, Error *err)
{
    _cleanup_free_ char *quoted = sql_quote_ident(restore->scratch);
    if (restore->helper && !restore->aid.superuser) {
        _cleanup_free_ char *helper = sql_quote_ident(restore->aid.user);
        if (pg_execf(conn, err, "REVOKE CONNECT, CREATE, TEMPORARY ON DATABASE %s FROM %s", quoted, helper) < 0)
            return -1;
    }
    return pg_execf(conn, err, "GRANT CONNECT, TEMPORARY ON DATABASE %s TO PUBLIC", quoted);
}

static void owner_statement(const Restore *restore, const char *name, StrVec *ret)
{
    _cleanup_free_ char *quoted = sql_quote_ident(name), *owner = sql_quote_ident(restore->owner);
    strvec_pushf(ret, "ALTER DATABASE %s OWNER TO %s", quoted, owner);
}

static int give_database(Restore *restore, PgConn *conn, Error *err)
{
    _cleanup_(strvec_done) StrVec statements = {0}, later = {0};
    if (restore->owner == NULL)
        return 0;
    owner_statement(restore, restore->scratch, &statements);
    owner_statement(restore, restore->database, &later);
    OwnTrouble own = {.desc = "DATABASE", .object = restore->database, .statement = later.v[0], .is_lack = true};
    return run_unit(restore, conn, &statements, &own, err);
}

static int grant_database(Restore *restore, PgConn *conn, Error *err)
{
    const TocEntry *acl = toc_find_first(restore->toc, "ACL", "DATABASE ");
    _cleanup_(strvec_done) StrVec statements = {0};
    if (acl == NULL || acl->defn == NULL)
        return 0;
    if (retarget(acl->defn, restore->scratch, DROP_NOTHING, &statements, err) < 0)
        return error_wrap(err, "the archive's database ACL");
    if (retarget_check(&statements, "ACL", err) < 0)
        return -1;
    if (conn == restore->admin && restore->limited)
        grant_as_roles(&statements);
    _cleanup_free_ char *object = xasprintf("DATABASE %s", restore->database);
    OwnTrouble own = {.desc = "ACL", .object = object, .entry = acl, .is_lack = true};
    return run_unit(restore, conn, &statements, &own, err);
}

static int owner_and_grants(Restore *restore, PgConn *conn, Error *err)
{
    if (pg_exec(conn, "BEGIN", err) < 0 || open_database(restore, conn, err) < 0 ||
        give_database(restore, conn, err) < 0 || grant_database(restore, conn, err) < 0)
        return -1;
    return pg_exec(conn, "COMMIT", err);
}

int target_owner(Restore *restore, Error *err)
{
    PgConn *conn;
    if (target_closing(restore, &conn, err) < 0)
        return -1;
    stop_hold();
    int rc = owner_and_grants(restore, conn, err);
    if (rc < 0)
        pg_exec(conn, "ROLLBACK", NULL);
    stop_release();
    return rc < 0 ? error_wrap(err, "owner and grants of the database") : 0;
}

/* The text of COMMENT ON DATABASE .. IS '..'. */
static int read_comment(Restore *restore, const TocEntry *entry, Error *err)
{
    _cleanup_free_ SqlToken *tokens = NULL;
    size_t n;
    if (entry == NULL || entry->defn == NULL)
        return 0;
    if (sql_tokens(entry->defn, strlen(entry->defn), &tokens, &n, err) < 0)
        return error_wrap(err, "the archive's comment on the database");
    for (size_t i = 0; i < n && restore->comment == NULL; i++) {
        if (tokens[i].kind != SQL_STRING)
            continue;
        _cleanup_free_ char *text = sql_string_value(&tokens[i]);
        restore->comment = xstrdup_null(dbmark_strip(text));
    }
    return 0;
}

int target_properties(Restore *restore, Error *err)
{
    PgConn *conn;
    if (target_closing(restore, &conn, err) < 0 ||
        apply_property(restore, conn, toc_find_first(restore->toc, "DATABASE PROPERTIES", ""), err) < 0)
        return -1;
    return read_comment(restore, toc_find_first(restore->toc, "COMMENT", "DATABASE "), err);
}

void target_keep(Restore *restore)
{
    restore->scratch_exists = false;
    strvec_done(&restore->created_roles);
}

/* What is borrowed is given back before the database goes that tells of it; so the database becomes our own before. */
static void reclaim(Restore *restore)
{
    Error err = ERROR_INIT;
    if (!restore->scratch_exists || restore->loans.n == 0 || restore->aid.superuser)
        return;
    _cleanup_free_ char *quoted = sql_quote_ident(restore->scratch), *self = sql_quote_ident(restore->self.user);
    if (pg_execf(restore->admin, &err, "ALTER DATABASE %s OWNER TO %s", quoted, self) < 0)
        log_debug("taking database \"%s\" back: %s", restore->scratch, err.message);
}

void target_undo(Restore *restore)
{
    stop_hold();
    Error err = ERROR_INIT;
    bool anything = restore->scratch_exists || restore->created_roles.n > 0 || restore->loans.n > 0;
    if (anything && target_admin(restore, &err) < 0)
        log_debug("the maintenance connection: %s", err.message);
    else if (anything)
        reclaim(restore);
    rights_return(restore);
    PgConn *conn;
    if (restore->scratch_exists &&
        (target_closing(restore, &conn, &err) < 0 ||
         targetdb_drop(conn, target_closing_conninfo(restore), restore->scratch, true, &err) < 0))
        findings_add(restore->findings, FINDING_WARNING, "scratch-left", "Drop it by hand with DROP DATABASE.",
                     "the unfinished database \"%s\" could not be dropped: %s", restore->scratch, err.message);
    conn = *role_conn(restore);
    for (size_t i = restore->created_roles.n; conn && i-- > 0;) {
        _cleanup_free_ char *role = sql_quote_ident(restore->created_roles.v[i]);
        if (pg_execf(conn, &err, "DROP ROLE IF EXISTS %s", role) < 0)
            findings_add(restore->findings, FINDING_WARNING, "role-left",
                         "Drop it by hand with DROP ROLE if it is not wanted.",
                         "role %s, created by this restore, could not be dropped: %s", role, err.message);
    }
    stop_release();
}
