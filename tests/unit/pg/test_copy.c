#include "fixture.h"

#include <pthread.h>
#include <unistd.h>

#include "kura/clock.h"
#include "kura/log.h"

enum { MIB = 1 << 20, BIG_ROW = 100 * MIB };

typedef struct Rows {
    uint64_t n, bytes;
    char first[64];
    uint64_t fail_at;
} Rows;

static int count_row(void *ctx, const char *data, size_t len, Error *err)
{
    Rows *rows = ctx;
    if (rows->n++ == 0)
        snprintf(rows->first, sizeof rows->first, "%.*s", (int)(len < 60 ? len : 60), data);
    rows->bytes += len;
    return rows->fail_at && rows->n == rows->fail_at ? error_set(err, ERR_IO, "disk full") : 0;
}

static Rows copy_out(const char *sql)
{
    Rows rows = {0};
    uint64_t told = 12345;
    Error err = ERROR_INIT;
    assert_ok(pg_copy_out(conn, sql, count_row, &rows, &told, &err), err);
    assert_int_equal(told, rows.n);
    return rows;
}

static void test_out(void **state)
{
    Rows rows = copy_out("COPY (SELECT g, 'x' FROM generate_series(1, 100000) g) TO STDOUT");
    assert_int_equal(rows.n, 100000);
    assert_string_equal(rows.first, "1\tx\n");
    assert_int_equal(copy_out("COPY (SELECT 1 WHERE false) TO STDOUT").n, 0);
    run_sql("CREATE TABLE nothing (); INSERT INTO nothing DEFAULT VALUES; INSERT INTO nothing DEFAULT VALUES");
    rows = copy_out("COPY nothing  TO STDOUT");
    assert_int_equal(rows.n, 2);
    assert_string_equal(rows.first, "\n");
    run_sql("DROP TABLE nothing");
}

static void test_out_big_row(void **state)
{
    Rows rows = copy_out("COPY (SELECT repeat('0123456789', 10485760)) TO STDOUT");
    assert_int_equal(rows.n, 1);
    assert_int_equal(rows.bytes, BIG_ROW + 1);
}

static void test_out_errors(void **state)
{
    Error err = ERROR_INIT;
    Rows rows = {0};
    assert_int_equal(pg_copy_out(conn, "COPY nowhere TO STDOUT", count_row, &rows, NULL, &err), -1);
    assert_string_equal(err.sqlstate, "42P01");
    assert_int_equal(pg_copy_out(conn, "COPY (SELECT 1/(50000 - g) FROM generate_series(1, 100000) g) TO STDOUT",
                                 count_row, &rows, NULL, &err),
                     -1);
    assert_string_equal(err.sqlstate, "22012");
    assert_int_equal(pg_copy_out(conn, "SELECT 1", count_row, &rows, NULL, &err), -1);
    assert_usable();
    rows = (Rows){.fail_at = 1000};
    assert_int_equal(
        pg_copy_out(conn, "COPY (SELECT generate_series(1, 100000000)) TO STDOUT", count_row, &rows, NULL, &err), -1);
    assert_int_equal(err.code, ERR_IO);
    assert_int_equal(rows.n, 1000);
    assert_usable();
}

static void test_out_deadline(void **state)
{
    Error err = ERROR_INIT;
    Rows rows = {0};
    pg_set_deadline(conn, 1);
    assert_int_equal(
        pg_copy_out(conn, "COPY (SELECT generate_series(1, 1000000000)) TO STDOUT", count_row, &rows, NULL, &err), -1);
    assert_contains(err.message, "timed out");
    assert_int_equal(pg_copy_out(conn, "COPY (SELECT pg_sleep(60)) TO STDOUT", count_row, &rows, NULL, &err), -1);
    assert_contains(err.message, "timed out");
    pg_set_deadline(conn, 0);
    assert_true(rows.n > 0);
    assert_usable();
}

static void begin_note(void)
{
    Error err = ERROR_INIT;
    run_sql("DROP TABLE IF EXISTS note; CREATE TABLE note (a int, b text)");
    assert_ok(pg_copy_in_begin(conn, "COPY note FROM STDIN", &err), err);
}

static uint64_t note_rows(void)
{
    char *text;
    Error err = ERROR_INIT;
    assert_ok(pg_query_value(conn, "SELECT count(*) FROM note", 0, NULL, &text, &err), err);
    uint64_t n = strtoull(text, NULL, 10);
    free(text);
    return n;
}

static void test_in(void **state)
{
    Error err = ERROR_INIT;
    uint64_t rows = 0;
    begin_note();
    for (int i = 0; i < 1000; i++)
        assert_ok(pg_copy_in_write(conn, "1\tone\n2\ttwo\n", 12, &err), err);
    assert_ok(pg_copy_in_end(conn, NULL, &rows, &err), err);
    assert_int_equal(rows, 2000);
    assert_int_equal(note_rows(), 2000);
    begin_note();
    assert_ok(pg_copy_in_end(conn, NULL, &rows, &err), err);
    assert_int_equal(rows, 0);
    run_sql("CREATE TABLE bare ()");
    assert_ok(pg_copy_in_begin(conn, "COPY bare  FROM STDIN", &err), err);
    assert_ok(pg_copy_in_write(conn, "\n\n\n", 3, &err), err);
    assert_ok(pg_copy_in_end(conn, NULL, &rows, &err), err);
    assert_int_equal(rows, 3);
    run_sql("DROP TABLE bare");
}

static void test_in_big_row(void **state)
{
    Error err = ERROR_INIT;
    uint64_t rows = 0;
    char *row = xmalloc(BIG_ROW + 3);
    memset(row, 'y', BIG_ROW + 3);
    memcpy(row, "1\t", 2);
    row[BIG_ROW + 2] = '\n';
    begin_note();
    assert_ok(pg_copy_in_write(conn, row, BIG_ROW + 3, &err), err);
    assert_ok(pg_copy_in_end(conn, NULL, &rows, &err), err);
    free(row);
    assert_int_equal(rows, 1);
    char *length;
    assert_ok(pg_query_value(conn, "SELECT length(b) FROM note", 0, NULL, &length, &err), err);
    assert_int_equal(atoi(length), BIG_ROW);
    free(length);
}

static void test_in_aborted(void **state)
{
    Error err = ERROR_INIT;
    begin_note();
    assert_ok(pg_copy_in_write(conn, "1\tone\n", 6, &err), err);
    assert_ok(pg_copy_in_end(conn, "the feed is damaged", NULL, &err), err);
    assert_int_equal(note_rows(), 0);
}

/* The server's error is seen long before everything is sent. */
static void test_in_error_in_the_middle(void **state)
{
    Error err = ERROR_INIT;
    begin_note();
    assert_ok(pg_copy_in_write(conn, "1\ta\n2\tb\n3\tc\n4\td\nfive\te\n", 23, &err), err);
    uint64_t sent = 0;
    static char block[MIB];
    for (size_t i = 0; i < sizeof block; i += 4)
        memcpy(block + i, "6\tf\n", 4);
    while (sent < 2048 && pg_copy_in_write(conn, block, sizeof block, &err) == 0)
        sent++;
    assert_true(sent < 256);
    assert_int_equal(err.code, ERR_SERVER);
    assert_string_equal(err.sqlstate, "22P02");
    assert_contains(err.message, "COPY note, line 5");
    assert_int_equal(pg_copy_in_write(conn, block, 4, &err), -1);
    assert_int_equal(pg_copy_in_end(conn, NULL, NULL, &err), -1);
    assert_ok(pg_copy_in_end(conn, "cleaning up", NULL, &err), err);
    assert_int_equal(note_rows(), 0);
}

static void test_in_error_at_the_end(void **state)
{
    Error err = ERROR_INIT;
    begin_note();
    assert_ok(pg_copy_in_write(conn, "1\tone\nx\n", 8, &err), err);
    assert_int_equal(pg_copy_in_end(conn, NULL, NULL, &err), -1);
    assert_contains(err.message, "COPY note, line 2");
    assert_usable();
}

/* Notices in the middle are no errors, and do not block either side. */
static void test_in_notices(void **state)
{
    Error err = ERROR_INIT;
    uint64_t rows = 0;
    run_sql("CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE NOTICE '%', repeat('n', 1000); "
            "RETURN NEW; END$$; CREATE TABLE loud (a int); "
            "CREATE TRIGGER loud BEFORE INSERT ON loud FOR EACH ROW EXECUTE FUNCTION shout()");
    assert_ok(pg_copy_in_begin(conn, "COPY loud FROM STDIN", &err), err);
    static char block[MIB / 8];
    for (size_t i = 0; i < sizeof block; i += 2)
        memcpy(block + i, "7\n", 2);
    assert_ok(pg_copy_in_write(conn, block, sizeof block, &err), err);
    assert_ok(pg_copy_in_end(conn, NULL, &rows, &err), err);
    assert_int_equal(rows, sizeof block / 2);
    run_sql("DROP TABLE loud; DROP FUNCTION shout()");
}

static void *set_later(void *flag)
{
    usleep(300000);
    *(atomic_bool *)flag = true;
    return NULL;
}

/* The server takes nothing because a row waits for a lock: the write ends all the same. */
static void test_in_give_up(void **state)
{
    atomic_bool flag = false;
    Error err = ERROR_INIT;
    PgConn *other;
    pthread_t thread;
    run_sql("DROP TABLE IF EXISTS note; CREATE TABLE note (a int PRIMARY KEY, b text)");
    run_sql("BEGIN; INSERT INTO note VALUES (6, 'mine')");
    assert_ok(pg_connect(pgcluster_conninfo(cluster), &(PgOptions){.give_up = &flag}, &other, &err), err);
    assert_ok(pg_copy_in_begin(other, "COPY note FROM STDIN", &err), err);
    static char block[MIB];
    for (size_t i = 0; i < sizeof block; i += 4)
        memcpy(block + i, "6\tf\n", 4);
    double before = clock_monotonic();
    pthread_create(&thread, NULL, set_later, &flag);
    int sent = 0;
    while (sent < 100 && pg_copy_in_write(other, block, sizeof block, &err) == 0)
        sent++;
    pthread_join(thread, NULL);
    assert_true(sent < 100);
    assert_int_equal(err.code, ERR_FAILED);
    assert_true(clock_monotonic() - before < 30);
    assert_ok(pg_copy_in_end(other, "giving up", NULL, &err), err);
    pg_close(other);
    run_sql("ROLLBACK");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_out),
        cmocka_unit_test(test_out_big_row),
        cmocka_unit_test(test_out_errors),
        cmocka_unit_test(test_out_deadline),
        cmocka_unit_test(test_in),
        cmocka_unit_test(test_in_big_row),
        cmocka_unit_test(test_in_aborted),
        cmocka_unit_test(test_in_error_in_the_middle),
        cmocka_unit_test(test_in_error_at_the_end),
        cmocka_unit_test(test_in_notices),
        cmocka_unit_test(test_in_give_up),
    };
    return cmocka_run_group_tests(tests, start_cluster, stop_cluster);
}
