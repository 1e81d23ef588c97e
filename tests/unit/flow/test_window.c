/* What others do to tables while a backup takes its snapshot must not cost a row, nor hang anybody. Each test provokes
 * one race at the exact moment, on a real server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kura/backup.h"
#include "kura/clock.h"
#include "kura/mem.h"
#include "kura/pg.h"
#include "kura/store.h"
#include "pgcluster.h"

static PgCluster *cluster;

static int start_cluster(void **state)
{
    cluster = pgcluster_start(NULL);
    return 0;
}

static int stop_cluster(void **state)
{
    pgcluster_stop(cluster);
    return 0;
}

static PgConn *connect_superuser(void)
{
    PgConn *conn;
    Error err = ERROR_INIT;
    if (pg_connect(pgcluster_conninfo(cluster), &(PgOptions){0}, &conn, &err) < 0)
        fail_msg("%s", err.message);
    return conn;
}

static void run_sql(const char *sql)
{
    PgConn *conn = connect_superuser();
    Error err = ERROR_INIT;
    if (pg_exec(conn, sql, &err) < 0)
        fail_msg("%s: %s", sql, err.message);
    pg_close(conn);
}

/* What happens at which step, the first time it is reached. */
typedef struct Race {
    const char *first_step, *first_sql;   /* run to its end */
    const char *second_step, *second_sql; /* the same, or only sent when queued is set: it will wait for a lock */
    bool queued;
    PGconn *waiting;
    int listed; /* how often the snapshot was begun */
} Race;

static void wait_until_queued(const Race *race)
{
    PgConn *conn = connect_superuser();
    Error err = ERROR_INIT;
    double deadline = clock_monotonic() + 20;
    _cleanup_free_ char *pid = xasprintf("%d", PQbackendPID(race->waiting));
    const char *params[] = {pid};
    for (bool queued = false; !queued;) {
        _cleanup_free_ char *count = NULL;
        assert_int_equal(pg_query_value(conn, "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = $1", 1, params,
                                        &count, &err),
                         0);
        queued = strcmp(count, "0") != 0;
        assert_true(clock_monotonic() < deadline);
    }
    pg_close(conn);
}

static void at_step(void *ctx, const char *step)
{
    Race *race = ctx;
    race->listed += strcmp(step, "listed") == 0;
    if (race->listed > 1)
        return;
    if (race->first_step && strcmp(step, race->first_step) == 0)
        run_sql(race->first_sql);
    if (strcmp(step, race->second_step) != 0)
        return;
    if (!race->queued) {
        run_sql(race->second_sql);
        return;
    }
    race->waiting = PQconnectdb(pgcluster_conninfo(cluster));
    assert_int_equal(PQsendQuery(race->waiting, race->second_sql), 1);
    wait_until_queued(race);
}

static const ManifestTable *find_table(const Manifest *manifest, const char *name)
{
    for (size_t i = 0; i < manifest->database.n_tables; i++)
        if (strcmp(manifest->database.tables[i].name, name) == 0)
            return &manifest->database.tables[i];
    return NULL;
}

static Manifest *back_up(Race *race)
{
    Store *store;
    Repo *repo;
    Manifest *manifest = NULL;
    Findings findings = FINDINGS_INIT;
    Error err = ERROR_INIT;
    BackupOptions options = {.app = "window",
                             .db = pgcluster_conninfo(cluster),
                             .jobs = 2,
                             .max_lag = -1,
                             .at_step = at_step,
                             .at_step_ctx = race};
    store_mem_forget("window");
    assert_int_equal(store_open("mem:window", NULL, true, &store, &err), 0);
    assert_int_equal(repo_create(store, NULL, &err), 0);
    assert_int_equal(repo_open(store, &repo, &err), 0);
    if (backup_run(repo, &options, &manifest, &findings, NULL, &err) < 0)
        fail_msg("%s", err.message);
    findings_done(&findings);
    repo_close(repo);
    store_close(store);
    store_mem_forget("window");
    PQfinish(race->waiting);
    return manifest;
}

static const char make_late[] = "CREATE TABLE late (a int, b text);"
                                "INSERT INTO late SELECT i, 'row ' || i FROM generate_series(1, 1000) i";

static void test_truncate_of_a_newcomer(void **state)
{
    Race race = {
        .first_step = "listed",
        .first_sql = make_late,
        .second_step = "snapshot",
        .second_sql =
            "BEGIN; TRUNCATE late; INSERT INTO late SELECT i, 'new ' || i FROM generate_series(1, 500) i; COMMIT"};
    Manifest *manifest = back_up(&race);
    assert_int_equal(race.listed, 2);
    assert_int_equal(find_table(manifest, "late")->digest.rows, 500);
    manifest_free(manifest);
    run_sql("DROP TABLE late");
}

static void test_rewrite_of_a_newcomer(void **state)
{
    Race race = {.first_step = "listed",
                 .first_sql = make_late,
                 .second_step = "snapshot",
                 .second_sql = "ALTER TABLE late ALTER COLUMN a TYPE bigint"};
    Manifest *manifest = back_up(&race);
    assert_int_equal(race.listed, 2);
    assert_int_equal(find_table(manifest, "late")->digest.rows, 1000);
    manifest_free(manifest);
    run_sql("DROP TABLE late");
}

static void test_known_tables_are_locked_before_the_snapshot(void **state)
{
    run_sql(make_late);
    Race race = {.second_step = "snapshot",
                 .second_sql = "SET lock_timeout = '200ms'; DO $$BEGIN TRUNCATE late; RAISE 'truncated';"
                               " EXCEPTION WHEN lock_not_available THEN NULL; END$$"};
    Manifest *manifest = back_up(&race);
    assert_int_equal(race.listed, 1);
    assert_int_equal(find_table(manifest, "late")->digest.rows, 1000);
    manifest_free(manifest);
    run_sql("DROP TABLE late");
}

/* ALTER TABLE waits for the leader, pg_dump's LOCK TABLE would wait for ALTER TABLE. */
static void test_ddl_queued_before_pg_dump(void **state)
{
    run_sql(make_late);
    Race race = {.second_step = "snapshot", .second_sql = "ALTER TABLE late ADD COLUMN c int", .queued = true};
    Manifest *manifest = back_up(&race);
    assert_int_equal(race.listed, 2);
    assert_int_equal(find_table(manifest, "late")->digest.rows, 1000);
    manifest_free(manifest);
    run_sql("SELECT c FROM late; DROP TABLE late");
}

/* A worker's lock cannot be had then; the leader copies the table. */
static void test_ddl_queued_before_the_rows(void **state)
{
    run_sql(make_late);
    run_sql("CREATE TABLE other AS SELECT * FROM late");
    Race race = {.second_step = "toc", .second_sql = "ALTER TABLE late ADD COLUMN c int", .queued = true};
    Manifest *manifest = back_up(&race);
    assert_int_equal(race.listed, 1);
    assert_int_equal(find_table(manifest, "late")->digest.rows, 1000);
    assert_true(rowdigest_equal(&find_table(manifest, "late")->digest, &find_table(manifest, "other")->digest));
    manifest_free(manifest);
    run_sql("DROP TABLE late, other");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_truncate_of_a_newcomer),
        cmocka_unit_test(test_rewrite_of_a_newcomer),
        cmocka_unit_test(test_known_tables_are_locked_before_the_snapshot),
        cmocka_unit_test(test_ddl_queued_before_pg_dump),
        cmocka_unit_test(test_ddl_queued_before_the_rows),
    };
    return cmocka_run_group_tests_name("window", tests, start_cluster, stop_cluster);
}
