#include <locale.h>
#include <string.h>

#include "harness.h"
#include "table.h"
#include "text.h"

static void assert_escaped(const char *text, const char *expected)
{
    char *escaped = text_escaped(text);
    assert_string_equal(escaped, expected);
    free(escaped);
}

static void test_escape(void **state)
{
    assert_escaped("plain", "plain");
    assert_escaped("蔵 ünïcode", "蔵 ünïcode");
    assert_escaped("a\nb\tc\rd", "a\\nb\\tc\\x0dd");
    assert_escaped("\033[2J", "\\x1b[2J");
    assert_escaped("\x7f", "\\x7f");
    assert_escaped("\xc2\x9b"
                   "1m",
                   "\\xc2\\x9b1m"); /* CSI of the upper half */
    assert_escaped("gpj.\xe2\x80\xae"
                   "exe",
                   "gpj.\\xe2\\x80\\xae"
                   "exe"); /* right-to-left override */
    assert_escaped("\xff\xc3", "\\xff\\xc3");
    assert_escaped("\xc0\xaf", "\\xc0\\xaf");                          /* overlong */
    assert_escaped("\xed\xa0\x80", "\\xed\\xa0\\x80");                 /* half a surrogate pair */
    assert_escaped("a\u00adb\u3164c", "a\\xc2\\xadb\\xe3\\x85\\xa4c"); /* soft hyphen, Hangul filler */
    assert_escaped("\U000e0041", "\\xf3\\xa0\\x81\\x81");              /* a tag character */
    assert_escaped("", "");
}

static void test_message(void **state)
{
    char *text = text_message("first\nkura: error: forged\033c");
    assert_string_equal(text, "first\n    kura: error: forged\\x1bc");
    free(text);
}

static void check_shell(const char *text, const char *expected)
{
    char *quoted = text_shell(text);
    assert_string_equal(quoted, expected);
    free(quoted);
}

static void test_shell(void **state)
{
    check_shell("", "''");
    check_shell("a=\"B c\"", "'a=\"B c\"'");
    check_shell("o'clock \\ $x", "'o'\\''clock \\ $x'");
    check_shell("日本", "'日本'");
    check_shell("two\nlines\t'\\\033", "$'two\\nlines\\t\\'\\\\\\x1b'");
    check_shell("x\xE2\x80\xAEy", "$'x\\xe2\\x80\\xaey'");
}

static void test_sql(void **state)
{
    char *sql = text_sql(
        "-- x\nALTER TABLE \"a b\".\"日本\" OWNER TO \"new\n\\li\"\"ne\033\xE2\x80\xAE\";\n\tGRANT 'x' TO y;\n");
    assert_string_equal(sql, "-- x\nALTER TABLE \"a b\".\"日本\" OWNER TO U&\"new\\000A\\\\li\"\"ne\\001B\\202E\";\n"
                             "\tGRANT 'x' TO y;\n");
    free(sql);
}

static void test_width(void **state)
{
    assert_int_equal(text_width("abc"), 3);
    assert_int_equal(text_width("蔵"), 2);
    assert_int_equal(text_fill("蔵", 5), 3);
    assert_int_equal(text_fill("蔵", 1), 0);
    assert_int_equal(text_width("e\xcc\x81"), 1); /* a combining accent */
    assert_int_equal(text_fit("abcdef", 4), 4);
    assert_int_equal(text_fit("a蔵b", 2), 1); /* never half a character */
    assert_int_equal(text_fit("a蔵b", 3), 4);
    assert_int_equal(text_width("ﾃｽﾄ"), 3);                          /* half-width */
    assert_int_equal(text_width("ＡＢ、"), 6);                       /* full-width */
    assert_int_equal(text_width("か\u3099"), 2);                     /* a voicing mark takes no room of its own */
    assert_int_equal(text_fit("か\u3099き", 2), strlen("か\u3099")); /* and is not cut off */
    assert_int_equal(text_fit("リストア中", 5), strlen("リス"));
    assert_int_equal(text_fit("名前\xff", 5), strlen("名前\xff")); /* what is no UTF-8 */
}

static void test_utf8(void **state)
{
    char *valid = text_utf8("tab\t蔵"), *broken = text_utf8("a\xff");
    assert_string_equal(valid, "tab\t蔵");
    assert_string_equal(broken, "a\\xff");
    free(valid);
    free(broken);
}

static void test_quantities(void **state)
{
    char out[TEXT_SIZE];
    assert_string_equal(text_bytes(0, out), "0 B");
    assert_string_equal(text_bytes(1023, out), "1023 B");
    assert_string_equal(text_bytes(1024, out), "1.0 KiB");
    assert_string_equal(text_bytes(1024 * 1024 - 1, out), "1.0 MiB");
    assert_string_equal(text_bytes(1503238554, out), "1.4 GiB");
    assert_string_equal(text_bytes(UINT64_MAX, out), "16.0 EiB");
    assert_string_equal(text_count(0, out), "0");
    assert_string_equal(text_count(999, out), "999");
    assert_string_equal(text_count(1000, out), "1,000");
    assert_string_equal(text_count(UINT64_MAX, out), "18,446,744,073,709,551,615");
    assert_string_equal(text_seconds(3.21, out), "3.2 s");
    assert_string_equal(text_seconds(59.97, out), "1 min 00 s");
    assert_string_equal(text_seconds(252, out), "4 min 12 s");
    assert_string_equal(text_seconds(3780, out), "1 h 03 min");
    assert_string_equal(text_seconds(-1, out), "0.0 s");
}

static char *printed(const Table *table, size_t indent)
{
    char *text;
    size_t len;
    FILE *stream = open_memstream(&text, &len);
    table_print(table, stream, indent);
    fclose(stream);
    return text;
}

static void test_table(void **state)
{
    Table *table = table_new("name|>rows|note");
    assert_true(table_is_empty(table));
    table_row(table, "蔵", "7", NULL);
    table_row(table, "a\nb", "1,234", "x");
    assert_false(table_is_empty(table));
    char *text = printed(table, 2);
    assert_string_equal(text, "  name   rows  note\n"
                              "  蔵        7\n"
                              "  a\\nb  1,234  x\n");
    free(text);
    table_free(table);
}

static void test_table_wide(void **state)
{
    Table *table = table_new("名前|>行数|状態");
    table_row(table, "日本語の表", "7", "合格");
    table_row(table, "plain", "1,234", "か\u3099");
    char *text = printed(table, 0);
    assert_string_equal(text, "名前         行数  状態\n"
                              "日本語の表      7  合格\n"
                              "plain       1,234  か\u3099\n");
    free(text);
    table_free(table);
}

static void test_table_without_header(void **state)
{
    Table *table = table_new("|>");
    table_row(table, "schema", "3.1 s");
    table_row(table, "", "10.0 s");
    char *text = printed(table, 0);
    assert_string_equal(text, "schema   3.1 s\n"
                              "        10.0 s\n");
    free(text);
    table_free(table);
}

int main(void)
{
    if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_escape),     cmocka_unit_test(test_message),
        cmocka_unit_test(test_shell),      cmocka_unit_test(test_sql),
        cmocka_unit_test(test_width),      cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_quantities), cmocka_unit_test(test_table),
        cmocka_unit_test(test_table_wide), cmocka_unit_test(test_table_without_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
