/* Locking many tables at once. LOCK TABLE takes a list but fails as a whole, so every batch has a savepoint, and a
 * batch in which a table was dropped meanwhile is gone through one by one. */
#include <stdio.h>
#include <string.h>

#include "catalog_priv.h"
#include "catalog_sql.h"
#include "kura/catalog.h"
#include "kura/mem.h"

enum { BATCH = 100, STATEMENT_MAX = 1 << 20 };

/* The tables that LOCK TABLE takes on every version, and some of them. */
typedef struct Lockable {
    const CatalogTable **v;
    size_t n;
} Lockable;

typedef struct LockSettings {
    uint64_t per_transaction, transactions;
} LockSettings;

static int read_settings(PgConn *conn, LockSettings *ret, Error *err)
{
    PGresult *row;
    if (catalog_query(conn, sql_lock_settings, 0, NULL, &row, err) < 0)
        return error_wrap(err, "reading the lock settings");
    *ret = (LockSettings){.per_transaction = pg_cell_u64(row, 0, 0), .transactions = pg_cell_u64(row, 0, 1) + 1};
    PQclear(row);
    return 0;
}

/* The server has room for per_transaction * transactions locked tables, and for twice as many pairs of a table and one
 * who holds it. What to set for this need: with a quarter to spare for everybody else, in steps of 64. */
static uint64_t wanted_setting(const LockSettings *settings, size_t n_tables, size_t holders)
{
    uint64_t pairs = (uint64_t)n_tables * holders / 2;
    uint64_t need = (pairs > n_tables ? pairs : n_tables) * 5 / 4;
    return (need / settings->transactions + 64) / 64 * 64;
}

int catalog_lock_estimate(PgConn *conn, size_t n_tables, size_t holders, Findings *findings, Error *err)
{
    LockSettings settings;
    if (read_settings(conn, &settings, err) < 0)
        return -1;
    uint64_t room = settings.per_transaction * settings.transactions;
    if (n_tables <= room && (uint64_t)n_tables * holders <= room * 2)
        return 0;
    _cleanup_free_ char *hint =
        xasprintf("Set max_locks_per_transaction to %ju (now %ju) on the server and restart it.",
                  (uintmax_t)wanted_setting(&settings, n_tables, holders), (uintmax_t)settings.per_transaction);
    findings_add(findings, FINDING_WARNING, "locks", hint,
                 "%zu tables locked by %zu sessions may not fit into the server's lock table, which is made for %ju "
                 "locks",
                 n_tables, holders, (uintmax_t)room);
    return 0;
}

static int table_full(PgConn *conn, size_t n_tables, Error *err)
{
    LockSettings settings;
    Error cause = *err;
    if (read_settings(conn, &settings, err) < 0)
        return -1;
    error_set(err, ERR_SERVER, "the server's lock table is full: %zu tables cannot all be locked (%s)", n_tables,
              cause.message);
    memcpy(err->sqlstate, cause.sqlstate, sizeof err->sqlstate);
    uint64_t wanted = wanted_setting(&settings, n_tables, 2);
    if (wanted <= settings.per_transaction) /* others hold locks in numbers too */
        wanted = settings.per_transaction * 2;
    return error_hint(err, "Set max_locks_per_transaction to at least %ju (now %ju) on the server and restart it.",
                      (uintmax_t)wanted, (uintmax_t)settings.per_transaction);
}

static int find_blocker(PgConn *conn, Lockable tables, PGresult **ret, Error *err)
{
    Buf oids = BUF_INIT(STATEMENT_MAX);
    for (size_t i = 0; i < tables.n; i++)
        buf_printf(&oids, NULL, "%c%u", i ? ',' : '{', tables.v[i]->oid);
    buf_append_str(&oids, "}", NULL);
    const char *params[] = {buf_str(&oids)};
    int rc = catalog_query(conn, sql_lock_blockers, 1, params, ret, err);
    buf_done(&oids);
    return rc;
}

static int blocked(PgConn *conn, Lockable tables, unsigned timeout_ms, Error *err)
{
    PGresult *row;
    Error cause = *err;
    if (find_blocker(conn, tables, &row, err) < 0)
        return -1;
    if (PQntuples(row) == 0)
        error_set(err, ERR_SERVER, "could not lock %zu tables within %u ms", tables.n, timeout_ms);
    else
        error_set(err, ERR_SERVER, "could not lock table \"%s.%s\" within %u ms: process %s %s an exclusive lock on it",
                  pg_cell(row, 0, 0), pg_cell(row, 0, 1), timeout_ms, pg_cell(row, 0, 2),
                  pg_cell_bool(row, 0, 3) ? "holds" : "waits for");
    PQclear(row);
    memcpy(err->sqlstate, cause.sqlstate, sizeof err->sqlstate);
    return error_hint(err, "Try again when the ALTER TABLE, VACUUM FULL or the like is done, or allow a longer wait.");
}

static int lock_or_roll_back(PgConn *conn, Lockable tables, Error *err)
{
    Buf sql = BUF_INIT(STATEMENT_MAX);
    buf_append_str(&sql, "SAVEPOINT kura_lock; LOCK TABLE ", NULL);
    for (size_t i = 0; i < tables.n; i++) {
        buf_append_str(&sql, i ? ", ONLY " : "ONLY ", NULL);
        catalog_add_name(&sql, tables.v[i]->schema, tables.v[i]->name);
    }
    buf_append_str(&sql, " IN ACCESS SHARE MODE; RELEASE SAVEPOINT kura_lock", NULL);
    int rc = pg_exec(conn, buf_str(&sql), err);
    buf_done(&sql);
    if (rc < 0 && err->code == ERR_SERVER)
        pg_exec(conn, "ROLLBACK TO SAVEPOINT kura_lock; RELEASE SAVEPOINT kura_lock", NULL);
    return rc;
}

/* Whether the table is not there any more: itself, its schema, or another kind of relation has its name. */
static bool is_gone(const Error *err)
{
    return strcmp(err->sqlstate, "42P01") == 0 || strcmp(err->sqlstate, "3F000") == 0 ||
           strcmp(err->sqlstate, "42809") == 0;
}

static int lock_one(PgConn *conn, const CatalogTable *table, Error *err)
{
    if (lock_or_roll_back(conn, (Lockable){&table, 1}, err) == 0)
        return 0;
    if (!is_gone(err))
        return error_wrap(err, "locking table \"%s.%s\"", table->schema, table->name);
    error_clear(err);
    return 0;
}

static int lock_batch(PgConn *conn, Lockable batch, size_t n_all, unsigned timeout_ms, Error *err)
{
    if (lock_or_roll_back(conn, batch, err) == 0)
        return 0;
    if (strcmp(err->sqlstate, "53200") == 0)
        return table_full(conn, n_all, err);
    if (strcmp(err->sqlstate, "55P03") == 0)
        return blocked(conn, batch, timeout_ms, err);
    if (!is_gone(err))
        return error_wrap(err, "locking the tables");
    error_clear(err);
    for (size_t i = 0; i < batch.n; i++)
        if (lock_one(conn, batch.v[i], err) < 0)
            return -1;
    return 0;
}

static int lock_all(PgConn *conn, Lockable all, unsigned timeout_ms, Error *err)
{
    for (size_t at = 0; at < all.n; at += BATCH) {
        Lockable batch = {all.v + at, all.n - at < BATCH ? all.n - at : BATCH};
        if (lock_batch(conn, batch, all.n, timeout_ms, err) < 0)
            return -1;
    }
    return 0;
}

int catalog_lock(PgConn *conn, const CatalogTables *tables, unsigned lock_timeout_ms, Error *err)
{
    Error none = ERROR_INIT;
    if (err == NULL)
        err = &none;
    Lockable all = {.v = xcalloc(tables->n, sizeof *all.v)};
    for (size_t i = 0; i < tables->n; i++)
        if (tables->v[i].relkind == 'r' || tables->v[i].relkind == 'p')
            all.v[all.n++] = &tables->v[i];
    int rc = pg_execf(conn, err, "SET LOCAL lock_timeout = %u", lock_timeout_ms);
    if (rc == 0)
        rc = lock_all(conn, all, lock_timeout_ms, err);
    if (rc == 0)
        rc = pg_exec(conn, "SET LOCAL lock_timeout = 0", err);
    free(all.v);
    return rc;
}
