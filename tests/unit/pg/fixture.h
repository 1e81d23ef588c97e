/* Common to the tests of lib/pg: one cluster and one open connection a program. */
#ifndef KURA_TEST_PG_FIXTURE_H
#define KURA_TEST_PG_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kura/mem.h"
#include "kura/pg.h"
#include "pgcluster.h"

static PgCluster *cluster;
static PgConn *conn;

#define assert_contains(text, part)                                                                                    \
    do {                                                                                                               \
        if (strstr((text), (part)) == NULL)                                                                            \
            fail_msg("\"%s\" is not in \"%s\"", (part), (text));                                                       \
    } while (0)

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

static inline void assert_usable(void)
{
    char *one = NULL;
    Error err = ERROR_INIT;
    assert_ok(pg_query_value(conn, "SELECT 1", 0, NULL, &one, &err), err);
    assert_string_equal(one, "1");
    free(one);
}

static inline int start_cluster(void **state)
{
    Error err = ERROR_INIT;
    cluster = pgcluster_start(NULL);
    if (pg_connect(pgcluster_conninfo(cluster), NULL, &conn, &err) == 0)
        return 0;
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
