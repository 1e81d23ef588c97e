/* Whether the application can write, tried out and rolled back. */
#include <string.h>

#include "catalog_priv.h"
#include "catalog_sql.h"
#include "kura/mem.h"
#include "kura/sqllex.h"
#include "kura/words.h"
#include "proofs_priv.h"

enum { W_NAME, W_UPDATE, W_INSERT, TIMEOUT_SECONDS = 30 };

static int try_statement(const Proofs *proofs, const char *role, const PGresult *rows, int row, int column, bool *bad,
                         ProofCount *count, Error *err)
{
    Error refused = ERROR_INIT;
    if (*bad || PQgetisnull(rows, row, column))
        return 0;
    if (pg_exec(proofs->conn, pg_cell(rows, row, column), &refused) == 0)
        return 0;
    if (refused.code != ERR_SERVER) {
        *err = refused;
        return -1;
    }
    *bad = true;
    proof_tell(proofs, FINDING_WARNING, "probe-write", refused.hint[0] ? refused.hint : NULL, ++count->failed,
               "%s %s as role \"%s\" fails: %s", column == W_UPDATE ? _("UPDATE of") : _("INSERT into"),
               pg_cell(rows, row, W_NAME), role, refused.message);
    return pg_exec(proofs->conn, "ROLLBACK TO SAVEPOINT kura", err);
}

static int try_tables(const Proofs *proofs, const char *role, ProofCount *ret, Error *err)
{
    PGresult *rows;
    int rc = 0;
    *ret = (ProofCount){0};
    if (catalog_query(proofs->conn, sql_proof_writes, 0, NULL, &rows, err) < 0)
        return -1;
    for (int i = 0; i < PQntuples(rows) && rc == 0; i++) {
        bool bad = false;
        ret->checked++;
        rc = pg_exec(proofs->conn, "SAVEPOINT kura", err);
        for (int column = W_UPDATE; column <= W_INSERT && rc == 0; column++)
            rc = try_statement(proofs, role, rows, i, column, &bad, ret, err);
        if (rc == 0)
            rc = pg_exec(proofs->conn, "ROLLBACK TO SAVEPOINT kura; RELEASE SAVEPOINT kura", err);
    }
    PQclear(rows);
    return rc;
}

int proof_writes(PgConn *conn, const char *role, ProofCount *ret, Findings *findings, Error *err)
{
    _cleanup_free_ char *quoted = sql_quote_ident(role);
    if (pg_execf(conn, err,
                 "BEGIN; SET LOCAL ROLE %s; SET LOCAL row_security = on; SET LOCAL statement_timeout = '%ds'", quoted,
                 TIMEOUT_SECONDS) < 0)
        return -1;
    int rc = try_tables(&(Proofs){conn, findings}, role, ret, err);
    return pg_exec(conn, "ROLLBACK", rc < 0 ? NULL : err) < 0 ? -1 : rc;
}
