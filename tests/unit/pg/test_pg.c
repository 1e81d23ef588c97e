#include "fixture.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kura/clock.h"
#include "kura/log.h"
#include "kura/stop.h"

static void test_values(void **state)
{
    Error err = ERROR_INIT;
    const char *params[] = {"7", NULL};
    PGresult *result;
    assert_ok(pg_query(conn, "SELECT $1::int8 * 6, $2::text, 3 > 2", 2, params, &result, &err), err);
    assert_int_equal(pg_cell_u64(result, 0, 0), 42);
    assert_string_equal(pg_cell(result, 0, 1), "");
    assert_true(pg_cell_bool(result, 0, 2));
    PQclear(result);
    char *value = (char *)"unset";
    assert_ok(pg_query_value(conn, "SELECT NULL", 0, NULL, &value, &err), err);
    assert_null(value);
    assert_int_equal(pg_query_value(conn, "SELECT 1 WHERE false", 0, NULL, &value, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_int_equal(pg_server_version(conn) / 10000 >= 13, 1);
    assert_string_equal(pg_dbname(conn), "postgres");
    assert_string_equal(pg_user(conn), "postgres");
    assert_contains(pg_where(conn), "database \"postgres\" on socket /");
}

static void test_server_errors(void **state)
{
    Error err = ERROR_INIT;
    assert_int_equal(pg_exec(conn, "SELECT 1; SELECT 1/0; SELECT 2", &err), -1);
    assert_int_equal(err.code, ERR_SERVER);
    assert_string_equal(err.sqlstate, "22012");
    assert_string_equal(err.message, "division by zero");
    assert_int_equal(
        pg_exec(conn, "DO $$BEGIN RAISE 'no' USING DETAIL = 'why', HINT = 'Do it.', ERRCODE = 'KU001'; END$$", &err),
        -1);
    assert_string_equal(err.message, "no (why; PL/pgSQL function inline_code_block line 1 at RAISE)");
    assert_string_equal(err.hint, "Do it.");
    assert_string_equal(err.sqlstate, "KU001");
    assert_int_equal(pg_execf(conn, &err, "SELECT %d FROM %s", 1, "nowhere"), -1);
    assert_string_equal(err.sqlstate, "42P01");
    assert_int_equal(pg_exec(conn, "nonsense", NULL), -1);
    assert_int_equal(pg_exec(conn, "COPY (SELECT 1) TO STDOUT", &err), -1);
    assert_int_equal(err.code, ERR_FAILED);
    assert_usable();
}

static char last_line[1024];

static void keep_line(void *ctx, LogLevel level, const char *message)
{
    snprintf(last_line, sizeof last_line, "%s", message);
}

static void test_notices(void **state)
{
    log_set_sink(keep_line, NULL, LOG_DEBUG);
    run_sql("DO $$BEGIN RAISE NOTICE 'look here'; END$$");
    assert_contains(last_line, "look here");
    log_set_sink(NULL, NULL, LOG_DEBUG);
}

static void test_deadline(void **state)
{
    Error err = ERROR_INIT;
    double before = clock_monotonic();
    pg_set_deadline(conn, 0.3);
    assert_int_equal(pg_exec(conn, "SELECT pg_sleep(60)", &err), -1);
    pg_set_deadline(conn, 0);
    assert_int_equal(err.code, ERR_CONNECTION);
    assert_contains(err.message, "timed out");
    assert_true(clock_monotonic() - before < 30);
    assert_usable();
}

static void *set_later(void *flag)
{
    usleep(200000);
    *(atomic_bool *)flag = true;
    return NULL;
}

static void test_give_up(void **state)
{
    atomic_bool flag = false;
    Error err = ERROR_INIT;
    PgConn *other;
    pthread_t thread;
    assert_ok(pg_connect(pgcluster_conninfo(cluster), &(PgOptions){.give_up = &flag}, &other, &err), err);
    pthread_create(&thread, NULL, set_later, &flag);
    double before = clock_monotonic();
    assert_int_equal(pg_exec(other, "SELECT pg_sleep(60)", &err), -1);
    assert_int_equal(err.code, ERR_FAILED);
    assert_true(clock_monotonic() - before < 30);
    pthread_join(thread, NULL);
    assert_int_equal(pg_exec(other, "SELECT 1", &err), -1);
    flag = false;
    assert_ok(pg_exec(other, "SELECT 1", &err), err);
    pg_close(other);
}

/* In a process of its own, because a stop cannot be taken back. */
static void stopped_child(void)
{
    stop_install();
    Error err = ERROR_INIT;
    PgConn *other;
    if (pg_connect(pgcluster_conninfo(cluster), NULL, &other, &err) < 0)
        _exit(10);
    pid_t self = getpid();
    pid_t killer = fork();
    if (killer == 0) {
        usleep(200000);
        kill(self, SIGTERM);
        _exit(0);
    }
    if (pg_exec(other, "SELECT pg_sleep(60)", &err) == 0 || err.code != ERR_INTERRUPTED)
        _exit(11);
    if (pg_exec(other, "SELECT 1", &err) == 0 || err.code != ERR_INTERRUPTED)
        _exit(12);
    stop_hold();
    if (pg_exec(other, "SELECT 1", &err) < 0)
        _exit(13);
    pg_close(other);
    _exit(0);
}

static void test_stop(void **state)
{
    pid_t pid = fork();
    if (pid == 0)
        stopped_child();
    int status;
    double before = clock_monotonic();
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_true(clock_monotonic() - before < 30);
}

static void test_lost_connection(void **state)
{
    Error err = ERROR_INIT;
    PgConn *other;
    assert_ok(pg_connect(pgcluster_conninfo(cluster), NULL, &other, &err), err);
    char pid[16];
    snprintf(pid, sizeof pid, "%d", PQbackendPID(pg_raw(other)));
    const char *params[] = {pid};
    PGresult *result;
    assert_ok(pg_query(conn, "SELECT pg_terminate_backend($1::int)", 1, params, &result, &err), err);
    PQclear(result);
    double until = clock_monotonic() + 30;
    while (pg_exec(other, "SELECT pg_sleep(0.05)", &err) == 0)
        assert_true(clock_monotonic() < until);
    assert_int_equal(err.code, ERR_CONNECTION);
    assert_contains(err.message, "terminat");
    assert_int_equal(pg_exec(other, "SELECT 1", &err), -1);
    assert_int_equal(err.code, ERR_CONNECTION);
    pg_close(other);
}

static void test_role(void **state)
{
    Error err = ERROR_INIT;
    PgConn *other;
    run_sql("DROP ROLE IF EXISTS \"Strange \"\"role\"; CREATE ROLE \"Strange \"\"role\"");
    assert_ok(pg_connect(pgcluster_conninfo(cluster), &(PgOptions){.role = "Strange \"role"}, &other, &err), err);
    char *name;
    assert_ok(pg_query_value(other, "SELECT current_user", 0, NULL, &name, &err), err);
    assert_string_equal(name, "Strange \"role");
    free(name);
    pg_close(other);
    assert_int_equal(pg_connect(pgcluster_conninfo(cluster), &(PgOptions){.role = "nobody here"}, &other, &err), -1);
    assert_contains(err.message, "\"nobody here\"");
}

static void test_sql_ascii(void **state)
{
    Error err = ERROR_INIT;
    PgConn *other;
    run_sql("DROP DATABASE IF EXISTS raw");
    run_sql("CREATE DATABASE raw TEMPLATE template0 ENCODING SQL_ASCII LC_COLLATE 'C' LC_CTYPE 'C'");
    setenv("PGCLIENTENCODING", "LATIN1", 1);
    assert_ok(pg_connect(pgcluster_conninfo(cluster), &(PgOptions){.dbname = "raw"}, &other, &err), err);
    unsetenv("PGCLIENTENCODING");
    char *text;
    assert_ok(pg_query_value(other, "SELECT E'\\xe4\\xff' || current_setting('client_encoding')", 0, NULL, &text, &err),
              err);
    assert_string_equal(text, "\xe4\xffSQL_ASCII");
    free(text);
    pg_close(other);
    run_sql("DROP DATABASE raw");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),   cmocka_unit_test(test_server_errors),   cmocka_unit_test(test_notices),
        cmocka_unit_test(test_deadline), cmocka_unit_test(test_give_up),         cmocka_unit_test(test_stop),
        cmocka_unit_test(test_role),     cmocka_unit_test(test_lost_connection), cmocka_unit_test(test_sql_ascii),
    };
    return cmocka_run_group_tests(tests, start_cluster, stop_cluster);
}
