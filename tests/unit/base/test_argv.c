#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kura/argv.h"
#include "kura/mem.h"

/* The words with a '|' behind each. */
static char *split(const char *text)
{
    Error err = ERROR_INIT;
    _cleanup_(strvec_done) StrVec argv = {0};
    _cleanup_(buf_done) Buf out = BUF_INIT(4096);
    if (argv_split(text, &argv, &err) < 0)
        fail_msg("%s: %s", text, err.message);
    for (size_t i = 0; i < argv.n; i++)
        buf_printf(&out, NULL, "%s|", argv.v[i]);
    return xstrdup(buf_str(&out));
}

static void assert_split(const char *text, const char *wanted)
{
    _cleanup_free_ char *got = split(text);
    assert_string_equal(got, wanted);
}

static void words(void **state)
{
    assert_split("true", "true|");
    assert_split("  a\tb  c ", "a|b|c|");
    assert_split("echo $HOME * ; rm >x", "echo|$HOME|*|;|rm|>x|");
}

static void quotes(void **state)
{
    assert_split("sh -c 'a \"b\" \\ c'", "sh|-c|a \"b\" \\ c|");
    assert_split("a \"b 'c' \\\" \\\\ \\n\" d", "a|b 'c' \" \\ \\n|d|");
    assert_split("x=\"1 2\"'3 4'5 '' \"\"", "x=1 23 45|||");
    assert_split("a\\ b \\'c \\", "a b|'c|\\|");
}

static void refuse(const char *text)
{
    Error err = ERROR_INIT;
    _cleanup_(strvec_done) StrVec argv = {0};
    assert_int_equal(argv_split(text, &argv, &err), -1);
    assert_int_equal(err.code, ERR_USAGE);
}

static void refused(void **state)
{
    refuse("");
    refuse(" \t ");
    refuse("a 'b");
    refuse("a \"b\\\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(words), cmocka_unit_test(quotes), cmocka_unit_test(refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
