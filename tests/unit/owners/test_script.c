#include "fixture.h"

static OwnPlan plan_of(size_t steps, unsigned locks)
{
    OwnPlan plan = {.v = xcalloc(steps, sizeof *plan.v), .n = steps, .statements = steps, .locks = steps * locks};
    for (size_t i = 0; i < steps; i++)
        plan.v[i] =
            (OwnStep){.sql = xasprintf("ALTER TABLE \"t;\n%zu\" OWNER TO app;\n", i), .statements = 1, .locks = locks};
    return plan;
}

static const OwnScript script = {.title = "undo",
                                 .database = "odd\nname",
                                 .where = "socket\n/tmp",
                                 .when = "2026-11-22T03:15:00Z",
                                 .encoding = "UTF8",
                                 .max_locks = 10,
                                 .lock_timeout_ms = 2000};

static void test_round_trip(void **state)
{
    OwnPlan plan = plan_of(5, 4);
    Buf text = BUF_INIT(1 << 20);
    Error err = ERROR_INIT;
    OwnStatements statements;
    assert_int_equal(own_plan_transactions(&plan, 10), 3);
    assert_int_equal(own_plan_transactions(&plan, 0), 1);
    assert_int_equal(own_plan_format(&plan, &script, &text, &err), 0);
    if (own_script_parse(buf_str(&text), text.len, &statements, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(statements.n, 3);
    assert_int_equal(statements.v[0].n, 4);
    assert_string_equal(statements.v[0].v[1], "SET LOCAL lock_timeout = 2000");
    assert_string_equal(statements.v[0].v[2], "ALTER TABLE \"t;\n0\" OWNER TO app");
    assert_int_equal(statements.v[2].n, 3);
    assert_true(own_script_is_for(&statements, "odd\nname"));
    assert_false(own_script_is_for(&statements, "odd"));
    assert_false(own_script_is_for(&statements, "odd name"));
    assert_false(own_script_is_for(&statements, "odd\\nname"));
    own_statements_done(&statements);
    own_plan_done(&plan);
    buf_done(&text);
}

static void test_empty_plan(void **state)
{
    OwnPlan plan = {0};
    assert_int_equal(own_plan_transactions(&plan, 10), 0);
}

#define HEAD "-- kura undo\n-- database app\nSET client_encoding = 'UTF8';\n"

static void test_refuses(void **state)
{
    static const char *const bad[] = {
        "",
        "ALTER TABLE t OWNER TO x;\n",
        "-- kura undo\nBEGIN; COMMIT;\n",
        HEAD "ALTER TABLE t OWNER TO x;",
        HEAD "BEGIN; ALTER TABLE t OWNER TO x;",
        HEAD "BEGIN; DROP TABLE t; COMMIT;",
        HEAD "BEGIN; ALTER TABLE t OWNER TO x; COMMIT; DROP TABLE t;",
        HEAD "BEGIN; ALTER ROLE x SUPERUSER; COMMIT;",
        HEAD "BEGIN; ALTER TABLE t DROP COLUMN c; COMMIT;",
        HEAD "BEGIN; GRANT postgres TO x; COMMIT;",
        HEAD "BEGIN; SET LOCAL session_replication_role = replica; COMMIT;",
        HEAD "BEGIN; BEGIN; COMMIT;",
        HEAD "BEGIN; ALTER TABLE \"t OWNER TO x; COMMIT;",
    };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        OwnStatements statements;
        Error err = ERROR_INIT;
        if (own_script_parse(bad[i], strlen(bad[i]), &statements, &err) == 0)
            fail_msg("taken: %s", bad[i]);
        assert_true(err.code == ERR_USAGE || err.code == ERR_CORRUPT);
    }
}

static void test_takes(void **state)
{
    static const char good[] = HEAD "BEGIN; /* by hand */ GRANT SELECT ON TABLE t TO x; -- too\n"
                                    "ALTER POLICY p ON t TO x; ALTER DEFAULT PRIVILEGES FOR ROLE x GRANT SELECT ON "
                                    "TABLES TO y; SET LOCAL ROLE x; RESET ROLE; COMMIT;";
    OwnStatements statements;
    Error err = ERROR_INIT;
    if (own_script_parse(good, strlen(good), &statements, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(statements.v[0].n, 5);
    own_statements_done(&statements);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_empty_plan),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_takes),
    };
    return cmocka_run_group_tests(tests, make_names, free_names);
}
