/* What an audit asks the live database itself, beyond owners and grants. */
#include <stdlib.h>
#include <string.h>

#include "audit_priv.h"
#include "catalog_priv.h"
#include "catalog_sql.h"
#include "kura/mem.h"
#include "kura/sqllex.h"
#include "kura/words.h"

/* Columns of audit-sequences.sql. */
enum { S_SEQUENCE, S_TABLE, S_COLUMN, S_INCREMENT, S_START, S_LAST, S_UNIQUE };

enum { BATCH = 100, STATEMENT_MAX = 1 << 20, LOCK_TIMEOUT_MS = 2000 };

/* ---- sequences ---- */

/* The number a sequence gives next; false when it has none left. */
static bool next_number(const PGresult *rows, int row, long long *ret)
{
    *ret = atoll(pg_cell(rows, row, S_START));
    return PQgetisnull(rows, row, S_LAST) ||
           !__builtin_add_overflow(atoll(pg_cell(rows, row, S_LAST)), atoll(pg_cell(rows, row, S_INCREMENT)), ret);
}

static bool counts_down(const PGresult *rows, int row)
{
    return pg_cell(rows, row, S_INCREMENT)[0] == '-';
}

/* Which columns of a batch, unique ones or others, have the number that comes next, or are past it. */
static int read_behind(PgConn *conn, const PGresult *rows, bool unique, int from, int to, PGresult **ret, Error *err)
{
    Buf sql = BUF_INIT(STATEMENT_MAX);
    for (int i = from; i < to; i++) {
        long long next;
        if (pg_cell_bool(rows, i, S_UNIQUE) == unique && next_number(rows, i, &next))
            buf_printf(&sql, NULL, "%sSELECT %d WHERE EXISTS (SELECT FROM %s WHERE %s %s %lld)",
                       sql.len ? " UNION ALL " : "", i, pg_cell(rows, i, S_TABLE), pg_cell(rows, i, S_COLUMN),
                       counts_down(rows, i) ? "<=" : ">=", next);
    }
    *ret = NULL;
    int rc = sql.len ? pg_query(conn, buf_str(&sql), 0, NULL, ret, err) : 0;
    buf_done(&sql);
    return rc;
}

static int tell_first(PgConn *conn, const PGresult *rows, int row, OwnFinding *finding, Error *err)
{
    const char *table = pg_cell(rows, row, S_TABLE), *column = pg_cell(rows, row, S_COLUMN);
    _cleanup_free_ char *sequence = sql_quote_literal(pg_cell(rows, row, S_SEQUENCE)), *extreme = NULL;
    _cleanup_free_ char *sql =
        xasprintf("SELECT %s(%s) FROM %s", counts_down(rows, row) ? "min" : "max", column, table);
    if (pg_query_value(conn, sql, 0, NULL, &extreme, err) < 0)
        return -1;
    const char *format =
        pg_cell_bool(rows, row, S_UNIQUE)
            ? _("INSERT into %s fails with a duplicate key: %s is at %s, the sequence at %s")
            : _("INSERT into %s repeats numbers, which nothing forbids: %s is at %s, the sequence at %s");
    finding->consequence = xasprintf(format, table, column, extreme ? extreme : _("nothing"),
                                     PQgetisnull(rows, row, S_LAST) ? _("its start") : pg_cell(rows, row, S_LAST));
    finding->cure = xasprintf("SELECT pg_catalog.setval(%s, (%s));", sequence, sql);
    return 0;
}

static int compare_sequences(PgConn *conn, const PGresult *rows, bool unique, OwnFindings *findings, Error *err)
{
    OwnFinding *finding = NULL;
    int rc = 0;
    for (int from = 0; from < PQntuples(rows) && rc == 0; from += BATCH) {
        int to = from + BATCH < PQntuples(rows) ? from + BATCH : PQntuples(rows);
        PGresult *behind;
        if (read_behind(conn, rows, unique, from, to, &behind, err) < 0)
            return -1;
        for (int i = 0; behind && i < PQntuples(behind) && rc == 0; i++) {
            int row = atoi(pg_cell(behind, i, 0));
            if (finding == NULL) {
                finding = unique ? own_finding_add(findings, OWN_ERROR, "sequence-behind")
                                 : own_finding_add(findings, OWN_WARNING, "sequence-repeats");
                rc = tell_first(conn, rows, row, finding, err);
            }
            strvec_pushf(&finding->objects, "SEQUENCE %s", pg_cell(rows, row, S_SEQUENCE));
        }
        PQclear(behind);
    }
    if (finding)
        finding->message = xasprintf(ngettext("%zu sequence is behind the rows of its column",
                                              "%zu sequences are behind the rows of their columns", finding->objects.n),
                                     finding->objects.n);
    return rc;
}

/* A table that is locked just now is no reason to fail, nor to wait for. */
int audit_sequences(PgConn *conn, size_t *ret_n, OwnFindings *findings, Error *err)
{
    PGresult *rows;
    if (catalog_query(conn, sql_audit_sequences, 0, NULL, &rows, err) < 0)
        return -1;
    *ret_n = (size_t)PQntuples(rows);
    int rc = pg_execf(conn, err, "BEGIN READ ONLY; SET LOCAL lock_timeout = %d", LOCK_TIMEOUT_MS);
    if (rc == 0) {
        rc = compare_sequences(conn, rows, true, findings, err);
        if (rc == 0)
            rc = compare_sequences(conn, rows, false, findings, err);
        pg_exec(conn, "ROLLBACK", NULL);
    }
    PQclear(rows);
    if (rc < 0 && strcmp(err->sqlstate, "55P03") == 0) {
        OwnFinding *finding = own_finding_add(findings, OWN_NOTE, "sequences-unknown");
        finding->message = xstrdup(_("sequences were not compared with their columns: a table is locked by somebody"));
        rc = 0;
    }
    return rc;
}

/* ---- backups ---- */

static int audit_readable(PgConn *conn, const char *role, OwnFindings *findings, Error *err)
{
    PGresult *rows;
    const char *params[] = {role};
    if (catalog_query(conn, sql_audit_readable, 1, params, &rows, err) < 0)
        return -1;
    int n = PQntuples(rows);
    if (n > 0) {
        OwnFinding *finding = own_finding_add(findings, OWN_ERROR, "backup-unreadable");
        finding->message = xasprintf(ngettext("role \"%s\" cannot read all of %d table or sequences",
                                              "role \"%s\" cannot read all of %d tables or sequences", (unsigned)n),
                                     role, n);
        finding->consequence =
            xasprintf(pg_cell_bool(rows, 0, 2) ? _("backups as this role fail: row-level security filters \"%s.%s\"")
                                               : _("backups as this role fail: permission denied for \"%s.%s\""),
                      pg_cell(rows, 0, 0), pg_cell(rows, 0, 1));
        finding->cure = xstrdup(_("GRANT pg_read_all_data TO the role (PostgreSQL 14 and later), with BYPASSRLS where "
                                  "policies filter, or back up as the tables' owner"));
    }
    for (int i = 0; i < n; i++) {
        _cleanup_free_ char *key = own_key(OWN_TABLE, pg_cell(rows, i, 0), pg_cell(rows, i, 1));
        strvec_push(&findings->v[findings->n - 1].objects, key);
    }
    PQclear(rows);
    return 0;
}

/* ---- schemas ---- */

static int audit_create(PgConn *conn, const char *role, OwnFindings *findings, Error *err)
{
    PGresult *rows;
    const char *params[] = {role};
    if (catalog_query(conn, sql_audit_create, 1, params, &rows, err) < 0)
        return -1;
    for (int i = 0; i < PQntuples(rows); i++) {
        const char *schema = pg_cell(rows, i, 0);
        _cleanup_free_ char *key = own_key(OWN_SCHEMA, NULL, schema);
        _cleanup_free_ char *database = sql_quote_ident(pg_dbname(conn));
        _cleanup_free_ char *to = sql_quote_ident(role);
        OwnFinding *finding = own_finding_add(findings, OWN_ERROR, "schema-create");
        finding->message = xasprintf(_("role \"%s\" may not create in schema \"%s\""), role, schema);
        finding->consequence =
            xasprintf(strcmp(schema, "public") == 0
                          ? _("its migrations fail: permission denied for schema %s; from PostgreSQL 15 on only the "
                              "owner of the database may create there")
                          : _("its migrations fail: permission denied for schema %s"),
                      schema);
        finding->cure = pg_cell_bool(rows, i, 2) ? xasprintf("ALTER DATABASE %s OWNER TO %s;", database, to)
                                                 : xasprintf("GRANT USAGE, CREATE ON %s TO %s;", key, to);
        strvec_push(&finding->objects, key);
    }
    PQclear(rows);
    return 0;
}

int catalog_audit(PgConn *conn, const char *app_role, const char *backup_role, OwnFindings *findings, Error *err)
{
    if (app_role && audit_create(conn, app_role, findings, err) < 0)
        return error_wrap(err, "looking at schemas");
    bool is_app = app_role && strcmp(app_role, pg_user(conn)) == 0; /* what it lacks is told anyway */
    if ((backup_role || !is_app) && audit_readable(conn, backup_role ? backup_role : pg_user(conn), findings, err) < 0)
        return error_wrap(err, "looking at what a backup can read");
    size_t n;
    if (audit_sequences(conn, &n, findings, err) < 0)
        return error_wrap(err, "comparing sequences with their columns");
    return 0;
}
