/* Proofs that are one query each. */
#include "kura/proofs.h"

#include <stdlib.h>
#include <string.h>

#include "audit_priv.h"
#include "catalog_priv.h"
#include "catalog_sql.h"
#include "kura/mem.h"
#include "kura/sqllex.h"
#include "kura/words.h"
#include "proofs_priv.h"

void proof_tell(const Proofs *proofs, Severity severity, const char *code, const char *hint, uint64_t number,
                const char *format, ...)
{
    va_list args;
    va_start(args, format);
    _cleanup_free_ char *text = xvasprintf(words_get(format), args);
    va_end(args);
    if (number <= PROOF_FINDINGS_MAX)
        findings_add(proofs->findings, severity, code, hint, "%s", text);
    else if (number == PROOF_FINDINGS_MAX + 1)
        findings_add(proofs->findings, severity, code, NULL, "and more of the kind");
}

/* The query gives how many there are in the first column of each row; without one that fails the second is NULL. */
static int ask(const Proofs *proofs, const char *sql,
               int (*tell)(const Proofs *proofs, const PGresult *rows, int row, ProofCount *count, Error *err),
               ProofCount *ret, Error *err)
{
    PGresult *rows;
    if (catalog_query(proofs->conn, sql, 0, NULL, &rows, err) < 0)
        return -1;
    ProofCount count = {.checked = pg_cell_u64(rows, 0, 0)};
    int rc = 0;
    for (int i = 0; i < PQntuples(rows) && rc == 0; i++)
        if (!PQgetisnull(rows, i, 1))
            rc = tell(proofs, rows, i, &count, err);
    PQclear(rows);
    *ret = count;
    return rc;
}

/* ---- constraints ---- */

enum { C_NAME = 1, C_RELATION, C_OWNER, C_DEFINITION, C_COUNT, C_SAMPLE };

/* Runs a query as the owner of the table, in whose power its functions are. */
static int query_as(PgConn *conn, const char *role, const char *sql, PGresult **ret, Error *err)
{
    _cleanup_free_ char *quoted = sql_quote_ident(role);
    if (pg_execf(conn, err, "BEGIN READ ONLY; SET LOCAL ROLE %s", quoted) < 0)
        return -1;
    int rc = pg_query(conn, sql, 0, NULL, ret, err);
    if (pg_exec(conn, "ROLLBACK", rc < 0 ? NULL : err) < 0 && rc == 0) {
        PQclear(*ret);
        rc = -1;
    }
    return rc;
}

static char *sample_text(const PGresult *rows)
{
    Buf text = BUF_INIT(SIZE_MAX);
    for (int i = 0; i < PQntuples(rows); i++)
        buf_printf(&text, NULL, "%s%.100s", i ? ", " : "", pg_cell(rows, i, 0));
    char *ret = xstrdup(buf_str(&text));
    buf_done(&text);
    return ret;
}

static void tell_valid(const Proofs *proofs, const char *name, const char *relation)
{
    _cleanup_free_ char *quoted = sql_quote_ident(name);
    _cleanup_free_ char *hint = xasprintf(_("ALTER TABLE %s VALIDATE CONSTRAINT %s; would work."), relation, quoted);
    findings_add(proofs->findings, FINDING_NOTE, "constraint-not-valid", hint,
                 "constraint \"%s\" on %s is NOT VALID, though every row complies", name, relation);
}

static void tell_violations(const Proofs *proofs, const PGresult *rows, int row, uint64_t violations, const char *some,
                            uint64_t number)
{
    const char *name = pg_cell(rows, row, C_NAME), *relation = pg_cell(rows, row, C_RELATION);
    _cleanup_free_ char *quoted = sql_quote_ident(name);
    _cleanup_free_ char *hint =
        xasprintf(_("It says: %s. Repair the rows, then ALTER TABLE %s VALIDATE CONSTRAINT %s;"),
                  pg_cell(rows, row, C_DEFINITION), relation, quoted);
    proof_tell(proofs, FINDING_WARNING, "constraint-violated", hint, number,
               ngettext("constraint \"%s\" on %s is NOT VALID: %ju row violates it, such as %s",
                        "constraint \"%s\" on %s is NOT VALID: %ju rows violate it, such as %s", violations),
               name, relation, (uintmax_t)violations, some);
}

static int look_at_rows(const Proofs *proofs, const PGresult *rows, int row, ProofCount *count, Error *err)
{
    const char *owner = pg_cell(rows, row, C_OWNER);
    PGresult *result;
    if (query_as(proofs->conn, owner, pg_cell(rows, row, C_COUNT), &result, err) < 0)
        return -1;
    uint64_t violations = pg_cell_u64(result, 0, 0);
    PQclear(result);
    if (violations == 0) {
        tell_valid(proofs, pg_cell(rows, row, C_NAME), pg_cell(rows, row, C_RELATION));
        return 0;
    }
    if (query_as(proofs->conn, owner, pg_cell(rows, row, C_SAMPLE), &result, err) < 0)
        return -1;
    _cleanup_free_ char *some = sample_text(result);
    PQclear(result);
    tell_violations(proofs, rows, row, violations, some, ++count->failed);
    return 0;
}

/* Rows that the owner may not read, say, leave one constraint unknown, not all of them. */
static int tell_constraint(const Proofs *proofs, const PGresult *rows, int row, ProofCount *count, Error *err)
{
    Error refused = ERROR_INIT;
    if (PQgetisnull(rows, row, C_COUNT) || look_at_rows(proofs, rows, row, count, &refused) == 0)
        return 0;
    if (refused.code != ERR_SERVER) {
        *err = refused;
        return -1;
    }
    proof_tell(proofs, FINDING_WARNING, "constraint-unknown", NULL, ++count->failed,
               "constraint \"%s\" on %s is NOT VALID, and what violates it cannot be read: %s",
               pg_cell(rows, row, C_NAME), pg_cell(rows, row, C_RELATION), refused.message);
    return 0;
}

int proof_constraints(PgConn *conn, ProofCount *ret, Findings *findings, Error *err)
{
    return ask(&(Proofs){conn, findings}, sql_proof_constraints, tell_constraint, ret, err);
}

/* ---- triggers ---- */

static int tell_trigger(const Proofs *proofs, const PGresult *rows, int row, ProofCount *count, Error *err)
{
    bool of_constraint = pg_cell_bool(rows, row, 3);
    const char *name = pg_cell(rows, row, 1), *relation = pg_cell(rows, row, 2);
    _cleanup_free_ char *quoted = sql_quote_ident(name);
    _cleanup_free_ char *hint = xasprintf(_("If that is not intended: ALTER TABLE %s ENABLE TRIGGER %s;"), relation,
                                          of_constraint ? "ALL" : quoted);
    proof_tell(proofs, FINDING_WARNING, "trigger-disabled", hint, ++count->failed,
               of_constraint ? N_("the trigger of constraint \"%s\" on %s is disabled")
                             : N_("trigger \"%s\" on %s is disabled"),
               name, relation);
    return 0;
}

int proof_triggers(PgConn *conn, ProofCount *ret, Findings *findings, Error *err)
{
    return ask(&(Proofs){conn, findings}, sql_proof_triggers, tell_trigger, ret, err);
}

/* ---- indexes ---- */

static int tell_index(const Proofs *proofs, const PGresult *rows, int row, ProofCount *count, Error *err)
{
    proof_tell(proofs, FINDING_ERROR, "index-invalid", "REINDEX INDEX builds it anew.", ++count->failed,
               "index %s on %s is not valid: queries do not use it", pg_cell(rows, row, 1), pg_cell(rows, row, 2));
    return 0;
}

int proof_indexes(PgConn *conn, ProofCount *ret, Findings *findings, Error *err)
{
    return ask(&(Proofs){conn, findings}, sql_proof_indexes, tell_index, ret, err);
}

/* ---- materialized views ---- */

static int tell_matview(const Proofs *proofs, const PGresult *rows, int row, ProofCount *count, Error *err)
{
    proof_tell(proofs, FINDING_NOTE, "matview-empty", "REFRESH MATERIALIZED VIEW fills it.", (uint64_t)row + 1,
               "materialized view \"%s.%s\" is not populated, and was not in the backup", pg_cell(rows, row, 1),
               pg_cell(rows, row, 2));
    return 0;
}

int proof_matviews(PgConn *conn, ProofCount *ret, Findings *findings, Error *err)
{
    return ask(&(Proofs){conn, findings}, sql_proof_matviews, tell_matview, ret, err);
}

/* ---- collations ---- */

static int tell_collation(const Proofs *proofs, const PGresult *rows, int row, ProofCount *count, Error *err)
{
    const char *name = pg_cell(rows, row, 1);
    _cleanup_free_ char *hint =
        xasprintf(_("What was restored is sorted right; databases that were there before need REINDEX, "
                    "then ALTER COLLATION %s REFRESH VERSION."),
                  name);
    proof_tell(proofs, FINDING_WARNING, "collation-stale", hint, ++count->failed,
               "collation %s has version %s on this server, its library now %s", name, pg_cell(rows, row, 2),
               pg_cell(rows, row, 3));
    return 0;
}

int proof_collations(PgConn *conn, ProofCount *ret, Findings *findings, Error *err)
{
    return ask(&(Proofs){conn, findings}, sql_proof_collations, tell_collation, ret, err);
}

/* ---- sequences ---- */

int proof_sequences(PgConn *conn, ProofCount *ret, Findings *findings, Error *err)
{
    OwnFindings found = {0};
    size_t n = 0;
    int rc = audit_sequences(conn, &n, &found, err);
    *ret = (ProofCount){.checked = n};
    for (size_t i = 0; rc == 0 && i < found.n; i++) {
        const OwnFinding *finding = &found.v[i];
        ret->failed += finding->objects.n;
        findings_add(findings, finding->objects.n > 0 ? FINDING_WARNING : FINDING_NOTE, finding->code, finding->cure,
                     "%s%s%s%s%s", finding->message, finding->objects.n > 0 ? _(", first ") : "",
                     finding->objects.n > 0 ? finding->objects.v[0] : "", finding->consequence ? ": " : "",
                     finding->consequence ? finding->consequence : "");
    }
    own_findings_done(&found);
    return rc;
}
