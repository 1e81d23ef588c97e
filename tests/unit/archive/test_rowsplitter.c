#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kura/datablocks.h"

/* Rows as they came, each followed by '|'. */
static int take_row(void *ctx, const char *row, size_t len, Error *err)
{
    assert_true(len > 0 && row[len - 1] == '\n');
    assert_null(memchr(row, '\n', len - 1));
    return buf_append(ctx, row, len, err) < 0 ? -1 : buf_append(ctx, "|", 1, err);
}

static const char text[] = "1\tone\n\n\\N\t\\\\.\n\\.x\nx\\.\n\\.\n\n\n";
static const char rows[] = "1\tone\n|\n|\\N\t\\\\.\n|\\.x\n|x\\.\n|";

static void rows_are_the_same_wherever_the_text_is_cut(void **state)
{
    for (size_t first = 0; first < sizeof text; first++) {
        for (size_t second = first; second < sizeof text; second++) {
            Buf out = BUF_INIT(1000);
            RowSplitter splitter = {.row = take_row, .ctx = &out, .partial = BUF_INIT(100)};
            assert_int_equal(rowsplitter_feed(&splitter, text, first, NULL), 0);
            assert_int_equal(rowsplitter_feed(&splitter, text + first, second - first, NULL), 0);
            assert_int_equal(rowsplitter_feed(&splitter, text + second, sizeof text - 1 - second, NULL), 0);
            assert_string_equal(buf_str(&out), rows);
            assert_true(splitter.ended);
            assert_int_equal(splitter.partial.len, 0);
            buf_done(&out);
            buf_done(&splitter.partial);
        }
    }
}

static void nothing_comes_after_the_end_marker(void **state)
{
    Buf out = BUF_INIT(1000);
    RowSplitter splitter = {.row = take_row, .ctx = &out, .partial = BUF_INIT(100)};
    assert_int_equal(rowsplitter_feed(&splitter, "a\n\\.\nb\n", 7, NULL), 0);
    assert_int_equal(rowsplitter_feed(&splitter, "c\n", 2, NULL), 0);
    assert_string_equal(buf_str(&out), "a\n|");
    buf_done(&out);
    buf_done(&splitter.partial);
}

static void a_text_without_end_marker_has_not_ended(void **state)
{
    Buf out = BUF_INIT(1000);
    RowSplitter splitter = {.row = take_row, .ctx = &out, .partial = BUF_INIT(100)};
    assert_int_equal(rowsplitter_feed(&splitter, "a\n\\.", 4, NULL), 0);
    assert_string_equal(buf_str(&out), "a\n|");
    assert_false(splitter.ended);
    assert_int_equal(splitter.partial.len, 2);
    buf_done(&out);
    buf_done(&splitter.partial);
}

static void rows_have_a_longest_length(void **state)
{
    Error err = ERROR_INIT;
    Buf out = BUF_INIT(1000);
    RowSplitter splitter = {.row = take_row, .ctx = &out, .partial = BUF_INIT(10)};
    assert_int_equal(rowsplitter_feed(&splitter, "123456789\n", 10, &err), 0);
    assert_int_equal(rowsplitter_feed(&splitter, "1234567890\n", 11, &err), -1);
    assert_int_equal(err.code, ERR_FAILED);
    assert_non_null(strstr(err.message, "10 bytes"));
    assert_int_equal(rowsplitter_feed(&splitter, "12345", 5, &err), 0);
    assert_int_equal(rowsplitter_feed(&splitter, "6789\n", 5, &err), 0);
    assert_int_equal(rowsplitter_feed(&splitter, "12345", 5, &err), 0);
    assert_int_equal(rowsplitter_feed(&splitter, "67890\n", 6, &err), -1);
    assert_string_equal(buf_str(&out), "123456789\n|123456789\n|");
    buf_done(&out);
    buf_done(&splitter.partial);
}

static int refuse(void *ctx, const char *row, size_t len, Error *err)
{
    return error_set(err, ERR_INTERRUPTED, "enough");
}

static void the_callers_error_ends_it(void **state)
{
    Error err = ERROR_INIT;
    RowSplitter splitter = {.row = refuse, .partial = BUF_INIT(10)};
    assert_int_equal(rowsplitter_feed(&splitter, "1\n", 2, &err), -1);
    assert_int_equal(err.code, ERR_INTERRUPTED);
    assert_int_equal(rowsplitter_feed(&splitter, "1", 1, &err), 0);
    assert_int_equal(rowsplitter_feed(&splitter, "\n", 1, &err), -1);
    buf_done(&splitter.partial);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_the_same_wherever_the_text_is_cut),
        cmocka_unit_test(nothing_comes_after_the_end_marker),
        cmocka_unit_test(a_text_without_end_marker_has_not_ended),
        cmocka_unit_test(rows_have_a_longest_length),
        cmocka_unit_test(the_callers_error_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
