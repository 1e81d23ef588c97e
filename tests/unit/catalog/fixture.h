/* Common to the tests of lib/catalog: one cluster a program, with a lock table that is easily full, and one open
 * connection as superuser. */
#ifndef KURA_TEST_CATALOG_FIXTURE_H
#define KURA_TEST_CATALOG_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kura/catalog.h"
#include "kura/mem.h"
#include "pgcluster.h"

static PgCluster *cluster;
static PgConn *conn;

#define assert_ok(call, err)                                                                                           \
    do {                                                                                                               \
        if ((call) < 0)                                                                                                \
            fail_msg("%s: %s", #call, (err).message);                                                                  \
    } while (0)

static inline void run_sql(const char *sql)
{
    Error err = ERROR_INIT;
    assert_ok(pg_exec(conn, sql, &err), err);
}

static inline PgConn *connect_as(const char *dbname, const char *user)
{
    PgConn *other;
    Error err = ERROR_INIT;
    _cleanup_free_ char *conninfo = xasprintf("%s user=%s", pgcluster_conninfo(cluster), user);
    assert_ok(pg_connect(conninfo, &(PgOptions){.dbname = dbname}, &other, &err), err);
    return other;
}

/* count tables in schema, "<prefix>0" and so on, of the role that asks; few a transaction, for the lock table's sake.
 */
static inline void make_tables(const char *schema, const char *prefix, int count)
{
    for (int from = 0; from < count; from += 50) {
        _cleanup_free_ char *sql =
            xasprintf("DO $$BEGIN FOR i IN %d..%d LOOP EXECUTE format('CREATE TABLE %s.%%I (a int)', "
                      "'%s' || i); END LOOP; END$$",
                      from, from + 49 < count ? from + 49 : count - 1, schema, prefix);
        run_sql(sql);
    }
}

/* Another session of the superuser in the database of conn. */
static inline PgConn *another(void)
{
    return connect_as(pg_dbname(conn), "postgres");
}

static inline void run_in(PgConn *other, const char *sql)
{
    Error err = ERROR_INIT;
    assert_ok(pg_exec(other, sql, &err), err);
}

static inline const Finding *find(const Findings *findings, const char *code, const char *part)
{
    for (size_t i = 0; i < findings->n; i++)
        if (strcmp(findings->v[i].code, code) == 0 && strstr(findings->v[i].message, part))
            return &findings->v[i];
    return NULL;
}

static inline void show(const Findings *findings)
{
    for (size_t i = 0; i < findings->n; i++)
        print_message("%d %s: %s\n", findings->v[i].severity, findings->v[i].code, findings->v[i].message);
}

#define assert_found(findings, wanted_severity, code, part)                                                            \
    do {                                                                                                               \
        const Finding *found_ = find(findings, code, part);                                                            \
        if (found_ == NULL)                                                                                            \
            show(findings);                                                                                            \
        if (found_ == NULL)                                                                                            \
            fail_msg("no finding %s with \"%s\"", code, part);                                                         \
        assert_int_equal(found_->severity, wanted_severity);                                                           \
    } while (0)

static inline int start_cluster(void **state)
{
    static const char *const settings[] = {"max_locks_per_transaction=10", "max_connections=20", NULL};
    Error err = ERROR_INIT;
    cluster = pgcluster_start(settings);
    PgConn *first;
    if (pg_connect(pgcluster_conninfo(cluster), NULL, &first, &err) == 0 &&
        pg_exec(first, "DROP DATABASE IF EXISTS app", &err) == 0 &&
        pg_exec(first, "CREATE DATABASE app TEMPLATE template0", &err) == 0) {
        pg_close(first);
        conn = connect_as("app", "postgres");
        return 0;
    }
    fprintf(stderr, "%s\n", err.message);
    return -1;
}

static inline int stop_cluster(void **state)
{
    pg_close(conn);
    pgcluster_stop(cluster);
    return 0;
}

#endif
