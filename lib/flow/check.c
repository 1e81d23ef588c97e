/* kura check. Values are compared by GROUP BY, which takes the type's own equality whatever the search_path: an "="
 * that is looked up by name may be another one. */
#include "kura/check.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "checkfix.h"
#include "checkspec.h"
#include "kura/catalog.h"
#include "kura/mem.h"
#include "kura/pg.h"
#include "kura/relation.h"
#include "kura/sqllex.h"
#include "kura/words.h"

enum { SQL_MAX = 4 * 1024 * 1024, VALUE_MAX = 200 /* characters shown */ };

#define QUERY_CANCELED "57014"

typedef struct Check {
    const CheckOptions *options;
    CheckReport *report;
    Findings *findings;
    CheckSpec spec;
    CatalogRelation table, parent;
    PgConn *conn;
    bool obstacle;
} Check;

/* Opens the transaction: nothing can be written in it. */
static int begin(Check *check, Error *err)
{
    if (pg_connect(check->options->db, NULL, &check->conn, err) < 0)
        return -1;
    int timeout = (int)(check->options->timeout * 1000);
    return pg_execf(check->conn, err,
                    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = %d;"
                    " SET LOCAL lock_timeout = 0; SET LOCAL row_security = off",
                    timeout);
}

static int check_columns(const CatalogRelation *table, const StrVec *columns, Error *err)
{
    for (size_t i = 0; i < columns->n; i++)
        if (!strvec_contains(&table->columns, columns->v[i]))
            return error_set(err, ERR_NOT_FOUND, "table %s has no column \"%s\"", table->sql, columns->v[i]);
    return 0;
}

/* Without columns of its own a foreign key references the primary key. */
static int complete_parent(Check *check, Error *err)
{
    StrVec *columns = &check->spec.parent.columns;
    for (size_t i = 0; columns->n < check->table.columns.n && i < check->parent.primary.n; i++)
        strvec_push(columns, check->parent.primary.v[i]);
    if (columns->n == check->spec.table.columns.n)
        return 0;
    error_set(err, ERR_USAGE, "the primary key of %s has %zu columns, not %zu", check->parent.sql,
              check->parent.primary.n, check->spec.table.columns.n);
    return error_hint(err, "Name the columns that are referenced.");
}

static int find_tables(Check *check, Error *err)
{
    uint32_t table, parent = 0;
    bool fk = check->options->kind == CHECK_FK;
    if (catalog_relation_find(check->conn, check->spec.table.name, &table, err) < 0 ||
        (fk && catalog_relation_find(check->conn, check->spec.parent.name, &parent, err) < 0) ||
        catalog_relation(check->conn, table, &check->table, err) < 0 ||
        (fk && catalog_relation(check->conn, parent, &check->parent, err) < 0) ||
        check_columns(&check->table, &check->spec.table.columns, err) < 0)
        return -1;
    if (fk && check->spec.parent.columns.n == 0 && complete_parent(check, err) < 0)
        return -1;
    return fk ? check_columns(&check->parent, &check->spec.parent.columns, err) : 0;
}

static void obstacle(Check *check, const char *code, const char *hint, const char *message)
{
    check->obstacle = true;
    findings_add(check->findings, FINDING_WARNING, code, hint, "%s", message);
}

static int look_for_obstacles(Check *check, Error *err)
{
    bool unique = true;
    _cleanup_free_ char *holder = NULL;
    if (check->options->kind == CHECK_FK &&
        catalog_relation_is_unique(check->conn, &check->parent, &check->spec.parent.columns, &unique, err) < 0)
        return -1;
    if (!unique) {
        _cleanup_free_ char *columns = check_list(&check->spec.parent.columns, "");
        _cleanup_free_ char *message = xasprintf(
            _("no unique index of %s is on exactly (%s), so nothing can reference them"), check->parent.sql, columns);
        obstacle(check, "not-unique", N_("Add a primary key or a unique constraint there first."), message);
    }
    if (catalog_lock_holder(check->conn, check->table.sql, &holder, err) < 0)
        return -1;
    if (holder)
        findings_add(
            check->findings, FINDING_NOTE, "lock-held",
            "An ALTER TABLE waits for it, and everybody else then waits for the ALTER TABLE: set lock_timeout.",
            "table %s: %s", check->table.sql, holder);
    return 0;
}

/* "a" IS NOT NULL AND "b" IS NOT NULL */
static char *not_nulls(const StrVec *columns)
{
    Buf out = BUF_INIT(SQL_MAX);
    for (size_t i = 0; i < columns->n; i++) {
        buf_append_str(&out, i ? " AND " : "", NULL);
        sql_append_ident(&out, columns->v[i]);
        buf_append_str(&out, " IS NOT NULL", NULL);
    }
    char *text = xstrdup(buf_str(&out));
    buf_done(&out);
    return text;
}

/* A constraint of an ordinary table is about its own rows, not about those of tables that inherit from it. */
static const char *only(const CatalogRelation *table)
{
    return table->kind == 'p' ? "" : "ONLY ";
}

/* The values that violate it, with how many rows have each, as "v1", "v2", .., "rows". */
static char *grouped(const Check *check)
{
    const StrVec *columns = &check->spec.table.columns;
    _cleanup_free_ char *own = check_list(columns, ""), *present = not_nulls(columns);
    if (check->options->kind == CHECK_UNIQUE)
        return xasprintf("SELECT %s, pg_catalog.count(*) AS kura_rows FROM %s%s WHERE %s GROUP BY %s"
                         " HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1",
                         own, only(&check->table), check->table.sql, present, own);
    _cleanup_free_ char *theirs = check_list(&check->spec.parent.columns, "");
    return xasprintf(
        "SELECT %s, pg_catalog.sum(kura_child) AS kura_rows FROM (SELECT %s, 1 AS kura_child FROM %s%s WHERE %s"
        " UNION ALL SELECT %s, NULL FROM %s%s) AS both_tables GROUP BY %s"
        " HAVING pg_catalog.count(kura_child) OPERATOR(pg_catalog.=) pg_catalog.count(*)",
        own, own, only(&check->table), check->table.sql, present, theirs, only(&check->parent), check->parent.sql, own);
}

static char *condition(const Check *check)
{
    if (check->options->kind == CHECK_CHECK)
        return xasprintf("(%s\n) IS FALSE", check->spec.expression);
    _cleanup_free_ char *column = sql_quote_ident(check->spec.table.columns.v[0]);
    return xasprintf("%s IS NULL", column);
}

/* What tells a violating row: its primary key and the columns it is about. */
static void choose_columns(Check *check)
{
    StrVec *columns = &check->report->columns;
    const StrVec *about = &check->spec.table.columns;
    if (check->table.primary.n == 0)
        strvec_push(columns, "ctid");
    for (size_t i = 0; i < check->table.primary.n; i++)
        strvec_push(columns, check->table.primary.v[i]);
    for (size_t i = 0; i < about->n; i++)
        if (!strvec_contains(columns, about->v[i]))
            strvec_push(columns, about->v[i]);
    for (size_t i = 0; i < check->spec.words.n; i++)
        if (strvec_contains(&check->table.columns, check->spec.words.v[i]) &&
            !strvec_contains(columns, check->spec.words.v[i]))
            strvec_push(columns, check->spec.words.v[i]);
}

static char *as_text(const StrVec *columns)
{
    Buf out = BUF_INIT(SQL_MAX);
    for (size_t i = 0; i < columns->n; i++) {
        buf_append_str(&out, i ? ", pg_catalog.\"left\"(" : "pg_catalog.\"left\"(", NULL);
        sql_append_ident(&out, columns->v[i]);
        buf_printf(&out, NULL, "::pg_catalog.text, %d)", VALUE_MAX);
    }
    char *text = xstrdup(buf_str(&out));
    buf_done(&out);
    return text;
}

static int query(Check *check, const char *sql, PGresult **ret, Error *err)
{
    if (pg_query(check->conn, sql, 0, NULL, ret, err) == 0)
        return 0;
    if (err && strcmp(err->sqlstate, QUERY_CANCELED) == 0 && err->code == ERR_SERVER) {
        error_set(err, ERR_SERVER, "looking at %s took longer than %.0f seconds", check->table.sql,
                  check->options->timeout);
        return error_hint(err, "Give it more time with --timeout, or look at a restored copy.");
    }
    return error_wrap(err, "looking at %s", check->table.sql);
}

static void keep_sample(Check *check, const PGresult *rows, int from)
{
    for (int i = 0; i < PQntuples(rows); i++)
        for (int j = from; j < PQnfields(rows); j++)
            strvec_push(&check->report->values, PQgetisnull(rows, i, j) ? "NULL" : pg_cell(rows, i, j));
}

/* One pass: totals and sample. */
static int look_by_value(Check *check, Error *err)
{
    CheckReport *report = check->report;
    PGresult *rows;
    report->query = grouped(check);
    for (size_t i = 0; i < check->spec.table.columns.n; i++)
        strvec_push(&report->columns, check->spec.table.columns.v[i]);
    _cleanup_free_ char *shown = as_text(&report->columns);
    _cleanup_free_ char *sql = xasprintf(
        "SELECT pg_catalog.sum(kura_rows) OVER (), pg_catalog.count(*) OVER (), %s, kura_rows FROM (%s) AS violations"
        " ORDER BY kura_rows DESC LIMIT %zu",
        shown, report->query, check->options->sample);
    strvec_push(&report->columns, "rows");
    if (query(check, sql, &rows, err) < 0)
        return -1;
    if (PQntuples(rows) > 0) {
        report->rows = pg_cell_u64(rows, 0, 0);
        report->keys = pg_cell_u64(rows, 0, 1);
    }
    keep_sample(check, rows, 2);
    PQclear(rows);
    return 0;
}

/* The expression is a person's own: it is looked up along the session's search_path, as ALTER TABLE would. */
static int look_by_row(Check *check, Error *err)
{
    CheckReport *report = check->report;
    PGresult *rows;
    choose_columns(check);
    _cleanup_free_ char *where = condition(check), *shown = as_text(&report->columns);
    report->query = xasprintf("SELECT * FROM %s WHERE %s", check->table.sql, where);
    _cleanup_free_ char *count = xasprintf("SELECT pg_catalog.count(*) FROM %s WHERE %s", check->table.sql, where);
    _cleanup_free_ char *sample =
        xasprintf("SELECT %s FROM %s WHERE %s LIMIT %zu", shown, check->table.sql, where, check->options->sample);
    if (pg_exec(check->conn, "RESET search_path", err) < 0 || query(check, count, &rows, err) < 0)
        return -1;
    report->rows = pg_cell_u64(rows, 0, 0);
    PQclear(rows);
    if (report->rows == 0)
        return 0;
    if (query(check, sample, &rows, err) < 0)
        return -1;
    keep_sample(check, rows, 0);
    PQclear(rows);
    return 0;
}

static void judge(Check *check)
{
    CheckReport *report = check->report;
    report->addable = report->rows == 0 && !check->obstacle;
    if (report->rows > 0)
        findings_add(check->findings, FINDING_WARNING, "constraint-violated",
                     "Patch these rows first, then add the constraint; the query lists all of them.",
                     ngettext("%ju row of %s violates %s", "%ju rows of %s violate %s", report->rows),
                     (uintmax_t)report->rows, report->table, report->constraint);
    if (report->addable)
        check_statements_for(check->options->kind, &check->spec, &check->table, report->constraint,
                             &report->statements);
}

static int run(Check *check, Error *err)
{
    CheckKind kind = check->options->kind;
    if (begin(check, err) < 0 || find_tables(check, err) < 0)
        return -1;
    check->report->table = xstrdup(check->table.sql);
    check->report->constraint = check_constraint(kind, &check->spec, &check->parent);
    if (look_for_obstacles(check, err) < 0 ||
        (kind == CHECK_FK || kind == CHECK_UNIQUE ? look_by_value(check, err) : look_by_row(check, err)) < 0)
        return -1;
    judge(check);
    return 0;
}

int check_run(const CheckOptions *options, CheckReport *ret, Findings *findings, Error *err)
{
    Check check = {.options = options, .report = ret, .findings = findings};
    *ret = (CheckReport){0};
    int rc = checkspec_parse(options->kind, options->spec, &check.spec, err);
    if (rc == 0)
        rc = run(&check, err);
    pg_close(check.conn);
    catalog_relation_done(&check.table);
    catalog_relation_done(&check.parent);
    checkspec_done(&check.spec);
    return rc;
}

void check_report_done(CheckReport *report)
{
    free(report->table);
    free(report->constraint);
    strvec_done(&report->columns);
    strvec_done(&report->values);
    free(report->query);
    strvec_done(&report->statements);
    *report = (CheckReport){0};
}
