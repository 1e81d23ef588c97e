/* The access probe: what an application would meet that comes as its own role. All of it happens in a transaction that
 * is rolled back, the role with it. */
#include <stdio.h>
#include <string.h>

#include "catalog_priv.h"
#include "catalog_sql.h"
#include "kura/catalog.h"
#include "kura/mem.h"

enum {
    BATCH = 50, /* SELECTs sent at once; their locks are let go before the next batch */
    STATEMENT_MAX = 1 << 20,
    FINDINGS_PER_CODE = 20, /* a wrong restore has thousands of the same */
};

/* Columns of probe-relations.sql. */
enum { R_SCHEMA, R_NAME, R_KIND, R_OWNER, R_OWNED, R_GRANTED, R_POPULATED, R_USAGE, R_READABLE, R_WHOLLY, R_MISSING };

typedef struct Probe {
    PgConn *conn;
    const char *role;
    Findings *findings;
} Probe;

/* Counts findings of one kind; false once there are enough of them. */
static bool some_more(size_t *count)
{
    return ++*count <= FINDINGS_PER_CODE;
}

static void tell_rest(const Probe *probe, Severity severity, const char *code, size_t count)
{
    if (count > FINDINGS_PER_CODE)
        findings_add(probe->findings, severity, code, NULL, "and %zu more of the kind", count - FINDINGS_PER_CODE);
}

static int check_role(const Probe *probe, Error *err)
{
    PGresult *row;
    if (pg_query(probe->conn, sql_probe_role, 0, NULL, &row, err) < 0)
        return -1;
    if (pg_cell_bool(row, 0, 0))
        findings_add(probe->findings, FINDING_WARNING, "probe-superuser",
                     "Name the role that the application logs in as, or take SUPERUSER from it.",
                     "role \"%s\" is a superuser, so its access proves nothing", probe->role);
    if (!pg_cell_bool(row, 0, 1))
        findings_add(probe->findings, FINDING_NOTE, "probe-no-login", NULL, "role \"%s\" may not log in by itself",
                     probe->role);
    if (!pg_cell_bool(row, 0, 2))
        findings_add(probe->findings, FINDING_ERROR, "probe-connect", "Grant CONNECT on the database to the role.",
                     "role \"%s\" may not connect to database \"%s\"", probe->role, pg_dbname(probe->conn));
    PQclear(row);
    return 0;
}

static int check_schemas(const Probe *probe, Error *err)
{
    PGresult *rows;
    if (pg_query(probe->conn, sql_probe_schemas, 0, NULL, &rows, err) < 0)
        return -1;
    for (int i = 0; i < PQntuples(rows); i++)
        findings_add(probe->findings, FINDING_ERROR, "probe-schema",
                     "Let the role own the schema or the database, or grant it what is missing.",
                     "role \"%s\" lacks %s on schema \"%s\", where it has tables", probe->role, pg_cell(rows, i, 1),
                     pg_cell(rows, i, 0));
    PQclear(rows);
    return 0;
}

static int check_sequences(const Probe *probe, Error *err)
{
    PGresult *rows;
    size_t count = 0;
    if (pg_query(probe->conn, sql_probe_sequences, 0, NULL, &rows, err) < 0)
        return -1;
    for (int i = 0; i < PQntuples(rows); i++)
        if (some_more(&count))
            findings_add(probe->findings, FINDING_ERROR, "probe-sequence", "Grant USAGE on the sequence to the role.",
                         "role \"%s\" may INSERT into \"%s.%s\" but not use its sequence \"%s.%s\"", probe->role,
                         pg_cell(rows, i, 2), pg_cell(rows, i, 3), pg_cell(rows, i, 0), pg_cell(rows, i, 1));
    tell_rest(probe, FINDING_ERROR, "probe-sequence", count);
    PQclear(rows);
    return 0;
}

static int check_definers(const Probe *probe, Error *err)
{
    PGresult *rows;
    size_t count = 0;
    if (pg_query(probe->conn, sql_probe_definers, 0, NULL, &rows, err) < 0)
        return -1;
    for (int i = 0; i < PQntuples(rows); i++)
        if (some_more(&count))
            findings_add(
                probe->findings, FINDING_ERROR, "security-definer",
                "Give the function to the application's role, or revoke EXECUTE on it from PUBLIC.",
                "function %s.%s(%s) is SECURITY DEFINER, belongs to superuser \"%s\", and everybody may run it",
                pg_cell(rows, i, 0), pg_cell(rows, i, 1), pg_cell(rows, i, 2), pg_cell(rows, i, 3));
    tell_rest(probe, FINDING_ERROR, "security-definer", count);
    PQclear(rows);
    return 0;
}

/* What the catalogue alone says about the relations. *ret counts those that the role owns or is granted. */
static void check_privileges(const Probe *probe, const PGresult *rows, size_t *ret)
{
    size_t missing = 0, unreachable = 0, foreign = 0;
    *ret = 0;
    for (int i = 0; i < PQntuples(rows); i++) {
        const char *schema = pg_cell(rows, i, R_SCHEMA), *name = pg_cell(rows, i, R_NAME);
        bool ours = pg_cell_bool(rows, i, R_OWNED) || pg_cell_bool(rows, i, R_GRANTED);
        *ret += ours;
        if (!ours && some_more(&foreign))
            findings_add(
                probe->findings, FINDING_WARNING, "probe-not-granted",
                "Check whether the application needs it; if so, change its owner or grant access.",
                "\"%s.%s\" belongs to \"%s\" and role \"%s\" may do nothing with it, but owns tables beside it", schema,
                name, pg_cell(rows, i, R_OWNER), probe->role);
        if (ours && !pg_cell_bool(rows, i, R_USAGE) && some_more(&unreachable))
            findings_add(probe->findings, FINDING_ERROR, "probe-usage", "Grant USAGE on the schema to the role.",
                         "role \"%s\" has rights on \"%s.%s\" but may not use its schema", probe->role, schema, name);
        if (pg_cell(rows, i, R_MISSING)[0] && some_more(&missing))
            findings_add(probe->findings, FINDING_ERROR, "probe-privilege", "Grant what is missing to the role.",
                         "role \"%s\" owns \"%s.%s\" but lacks %s on it", probe->role, schema, name,
                         pg_cell(rows, i, R_MISSING));
    }
    tell_rest(probe, FINDING_WARNING, "probe-not-granted", foreign);
    tell_rest(probe, FINDING_ERROR, "probe-usage", unreachable);
    tell_rest(probe, FINDING_ERROR, "probe-privilege", missing);
    if (*ret == 0)
        findings_add(probe->findings, FINDING_ERROR, "probe-nothing",
                     "Give the application's objects to its role: \"kura repair\" plans the statements.",
                     "role \"%s\" owns no table in database \"%s\" and is granted none", probe->role,
                     pg_dbname(probe->conn));
}

/* Whether a SELECT is expected to work. */
static bool is_selectable(const PGresult *rows, int i)
{
    return pg_cell_bool(rows, i, R_READABLE) && pg_cell_bool(rows, i, R_USAGE) && pg_cell_bool(rows, i, R_POPULATED);
}

/* ONLY: a table's children are relations of their own. A role that may read some columns selects none. */
static void add_select(Buf *sql, const PGresult *rows, int i)
{
    bool table = strchr("rp", pg_cell(rows, i, R_KIND)[0]) != NULL;
    buf_printf(sql, NULL, "SELECT %s FROM %s", pg_cell_bool(rows, i, R_WHOLLY) ? "*" : "", table ? "ONLY " : "");
    catalog_add_name(sql, pg_cell(rows, i, R_SCHEMA), pg_cell(rows, i, R_NAME));
    buf_append_str(sql, " LIMIT 0;", NULL);
}

/* Runs the SELECTs of rows [from, to) after a statement that prepares them, and lets their locks go. */
static int select_from(const Probe *probe, const char *prepare, const PGresult *rows, int from, int to, Error *err)
{
    Buf sql = BUF_INIT(STATEMENT_MAX);
    buf_printf(&sql, NULL, "SAVEPOINT kura_probe;%s;", prepare);
    for (int i = from; i < to; i++)
        if (is_selectable(rows, i))
            add_select(&sql, rows, i);
    int rc = pg_exec(probe->conn, buf_str(&sql), err);
    buf_done(&sql);
    if (rc < 0 && err->code != ERR_SERVER)
        return rc;
    Error cleanup = ERROR_INIT;
    if (pg_exec(probe->conn, "ROLLBACK TO SAVEPOINT kura_probe; RELEASE SAVEPOINT kura_probe", &cleanup) < 0) {
        *err = cleanup;
        return -1;
    }
    return rc;
}

/* A remote server that does not answer says nothing about this one. */
static bool is_remote(const Error *err)
{
    return strncmp(err->sqlstate, "08", 2) == 0 || strncmp(err->sqlstate, "HV", 2) == 0;
}

/* A view's function may name things without their schema, as an application does. */
static int select_one(const Probe *probe, const PGresult *rows, int i, size_t *count, Error *err)
{
    if (select_from(probe, "SET LOCAL search_path TO DEFAULT", rows, i, i + 1, err) == 0)
        return 0;
    if (err->code != ERR_SERVER)
        return -1;
    if (is_remote(err))
        findings_add(probe->findings, FINDING_WARNING, "probe-foreign", NULL,
                     "SELECT from \"%s.%s\" as role \"%s\" needs another server: %s", pg_cell(rows, i, R_SCHEMA),
                     pg_cell(rows, i, R_NAME), probe->role, err->message);
    else if (some_more(count))
        findings_add(probe->findings, FINDING_ERROR, "probe-select", err->hint[0] ? err->hint : NULL,
                     "SELECT from \"%s.%s\" as role \"%s\" fails: %s", pg_cell(rows, i, R_SCHEMA),
                     pg_cell(rows, i, R_NAME), probe->role, err->message);
    error_clear(err);
    return 0;
}

static int select_all(const Probe *probe, const PGresult *rows, Error *err)
{
    size_t count = 0;
    for (int at = 0; at < PQntuples(rows); at += BATCH) {
        int end = PQntuples(rows) - at < BATCH ? PQntuples(rows) : at + BATCH;
        if (select_from(probe, "", rows, at, end, err) == 0)
            continue;
        if (err->code != ERR_SERVER)
            return -1;
        error_clear(err);
        for (int i = at; i < end; i++)
            if (select_one(probe, rows, i, &count, err) < 0)
                return -1;
    }
    tell_rest(probe, FINDING_ERROR, "probe-select", count);
    return 0;
}

static int probe_all(const Probe *probe, size_t *ret_probed, Error *err)
{
    PGresult *rows;
    if (check_role(probe, err) < 0 || pg_query(probe->conn, sql_probe_relations, 0, NULL, &rows, err) < 0)
        return -1;
    check_privileges(probe, rows, ret_probed);
    int rc = select_all(probe, rows, err);
    PQclear(rows);
    if (rc < 0 || check_schemas(probe, err) < 0 || check_sequences(probe, err) < 0)
        return -1;
    return check_definers(probe, err);
}

static int become(PgConn *conn, const char *role, Error *err)
{
    const char *params[] = {role};
    PGresult *result;
    if (pg_exec(conn, "BEGIN READ ONLY", err) < 0 || pg_exec(conn, sql_probe_session, err) < 0)
        return -1;
    if (pg_query(conn, "SELECT pg_catalog.set_config('role', $1, true)", 1, params, &result, err) < 0)
        return error_hint(err, "The probe needs a superuser, or a user who is a member of that role.");
    PQclear(result);
    return 0;
}

int catalog_probe(PgConn *conn, const char *role, size_t *ret_probed, Findings *findings, Error *err)
{
    Probe probe = {.conn = conn, .role = role, .findings = findings};
    Error cause = ERROR_INIT;
    size_t probed = 0;
    int rc = become(conn, role, &cause) < 0 || probe_all(&probe, &probed, &cause) < 0 ? -1 : 0;
    Error ending = ERROR_INIT;
    if (pg_exec(conn, "ROLLBACK", &ending) < 0 && rc == 0) {
        cause = ending;
        rc = -1;
    }
    if (rc < 0) {
        if (err)
            *err = cause;
        return error_wrap(err, "probing the access of role \"%s\"", role);
    }
    if (ret_probed)
        *ret_probed = probed;
    return 0;
}
