/* Files of variables as versions of Ruby's dotenv read them. */
#include "fixture.h"

#include <time.h>
#include <unistd.h>

#include "kura/mem.h"

static const char *one(Format format, const char *written_value)
{
    _cleanup_free_ char *text = xasprintf("B=bee\nA=%s\n", written_value);
    assert_string_equal(read_text(format, text), "");
    return value("A") ? value("A") : "(nothing)";
}

static void values(void **state)
{
    static const char *const cases[][4] = {
        /* written, 3.1, 2.8, 2.7 */
        {"x", "x", "x", "x"},
        {" x y  ", "x y", "x y", "x y"},
        {"x # c", "x", "x", "x"},
        {"x#c", "x", "x", "x"},
        {"'x # $B'", "x # $B", "x # $B", "x # $B"},
        {"\"x # ${B}\"", "x # bee", "x # bee", "x # bee"},
        {"$B-$C", "bee-", "bee-", "bee-"},
        {"\\$B", "$B", "$B", "$B"},
        {"\"a\\nb\"", "a\\nb", "a\nb", "a\nb"},
        {"a\\nb", "anb", "anb", "a\\nb"},
        {"\"say \\\"x\\\"\"", "say \"x\"", "say \"x\"", "say \"x\""},
        {"'a' b", "'a' b", "'a' b", "'a' b"},
        {"\"a\nb\"", "a\nb", "a\nb", "a\nb"},
        {"\"open", "\"open", "\"open", "\"open"},
        {"", "", "", ""},
        {"$", "$", "$", "$"},
        {"${", "${", "${", "${"},
        {"it's", "it's", "it's", "it's"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_string_equal(one(dotenv_settings, cases[i][0]), cases[i][1]);
        assert_string_equal(one(dotenv28_settings, cases[i][0]), cases[i][2]);
        assert_string_equal(one(dotenv2_settings, cases[i][0]), cases[i][3]);
    }
}

static void lines(void **state)
{
    static const char text[] = "\xef\xbb\xbf# A=no\r\n  export A=1\r\nB: 2\r\nA=3\r\nno assignment\r\na.b = 4\r\nC\r\n";
    assert_string_equal(read_text(dotenv_settings, text), "");
    assert_string_equal(value("A"), "3");
    assert_string_equal(value("B"), "2");
    assert_string_equal(value("a.b"), "4");
    assert_string_equal(value("C"), "");
    assert_string_equal(read_text(dotenv2_settings, text), "");
    assert_null(value("C"));
    assert_string_equal(read_text(dotenv2_settings, "export A\nA=1\n"), "");
    assert_true(strstr(read_text(dotenv_settings, "export A\nA=1\n"), "file:1: a variable is exported") != NULL);
    assert_true(strstr(read_text(dotenv2_settings, "A=1\nexport B\n"), "file:2: a variable is exported") != NULL);
    assert_string_equal(read_text(dotenv_settings, "DOTENV_LINEBREAK_MODE=legacy\nA=\"a\\nb\"\n"), "");
    assert_string_equal(value("A"), "a\nb");
}

static void commands_are_not_run(void **state)
{
    _cleanup_free_ char *made = xasprintf("/tmp/kura-test-dotenv-%d", getpid());
    _cleanup_free_ char *text =
        xasprintf("A=$(touch %s)x\nB=\"`touch %s`\"\nC='$(touch %s)'\nD=\\$(no)\n", made, made, made);
    _cleanup_free_ char *command = xasprintf("$(touch %s)x", made);
    assert_string_equal(read_text(dotenv_settings, text), "");
    assert_string_equal(value("A"), command);
    assert_string_equal(value("D"), "$(no)");
    assert_string_equal(finding_of_text(), "app-command");
    assert_int_equal(access(made, F_OK), -1);
    assert_string_equal(read_text(dotenv_settings, "A='$(no)'\nB=\\$(no)\nC=$(\n"), "");
    assert_string_equal(finding_of_text(), "");
}

static void a_place_is_that_of_the_value(void **state)
{
    assert_string_equal(read_text(dotenv_settings, "A=1\r\nB =  \"two\r\nlines\"  # c\r\nC=${A} # c\r\nD=\r\nB2=x\n"),
                        "");
    _cleanup_free_ char *b = written("B"), *c = written("C"), *d = written("D"), *last = written("B2");
    assert_string_equal(b, "\"two\r\nlines\"");
    assert_string_equal(value("B"), "two\nlines");
    assert_string_equal(c, "${A}");
    assert_string_equal(value("C"), "1");
    assert_string_equal(d, "");
    assert_string_equal(last, "x");
}

static void quotes_stay_in_files_for_containers(void **state)
{
    assert_string_equal(read_text(envfile_settings, "# c\nA=\"x\" # y\n B='$A'\r\nC=\nD\n"), "");
    assert_string_equal(value("A"), "\"x\" # y");
    assert_string_equal(value("B"), "'$A'");
    assert_string_equal(value("C"), "");
    assert_null(value("D"));
}

static void files_for_compose(void **state)
{
    static const char *const cases[][2] = {
        {"x", "x"},
        {"\"x\"", "x"},
        {"'x $B'", "x $B"},
        {"x#y", "x#y"},
        {"x # y", "x"},
        {"\"x # ${B}\" # y", "x # bee"},
        {"$B-${B}-$C", "bee-bee-"},
        {"${B:-else}", "bee"},
        {"${C:-else}-${C-or}", "else-or"},
        {"${C:-}", ""},
        {"p$$B", "p$B"},
        {"\"a\\nb\"", "a\nb"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_string_equal(one(compose_settings, cases[i][0]), cases[i][1]);
}

static void what_is_refused(void **state)
{
    assert_true(strstr(read_text(dotenv_settings, "A=\xff\n"), "no UTF-8") != NULL);
    assert_true(strstr(read_bytes(dotenv_settings, "A=\0b\n", 5), "no UTF-8") != NULL);
    Buf text = BUF_INIT(1 << 20);
    buf_append_str(&text, "A=xxxxxxxxxxxxxxxx\n", NULL);
    for (int i = 0; i < 40; i++)
        buf_append_str(&text, "A=$A$A\n", NULL);
    assert_true(strstr(read_text(dotenv_settings, buf_str(&text)), "too long") != NULL);
    while (text.len < 70000)
        buf_append_str(&text, "'", NULL);
    assert_true(strstr(read_text(dotenv_settings, buf_str(&text)), "too large") != NULL);
    buf_done(&text);
}

/* Many quotes that are never closed make reading as slow as it gets: still no more than a moment. */
static void many_open_quotes(void **state)
{
    Buf text = BUF_INIT(1 << 20);
    while (text.len < 60000)
        buf_append_str(&text, "A='\\'\n", NULL);
    assert_string_equal(read_text(dotenv_settings, buf_str(&text)), "");
    buf_done(&text);
}

/* So do commands that do not end, in a value that others repeat. */
static void many_open_commands(void **state)
{
    Buf text = BUF_INIT(1 << 20);
    buf_append_str(&text, "A=", NULL);
    while (text.len < 30000)
        buf_append_str(&text, "$(", NULL);
    while (text.len < 60000)
        buf_append_str(&text, "\nB=$A$A", NULL);
    clock_t before = clock();
    assert_true(strstr(read_text(dotenv_settings, buf_str(&text)), "do not end") != NULL);
    assert_true(clock() - before < 10 * CLOCKS_PER_SEC);
    buf_done(&text);
}

static void what_is_repeated_has_an_end(void **state)
{
    Buf text = BUF_INIT(1 << 20);
    buf_append_str(&text, "A=", NULL);
    while (text.len < 20000)
        buf_append_str(&text, "x", NULL);
    while (text.len < 60000)
        buf_append_str(&text, "\nB=$A$A", NULL);
    assert_true(strstr(read_text(dotenv_settings, buf_str(&text)), "too many settings") != NULL);
    buf_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values),
        cmocka_unit_test(lines),
        cmocka_unit_test(commands_are_not_run),
        cmocka_unit_test(a_place_is_that_of_the_value),
        cmocka_unit_test(quotes_stay_in_files_for_containers),
        cmocka_unit_test(files_for_compose),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(many_open_quotes),
        cmocka_unit_test(many_open_commands),
        cmocka_unit_test(what_is_repeated_has_an_end),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    forget();
    return failed;
}
