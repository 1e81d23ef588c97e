/* Marks in the comments of databases: what is written is read back whatever the names are, and nothing else is taken
 * for a mark. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../../lib/flow/dbmark.h"
#include "kura/mem.h"

#define AT "2026-11-22T03:15:00.000123Z"

static DbMark mark_with(const char *database, const char *name, const char *comment)
{
    return (DbMark){.state = KEPT_OLD,
                    .database = (char *)database,
                    .name = (char *)name,
                    .oid = UINT32_MAX,
                    .at = AT,
                    .by = (char *)"20261122T031500Z-site-x7k2",
                    .comment = (char *)comment};
}

static void test_text(void **state)
{
    DbMark mark = mark_with("site", "site_before_x", "of its own");
    _cleanup_free_ char *text = dbmark_format(&mark);
    assert_string_equal(text, "kura kept \"site\" as \"site_before_x\" oid \"4294967295\" at \"" AT
                              "\" by \"20261122T031500Z-site-x7k2\"\nof its own");
}

static void test_round_trip(void **state)
{
    static const char *const names[] = {"site",   "Site \"a\"", "two\nlines\n", "\\",       "' -- ; DROP DATABASE x",
                                        "--swap", "select",     "\xe8\x94\xb5", "\xb8\xa2", "\" as \"",
                                        "/*"};
    static const char *const comments[] = {NULL, "plain", "\n", "'", "\"", "/* \x01", "kura kept \"nothing\""};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        for (size_t j = 0; j < ARRAY_SIZE(comments); j++) {
            DbMark mark = mark_with(names[i], names[ARRAY_SIZE(names) - 1 - i], comments[j]), read;
            mark.state = (KeptState)(j % 4);
            _cleanup_free_ char *text = dbmark_format(&mark);
            assert_true(dbmark_parse(text, &read));
            assert_int_equal(read.state, mark.state);
            assert_string_equal(read.database, mark.database);
            assert_string_equal(read.name, mark.name);
            assert_string_equal(read.at, AT);
            assert_string_equal(read.by, mark.by);
            assert_int_equal(read.oid, mark.oid);
            if (comments[j])
                assert_string_equal(read.comment, comments[j]);
            else
                assert_null(read.comment);
            assert_true(dbmark_is_of(&read, mark.name, mark.oid));
            assert_false(dbmark_is_of(&read, mark.name, mark.oid - 1));
            assert_false(dbmark_is_of(&read, "another", mark.oid));
            dbmark_done(&read);
        }
    }
}

static void test_loans(void **state)
{
    Loan loans[] = {
        {.role = (char *)"owner \"a\"",
         .member = (char *)"--",
         .grantor = (char *)"two\nlines",
         .stamp = (char *)"745"},
        {.role = (char *)"x", .member = (char *)"lent", .stamp = (char *)"746"},
        {.role = (char *)"x", .member = (char *)"y", .grantor = (char *)"z", .stamp = (char *)"1", .changed = true},
        {.role = (char *)"x",
         .member = (char *)"y",
         .grantor = (char *)"was",
         .stamp = (char *)"1",
         .changed = true,
         .inherits = true},
        {.role = (char *)"x",
         .member = (char *)"y",
         .grantor = (char *)"",
         .stamp = (char *)"1",
         .changed = true,
         .becomes = true}};
    DbMark mark = mark_with("site", "site_kura_1", "of its own"), read;
    mark.loans = (Loans){.v = loans, .n = ARRAY_SIZE(loans)};
    _cleanup_free_ char *text = dbmark_format(&mark);
    assert_true(dbmark_parse(text, &read));
    assert_string_equal(read.comment, "of its own");
    assert_int_equal(read.loans.n, ARRAY_SIZE(loans));
    for (size_t i = 0; i < ARRAY_SIZE(loans); i++) {
        const Loan *loan = &read.loans.v[i];
        assert_string_equal(loan->role, loans[i].role);
        assert_string_equal(loan->member, loans[i].member);
        assert_string_equal(loan->stamp, loans[i].stamp);
        assert_int_equal(loan->grantor != NULL, loans[i].grantor != NULL);
        if (loan->grantor)
            assert_string_equal(loan->grantor, loans[i].grantor);
        assert_int_equal(loan->changed, loans[i].changed);
        assert_int_equal(loan->inherits, loans[i].inherits);
        assert_int_equal(loan->becomes, loans[i].becomes);
    }
    dbmark_done(&read);
}

static void test_no_marks(void **state)
{
    static const char *const comments[] = {
        "",
        "kura",
        "kura keeps this",
        "kura kept",
        "kura kept site as \"x\" oid \"1\" at \"" AT "\" by \"y\"",
        "Kura kept \"site\" as \"x\" oid \"1\" at \"" AT "\" by \"y\" and more",
        "kura lost \"site\" as \"x\" oid \"1\" at \"" AT "\" by \"y\"",
        "kura kept \"site\" as \"x\" oid \"\" at \"" AT "\" by \"y\"",
        "kura kept \"site\" as \"x\" oid \"1\" at \"" AT "\" by \"y\" lent \"a\"",
        "kura kept \"site\" as \"x\" oid \"1\" at \"" AT "\" by \"y\" lent \"a\" to \"b\"",
        "kura kept \"site\" as \"x\" oid \"1\" at \"" AT "\" by \"y\" lent \"a\" to \"b\" stamp \"1\" lent",
        "kura kept \"site\" as \"x\" oid \"1\" at \"" AT "\" by \"y\" lent \"a\" to \"b\" stamp \"1\" was \"\"",
        "kura kept \"site\" as \"x\" oid \"4294967296\" at \"" AT "\" by \"y\"",
        "kura kept \"site\" as \"x\" oid \"-1\" at \"" AT "\" by \"y\"",
        "kura kept \"site\" as \"x\" oid \"1\" at \"2026-11-22T03:15:00Z\" by \"y\"",
        "kura kept \"site\" as \"x\" oid \"1\" at \"2026-13-22T03:15:00.000123Z\" by \"y\"",
        "kura kept \"site\" as \"x\" oid \"1\" at \"" AT "\"\nby \"y\"",
        "kura kept \"site\" as \"x\" oid \"1\" at \"" AT "\" by \"y",
        "kura kept U&\"site\" as \"x\" oid \"1\" at \"" AT "\" by \"y\"",
        "kura /* kept \"site\"",
    };
    DbMark mark;
    assert_false(dbmark_parse(NULL, &mark));
    for (size_t i = 0; i < ARRAY_SIZE(comments); i++)
        assert_false(dbmark_parse(comments[i], &mark));
}

/* A backup of a kept database brings the mark along; it is not the restored one's. */
static void test_strip(void **state)
{
    DbMark mark = mark_with("site", "site_before_x", "own");
    _cleanup_free_ char *once = dbmark_format(&mark);
    mark.comment = once;
    _cleanup_free_ char *twice = dbmark_format(&mark);
    mark.comment = NULL;
    _cleanup_free_ char *bare = dbmark_format(&mark);
    assert_string_equal(dbmark_strip(twice), "own");
    assert_string_equal(dbmark_strip("plain"), "plain");
    assert_null(dbmark_strip(bare));
    assert_null(dbmark_strip(NULL));
}

static void test_moment(void **state)
{
    assert_int_equal(dbmark_moment("1970-01-02T00:00:00.999999Z"), 86400);
    assert_int_equal(dbmark_moment("1970-01-02T00:00:00.99999Z"), -1);
    assert_int_equal(dbmark_moment("1970-01-02T00:00:00.9999999"), -1);
    assert_int_equal(dbmark_moment(""), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),     cmocka_unit_test(test_round_trip), cmocka_unit_test(test_loans),
        cmocka_unit_test(test_no_marks), cmocka_unit_test(test_strip),      cmocka_unit_test(test_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
