/* The server's lock table, for who is about to take many locks, and who holds those that are in the way. */
#include <string.h>

#include "catalog_priv.h"
#include "catalog_sql.h"
#include "kura/catalog.h"
#include "kura/mem.h"
#include "kura/words.h"

enum { LEAST_ROOM = 100 };

/* A lock takes two places: one for its table, which all who hold it share, and one for each of them. The server makes
 * room for `room` tables and twice as many holders, and can take more as long as there is memory that nothing else has
 * used: a half more at its default settings. */
typedef struct LockTable {
    uint64_t per_transaction, transactions, room;
    uint64_t objects, pairs; /* taken by other sessions */
} LockTable;

static int read_lock_table(PgConn *conn, LockTable *ret, Error *err)
{
    PGresult *row;
    if (catalog_query(conn, sql_lock_settings, 0, NULL, &row, err) < 0)
        return error_wrap(err, "reading the lock settings");
    *ret = (LockTable){.per_transaction = pg_cell_u64(row, 0, 0), .transactions = pg_cell_u64(row, 0, 1) + 1};
    ret->room = ret->per_transaction * ret->transactions;
    PQclear(row);
    if (catalog_query(conn, sql_lock_used, 0, NULL, &row, err) < 0)
        return error_wrap(err, "counting the locks");
    ret->pairs = pg_cell_u64(row, 0, 0);
    ret->objects = pg_cell_u64(row, 0, 1);
    PQclear(row);
    return 0;
}

int catalog_lock_room(PgConn *conn, size_t *ret, Error *err)
{
    LockTable table;
    if (read_lock_table(conn, &table, err) < 0)
        return -1;
    uint64_t half = table.room > table.pairs ? (table.room - table.pairs) / 2 : 0;
    *ret = half < LEAST_ROOM ? LEAST_ROOM : (size_t)half;
    return 0;
}

/* In the unit of `room`. */
static uint64_t needed(const LockTable *table, size_t n_tables, size_t holders)
{
    uint64_t objects = table->objects + n_tables;
    uint64_t pairs = (table->pairs + (uint64_t)n_tables * holders + 1) / 2;
    return objects > pairs ? objects : pairs;
}

/* With a quarter to spare for everybody else, in steps of 64. When there should have been room, others hold locks in
 * numbers that nobody has counted. */
static char *advice(const LockTable *table, size_t n_tables, size_t holders)
{
    uint64_t need = needed(table, n_tables, holders) * 5 / 4;
    uint64_t wanted = (need / table->transactions + 64) / 64 * 64;
    if (wanted <= table->per_transaction)
        wanted = table->per_transaction * 2;
    return xasprintf(_("Set max_locks_per_transaction to at least %ju (now %ju), on standbys first, and restart the "
                       "server: ALTER SYSTEM SET max_locks_per_transaction = %ju."),
                     (uintmax_t)wanted, (uintmax_t)table->per_transaction, (uintmax_t)wanted);
}

int catalog_lock_estimate(PgConn *conn, size_t n_tables, size_t holders, Findings *findings, Error *err)
{
    LockTable table;
    if (read_lock_table(conn, &table, err) < 0)
        return -1;
    uint64_t need = needed(&table, n_tables, holders);
    if (need <= table.room)
        return 0;
    bool certain = need > 2 * table.room;
    _cleanup_free_ char *hint = advice(&table, n_tables, holders);
    findings_add(
        findings, certain ? FINDING_ERROR : FINDING_WARNING, "locks", hint,
        certain
            ? ngettext("%zu tables, locked by %zu session, do not fit into the server's lock table, which is made for "
                       "%ju locks, of which others hold %ju",
                       "%zu tables, locked by %zu sessions at a time, do not fit into the server's lock table, which "
                       "is made for %ju locks, of which others hold %ju",
                       holders)
            : ngettext("%zu tables, locked by %zu session, may not fit into the server's lock table, which is made "
                       "for %ju locks, of which others hold %ju",
                       "%zu tables, locked by %zu sessions at a time, may not fit into the server's lock table, "
                       "which is made for %ju locks, of which others hold %ju",
                       holders),
        n_tables, holders, (uintmax_t)table.room, (uintmax_t)table.objects);
    return 0;
}

int catalog_lock_full(PgConn *conn, size_t n_tables, size_t holders, Error *err)
{
    LockTable table;
    Error cause = *err;
    if (read_lock_table(conn, &table, err) < 0)
        return -1;
    _cleanup_free_ char *hint = advice(&table, n_tables, holders);
    error_set(err, ERR_SERVER, "the server's lock table is full: %zu tables cannot all be locked (%s)", n_tables,
              cause.message);
    memcpy(err->sqlstate, cause.sqlstate, sizeof err->sqlstate);
    return error_hint(err, "%s", hint);
}

int catalog_lock_holder(PgConn *conn, const char *relation, char **ret, Error *err)
{
    PGresult *row;
    const char *params[] = {relation};
    if (catalog_query(conn, sql_lock_holder, 1, params, &row, err) < 0)
        return -1;
    *ret = NULL;
    if (PQntuples(row) > 0)
        *ret = xasprintf(_("process %s (role \"%s\", %s) holds %s since %s s, %s"), pg_cell(row, 0, 0),
                         pg_cell(row, 0, 1), pg_cell(row, 0, 2)[0] ? pg_cell(row, 0, 2) : _("unnamed"),
                         pg_cell(row, 0, 3), pg_cell(row, 0, 5), pg_cell(row, 0, 4));
    PQclear(row);
    return 0;
}
