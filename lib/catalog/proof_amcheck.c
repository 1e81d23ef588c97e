/* The inside of indexes, by the extension amcheck. It is created in a schema of its own in a database that is a
 * rehearsal's, and dropped again, so that nobody else sees it. */
#include <stdio.h>
#include <string.h>

#include "catalog_priv.h"
#include "catalog_sql.h"
#include "kura/mem.h"
#include "kura/sqllex.h"
#include "kura/words.h"
#include "proofs_priv.h"

#define HEAP_BYTES_MAX "33554432" /* a table up to this is read, too: whether each row is in the index */

/* The schema of the extension; *ret NULL: it is not there. */
static int installed_in(PgConn *conn, char **ret, Error *err)
{
    *ret = NULL;
    int rc = pg_query_value(conn,
                            "SELECT n.nspname FROM pg_catalog.pg_extension AS e"
                            " JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace WHERE e.extname = 'amcheck'",
                            0, NULL, ret, err);
    if (rc < 0 && err && err->code == ERR_NOT_FOUND) {
        error_clear(err);
        rc = 0;
    }
    return rc;
}

static int check_index(const Proofs *proofs, const PGresult *rows, int row, const char *schema, ProofCount *count,
                       Error *err)
{
    Error refused = ERROR_INIT;
    _cleanup_free_ char *quoted = sql_quote_ident(schema);
    count->checked++;
    if (pg_execf(proofs->conn, &refused, "SELECT %s.bt_index_check(%s::pg_catalog.oid::pg_catalog.regclass, %s)",
                 quoted, pg_cell(rows, row, 1), pg_cell_bool(rows, row, 2) ? "true" : "false") == 0)
        return 0;
    if (refused.code != ERR_SERVER) {
        *err = refused;
        return -1;
    }
    proof_tell(proofs, FINDING_ERROR, "index-corrupt",
               "It was built a moment ago: an expression, an operator or a collation in it does not always give the "
               "same, or the "
               "server's disk or memory fails.",
               ++count->failed, "index %s is not sound: %s", pg_cell(rows, row, 0), refused.message);
    return 0;
}

static int check_all(const Proofs *proofs, const char *schema, ProofCount *ret, Error *err)
{
    const char *params[] = {HEAP_BYTES_MAX};
    PGresult *rows;
    if (catalog_query(proofs->conn, sql_proof_amcheck, 1, params, &rows, err) < 0)
        return -1;
    int rc = 0;
    *ret = (ProofCount){0};
    for (int i = 0; i < PQntuples(rows) && rc == 0; i++)
        rc = check_index(proofs, rows, i, schema, ret, err);
    PQclear(rows);
    return rc;
}

int proof_amcheck(PgConn *conn, ProofCount *ret, char **ret_skipped, Findings *findings, Error *err)
{
    static const char created[] = "kura_rehearsal_amcheck";
    const Proofs proofs = {conn, findings};
    _cleanup_free_ char *schema = NULL;
    Error refused = ERROR_INIT;
    if (installed_in(conn, &schema, err) < 0)
        return -1;
    if (schema)
        return check_all(&proofs, schema, ret, err);
    if (pg_execf(conn, &refused, "CREATE SCHEMA %s; CREATE EXTENSION amcheck SCHEMA %s", created, created) < 0) {
        if (refused.code == ERR_SERVER) {
            *ret_skipped = xasprintf(_("the extension amcheck cannot be had: %s"), refused.message);
            return 0;
        }
        *err = refused;
        return -1;
    }
    int rc = check_all(&proofs, created, ret, err);
    return rc < 0 ? -1 : pg_execf(conn, err, "DROP EXTENSION amcheck; DROP SCHEMA %s", created);
}
