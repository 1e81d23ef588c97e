#include "fixture.h"

static CatalogTarget target;

static void look(PgConn *maintenance, const char *user, const char *dbname)
{
    Error err = ERROR_INIT;
    _cleanup_free_ char *conninfo = xasprintf("%s user=%s", pgcluster_conninfo(cluster), user);
    catalog_target_done(&target);
    assert_ok(catalog_target(maintenance, conninfo, dbname, &target, &err), err);
}

static void test_superuser(void **state)
{
    look(conn, "postgres", "app");
    assert_true(target.superuser && target.createdb && target.createrole);
    assert_false(target.standby);
    assert_int_equal(target.server_version_num, pg_server_version(conn));
    assert_string_equal(target.superuser_name, "postgres");
    assert_true(target.database_exists);
    assert_true(target.database_empty);
    assert_true(strvec_contains(&target.roles, "postgres"));
    assert_true(strvec_contains(&target.databases, "template0"));
    assert_true(strvec_contains(&target.extensions, "plpgsql"));
    assert_true(strvec_contains(&target.tablespaces, "pg_global"));
    look(conn, "postgres", "no such database");
    assert_false(target.database_exists);
}

static void test_plain_role(void **state)
{
    run_sql("CREATE ROLE maker LOGIN CREATEDB; CREATE ROLE locked_out LOGIN");
    PgConn *maker = connect_as("postgres", "maker");
    look(maker, "maker", "app");
    assert_true(target.createdb);
    assert_false(target.superuser || target.createrole);
    assert_true(target.database_exists && target.database_empty);
    assert_true(strvec_contains(&target.roles, "locked_out"));
    assert_string_equal(target.superuser_name, "postgres");
    pg_close(maker);
}

/* A database that may not be looked into is not taken for an empty one. */
static void test_no_way_in(void **state)
{
    run_sql("CREATE DATABASE shut ALLOW_CONNECTIONS false");
    look(conn, "postgres", "shut");
    assert_true(target.database_exists);
    assert_false(target.database_empty);
}

static void assert_not_empty_with(const char *make, const char *unmake)
{
    run_sql(make);
    look(conn, "postgres", "app");
    if (target.database_empty)
        fail_msg("empty in spite of %s", make);
    run_sql(unmake);
    look(conn, "postgres", "app");
    if (!target.database_empty)
        fail_msg("not empty after %s", unmake);
}

static void test_emptiness(void **state)
{
    assert_not_empty_with("CREATE TABLE public.t (a int)", "DROP TABLE public.t");
    assert_not_empty_with("CREATE SCHEMA s", "DROP SCHEMA s");
    assert_not_empty_with("CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
                          "DROP FUNCTION public.f()");
    assert_not_empty_with("CREATE TYPE public.e AS ENUM ('a')", "DROP TYPE public.e");
    assert_not_empty_with("SELECT lo_create(12345)", "SELECT lo_unlink(12345)");
    assert_not_empty_with("CREATE SEQUENCE public.q", "DROP SEQUENCE public.q");
}

static void test_extension_alone_is_empty(void **state)
{
    run_sql(
        "CREATE EXTENSION pg_trgm SCHEMA public; CREATE EXTENSION hstore SCHEMA public; CREATE TEMP TABLE t (a text); "
        "CREATE TABLE public.own (a text PRIMARY KEY); ALTER EXTENSION hstore ADD TABLE public.own");
    look(conn, "postgres", "app");
    assert_true(target.database_empty);
    run_sql("DROP EXTENSION pg_trgm; DROP EXTENSION hstore");
}

static int stop_all(void **state)
{
    catalog_target_done(&target);
    return stop_cluster(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_superuser),
        cmocka_unit_test(test_plain_role),
        cmocka_unit_test(test_no_way_in),
        cmocka_unit_test(test_emptiness),
        cmocka_unit_test(test_extension_alone_is_empty),
    };
    return cmocka_run_group_tests(tests, start_cluster, stop_all);
}
