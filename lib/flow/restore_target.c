#include <stdlib.h>
#include <string.h>

#include "kura/clock.h"
#include "kura/log.h"
#include "kura/mem.h"
#include "kura/sqllex.h"
#include "kura/stop.h"
#include "restore_priv.h"

enum { RENAME_WAIT_SECONDS = 10 };

static int connect_scratch(const Restore *restore, const char *conninfo, const atomic_bool *give_up, PgConn **ret,
                           Error *err)
{
    PgOptions pg = {.dbname = restore->scratch, .give_up = give_up};
    if (pg_connect(conninfo, &pg, ret, err) < 0)
        return -1;
    /* constraints see rows in the server's own time zone, as in pg_restore's session */
    if (catalog_session_setup(*ret, err) < 0 ||
        pg_exec(*ret, "SET synchronous_commit = off; SET xmloption = content; RESET TimeZone", err) < 0) {
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
    PgOptions pg = {.dbname = strcmp(restore->database, "postgres") == 0 ? "template1" : "postgres"};
    if (pg_connect(restore->options->db, &pg, &restore->admin, err) < 0) {
        if (strcmp(err->sqlstate, "3D000") != 0 && strstr(err->message, "\"postgres\" does not exist") == NULL)
            return -1;
        error_clear(err);
        pg.dbname = "template1";
        if (pg_connect(restore->options->db, &pg, &restore->admin, err) < 0)
            return -1;
    }
    return catalog_session_setup(restore->admin, err);
}

int target_admin(Restore *restore, Error *err)
{
    Error lost = ERROR_INIT;
    if (pg_exec(restore->admin, "SELECT 1", &lost) == 0)
        return 0;
    if (lost.code == ERR_CONNECTION)
        return target_connect_admin(restore, err);
    *err = lost;
    return -1;
}

/* The connection for what concerns the database as a whole once it may belong to somebody else: a superuser's if there
 * is one. Makes sure that it lives. */
static int closing_conn(Restore *restore, PgConn **ret, Error *err)
{
    if (!restore->aid.superuser) {
        if (target_admin(restore, err) < 0)
            return -1;
        *ret = restore->admin;
        return 0;
    }
    Error lost = ERROR_INIT;
    if ((restore->helper == NULL || pg_exec(restore->helper, "SELECT 1", &lost) < 0) &&
        target_connect_helper(restore, err) < 0)
        return -1;
    *ret = restore->helper;
    return 0;
}

/* Whether DATABASE behind this word is followed by a database's name (and is not itself the name of a role). */
static bool takes_database(const SqlToken *before)
{
    return before && (sql_is_word(before, "create") || sql_is_word(before, "alter") || sql_is_word(before, "in") ||
                      sql_is_word(before, "on"));
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
    const SqlToken *before = NULL;
    for (size_t i = 0; tokens[i].kind != SQL_END; i++) {
        const SqlToken *token = &tokens[i];
        bool ident = token->kind == SQL_IDENT || token->kind == SQL_QUOTED_IDENT;
        if (sql_is_punct(token, ";")) {
            if (has_words)
                strvec_push(ret, buf_str(&out));
            buf_clear(&out);
            has_words = in_tablespace = after_database = false;
            before = NULL;
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
            after_database = sql_is_word(token, "database") && takes_database(before);
        }
        if (token->kind != SQL_SPACE)
            before = token;
        has_words |= token->kind != SQL_SPACE;
    }
    if (has_words)
        strvec_push(ret, buf_str(&out));
    return 0;
}

/* These statements run in the maintenance database, where an archive has no business: only the forms that pg_dump
 * writes about a database pass. */
static int check_statements(const StrVec *statements, const char *desc, Error *err)
{
    static const char *const forms[] = {
        "CREATE DATABASE ", "ALTER DATABASE ", "COMMENT ON DATABASE ",       "GRANT ",
        "REVOKE ",          "ALTER ROLE ",     "SET SESSION AUTHORIZATION ", "RESET SESSION AUTHORIZATION"};
    for (size_t i = 0; i < statements->n; i++) {
        const char *sql = statements->v[i] + strspn(statements->v[i], " \t\r\n");
        size_t form = 0;
        while (form < ARRAY_SIZE(forms) && strncmp(sql, forms[form], strlen(forms[form])) != 0)
            form++;
        bool known = form < ARRAY_SIZE(forms);
        if (known && strncmp(sql, "ALTER ROLE ", 11) == 0)
            known = strstr(sql, " IN DATABASE ") != NULL;
        if (known && (strncmp(sql, "GRANT ", 6) == 0 || strncmp(sql, "REVOKE ", 7) == 0))
            known = strstr(sql, " ON DATABASE ") != NULL;
        if (!known)
            return error_set(err, ERR_CORRUPT,
                             "the archive's %s entry holds a statement that pg_dump does not write there: %.200s", desc,
                             sql);
    }
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
    if (entry && entry->defn && retarget(entry->defn, restore->scratch, restore->no_tablespaces, &statements, err) < 0)
        return error_wrap(err, "the archive's CREATE DATABASE");
    if (check_statements(&statements, "DATABASE", err) < 0)
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

/* Settings and comment: one that the target refuses (a parameter it does not know) is a warning. */
static int apply_property(Restore *restore, PgConn *conn, const TocEntry *entry, Error *err)
{
    _cleanup_(strvec_done) StrVec statements = {0};
    if (entry == NULL || entry->defn == NULL)
        return 0;
    if (retarget(entry->defn, restore->scratch, false, &statements, err) < 0)
        return error_wrap(err, "the archive's %s", entry->desc);
    if (check_statements(&statements, entry->desc, err) < 0)
        return -1;
    for (size_t i = 0; i < statements.n; i++) {
        Error refused = ERROR_INIT;
        if (set_property(restore, conn, statements.v[i], &refused) == 0)
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

static int run_in_transaction(PgConn *conn, const StrVec *statements, Error *err)
{
    int rc = pg_exec(conn, "BEGIN", err);
    for (size_t i = 0; rc == 0 && i < statements->n; i++)
        rc = pg_exec(conn, statements->v[i], err);
    if (rc == 0)
        rc = pg_exec(conn, "COMMIT", err);
    if (rc < 0)
        pg_exec(conn, "ROLLBACK", NULL);
    return rc;
}

static void grant_as_roles(StrVec *statements)
{
    for (size_t i = 0; i < statements->n; i++) {
        char *changed = as_role(statements->v[i]);
        free(statements->v[i]);
        statements->v[i] = changed;
    }
}

int target_owner(Restore *restore, Error *err)
{
    _cleanup_free_ char *quoted = sql_quote_ident(restore->scratch);
    _cleanup_(strvec_done) StrVec statements = {0};
    if (restore->helper && !restore->aid.superuser) {
        _cleanup_free_ char *helper = sql_quote_ident(restore->aid.user);
        strvec_pushf(&statements, "REVOKE CONNECT, CREATE, TEMPORARY ON DATABASE %s FROM %s", quoted, helper);
    }
    strvec_pushf(&statements, "GRANT CONNECT, TEMPORARY ON DATABASE %s TO PUBLIC", quoted);
    if (restore->owner) {
        _cleanup_free_ char *owner = sql_quote_ident(restore->owner);
        strvec_pushf(&statements, "ALTER DATABASE %s OWNER TO %s", quoted, owner);
    }
    const TocEntry *acl = toc_find_first(restore->toc, "ACL", "DATABASE ");
    if (acl && acl->defn && retarget(acl->defn, restore->scratch, false, &statements, err) < 0)
        return error_wrap(err, "the archive's database ACL");
    PgConn *conn;
    if (check_statements(&statements, "ACL", err) < 0 || closing_conn(restore, &conn, err) < 0)
        return -1;
    if (conn == restore->admin && restore->limited)
        grant_as_roles(&statements);
    stop_hold();
    int rc = run_in_transaction(conn, &statements, err);
    stop_release();
    return rc < 0 ? error_wrap(err, "owner and grants of the database") : 0;
}

int target_properties(Restore *restore, Error *err)
{
    PgConn *conn;
    if (closing_conn(restore, &conn, err) < 0 ||
        apply_property(restore, conn, toc_find_first(restore->toc, "DATABASE PROPERTIES", ""), err) < 0)
        return -1;
    return apply_property(restore, conn, toc_find_first(restore->toc, "COMMENT", "DATABASE "), err);
}

static int rename_once(Restore *restore, Error *err)
{
    _cleanup_free_ char *scratch = sql_quote_ident(restore->scratch), *name = sql_quote_ident(restore->database);
    PgConn *conn = NULL;
    int rc = closing_conn(restore, &conn, err);
    if (rc == 0)
        rc = pg_exec(conn, "BEGIN", err);
    if (rc == 0 && restore->kept) {
        _cleanup_free_ char *kept = sql_quote_ident(restore->kept);
        rc = pg_execf(conn, err, "ALTER DATABASE %s RENAME TO %s", name, kept);
    }
    if (rc == 0)
        rc = pg_execf(conn, err, "ALTER DATABASE %s RENAME TO %s", scratch, name);
    if (rc == 0)
        rc = pg_exec(conn, "COMMIT", err);
    if (rc < 0 && conn)
        pg_exec(conn, "ROLLBACK", NULL);
    return rc;
}

void target_keep(Restore *restore)
{
    restore->scratch_exists = false;
    strvec_done(&restore->created_roles);
}

/* A stop waits for the end of the transaction: afterwards it is known which name the database has. */
static int rename_undisturbed(Restore *restore, Error *err)
{
    stop_hold();
    int rc = rename_once(restore, err);
    stop_release();
    return rc;
}

int target_rename(Restore *restore, Error *err)
{
    double deadline = clock_monotonic() + RENAME_WAIT_SECONDS;
    while (rename_undisturbed(restore, err) < 0) {
        if (strcmp(err->sqlstate, "55006") != 0 || clock_monotonic() > deadline || stop_check(err) < 0) {
            error_wrap(err, "giving the restored database its name");
            if (strcmp(err->sqlstate, "55006") == 0) {
                target_keep(restore); /* it is complete: the user finishes by hand */
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
    target_keep(restore);
    return 0;
}

/* A database with a subscription cannot be dropped; restored ones are disabled and without a slot, so nothing else
 * hears of it. */
static int drop_subscriptions(Restore *restore, Error *err)
{
    PgConn *conn;
    PGresult *names;
    const char *conninfo = restore->aid.superuser ? restore->options->admin_db : restore->options->db;
    if (pg_connect(conninfo, &(PgOptions){.dbname = restore->scratch}, &conn, err) < 0)
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
    PgConn *conn;
    if (closing_conn(restore, &conn, err) < 0)
        return -1;
    _cleanup_free_ char *quoted = sql_quote_ident(restore->scratch);
    const char *force = restore->target.server_version_num >= 130000 ? " WITH (FORCE)" : "";
    if (pg_execf(conn, NULL, "ALTER DATABASE %s IS_TEMPLATE false", quoted) == 0 &&
        pg_execf(conn, err, "DROP DATABASE %s%s", quoted, force) == 0)
        return 0;
    if (strcmp(err->sqlstate, "55006") == 0 && drop_subscriptions(restore, err) < 0)
        return -1;
    return pg_execf(conn, err, "DROP DATABASE IF EXISTS %s%s", quoted, force);
}

void target_undo(Restore *restore)
{
    stop_hold();
    Error err = ERROR_INIT;
    if ((restore->scratch_exists || restore->created_roles.n > 0 || restore->loans.n > 0) &&
        target_admin(restore, &err) < 0)
        log_debug("the maintenance connection: %s", err.message);
    if (restore->scratch_exists && drop_database(restore, &err) < 0)
        findings_add(restore->findings, FINDING_WARNING, "scratch-left", "Drop it by hand with DROP DATABASE.",
                     "the unfinished database \"%s\" could not be dropped: %s", restore->scratch, err.message);
    rights_return(restore);
    PgConn *conn = *role_conn(restore);
    for (size_t i = restore->created_roles.n; conn && i-- > 0;) {
        _cleanup_free_ char *role = sql_quote_ident(restore->created_roles.v[i]);
        if (pg_execf(conn, &err, "DROP ROLE IF EXISTS %s", role) < 0)
            findings_add(restore->findings, FINDING_WARNING, "role-left",
                         "Drop it by hand with DROP ROLE if it is not wanted.",
                         "role %s, created by this restore, could not be dropped: %s", role, err.message);
    }
    stop_release();
}
