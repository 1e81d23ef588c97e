/* Ladders of releases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kura/ladder.h"
#include "kura/mem.h"

static Error err;

static Ladder known(const char *name)
{
    Ladder ladder;
    err = (Error)ERROR_INIT;
    if (ladder_read("/nowhere", name, &ladder, &err) < 0)
        fail_msg("%s", err.message);
    return ladder;
}

static void assert_climb(const char *name, const char *from, const char *to, const char *wanted, const char *server)
{
    _cleanup_(ladder_done) Ladder ladder = known(name);
    _cleanup_(ladder_climb_done) LadderClimb climb;
    _cleanup_(buf_done) Buf way = BUF_INIT(4096);
    if (ladder_climb(&ladder, from, to, &climb, &err) < 0)
        fail_msg("%s", err.message);
    for (size_t i = 0; i < climb.n; i++)
        buf_printf(&way, NULL, "%s%s", i ? " " : "", climb.v[i].version);
    assert_string_equal(buf_str(&way), wanted);
    if (server)
        assert_string_equal(climb.postgresql, server);
    else
        assert_null(climb.postgresql);
}

static void assert_refused(const char *name, const char *from, const char *to, const char *message)
{
    _cleanup_(ladder_done) Ladder ladder = known(name);
    _cleanup_(ladder_climb_done) LadderClimb climb;
    err = (Error)ERROR_INIT;
    assert_int_equal(ladder_climb(&ladder, from, to, &climb, &err), -1);
    assert_int_equal(err.code, ERR_USAGE);
    if (strstr(err.message, message) == NULL)
        fail_msg("%s", err.message);
    assert_true(err.hint[0] != 0);
}

/* One release of every minor, the last of each, and no more than was asked for. */
static void the_whole_way(void **state)
{
    (void)state;
    assert_climb("mastodon", "2.7.4", "4.3",
                 "2.8.4 2.9.4 3.0.2 3.1.5 3.2.2 3.3.3 3.4.10 3.5.19 4.0.15 4.1.25 4.2.29 4.3.23", "12");
    assert_climb("mastodon", "v4.2.1", "v4.4.2", "4.3.23 4.4.2", "13");
    assert_climb("mastodon", "4.1.25", "4.2.0-rc1", "4.2.0-rc1", "10");
    assert_climb("mastodon", "3.4.1+glitch", "3.5", "3.5.19", "9.5");
}

static void within_a_line(void **state)
{
    (void)state;
    assert_climb("mastodon", "4.3.1", "4.3.5", "4.3.5", "12");
    assert_climb("mastodon", "4.3.1", "4.3", "4.3.23", "12");
    assert_climb("mastodon", "4.3.23", "4.3", "", NULL);
    assert_climb("mastodon", "4.3.0-rc1", "4.3.0", "4.3.0", "12");
}

static void years_are_lines_too(void **state)
{
    (void)state;
    assert_climb("misskey", "12.110.0", "13.9.2", "13.9.2", "15");
    assert_climb("misskey", "12.119.2", "2024.5.0", "13.14.2 2023.12.2 2024.5.0", "15");
}

static void no_way(void **state)
{
    (void)state;
    assert_refused("mastodon", "4.3.2", "4.2.1", "leads down");
    assert_refused("mastodon", "4.3.9", "4.3.1", "leads down");
    assert_refused("mastodon", "1.6.1", "4.3", "no line of releases that kura knows");
    assert_refused("mastodon", "4.1.0", "9.9", "no line of releases that kura knows");
    assert_refused("mastodon", "four", "4.3", "is not a version");
    assert_refused("mastodon", "4.", "4.3", "is not a version");
    assert_refused("mastodon", "4.2.0-\x1b[2J", "4.3", "is not a version"); /* a terminal would obey */
    assert_refused("misskey", "13.0.0", "2099.1.0", "no line of releases that kura knows");
}

static void unknown_applications(void **state)
{
    (void)state;
    Ladder ladder;
    assert_int_equal(ladder_read("/nowhere", "gopherd", &ladder, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_non_null(strstr(err.hint, "mastodon, misskey"));
    assert_int_equal(ladder_read("/nowhere", "../mastodon", &ladder, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
}

static void assert_bad(const char *text, const char *message)
{
    Ladder ladder;
    err = (Error)ERROR_INIT;
    assert_int_equal(ladder_parse("x.yaml", text, strlen(text), &ladder, &err), -1);
    if (strstr(err.message, message) == NULL)
        fail_msg("%s", err.message);
}

static void bad_descriptions(void **state)
{
    (void)state;
    assert_bad("title: X\nline: 2\nrungs: []\n", "no rungs");
    assert_bad("title: X\nline: 9\nrungs: [{version: '1.0'}]\n", "line");
    assert_bad("line: 1\nrungs: [{version: '1.0'}]\n", "title");
    assert_bad("title: X\nline: 2\nrungs: [{note: hm}]\n", "no version");
    assert_bad("title: X\nline: 2\nrungs: [{version: '1.1'}, {version: '1.1.5'}]\n", "ascending");
    assert_bad("title: X\nline: 2\nrungs: [{version: '1.1', postgresql: new}]\n", "not a version");
    assert_bad("title: [X\n", "invalid YAML");
}

static void versions_in_order(void **state)
{
    (void)state;
    static const char *const order[] = {"2.9.4", "2.10.0", "4.3.0-rc1", "4.3.0", "4.3.1", "4.10", "2023.9.0"};
    for (size_t i = 0; i < ARRAY_SIZE(order); i++)
        for (size_t j = 0; j < ARRAY_SIZE(order); j++) {
            int got;
            assert_int_equal(version_compare(order[i], order[j], &got, &err), 0);
            assert_int_equal(got, i < j ? -1 : i > j);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_whole_way),        cmocka_unit_test(within_a_line),
        cmocka_unit_test(years_are_lines_too),  cmocka_unit_test(no_way),
        cmocka_unit_test(unknown_applications), cmocka_unit_test(bad_descriptions),
        cmocka_unit_test(versions_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
