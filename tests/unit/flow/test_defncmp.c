/* Definitions before and after a restore. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "defncmp.h"
#include "kura/mem.h"

static DefnOrder compare(const char *a, const char *b)
{
    size_t at, there;
    DefnOrder order = defn_compare(a, b, false, &at, &there);
    assert_int_equal(defn_compare(b, a, false, &at, &there), order);
    return order;
}

static void test_same(void **state)
{
    assert_int_equal(compare("CREATE TABLE t (a int);\n", "CREATE TABLE t (a int);\n"), DEFN_SAME);
    assert_int_equal(compare(NULL, ""), DEFN_SAME);
    assert_int_equal(compare("", ""), DEFN_SAME);
}

/* Pairs that PostgreSQL itself makes of one expression. */
static void test_reworded(void **state)
{
    static const char *const pairs[][2] = {
        {"CHECK (((s)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[])))",
         "CHECK (((s)::text = ANY (ARRAY[('a'::character varying)::text, ('b'::character varying)::text])))"},
        {"CHECK ((a AND b) AND c)", "CHECK (a AND b AND c)"},
        {"DEFAULT '1'::numeric(10,2)", "DEFAULT '1'"},
        {"DEFAULT ('x'::zoo.\"Ty pe\"[])", "DEFAULT 'x'"},
        {"WHERE (t > '2024-01-01 00:00:00'::timestamp(3) without time zone)", "WHERE t > '2024-01-01 00:00:00'"},
        {"SELECT  a,\n b", "SELECT a, b"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
        assert_int_equal(compare(pairs[i][0], pairs[i][1]), DEFN_REWORDED);
}

static void test_different(void **state)
{
    static const char *const pairs[][2] = {
        {"CREATE TABLE t (a int);", "CREATE TABLE t (a int, b int);"},
        {"CHECK ((a > 1))", "CHECK ((a > 2))"},
        {"CHECK ((a > 1))", "CHECK ((a < 1))"},
        {"DEFAULT 'x'::text", "DEFAULT 'y'::text"},
        {"CREATE TRIGGER x;", "CREATE TRIGGER x;\n\nALTER TABLE t DISABLE TRIGGER x;"},
        {"SELECT pg_catalog.setval('s', 40, true);", "SELECT pg_catalog.setval('s', 5, true);"},
        {"GRANT a", ""},
        {"SELECT 'unterminated", "SELECT 'another"},
        {"a, b", "b, a"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
        assert_int_equal(compare(pairs[i][0], pairs[i][1]), DEFN_DIFFERS);
}

static void test_any_order(void **state)
{
    size_t at, there;
    assert_int_equal(defn_compare("CREATE POLICY p ON t TO a, b;", "CREATE POLICY p ON t TO b, a;", true, &at, &there),
                     DEFN_REWORDED);
    assert_int_equal(defn_compare("CREATE POLICY p ON t TO a, b;", "CREATE POLICY p ON t TO b, c;", true, &at, &there),
                     DEFN_DIFFERS);
}

static void test_where(void **state)
{
    size_t at = 0, there = 0;
    assert_int_equal(defn_compare("abc 1", "abc 2", false, &at, &there), DEFN_DIFFERS);
    assert_int_equal(at, 4);
    assert_int_equal(there, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same),      cmocka_unit_test(test_reworded), cmocka_unit_test(test_different),
        cmocka_unit_test(test_any_order), cmocka_unit_test(test_where),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
