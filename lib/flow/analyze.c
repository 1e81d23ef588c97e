#include <stdlib.h>

#include "flow_priv.h"
#include "kura/mem.h"
#include "kura/pool.h"
#include "restore_priv.h"

typedef struct Analysis {
    Restore *restore;
    PGresult *relations; /* one column: the qualified name */
    atomic_int next;
} Analysis;

static int worker(void *ctx, Pool *pool, size_t number, Error *err)
{
    Analysis *analysis = ctx;
    PgConn *conn;
    if (target_connect_strongest(analysis->restore, &pool->failed, &conn, err) < 0)
        return -1;
    int rc = 0, i;
    while (rc == 0 && (i = analysis->next++) < PQntuples(analysis->relations)) {
        const char *name = pg_cell(analysis->relations, i, 0);
        progress_item(analysis->restore->progress, name);
        _cleanup_free_ char *statement = xasprintf("ANALYZE %s", name);
        OwnTrouble own = {.desc = "ANALYZE", .object = name, .statement = statement};
        Error refused = ERROR_INIT;
        if (pg_exec(conn, statement, &refused) < 0)
            rc = trouble_own(analysis->restore, &own, &refused, err);
        progress_add(analysis->restore->progress, 0, 1);
    }
    pg_close(conn);
    return rc;
}

int analyze_target(Restore *restore, Error *err)
{
    PgConn *conn;
    if (target_connect(restore, NULL, &conn, err) < 0)
        return -1;
    /* a partitioned table's ANALYZE covers its partitions */
    Analysis analysis = {.restore = restore};
    int rc = pg_query(conn,
                      "SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class c"
                      " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
                      " WHERE c.relkind IN ('r', 'm', 'p') AND NOT c.relispartition AND n.nspname !~ '^pg_'"
                      " AND n.nspname <> 'information_schema' ORDER BY c.relpages DESC",
                      0, NULL, &analysis.relations, err);
    pg_close(conn);
    if (rc < 0)
        return -1;
    rc = pool_run(flow_load_jobs(restore->options->jobs), worker, &analysis, err);
    PQclear(analysis.relations);
    return rc;
}
