#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kura/buf.h"
#include "kura/mem.h"

static void grows_up_to_its_limit_and_not_beyond(void **state)
{
    Error err = ERROR_INIT;
    Buf buf = BUF_INIT(1000);
    for (int i = 0; i < 100; i++)
        assert_int_equal(buf_append(&buf, "0123456789", 10, &err), 0);
    assert_int_equal(buf.len, 1000);
    assert_int_equal(buf_append(&buf, "x", 1, &err), -1);
    assert_int_equal(err.code, ERR_FAILED);
    assert_int_equal(buf.len, 1000);
    assert_int_equal(buf_append(&buf, "", 0, &err), 0);
    assert_int_equal(strlen(buf_str(&buf)), 1000);
    assert_int_equal(buf_reserve(&buf, SIZE_MAX, &err), -1);
    buf_done(&buf);
    assert_int_equal(buf.max, 1000);
    assert_int_equal(buf_append_str(&buf, "again", &err), 0);
    assert_string_equal(buf_str(&buf), "again");
    buf_done(&buf);
    buf_done(NULL);
}

static void the_largest_limit_is_no_limit(void **state)
{
    Buf buf = BUF_INIT(SIZE_MAX);
    assert_int_equal(buf_append(&buf, "abc", 3, NULL), 0);
    assert_true(buf.cap > 3);
    assert_string_equal(buf_str(&buf), "abc");
    buf_done(&buf);
}

static void is_a_string_at_any_time(void **state)
{
    Buf buf = BUF_INIT(100);
    assert_string_equal(buf_str(&buf), "");
    buf_consume(&buf, 0);
    assert_int_equal(buf_reserve(&buf, 50, NULL), 0);
    assert_string_equal(buf_str(&buf), "");
    memcpy(buf.data, "abcdef", 6);
    buf.len = 3;
    assert_string_equal(buf_str(&buf), "abc");
    assert_int_equal(buf_printf(&buf, NULL, "-%d-%s", 12, "x"), 0);
    assert_string_equal(buf_str(&buf), "abc-12-x");
    buf_consume(&buf, 4);
    assert_string_equal(buf_str(&buf), "12-x");
    buf_consume(&buf, buf.len);
    assert_string_equal(buf_str(&buf), "");
    buf_append_str(&buf, "y", NULL);
    buf_clear(&buf);
    assert_string_equal(buf_str(&buf), "");
    buf_done(&buf);
}

static void lists_of_strings_end_with_null(void **state)
{
    StrVec vec = {0};
    assert_false(strvec_contains(&vec, "s1"));
    for (int i = 0; i < 40; i++) {
        strvec_pushf(&vec, "s%d", i);
        assert_null(vec.v[vec.n]);
    }
    char text[] = "own";
    strvec_push(&vec, text);
    text[0] = 'X';
    assert_int_equal(vec.n, 41);
    assert_string_equal(vec.v[40], "own");
    assert_true(strvec_contains(&vec, "s39"));
    assert_false(strvec_contains(&vec, "s40"));
    strvec_done(&vec);
    assert_int_equal(vec.n, 0);
    strvec_done(&vec);
    strvec_done(NULL);
}

static void steal_empties_the_variable(void **state)
{
    _cleanup_free_ char *text = xasprintf("%s-%d", "a", 1);
    char *taken = steal(text);
    assert_null(text);
    assert_string_equal(taken, "a-1");
    free(taken);
    assert_null(xstrdup_null(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_up_to_its_limit_and_not_beyond),
        cmocka_unit_test(the_largest_limit_is_no_limit),
        cmocka_unit_test(is_a_string_at_any_time),
        cmocka_unit_test(lists_of_strings_end_with_null),
        cmocka_unit_test(steal_empties_the_variable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
