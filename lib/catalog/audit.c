/* What an audit asks the live database itself, beyond owners and grants. */
#include <stdlib.h>
#include <string.h>

#include "catalog_priv.h"
#include "catalog_sql.h"
#include "kura/catalog.h"
#include "kura/mem.h"
#include "kura/sqllex.h"

/* Columns of audit-sequences.sql. */
enum { S_SEQUENCE, S_TABLE, S_COLUMN, S_INCREMENT, S_START, S_LAST };

enum { BATCH = 100, STATEMENT_MAX = 1 << 20, LOCK_TIMEOUT_MS = 2000 };

/* ---- sequences ---- */

/* The largest value of each column of a batch, or the smallest for sequences that count down. */
static int read_extremes(PgConn *conn, const PGresult *rows, int from, int to, PGresult **ret, Error *err)
{
    Buf sql = BUF_INIT(STATEMENT_MAX);
    for (int i = from; i < to; i++)
        buf_printf(&sql, NULL, "%sSELECT %d, (SELECT %s(%s) FROM %s)", i > from ? " UNION ALL " : "", i,
                   pg_cell(rows, i, S_INCREMENT)[0] == '-' ? "min" : "max", pg_cell(rows, i, S_COLUMN),
                   pg_cell(rows, i, S_TABLE));
    buf_append_str(&sql, " ORDER BY 1", NULL);
    int rc = pg_query(conn, buf_str(&sql), 0, NULL, ret, err);
    buf_done(&sql);
    return rc;
}

/* Whether the next number would be one that is there, or one before it. */
static bool is_behind(const PGresult *rows, int row, long long extreme)
{
    long long increment = atoll(pg_cell(rows, row, S_INCREMENT)), next = atoll(pg_cell(rows, row, S_START));
    if (!PQgetisnull(rows, row, S_LAST) &&
        __builtin_add_overflow(atoll(pg_cell(rows, row, S_LAST)), increment, &next))
        return false;
    return increment > 0 ? next <= extreme : next >= extreme;
}

static void tell_behind(const PGresult *rows, int row, const char *extreme, OwnFindings *findings, size_t *index)
{
    if (*index == SIZE_MAX) {
        *index = findings->n;
        OwnFinding *made = own_finding_add(findings, OWN_ERROR, "sequence-behind");
        made->consequence = xasprintf("INSERT into %s fails with a duplicate key: %s goes up to %s, the sequence is at %s",
                                      pg_cell(rows, row, S_TABLE), pg_cell(rows, row, S_COLUMN), extreme,
                                      PQgetisnull(rows, row, S_LAST) ? "its start" : pg_cell(rows, row, S_LAST));
        _cleanup_free_ char *sequence = sql_quote_literal(pg_cell(rows, row, S_SEQUENCE));
        made->cure = xasprintf("SELECT pg_catalog.setval(%s, %s);", sequence, extreme);
    }
    strvec_pushf(&findings->v[*index].objects, "SEQUENCE %s", pg_cell(rows, row, S_SEQUENCE));
}

static int compare_sequences(PgConn *conn, const PGresult *rows, OwnFindings *findings, Error *err)
{
    size_t index = SIZE_MAX;
    for (int from = 0; from < PQntuples(rows); from += BATCH) {
        int to = from + BATCH < PQntuples(rows) ? from + BATCH : PQntuples(rows);
        PGresult *extremes;
        if (read_extremes(conn, rows, from, to, &extremes, err) < 0)
            return -1;
        for (int i = from; i < to; i++)
            if (!PQgetisnull(extremes, i - from, 1) && is_behind(rows, i, atoll(pg_cell(extremes, i - from, 1))))
                tell_behind(rows, i, pg_cell(extremes, i - from, 1), findings, &index);
        PQclear(extremes);
    }
    if (index != SIZE_MAX)
        findings->v[index].message =
            xasprintf("%zu sequence%s behind the rows of %s column", findings->v[index].objects.n,
                      findings->v[index].objects.n == 1 ? " is" : "s are",
                      findings->v[index].objects.n == 1 ? "its" : "their");
    return 0;
}

/* A table that is locked just now is no reason to fail, nor to wait for. */
static int audit_sequences(PgConn *conn, OwnFindings *findings, Error *err)
{
    PGresult *rows;
    if (catalog_query(conn, sql_audit_sequences, 0, NULL, &rows, err) < 0)
        return -1;
    int rc = pg_execf(conn, err, "BEGIN READ ONLY; SET LOCAL lock_timeout = %d", LOCK_TIMEOUT_MS);
    if (rc == 0) {
        rc = compare_sequences(conn, rows, findings, err);
        pg_exec(conn, "ROLLBACK", NULL);
    }
    PQclear(rows);
    if (rc < 0 && strcmp(err->sqlstate, "55P03") == 0) {
        OwnFinding *finding = own_finding_add(findings, OWN_NOTE, "sequences-unknown");
        finding->message = xstrdup("sequences were not compared with their columns: a table is locked by somebody");
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
        finding->message =
            xasprintf("role \"%s\" cannot read all of %d table%s or sequences", role, n, n == 1 ? "" : "s");
        finding->consequence =
            xasprintf("backups as this role fail: %s \"%s.%s\"",
                      pg_cell_bool(rows, 0, 2) ? "row-level security filters" : "permission denied for",
                      pg_cell(rows, 0, 0), pg_cell(rows, 0, 1));
        finding->cure = xstrdup("GRANT pg_read_all_data TO the role (PostgreSQL 14 and later), with BYPASSRLS where "
                                "policies filter, or back up as the tables' owner");
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
        finding->message = xasprintf("role \"%s\" may not create in schema \"%s\"", role, schema);
        finding->consequence = xasprintf("its migrations fail: permission denied for schema %s%s", schema,
                                         strcmp(schema, "public") == 0
                                             ? "; from PostgreSQL 15 on only the owner of the database may create there"
                                             : "");
        finding->cure = pg_cell_bool(rows, i, 2)
                            ? xasprintf("ALTER DATABASE %s OWNER TO %s;", database, to)
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
    if (audit_readable(conn, backup_role ? backup_role : pg_user(conn), findings, err) < 0)
        return error_wrap(err, "looking at what a backup can read");
    if (audit_sequences(conn, findings, err) < 0)
        return error_wrap(err, "comparing sequences with their columns");
    return 0;
}
