#include "fixture.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "kura/clock.h"

static const char secret[] = "h0rse/batt@ry";

static void assert_refused(const char *conninfo, ErrorCode code, const char *sqlstate, const char *part)
{
    Error err = ERROR_INIT;
    PgConn *other;
    assert_int_equal(pg_connect(conninfo, NULL, &other, &err), -1);
    assert_int_equal(err.code, code);
    assert_string_equal(err.sqlstate, sqlstate);
    assert_contains(err.message, part);
    assert_true(err.hint[0] != 0);
    assert_null(strstr(err.message, "h0rse"));
    assert_null(strstr(err.message, "batt"));
}

static void test_refused(void **state)
{
    char text[512];
    assert_refused("host=/nowhere dbname=x", ERR_CONNECTION, "", "on socket /nowhere");
    snprintf(text, sizeof text, "%s dbname=missing", pgcluster_conninfo(cluster));
    assert_refused(text, ERR_CONNECTION, "3D000", "database \"missing\" does not exist");
    snprintf(text, sizeof text, "%s user=nobody", pgcluster_conninfo(cluster));
    assert_refused(text, ERR_CONNECTION, "28000", "role \"nobody\" does not exist");
}

static void test_password(void **state)
{
    char text[512];
    Error err = ERROR_INIT;
    PgConn *other;
    run_sql("DROP ROLE IF EXISTS pw_app, pw_all; CREATE ROLE pw_all; "
            "SET password_encryption = 'scram-sha-256'; "
            "CREATE ROLE pw_app LOGIN PASSWORD 'h0rse/batt@ry' IN ROLE pw_all");
    snprintf(text, sizeof text, "%s user=pw_app", pgcluster_conninfo(cluster));
    assert_refused(text, ERR_CONNECTION, "", "password");
    snprintf(text, sizeof text, "%s user=pw_app password=wrong-h0rse", pgcluster_conninfo(cluster));
    assert_refused(text, ERR_CONNECTION, "28P01", "password authentication failed");
    snprintf(text, sizeof text, "%s user=pw_app password=%s", pgcluster_conninfo(cluster), secret);
    assert_ok(pg_connect(text, NULL, &other, &err), err);
    assert_null(strstr(pg_where(other), secret));
    char *conninfo, *env;
    pg_child_conninfo(other, NULL, &conninfo, &env);
    assert_null(strstr(conninfo, secret));
    assert_string_equal(env, "PGPASSWORD=h0rse/batt@ry");
    free(conninfo);
    free(env);
    pg_close(other);
}

/* libpq would show pieces of these passwords. */
static void test_bad_strings(void **state)
{
    assert_refused("postgresql://app:h0rse/batt@ry@host/db", ERR_USAGE, "", "percent-encoded");
    assert_refused("postgresql://app:h0rse@batt@host/db", ERR_USAGE, "", "percent-encoded");
    assert_refused("postgresql://app:h0rse%zzbatt@host/db", ERR_USAGE, "", "invalid connection string");
    assert_refused("host=a password=x h0rse", ERR_USAGE, "", "invalid connection string");
    Error err = ERROR_INIT;
    PgConn *other;
    assert_int_equal(pg_connect("hots=a", NULL, &other, &err), -1);
    assert_contains(err.message, "\"hots\"");
}

static void assert_value(PgConn *other, const char *sql, const char *wanted)
{
    char *value;
    Error err = ERROR_INIT;
    assert_ok(pg_query_value(other, sql, 0, NULL, &value, &err), err);
    assert_string_equal(value, wanted);
    free(value);
}

static void test_child(void **state)
{
    char text[1024];
    Error err = ERROR_INIT;
    PgConn *other, *child;
    run_sql("DROP DATABASE IF EXISTS \"it's \\ a=b\"");
    run_sql("CREATE DATABASE \"it's \\ a=b\"");
    snprintf(text, sizeof text, "%s options='-c work_mem=5MB' application_name='my app' sslmode=disable",
             pgcluster_conninfo(cluster));
    assert_ok(pg_connect(text, &(PgOptions){.dbname = "it's \\ a=b"}, &other, &err), err);
    char *conninfo, *env;
    pg_child_conninfo(other, NULL, &conninfo, &env);
    assert_null(env);
    assert_ok(pg_connect(conninfo, NULL, &child, &err), err);
    assert_value(child, "SELECT current_database()", "it's \\ a=b");
    assert_value(child, "SHOW work_mem", "5MB");
    assert_value(child, "SHOW application_name", "my app");
    pg_close(child);
    free(conninfo);
    pg_child_conninfo(other, "postgres", &conninfo, &env);
    assert_ok(pg_connect(conninfo, NULL, &child, &err), err);
    assert_value(child, "SELECT current_database()", "postgres");
    pg_close(child);
    free(conninfo);
    pg_close(other);
    run_sql("DROP DATABASE \"it's \\ a=b\"");
}

static void test_plain_name_and_defaults(void **state)
{
    Error err = ERROR_INIT;
    PgConn *other;
    setenv("PGHOST", PQhost(pg_raw(conn)), 1);
    setenv("PGPORT", PQport(pg_raw(conn)), 1);
    setenv("PGUSER", "postgres", 1);
    assert_ok(pg_connect("template1", NULL, &other, &err), err);
    assert_value(other, "SELECT current_database()", "template1");
    assert_value(other, "SHOW application_name", "kura");
    pg_close(other);
    assert_ok(pg_connect(NULL, NULL, &other, &err), err);
    assert_value(other, "SELECT current_database()", "postgres");
    pg_close(other);
    unsetenv("PGHOST");
    unsetenv("PGPORT");
    unsetenv("PGUSER");
}

/* A server that takes the connection and says nothing. */
static void test_connect_timeout(void **state)
{
    char dir[] = "/tmp/kura-silent-XXXXXX", text[128];
    assert_non_null(mkdtemp(dir));
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/.s.PGSQL.5432", dir);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 1), 0);
    snprintf(text, sizeof text, "host=%s port=5432 dbname=x", dir);
    Error err = ERROR_INIT;
    PgConn *other;
    double before = clock_monotonic();
    assert_int_equal(pg_connect(text, &(PgOptions){.connect_timeout = 1}, &other, &err), -1);
    assert_int_equal(err.code, ERR_CONNECTION);
    assert_contains(err.message, "timed out after 1 s");
    assert_true(clock_monotonic() - before < 30);
    close(fd);
    unlink(address.sun_path);
    rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_password),
        cmocka_unit_test(test_bad_strings),
        cmocka_unit_test(test_child),
        cmocka_unit_test(test_plain_name_and_defaults),
        cmocka_unit_test(test_connect_timeout),
    };
    return cmocka_run_group_tests(tests, start_cluster, stop_cluster);
}
