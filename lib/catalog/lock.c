/* Locking many tables at once. LOCK TABLE takes a list but fails as a whole, so every batch has a savepoint, and a
 * batch in which a table was dropped meanwhile is gone through one by one. */
#include <stdio.h>
#include <string.h>

#include "catalog_priv.h"
#include "catalog_sql.h"
#include "kura/catalog.h"
#include "kura/mem.h"
#include "kura/words.h"

enum { BATCH = 100, STATEMENT_MAX = 1 << 20 };

/* The tables that LOCK TABLE takes on every version, and some of them. */
typedef struct Lockable {
    const CatalogTable **v;
    size_t n;
} Lockable;

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
                  pg_cell_bool(row, 0, 3) ? _("holds") : _("waits for"));
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
        return catalog_lock_full(conn, n_all, 2, err);
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
