#include "kura/replication.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "catalog_priv.h"
#include "catalog_sql.h"
#include "kura/mem.h"

static double cell_seconds(const PGresult *row, int i, int column)
{
    return PQgetisnull(row, i, column) ? -1 : strtod(pg_cell(row, i, column), NULL);
}

/* Nothing of ours may stay in the session: replicas are often reached through a pooler, which hands it to the
 * application next. */
static int ask(PgConn *conn, const char *sql, int n_params, const char *const *params, PGresult **ret, Error *err)
{
    if (pg_exec(conn, "BEGIN READ ONLY; SET LOCAL search_path = ''", err) < 0)
        return -1;
    int rc = pg_query(conn, sql, n_params, params, ret, err);
    pg_exec(conn, "ROLLBACK", NULL);
    return rc;
}

void replication_standbys_done(ReplStandbys *standbys)
{
    for (size_t i = 0; i < standbys->n; i++) {
        free(standbys->v[i].name);
        free(standbys->v[i].address);
        free(standbys->v[i].state);
        free(standbys->v[i].sync_state);
    }
    free(standbys->v);
    *standbys = (ReplStandbys){0};
}

int replication_standbys(PgConn *conn, const char *lsn, ReplStandbys *ret, Error *err)
{
    PGresult *rows;
    if (ask(conn, sql_replication_standbys, 1, &lsn, &rows, err) < 0)
        return error_wrap(err, "looking for standbys");
    *ret = (ReplStandbys){.seen = true, .n = (size_t)PQntuples(rows)};
    ret->v = xcalloc(ret->n, sizeof *ret->v);
    for (int i = 0; i < PQntuples(rows); i++) {
        ret->v[i] = (ReplStandby){
            .name = catalog_dup(rows, i, 0),
            .address = catalog_dup(rows, i, 1),
            .state = catalog_dup(rows, i, 2),
            .sync_state = catalog_dup(rows, i, 3),
            .lag = cell_seconds(rows, i, 4),
            .behind = PQgetisnull(rows, i, 5) ? UINT64_MAX : pg_cell_u64(rows, i, 5),
        };
        if (ret->v[i].sync_state == NULL)
            ret->seen = false;
    }
    PQclear(rows);
    return 0;
}

void replication_server_done(ReplServer *server)
{
    free(server->system_identifier);
    free(server->started);
    free(server->address);
    free(server->name);
    *server = (ReplServer){0};
}

int replication_server(PgConn *conn, ReplServer *ret, Error *err)
{
    PGresult *row;
    if (ask(conn, sql_replication_server, 0, NULL, &row, err) < 0)
        return -1;
    *ret = (ReplServer){
        .recovery = pg_cell_bool(row, 0, 0),
        .paused = pg_cell_bool(row, 0, 1),
        .started = catalog_dup(row, 0, 2),
        .address = catalog_dup(row, 0, 3),
        .name = catalog_dup(row, 0, 4),
        .lag = cell_seconds(row, 0, 5),
    };
    bool may_identify = pg_cell_bool(row, 0, 6);
    PQclear(row);
    if (!may_identify || pg_query_value(conn, sql_system_identifier, 0, NULL, &ret->system_identifier, err) == 0)
        return 0;
    replication_server_done(ret);
    return -1;
}

void replication_primary_done(ReplPrimary *primary)
{
    replication_server_done(&primary->server);
    free(primary->names_text);
    syncnames_done(&primary->names);
    free(primary->commit);
    replication_standbys_done(&primary->standbys);
    *primary = (ReplPrimary){0};
}

static int read_waiting(PgConn *conn, const char *role, ReplPrimary *primary, Error *err)
{
    PGresult *row;
    if (ask(conn, sql_replication_commit, 1, &role, &row, err) < 0)
        return -1;
    primary->names_text = catalog_dup(row, 0, 0);
    primary->commit = catalog_dup(row, 0, 1);
    PQclear(row);
    return syncnames_parse(primary->names_text, &primary->names, err);
}

int replication_primary(PgConn *conn, const char *role, ReplPrimary *ret, Error *err)
{
    *ret = (ReplPrimary){0};
    if (replication_server(conn, &ret->server, err) == 0 && read_waiting(conn, role, ret, err) == 0 &&
        replication_standbys(conn, NULL, &ret->standbys, err) == 0)
        return 0;
    replication_primary_done(ret);
    return -1;
}

static bool same(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

static size_t count_state(const ReplStandbys *standbys, const char *sync_state)
{
    size_t n = 0;
    for (size_t i = 0; i < standbys->n; i++)
        n += same(standbys->v[i].sync_state, sync_state);
    return n;
}

/* Each of a quorum is waited for only when the quorum is all of them: those that are there, and those that may come. */
static bool quorum_is_all(const ReplPrimary *primary)
{
    size_t may_be = count_state(&primary->standbys, "quorum");
    if (!primary->names.all && primary->names.names.n > may_be)
        may_be = primary->names.names.n;
    return primary->names.count >= may_be;
}

static ReplReads reads_of(const ReplPrimary *primary, const ReplStandby *standby)
{
    if (same(standby->sync_state, "sync"))
        return READS_OWN_WRITES;
    if (same(standby->sync_state, "quorum"))
        return quorum_is_all(primary) ? READS_OWN_WRITES : READS_QUORUM;
    return READS_ASYNC;
}

/* By name where just one bears it, else by address, else it may be any. */
static bool may_be(const ReplStandbys *standbys, const ReplStandby *standby, const ReplServer *replica)
{
    size_t names = 0, addresses = 0;
    for (size_t i = 0; i < standbys->n; i++) {
        names += same(standbys->v[i].name, replica->name);
        addresses += same(standbys->v[i].address, replica->address);
    }
    if (names == 1)
        return same(standby->name, replica->name);
    if (addresses > 0)
        return same(standby->address, replica->address);
    return names == 0 || same(standby->name, replica->name);
}

ReplReads replication_reads(const ReplPrimary *primary, const ReplServer *replica)
{
    const ReplStandbys *standbys = &primary->standbys;
    if (primary->names.count == 0)
        return READS_NO_STANDBYS;
    for (size_t i = 0; standbys->seen && i < standbys->n; i++) {
        ReplReads reads = reads_of(primary, &standbys->v[i]);
        if (reads != READS_OWN_WRITES && may_be(standbys, &standbys->v[i], replica))
            return reads;
    }
    if (standbys->n == 0)
        return READS_ASYNC;
    if (primary->commit && strcasecmp(primary->commit, "remote_apply") != 0)
        return READS_COMMIT;
    return primary->commit && standbys->seen ? READS_OWN_WRITES : READS_UNSEEN;
}

unsigned replication_missing(const ReplPrimary *primary)
{
    size_t there = 0;
    for (size_t i = 0; i < primary->standbys.n; i++) {
        const ReplStandby *standby = &primary->standbys.v[i];
        bool waited_for = same(standby->sync_state, "sync") || same(standby->sync_state, "quorum");
        there += waited_for && same(standby->state, "streaming");
    }
    return there < primary->names.count ? primary->names.count - (unsigned)there : 0;
}
