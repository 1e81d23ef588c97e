#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "checkspec.h"
#include "kura/mem.h"

static void test_good(void **state)
{
    (void)state;
    static const struct {
        CheckKind kind;
        const char *text, *table, *first, *parent, *expression;
        size_t columns, referenced;
    } cases[] = {
        {CHECK_FK, "goods(order_id) -> orders(id)", "goods", "order_id", "orders", NULL, 1, 1},
        {CHECK_FK, "goods(a,b)->s.orders", "goods", "a", "s.orders", NULL, 2, 0},
        {CHECK_UNIQUE, " \"We \"\"ird\".T ( \"X y\" , z ) ", "\"We \"\"ird\".t", "X y", NULL, NULL, 2, 0},
        {CHECK_NOT_NULL, "t(c) -- why not", "t", "c", NULL, NULL, 1, 0},
        {CHECK_CHECK, "t((a > 0) AND b <> ')')", "t", NULL, NULL, "(a > 0) AND b <> ')'", 0, 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CheckSpec spec;
        Error err = ERROR_INIT;
        assert_int_equal(checkspec_parse(cases[i].kind, cases[i].text, &spec, &err), 0);
        assert_string_equal(spec.table.name, cases[i].table);
        assert_int_equal(spec.table.columns.n, cases[i].columns);
        assert_int_equal(spec.parent.columns.n, cases[i].referenced);
        if (cases[i].first)
            assert_string_equal(spec.table.columns.v[0], cases[i].first);
        if (cases[i].parent)
            assert_string_equal(spec.parent.name, cases[i].parent);
        if (cases[i].expression)
            assert_string_equal(spec.expression, cases[i].expression);
        checkspec_done(&spec);
    }
}

static void test_words(void **state)
{
    (void)state;
    CheckSpec spec;
    assert_int_equal(checkspec_parse(CHECK_CHECK, "t(price > 0 AND \"Weight\" < price)", &spec, NULL), 0);
    assert_true(strvec_contains(&spec.words, "price"));
    assert_true(strvec_contains(&spec.words, "Weight"));
    checkspec_done(&spec);
}

static void test_bad(void **state)
{
    (void)state;
    static const struct {
        CheckKind kind;
        const char *text;
    } cases[] = {
        {CHECK_FK, ""},
        {CHECK_FK, "goods"},
        {CHECK_FK, "goods(order_id)"},
        {CHECK_FK, "goods(order_id) -> "},
        {CHECK_FK, "goods(a, b) -> orders(id)"},
        {CHECK_FK, "goods(a) -> orders(id) more"},
        {CHECK_FK, "goods(a, a) -> orders(b, c)"},
        {CHECK_UNIQUE, "goods()"},
        {CHECK_UNIQUE, "goods(a,)"},
        {CHECK_UNIQUE, "goods(a"},
        {CHECK_UNIQUE, "goods(1)"},
        {CHECK_UNIQUE, "(a)"},
        {CHECK_UNIQUE, "\"goods(a)"},
        {CHECK_NOT_NULL, "goods(a, b)"},
        {CHECK_CHECK, "goods( )"},
        {CHECK_CHECK, "goods(a > 0"},
        {CHECK_CHECK, "goods(a > 0))"},
        {CHECK_CHECK, "goods(true); DROP TABLE goods; --)"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CheckSpec spec;
        Error err = ERROR_INIT;
        assert_int_equal(checkspec_parse(cases[i].kind, cases[i].text, &spec, &err), -1);
        assert_int_equal(err.code, ERR_USAGE);
        assert_true(err.message[0] != 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_bad),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
