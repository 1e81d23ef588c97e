/* YAML as js-yaml reads it, and what is refused. tests/it/app-parsers.sh compares the two on many more files. */
#include "fixture.h"

#include <time.h>

#include "kura/mem.h"

static const char *js(const char *scalar)
{
    char text[200];
    snprintf(text, sizeof text, "k: %s\n", scalar);
    assert_string_equal(read_text(yaml_settings, text), "");
    return value("k") ? value("k") : "(nothing)";
}

static const char *old(const char *scalar)
{
    char text[200];
    snprintf(text, sizeof text, "k: %s\n", scalar);
    assert_string_equal(read_text(yaml11_settings, text), "");
    return value("k") ? value("k") : "(nothing)";
}

static void scalars_become_what_javascript_makes_of_them(void **state)
{
    static const char *const cases[][2] = {
        {"5432", "5432"},
        {"0x1F", "31"},
        {"0o17", "15"},
        {"0b101", "5"},
        {"017", "17"},
        {"1_000", "1000"},
        {"_1", "_1"},
        {"1_", "1_"},
        {"+5", "5"},
        {"-0", "0"},
        {"1e3", "1000"},
        {"5.0", "5"},
        {".5", "0.5"},
        {"1e21", "1e+21"},
        {"123456789012345678", "123456789012345680"},
        {"1e-7", "1e-7"},
        {"0.000001", "0.000001"},
        {"1e400", "Infinity"},
        {"-.inf", "-Infinity"},
        {".NaN", "NaN"},
        {"true", "true"},
        {"TRUE", "true"},
        {"tRUE", "tRUE"},
        {"yes", "yes"},
        {"off", "off"},
        {"null", "(nothing)"},
        {"~", "(nothing)"},
        {"", "(nothing)"},
        {"'~'", "~"},
        {"\"0x1F\"", "0x1F"},
        {"'it''s'", "it's"},
        {"\"\\u00e9\\t\"", "é\t"},
        {"a#b", "a#b"},
        {"a #b", "a"},
        {"1:30", "1:30"},
        {"2020-01-01", "(nothing)"},
        {"2020-1-1 1:02:03", "(nothing)"},
        {"2020-1-1", "2020-1-1"},
        {"0xffffffffffffffffff", "4.722366482869645e+21"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_string_equal(js(cases[i][0]), cases[i][1]);
    js("2020-01-01");
    assert_string_equal(finding_of_text(), "app-value");
}

static void scalars_of_the_old_version(void **state)
{
    static const char *const cases[][2] = {
        {"yes", "true"},     {"Off", "false"}, {"y", "y"},     {"017", "15"},
        {"0o17", "0o17"},    {"08", "08"},     {"1:30", "90"}, {"1:99", "1:99"},
        {"10_000", "10000"}, {"-0x10", "-16"}, {"5.0", "5.0"}, {"NULL", "(nothing)"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_string_equal(old(cases[i][0]), cases[i][1]);
    assert_string_equal(read_text(yaml11_settings, "a: 1\na: 2\n"), "");
    assert_string_equal(value("a"), "2");
}

static void structure_becomes_paths(void **state)
{
    assert_string_equal(read_text(yaml_settings, "db: {host: h, list: [a, {b: c}]}\n0x10: x\nnull: y\n"), "");
    assert_string_equal(value("db.host"), "h");
    assert_string_equal(value("db.list[0]"), "a");
    assert_string_equal(value("db.list[1].b"), "c");
    assert_string_equal(value("16"), "x");
    assert_string_equal(value("null"), "y");
}

static void merges(void **state)
{
    assert_string_equal(read_text(yaml_settings, "a: &a {x: 1, y: 2}\nb: &b {y: 3, z: 4}\n"
                                                 "c: {<<: *a, y: own}\nd: {y: own, <<: *a}\ne: {<<: [*a, *b]}\n"
                                                 "f: {'<<': *a}\n"),
                        "");
    assert_string_equal(value("c.x"), "1");
    assert_string_equal(value("c.y"), "own");
    assert_string_equal(value("d.y"), "own");
    assert_string_equal(value("e.y"), "2");
    assert_string_equal(value("e.z"), "4");
    assert_string_equal(value("f.<<.x"), "1");
}

static void a_place_is_that_of_the_value(void **state)
{
    static const char text[] =
        "\xef\xbb\xbf# é\ndb:\n  pass: \"p\xc3\xa9 #\" # c\r\n  host: db.example\n  text: |\n    a\n";
    assert_string_equal(read_text(yaml_settings, text), "");
    _cleanup_free_ char *pass = written("db.pass"), *host = written("db.host"), *block = written("db.text");
    assert_string_equal(pass, "\"p\xc3\xa9 #\"");
    assert_string_equal(host, "db.example");
    assert_int_equal(*block, '|');
}

static void refuses(const char *text, const char *message)
{
    const char *told = read_text(yaml_settings, text);
    if (strstr(told, message) == NULL)
        fail_msg("\"%s\": \"%s\" does not tell \"%s\"", text, told, message);
}

static void what_is_refused(void **state)
{
    refuses("a: 1\na: 2\n", "file:2: the same key stands twice");
    refuses("a: !!str 1\n", "tags are not read");
    refuses("a: !!js/function 'x'\n", "tags are not read");
    refuses("%TAG ! tag:x,2000:\n---\na: 1\n", "tags are not read");
    refuses("a: 1\n---\nb: 2\n", "a second document");
    refuses("- a\n", "no mapping");
    refuses("text\n", "no mapping");
    refuses("? [a]\n: b\n", "a key must be");
    refuses("a: {<<: text}\n", "only mappings can be merged");
    refuses("a: *b\n", "invalid YAML: found undefined alias");
    refuses("a: [\n", "invalid YAML");
    refuses("a: \"x\\0y\"\n", "zero byte");
    refuses("a: x\xc2\x85y\n", "versions of YAML differ");
    refuses("a: \xff\n", "no UTF-8");
    refuses("a: &a [*a]\n", "nested too deeply");
    refuses("a:\n- -\n- b\n", "libraries differ about an empty item");
    refuses("a: |#c\n b\n", "a comment needs a space");
    assert_true(strstr(read_bytes(yaml_settings, "a: \0b\n", 6), "no UTF-8") != NULL);
    assert_true(strstr(read_bytes(yaml_settings, "a\0:\0", 4), "no UTF-8") != NULL);
}

static void secrets_are_not_quoted(void **state)
{
    assert_null(strstr(read_text(yaml_settings, "pass: {secret: [x\nsecret\n"), "secret"));
    assert_null(strstr(read_text(yaml_settings, "pass: 'secret\n"), "secret"));
    assert_null(strstr(read_text(yaml_settings, "pass: @secret\n"), "secret"));
}

static char *repeated(const char *text, size_t n, const char *rest)
{
    Buf out = BUF_INIT(4 << 20);
    for (size_t i = 0; i < n; i++)
        buf_append_str(&out, text, NULL);
    buf_append_str(&out, rest, NULL);
    return (char *)out.data;
}

static void what_only_exhausts_is_refused_soon(void **state)
{
    Buf laughs = BUF_INIT(1 << 16);
    buf_append_str(&laughs, "a0: &a0 [x, x, x, x, x, x, x, x, x]\n", NULL);
    for (int i = 1; i < 20; i++)
        buf_printf(&laughs, NULL, "a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i, i, i - 1,
                   i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
    assert_true(*read_text(yaml_settings, buf_str(&laughs)) != 0);
    assert_true(settings_read() <= SETTINGS_MAX);
    buf_done(&laughs);

    _cleanup_free_ char *deep = repeated("[", 1000000, ""), *keys = repeated("{a: ", 250000, ""),
                        *dashes = repeated("- ", 500000, "x"), *long_text = repeated("x", 900000, "");
    refuses(deep, "nested too deeply");
    refuses(keys, "nested too deeply");
    refuses(dashes, "nested too deeply");
    _cleanup_free_ char *copies = xasprintf("a: &a %s\nb: [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\n", long_text);
    refuses(copies, "too many settings");
}

/* What libyaml and we look through again for each of them. */
static void what_is_slow_is_refused_soon(void **state)
{
    clock_t before = clock();
    Buf anchors = BUF_INIT(2 << 20);
    for (int i = 0; i < 90000; i++)
        buf_printf(&anchors, NULL, "%s&a%d 1", i ? ", " : "a: [", i);
    buf_append_str(&anchors, "]\n", NULL);
    refuses(buf_str(&anchors), "too many anchors");
    buf_done(&anchors);

    _cleanup_free_ char *digits = repeated("1", 500000, ""), *merged = repeated("*k, ", 1900, "*k");
    _cleanup_free_ char *key = xasprintf("k: &k\n  ? %s\n  : 1\n<<: [%s]\n", digits, merged);
    refuses(key, "too long");
    _cleanup_free_ char *date = xasprintf("k: &k 2001-01-01T00:00:00.%s\nb: [%s]\n", digits, merged);
    refuses(date, "aliases make too much");
    assert_true(clock() - before < 10 * CLOCKS_PER_SEC);
}

static void anything_else_may_be_empty(void **state)
{
    static const char *const empty[] = {"", "\n", "# comment\n", "---\n", "---\n...\n", "~\n", "{}\n", "\xef\xbb\xbf"};
    for (size_t i = 0; i < ARRAY_SIZE(empty); i++) {
        assert_string_equal(read_text(yaml_settings, empty[i]), "");
        assert_int_equal(settings_read(), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars_become_what_javascript_makes_of_them),
        cmocka_unit_test(scalars_of_the_old_version),
        cmocka_unit_test(structure_becomes_paths),
        cmocka_unit_test(merges),
        cmocka_unit_test(a_place_is_that_of_the_value),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(secrets_are_not_quoted),
        cmocka_unit_test(what_only_exhausts_is_refused_soon),
        cmocka_unit_test(what_is_slow_is_refused_soon),
        cmocka_unit_test(anything_else_may_be_empty),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    forget();
    return failed;
}
