#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kura/mem.h"
#include "kura/sqllex.h"

static const char *quote_ident_fixture;

/* One letter a kind, SPACE as '_', END as '$'. */
static const char kind_letters[] = "$_ciqsdnpo.";

static void check_cover(const char *text, size_t len, const SqlToken *tokens, size_t n)
{
    size_t pos = 0;
    for (size_t i = 0; i < n; i++) {
        assert_ptr_equal(tokens[i].start, text + pos);
        assert_true((tokens[i].len == 0) == (i == n - 1));
        pos += tokens[i].len;
    }
    assert_int_equal(pos, len);
    assert_int_equal(tokens[n - 1].kind, SQL_END);
}

static void check_kinds(const char *text, const char *kinds)
{
    _cleanup_free_ SqlToken *tokens = NULL;
    size_t n;
    Error err = ERROR_INIT;
    char seen[256] = "";
    if (sql_tokens(text, strlen(text), &tokens, &n, &err) < 0)
        fail_msg("%s: %s", text, err.message);
    check_cover(text, strlen(text), tokens, n);
    assert_true(n < sizeof seen);
    for (size_t i = 0; i + 1 < n; i++)
        seen[i] = kind_letters[tokens[i].kind];
    if (strcmp(seen, kinds) != 0)
        fail_msg("%s: %s instead of %s", text, seen, kinds);
}

static void test_kinds(void **state)
{
    static const char *const cases[][2] = {
        {"", ""},
        {" \t\r\n\v\f", "_"},
        {"GRANT SELECT ON t TO \"we ird\";", "i_i_i_i_i_q."},
        {"a--b\nc", "ic_i"},
        {"a--b", "ic"},
        {"a /* x /* y */ z */ b", "i_c_i"},
        {"/*/**/*/x", "ci"},
        {"+/*x*/-", "oco"},
        {"a+--b", "ioc"},
        {"\"a\"\"b\".c", "q.i"},
        {"U&\"a\\0062\" u&'x' U & a", "q_s_i_o_i"},
        {"'a''b' E'a\\'b' N'a' B'01' x'1F'", "s_s_s_s_s"},
        {"e'\\\\' 'x\\'", "s_s"},
        {"'a'\n'b'", "s"},
        {"'a' -- note's\n 'b'", "s"},
        {"'a' 'b'", "s_s"},
        {"E'a'\n'\\''", "s"},
        {"'a'\n-- end", "s_c"},
        {"\"a\"\n\"b\"", "q_q"},
        {"$$a'b$$ $x$ $$ $y$ $x$", "d_d"},
        {"$_1$;$_1$", "d"},
        {"a$b$c $1 $12a", "i_p_pi"},
        {"$1a$", "pi"},
        {"$ a$", "._i"},
        {"1 1.5 .5 1e10 1.e-5 1_000 1e 1..2", "n_n_n_n_n_n_ni_non"},
        {"a::b:=c:d=>e", "ioioi.ioi"},
        {"a=-1 a@-1 <=+- >= ~-+", "ioon_ion_ooo_o_o"},
        {"f(a[1],*);", "i.i.n..o.."},
        {"x.y{}\\?", "i.i...o"},
        {"Stra\xC3\x9F"
         "e \xE6\x97\xA5\xE6\x9C\xAC",
         "i_i"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        check_kinds(cases[i][0], cases[i][1]);
}

static void check_corrupt(const char *text, size_t len, const char *message)
{
    SqlToken *tokens = NULL;
    size_t n;
    Error err = ERROR_INIT;
    assert_int_equal(sql_tokens(text, len, &tokens, &n, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    assert_null(tokens);
    if (strstr(err.message, message) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", message, err.message);
}

static void test_corrupt(void **state)
{
    static const char *const cases[][2] = {
        {"a 'b", "unterminated string in SQL text, begun at byte 2"},
        {"'b''", "string"},
        {"E'\\'", "string"},
        {"E'\\", "string"},
        {"'a'\n'", "unterminated string in SQL text, begun at byte 0"},
        {"\"", "quoted identifier"},
        {"  U&\"a\"\"", "unterminated quoted identifier in SQL text, begun at byte 2"},
        {"/* /* */", "comment"},
        {"/*/", "comment"},
        {"$$ $", "dollar-quoted string"},
        {"x $a$ $b$ $A$", "unterminated dollar-quoted string in SQL text, begun at byte 2"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        check_corrupt(cases[i][0], strlen(cases[i][0]), cases[i][1]);
    check_corrupt("a\0b", 3, "NUL byte in SQL text at byte 1");
    check_corrupt("'a\0'", 4, "unterminated string");
    check_corrupt("$$\0$$", 5, "unterminated dollar-quoted string");
    check_corrupt("/*\0*/", 5, "unterminated comment");
    check_corrupt("--\0", 3, "NUL byte");
    check_corrupt("", (size_t)1 << 31, "longer than 1 GiB");
}

static void test_deep_comment(void **state)
{
    enum { DEPTH = 1 << 20 };
    char *text = xmalloc(4 * DEPTH);
    for (size_t i = 0; i < DEPTH; i++) {
        memcpy(text + 2 * i, "/*", 2);
        memcpy(text + 2 * (DEPTH + i), "*/", 2);
    }
    SqlToken *tokens;
    size_t n;
    assert_int_equal(sql_tokens(text, 4 * DEPTH, &tokens, &n, NULL), 0);
    assert_int_equal(n, 2);
    check_cover(text, 4 * DEPTH, tokens, n);
    free(tokens);
    check_corrupt(text, 4 * DEPTH - 1, "unterminated comment");
    free(text);
}

/* Every prefix of a text with everything in it is either covered or refused. */
static void test_prefixes(void **state)
{
    static const char text[] =
        "GRANT a(\"b\"\"c\"),e ON t TO U&\"x\\00e4\" -- n\n/* a /* b */ */ USING (x = E'a\\'b' || 'c'\n"
        "'d' AND $1 <@ 1.5e-3 - .5::int) $f$ 'x $$ $f$; $$;$$ B'0' a$b ~- \xC3\xA4";
    size_t refused = 0;
    for (size_t len = 0; len < sizeof text; len++) {
        _cleanup_free_ char *prefix = xstrndup(text, len);
        _cleanup_free_ SqlToken *tokens = NULL;
        size_t n;
        if (sql_tokens(prefix, len, &tokens, &n, NULL) == 0)
            check_cover(prefix, len, tokens, n);
        else
            refused++;
    }
    assert_in_range(refused, 20, 100);
}

static SqlToken first_token(const char *text)
{
    SqlLexer lexer = {.text = text, .len = strlen(text)};
    SqlToken token;
    assert_int_equal(sql_next(&lexer, &token, NULL), 0);
    return token;
}

static void check_value(const char *text, char *value, const char *expected)
{
    if ((value == NULL) != (expected == NULL) || (value && strcmp(value, expected) != 0))
        fail_msg("%s: %s instead of %s", text, value ? value : "NULL", expected ? expected : "NULL");
    free(value);
}

static void test_ident_value(void **state)
{
    static const char *const cases[][2] = {
        {"MissKey", "misskey"},
        {"STRA\xC3\x9F", "stra\xC3\x9F"},
        {"\"MissKey\"", "MissKey"},
        {"\"a\"\"b\"", "a\"b"},
        {"\"\"\"\"", "\""},
        {"\"\"", ""},
        {"\"&\\0061\"", "&\\0061"},
        {"\"a\nb\\\"", "a\nb\\"},
        {"U&\"d\\0061t\\+000061\"", "data"},
        {"u&\"\\\\ \"\"\\65E5\"", "\\ \"\xE6\x97\xA5"},
        {"U&\"\\D83D\\DE00 \\+01F600\"", "\xF0\x9F\x98\x80 \xF0\x9F\x98\x80"},
        {"U&\"\\D83D\"", NULL},
        {"U&\"\\D83D\\0061\"", NULL},
        {"U&\"\\DE00\"", NULL},
        {"U&\"\\0000\"", NULL},
        {"U&\"\\+110000\"", NULL},
        {"U&\"\\00\"", NULL},
        {"U&\"\\\"", NULL},
        {"'a'", NULL},
        {"1", NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        SqlToken token = first_token(cases[i][0]);
        check_value(cases[i][0], sql_ident_value(&token), cases[i][1]);
    }
}

static void test_string_value(void **state)
{
    static const char *const cases[][2] = {
        {"'a''b\\'", "a'b\\"},
        {"''", ""},
        {"''''", "'"},
        {"'a' -- x'y\n\t'b'''", "ab'"},
        {"'a'\n''", "a"},
        {"N'x'", "x"},
        {"E'a\\tb\\n\\'\\\\\\q'''", "a\tb\n'\\q'"},
        {"e'\\101\\x42\\x4g\\u65e5\\U0001F600\\xz'", "AB\004g\xE6\x97\xA5\xF0\x9F\x98\x80xz"},
        {"E'\\uD83D\\uDE00'", "\xF0\x9F\x98\x80"},
        {"E'a'\n'\\x41'", "aA"},
        {"E'\\0'", NULL},
        {"E'\\u00'", NULL},
        {"E'\\uD83D'", NULL},
        {"U&'\\0061''\\\\'", "a'\\"},
        {"U&'\\006'", NULL},
        {"$$a'b$$", "a'b"},
        {"$x$ $$ $x$", " $$ "},
        {"B'01'", NULL},
        {"a", NULL},
        {"\"a\"", NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        SqlToken token = first_token(cases[i][0]);
        check_value(cases[i][0], sql_string_value(&token), cases[i][1]);
    }
}

static void test_word_and_punct(void **state)
{
    SqlToken grant = first_token("GRANT"), quoted = first_token("\"grant\""), cast = first_token("::x"),
             semicolon = first_token(";"), string = first_token("';'");
    assert_true(sql_is_word(&grant, "grant"));
    assert_false(sql_is_word(&grant, "granted"));
    assert_false(sql_is_word(&grant, "gran"));
    assert_false(sql_is_word(&quoted, "grant"));
    assert_true(sql_is_punct(&cast, "::"));
    assert_false(sql_is_punct(&cast, ":"));
    assert_true(sql_is_punct(&semicolon, ";"));
    assert_false(sql_is_punct(&string, ";"));
}

/* Keywords that PostgreSQL 16 to 18 added or moved; the fixture is of 15, which leaves them bare. */
static bool is_newer_keyword(const char *name)
{
    static const char *const newer[] = {
        "json",        "json_array",     "json_arrayagg", "json_exists", "json_object",  "json_query", "json_objectagg",
        "json_scalar", "json_serialize", "json_table",    "json_value",  "merge_action", "system_user"};
    for (size_t i = 0; i < ARRAY_SIZE(newer); i++)
        if (strcmp(name, newer[i]) == 0)
            return true;
    return false;
}

/* Decodes COPY text in place; returns the next field, or NULL at the line's end. */
static char *copy_field(char *field)
{
    static const char letters[] = "bfnrtv", controls[] = "\b\f\n\r\t\v";
    char *out = field;
    for (; *field && *field != '\t' && *field != '\n'; field++) {
        if (*field == '\\') {
            const char *letter = strchr(letters, *++field);
            *out++ = letter ? controls[letter - letters] : *field;
        } else {
            *out++ = *field;
        }
    }
    char *next = *field == '\t' ? field + 1 : NULL;
    *out = 0;
    return next;
}

static void test_quote_ident(void **state)
{
    FILE *file = fopen(quote_ident_fixture, "r");
    assert_non_null(file);
    char line[1024];
    size_t n = 0;
    for (; fgets(line, sizeof line, file); n++) {
        char *expected = copy_field(line);
        assert_non_null(expected);
        assert_null(copy_field(expected));
        _cleanup_free_ char *quoted = sql_quote_ident(line);
        if (strcmp(quoted, expected) != 0 && !(is_newer_keyword(line) && quoted[0] == '"'))
            fail_msg("%s instead of %s", quoted, expected);
        SqlToken token = first_token(quoted);
        assert_int_equal(token.len, strlen(quoted));
        check_value(quoted, sql_ident_value(&token), line);
    }
    fclose(file);
    assert_in_range(n, 500, 5000);
}

static void test_quote(void **state)
{
    Buf out = BUF_INIT(100);
    sql_append_ident(&out, "a");
    sql_append_ident(&out, "A\"b");
    sql_append_ident(&out, "system_user");
    assert_string_equal(buf_str(&out), "a\"A\"\"b\"\"system_user\"");
    buf_done(&out);
    static const char *const literals[][2] = {
        {"", "''"}, {"a", "'a'"}, {"it's", "'it''s'"}, {"a\\'b", "E'a\\\\''b'"}, {"\n", "'\n'"}};
    for (size_t i = 0; i < ARRAY_SIZE(literals); i++) {
        _cleanup_free_ char *quoted = sql_quote_literal(literals[i][0]);
        assert_string_equal(quoted, literals[i][1]);
        SqlToken token = first_token(quoted);
        check_value(quoted, sql_string_value(&token), literals[i][0]);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),          cmocka_unit_test(test_corrupt),     cmocka_unit_test(test_deep_comment),
        cmocka_unit_test(test_prefixes),       cmocka_unit_test(test_ident_value), cmocka_unit_test(test_string_value),
        cmocka_unit_test(test_word_and_punct), cmocka_unit_test(test_quote_ident), cmocka_unit_test(test_quote),
    };
    if (argc != 2)
        return 2;
    quote_ident_fixture = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
