/* pg_dump takes its snapshot first and its locks later: a TRUNCATE or a rewriting ALTER between the two makes a table
 * look empty, without an error. Here the locks come first. What slips in between listing and snapshot (a new table,
 * rewritten before it is locked) shows as a relfilenode that differs from the snapshot's: then all starts over. */
#include "freeze.h"

#include <string.h>

#include "dumppipe.h"
#include "kura/log.h"
#include "kura/mem.h"
#include "kura/words.h"

enum { ATTEMPTS = 5, PG_DUMP_LOCK_MS = 3000 };
/* The leader, and pg_dump until its table of contents is read; a worker has but the locks of its job. */

static int connect_as(const BackupOptions *options, const atomic_bool *give_up, PgConn **ret, Error *err)
{
    PgOptions pg = {.role = options->role, .give_up = give_up};
    if (pg_connect(options->db, &pg, ret, err) < 0)
        return -1;
    if (catalog_session_setup(*ret, err) < 0) {
        pg_close(*ret);
        *ret = NULL;
        return -1;
    }
    return 0;
}

int freeze_join(const Freeze *freeze, const BackupOptions *options, const atomic_bool *give_up, PgConn **ret,
                Error *err)
{
    PgConn *conn;
    if (connect_as(options, give_up, &conn, err) < 0)
        return -1;
    if (pg_execf(conn, err, "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET TRANSACTION SNAPSHOT '%s'",
                 freeze->snapshot) < 0) {
        pg_close(conn);
        return error_wrap(err, "joining the snapshot");
    }
    *ret = conn;
    return 0;
}

/* The tables of `now` that `before` has not, or not under this name: locks go by name. Borrows their strings; free only
 * v. */
static CatalogTables newcomers(const CatalogTables *now, const CatalogTables *before)
{
    CatalogTables fresh = {.v = xcalloc(now->n, sizeof *fresh.v)};
    for (size_t i = 0; i < now->n; i++) {
        const CatalogTable *known = catalog_tables_find(before, now->v[i].oid);
        if (known == NULL || strcmp(known->name, now->v[i].name) != 0 || strcmp(known->schema, now->v[i].schema) != 0)
            fresh.v[fresh.n++] = now->v[i];
    }
    return fresh;
}

static void at_step(const BackupOptions *options, const char *step)
{
    if (options->at_step)
        options->at_step(options->at_step_ctx, step);
}

/* One attempt: *ret_again when storage changed in the window. */
static int lock_and_snapshot(const BackupOptions *options, Freeze *freeze, bool *ret_again, Error *err)
{
    PgConn *leader = freeze->leader;
    CatalogTables before = {0};
    if (catalog_tables(leader, &before, err) < 0)
        return -1;
    at_step(options, "listed");
    int rc = -1;
    CatalogTables fresh = {0};
    size_t rewritten = 0;
    free(freeze->snapshot);
    freeze->snapshot = NULL;
    catalog_tables_done(&freeze->tables);
    if (pg_exec(leader, "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY", err) < 0 ||
        catalog_lock(leader, &before, options->lock_timeout_ms, err) < 0 ||
        pg_query_value(leader, "SELECT pg_catalog.pg_export_snapshot()", 0, NULL, &freeze->snapshot, err) < 0)
        goto done;
    at_step(options, "snapshot");
    if (catalog_tables(leader, &freeze->tables, err) < 0)
        goto done;
    fresh = newcomers(&freeze->tables, &before);
    if (catalog_lock(leader, &fresh, options->lock_timeout_ms, err) < 0 ||
        catalog_rewritten(leader, &rewritten, err) < 0)
        goto done;
    *ret_again = rewritten > 0;
    rc = rewritten > 0 ? pg_exec(leader, "ROLLBACK", err) : 0;
done:
    free(fresh.v);
    catalog_tables_done(&before);
    return rc;
}

static int take_snapshot(const BackupOptions *options, Freeze *freeze, Error *err)
{
    for (int i = 0; i < ATTEMPTS; i++) {
        bool again;
        if (lock_and_snapshot(options, freeze, &again, err) < 0)
            return -1;
        if (!again)
            return 0;
        log_info("a table was truncated or rewritten while the snapshot was taken; starting over");
    }
    error_set(err, ERR_FAILED, "tables were truncated or rewritten during each of %d attempts to take a snapshot",
              ATTEMPTS);
    return error_hint(err,
                      "Run the backup when no TRUNCATE, VACUUM FULL, CLUSTER or rewriting ALTER TABLE is under way.");
}

static int check_readable(const Freeze *freeze, Findings *findings)
{
    for (size_t i = 0; i < freeze->tables.n; i++) {
        const CatalogTable *table = &freeze->tables.v[i];
        if (table->relkind != 'r' && table->relkind != 'p')
            continue;
        if (!table->readable)
            findings_add(findings, FINDING_ERROR, "table-unreadable",
                         "Back up as a role that may read every table: GRANT pg_read_all_data TO it (PostgreSQL 14 and "
                         "newer), or use the "
                         "owner or a superuser.",
                         "role \"%s\" may not read table \"%s\".\"%s\"", pg_user(freeze->leader), table->schema,
                         table->name);
        else if (table->row_security && table->relkind == 'r')
            findings_add(findings, FINDING_ERROR, "table-row-security",
                         "Back up as the table's owner (without FORCE ROW LEVEL SECURITY), as a role with BYPASSRLS, "
                         "or as a superuser.",
                         "row-level security would hide rows of table \"%s\".\"%s\" from role \"%s\"", table->schema,
                         table->name, pg_user(freeze->leader));
    }
    return 0;
}

static int start_pg_dump(const BackupOptions *options, Freeze *freeze, Error *err)
{
    _cleanup_free_ char *encoding = NULL;
    if (pg_query_value(freeze->leader, "SHOW server_encoding", 0, NULL, &encoding, err) < 0)
        return -1;
    _cleanup_(strvec_done) StrVec extra = {0};
    strvec_pushf(&extra, "--snapshot=%s", freeze->snapshot);
    strvec_pushf(&extra, "--encoding=%s", encoding);
    if (options->role)
        strvec_pushf(&extra, "--role=%s", options->role);
    strvec_pushf(&extra, "--lock-wait-timeout=%d", PG_DUMP_LOCK_MS);
    for (size_t i = 0; i < options->exclude_table_data.n; i++)
        strvec_pushf(&extra, "--exclude-table-data=%s", options->exclude_table_data.v[i]);
    return dumppipe_open(freeze->leader, NULL, &freeze->tools, &extra, &freeze->dump, err);
}

static int preflight(const BackupOptions *options, Freeze *freeze, Findings *findings, Error *err)
{
    size_t before = findings_count(findings, FINDING_ERROR);
    CatalogTables tables = {0};
    if (catalog_preflight(freeze->leader, options->max_lag, findings, err) < 0 ||
        catalog_tables(freeze->leader, &tables, err) < 0)
        return -1;
    freeze->tables = tables;
    check_readable(freeze, findings);
    if (catalog_lock_estimate(freeze->leader, catalog_tables_locked(&tables), CATALOG_BACKUP_HOLDERS, findings, err) <
        0)
        return -1;
    size_t errors = findings_count(findings, FINDING_ERROR) - before;
    if (errors > 0)
        return error_set(err, ERR_FAILED,
                         ngettext("%zu problem found before the backup; nothing was stored",
                                  "%zu problems found before the backup; nothing was stored", errors),
                         errors);
    return 0;
}

/* Whether pg_dump gave up waiting for a lock. The leader holds the very lock it wanted, so somebody queued for an
 * exclusive one in between: he waits for the leader, pg_dump for him, and the leader for pg_dump. The server cannot see
 * such a deadlock. */
static bool waited_for_lock(const Freeze *freeze, const Error *err)
{
    return err->code == ERR_TOOL && strstr(proc_stderr_tail(freeze->dump), "LOCK TABLE") != NULL;
}

/* One attempt: *ret_again when somebody had to be let through and another attempt is allowed. */
static int read_frozen_toc(const BackupOptions *options, Freeze *freeze, bool last, bool *ret_again, Error *err)
{
    *ret_again = false;
    if (start_pg_dump(options, freeze, err) < 0)
        return -1;
    if (dumppipe_read_toc(freeze->dump, &freeze->toc_raw, &freeze->dump_rest, &freeze->toc, err) == 0)
        return 0;
    if (dumppipe_lacked_locks(freeze->dump))
        return catalog_lock_full(freeze->leader, catalog_tables_locked(&freeze->tables), CATALOG_BACKUP_HOLDERS, err);
    if (last || !waited_for_lock(freeze, err))
        return -1;
    error_clear(err);
    proc_free(freeze->dump);
    freeze->dump = NULL;
    buf_done(&freeze->toc_raw);
    *ret_again = true;
    return pg_exec(freeze->leader, "ROLLBACK", err);
}

static int freeze_toc(const BackupOptions *options, Freeze *freeze, Error *err)
{
    for (int i = 1;; i++) {
        bool again;
        if (take_snapshot(options, freeze, err) < 0 || read_frozen_toc(options, freeze, i == ATTEMPTS, &again, err) < 0)
            return -1;
        if (!again)
            return 0;
        log_info("another session waits to change a table; letting it through and starting over");
    }
}

int freeze_begin(const BackupOptions *options, Freeze *freeze, Findings *findings, Error *err)
{
    if (connect_as(options, NULL, &freeze->leader, err) < 0)
        return -1;
    if (pgtools_find(options->pg_bindir, pg_server_version(freeze->leader) / 10000, &freeze->tools, err) < 0 ||
        preflight(options, freeze, findings, err) < 0 || freeze_toc(options, freeze, err) < 0 ||
        catalog_facts(freeze->leader, &freeze->facts, err) < 0)
        return -1;
    at_step(options, "toc");
    if (!options->pg_dump_stream) {
        proc_free(freeze->dump);
        freeze->dump = NULL;
    }
    return 0;
}

int freeze_end(Freeze *freeze, Error *err)
{
    if (pg_exec(freeze->leader, "SELECT 1", err) < 0 || pg_exec(freeze->leader, "COMMIT", err) < 0)
        return error_wrap(err, "the connection that held the snapshot was lost");
    return 0;
}

void freeze_done(Freeze *freeze)
{
    proc_free(freeze->dump);
    pg_close(freeze->leader);
    pgtools_done(&freeze->tools);
    free(freeze->snapshot);
    catalog_tables_done(&freeze->tables);
    dbfacts_done(&freeze->facts);
    buf_done(&freeze->toc_raw);
    buf_done(&freeze->dump_rest);
    toc_free(freeze->toc);
    *freeze = (Freeze){0};
}
