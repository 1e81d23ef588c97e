#include "fixture.h"

static CatalogTables list_tables(void)
{
    CatalogTables tables;
    Error err = ERROR_INIT;
    assert_ok(catalog_tables(conn, &tables, &err), err);
    return tables;
}

static size_t locks_held(void)
{
    char *text;
    Error err = ERROR_INIT;
    assert_ok(pg_query_value(conn,
                             "SELECT count(DISTINCT l.relation) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation "
                             "WHERE l.pid = pg_backend_pid() AND l.mode = 'AccessShareLock' AND l.granted AND "
                             "c.relkind IN ('r', 'p') AND c.oid >= 16384",
                             0, NULL, &text, &err),
              err);
    size_t n = strtoul(text, NULL, 10);
    free(text);
    return n;
}

static void begin(void)
{
    run_sql("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
}

static void test_all_but_the_dropped(void **state)
{
    Error err = ERROR_INIT;
    make_tables("public", "t ", 250);
    run_sql("CREATE SCHEMA gone; CREATE TABLE gone.x (a int); CREATE TABLE public.\"quo\"\"te\" (a int); "
            "CREATE TABLE public.parted (a int) PARTITION BY LIST (a); CREATE MATERIALIZED VIEW public.m AS SELECT 1; "
            "CREATE TABLE public.changes_kind (a int)");
    begin();
    CatalogTables tables = list_tables();
    PgConn *other = another();
    run_in(other, "DROP TABLE public.\"t 17\"; DROP TABLE public.\"t 180\"; DROP SCHEMA gone CASCADE; "
                  "DROP TABLE public.changes_kind; CREATE SEQUENCE public.changes_kind");
    pg_close(other);
    assert_ok(catalog_lock(conn, &tables, 0, &err), err);
    assert_int_equal(locks_held(), 248 + 2);
    run_sql("ROLLBACK");
    catalog_tables_done(&tables);
}

static void test_timeout(void **state)
{
    Error err = ERROR_INIT;
    PgConn *other = another();
    run_in(other, "BEGIN; LOCK TABLE public.\"t 30\" IN ACCESS EXCLUSIVE MODE");
    begin();
    CatalogTables tables = list_tables();
    assert_int_equal(catalog_lock(conn, &tables, 200, &err), -1);
    assert_string_equal(err.sqlstate, "55P03");
    assert_non_null(strstr(err.message, "\"public.t 30\" within 200 ms"));
    char pid[32];
    snprintf(pid, sizeof pid, "process %d holds", PQbackendPID(pg_raw(other)));
    assert_non_null(strstr(err.message, pid));
    pg_close(other);
    run_sql("SELECT 1; ROLLBACK");
    begin();
    assert_ok(catalog_lock(conn, &tables, 10000, &err), err);
    char *timeout;
    assert_ok(pg_query_value(conn, "SHOW lock_timeout", 0, NULL, &timeout, &err), err);
    assert_string_equal(timeout, "0");
    free(timeout);
    run_sql("ROLLBACK");
    catalog_tables_done(&tables);
}

static void test_not_allowed(void **state)
{
    Error err = ERROR_INIT;
    run_sql("DROP ROLE IF EXISTS nobody_much; CREATE ROLE nobody_much LOGIN");
    PgConn *other = connect_as("app", "nobody_much");
    CatalogTables tables = list_tables();
    run_in(other, "BEGIN");
    assert_int_equal(catalog_lock(other, &tables, 0, &err), -1);
    assert_string_equal(err.sqlstate, "42501");
    assert_non_null(strstr(err.message, "permission denied for table"));
    run_in(other, "SELECT 1; ROLLBACK");
    pg_close(other);
    catalog_tables_done(&tables);
}

static void test_table_full(void **state)
{
    Error err = ERROR_INIT;
    make_tables("public", "full ", 4500);
    begin();
    CatalogTables tables = list_tables();
    assert_int_equal(catalog_lock(conn, &tables, 0, &err), -1);
    assert_string_equal(err.sqlstate, "53200");
    assert_non_null(strstr(err.message, "the server's lock table is full"));
    assert_non_null(strstr(err.hint, "Set max_locks_per_transaction to at least "));
    assert_non_null(strstr(err.hint, "(now 10)"));
    run_sql("ROLLBACK");
    catalog_tables_done(&tables);
}

/* Of a server that is made for 420 locks. */
static void test_estimate(void **state)
{
    Error err = ERROR_INIT;
    Findings findings = FINDINGS_INIT;
    assert_ok(catalog_lock_estimate(conn, 100, 2, &findings, &err), err);
    assert_int_equal(findings.n, 0);
    assert_ok(catalog_lock_estimate(conn, 500, 2, &findings, &err), err);
    assert_found(&findings, FINDING_WARNING, "locks", "500 tables, locked by 2 sessions at a time, may not fit");
    assert_non_null(strstr(findings.v[0].hint, "Set max_locks_per_transaction to at least 64 (now 10)"));
    assert_ok(catalog_lock_estimate(conn, 300, 20, &findings, &err), err);
    assert_int_equal(findings.n, 2);
    assert_ok(catalog_lock_estimate(conn, 100000, 2, &findings, &err), err);
    assert_found(&findings, FINDING_ERROR, "locks", "100000 tables, locked by 2 sessions at a time, do not fit");
    assert_non_null(strstr(findings.v[2].hint, "ALTER SYSTEM SET max_locks_per_transaction = "));
    findings_done(&findings);
}

/* Locks of others count. */
static void test_estimate_beside_others(void **state)
{
    Error err = ERROR_INIT;
    Findings findings = FINDINGS_INIT;
    make_tables("public", "beside ", 200);
    PgConn *other = another();
    assert_ok(catalog_lock_estimate(conn, 300, 1, &findings, &err), err);
    assert_int_equal(findings.n, 0);
    run_in(other, "BEGIN; DO $$ BEGIN FOR i IN 0..199 LOOP EXECUTE format('LOCK TABLE public.%I', 'beside ' || i); END "
                  "LOOP; END $$");
    assert_ok(catalog_lock_estimate(conn, 300, 1, &findings, &err), err);
    assert_found(&findings, FINDING_WARNING, "locks", "which is made for 420 locks, of which others hold 2");
    pg_close(other);
    findings_done(&findings);
}

static size_t rewritten(void)
{
    size_t n;
    Error err = ERROR_INIT;
    assert_ok(catalog_rewritten(conn, &n, &err), err);
    return n;
}

static void test_rewritten(void **state)
{
    static const char *const changes[] = {
        "TRUNCATE public.r1",
        "ALTER TABLE public.r1 ALTER a TYPE int8",
        "REFRESH MATERIALIZED VIEW public.rm",
        "DROP TABLE public.r2",
    };
    run_sql("CREATE TABLE public.r1 (a int); CREATE TABLE public.r2 (a int); INSERT INTO public.r1 VALUES (1); "
            "CREATE MATERIALIZED VIEW public.rm AS SELECT 1 AS a");
    PgConn *other = another();
    for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
        begin();
        run_sql("SELECT 1");
        assert_int_equal(rewritten(), 0);
        run_in(other, changes[i]);
        assert_int_equal(rewritten(), 1);
        run_sql("ROLLBACK");
    }
    begin();
    run_sql("SELECT 1");
    run_in(other, "INSERT INTO public.r1 VALUES (2); CREATE TABLE public.r3 (a int); ALTER TABLE public.r1 ADD b int; "
                  "CREATE TEMP TABLE t (a int); TRUNCATE t");
    run_in(other, "VACUUM public.r1");
    assert_int_equal(rewritten(), 0);
    run_sql("ROLLBACK");
    pg_close(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_but_the_dropped),
        cmocka_unit_test(test_timeout),
        cmocka_unit_test(test_not_allowed),
        cmocka_unit_test(test_rewritten),
        cmocka_unit_test(test_estimate),
        cmocka_unit_test(test_estimate_beside_others),
        cmocka_unit_test(test_table_full),
    };
    return cmocka_run_group_tests(tests, start_cluster, stop_cluster);
}
