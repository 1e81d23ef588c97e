#include "fixture.h"

#include <string.h>

#include "path.h"
#include "pattern.h"

static PatternSet *set_of(const char *patterns)
{
    StrVec texts = {0};
    _cleanup_free_ char *copy = xstrdup(patterns);
    for (char *rest = copy, *one; (one = strsep(&rest, " "));)
        strvec_push(&texts, one);
    PatternSet *set = pattern_set_new(&texts);
    strvec_done(&texts);
    return set;
}

static void matches_as_gitignore_does(void **state)
{
    static const struct {
        const char *patterns, *path;
        bool is_dir;
        PatternVerdict verdict;
    } cases[] = {
        {"*.tmp", "x.tmp", false, PATTERN_MATCH},
        {"*.tmp", "a/b/x.tmp", false, PATTERN_MATCH},
        {"*.tmp", "x.tmp/y", false, PATTERN_NONE}, /* the directory matches; who walks does not enter it */
        {"*.tmp", ".tmp", false, PATTERN_MATCH},
        {"/x", "x", false, PATTERN_MATCH},
        {"/x", "a/x", false, PATTERN_NONE},
        {"a/x", "a/x", false, PATTERN_MATCH},
        {"a/x", "b/a/x", false, PATTERN_NONE},
        {"a/*", "a/x", false, PATTERN_MATCH},
        {"a/*", "a/x/y", false, PATTERN_NONE},
        {"cache/", "cache", true, PATTERN_MATCH},
        {"cache/", "cache", false, PATTERN_NONE},
        {"cache/", "a/cache", true, PATTERN_MATCH},
        {"/cache/", "a/cache", true, PATTERN_NONE},
        {"a/**/z", "a/z", false, PATTERN_MATCH},
        {"a/**/z", "a/b/c/z", false, PATTERN_MATCH},
        {"a/**/z", "a/b/c/zz", false, PATTERN_NONE},
        {"**/a/b/**/a/c", "x/a/b/y/a/b/a/c", false, PATTERN_MATCH},
        {"**/z", "z", false, PATTERN_MATCH},
        {"a/**", "a", true, PATTERN_NONE},
        {"a/**", "a/b", false, PATTERN_MATCH},
        {"a/**", "a/b/c", false, PATTERN_MATCH},
        {"**", "anything/at/all", false, PATTERN_MATCH},
        {"f?o", "foo", false, PATTERN_MATCH},
        {"/f?o", "f/o", false, PATTERN_NONE},
        {"[a-c]x", "bx", false, PATTERN_MATCH},
        {"[!a-c]x", "bx", false, PATTERN_NONE},
        {"\\*", "*", false, PATTERN_MATCH},
        {"\\*", "x", false, PATTERN_NONE},
        {"\\!x", "!x", false, PATTERN_MATCH},
        {"*.png !keep.png", "keep.png", false, PATTERN_TAKEN_BACK},
        {"*.png !keep.png", "a/keep.png", false, PATTERN_TAKEN_BACK},
        {"*.png !keep.png", "other.png", false, PATTERN_MATCH},
        {"!keep.png *.png", "keep.png", false, PATTERN_MATCH}, /* the last one wins */
        {"caf\xc3\xa9", "caf\xc3\xa9", false, PATTERN_MATCH},
        {"*.jpg", "\xff\xfe.jpg", false, PATTERN_MATCH},
        {"#x", "#x", false, PATTERN_MATCH},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        PatternSet *set = set_of(cases[i].patterns);
        if (pattern_set_match(set, cases[i].path, cases[i].is_dir) != cases[i].verdict)
            fail_msg("case %zu: \"%s\" on \"%s\"", i, cases[i].patterns, cases[i].path);
        pattern_set_free(set);
    }
}

static void many_stars_take_no_time(void **state)
{
    PatternSet *set = set_of("/**/a/**/a/**/a/**/a/**/a/**/a/**/a/**/a/**/b");
    char path[20001] = {0};
    for (size_t i = 0; i < 20000; i += 2)
        memcpy(path + i, "a/", 2);
    path[19999] = 0;
    assert_int_equal(pattern_set_match(set, path, false), PATTERN_NONE);
    pattern_set_free(set);
}

static void nothing_is_no_set(void **state)
{
    StrVec none = {0};
    assert_null(pattern_set_new(NULL));
    assert_null(pattern_set_new(&none));
    assert_null(set_of(""));
    assert_null(set_of("/"));
    assert_true(pattern_set_selects(NULL, "x", false));
    assert_true(pattern_set_reaches_below(NULL, "x"));
    assert_int_equal(pattern_set_match(NULL, "x", false), PATTERN_NONE);
}

static void knows_which_directories_matter(void **state)
{
    static const struct {
        const char *patterns, *dir;
        bool reaches;
    } cases[] = {
        {"*.png", "a/b", true},      {"/a/b/*.png", "a", true},
        {"/a/b/*.png", "a/b", true}, {"/a/b/*.png", "a/b/c", false},
        {"/a/b/*.png", "x", false},  {"/a/**/x", "a/b/c/d", true},
        {"/a", "a", false},          {"!/a/b /c", "a", false},
        {"/[ab]/x", "b", true},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        PatternSet *set = set_of(cases[i].patterns);
        if (pattern_set_reaches_below(set, cases[i].dir) != cases[i].reaches)
            fail_msg("case %zu: \"%s\" on \"%s\"", i, cases[i].patterns, cases[i].dir);
        pattern_set_free(set);
    }
}

static void selects_what_is_below_a_match(void **state)
{
    PatternSet *set = set_of("/media/ !*.tmp /media/x.tmp/keep");
    assert_true(pattern_set_selects(set, "media", true));
    assert_true(pattern_set_selects(set, "media/a/b", false));
    assert_false(pattern_set_selects(set, "media/a.tmp", false));
    assert_false(pattern_set_selects(set, "media/x.tmp/other", false));
    assert_true(pattern_set_selects(set, "media/x.tmp/keep", false));
    assert_false(pattern_set_selects(set, "media", false));
    assert_false(pattern_set_selects(set, "elsewhere", false));
    pattern_set_free(set);
}

static void unsafe_paths_are_seen(void **state)
{
    static const char *const bad[] = {"", "/", "/etc/passwd", "..", "../x", "a/..", "a/../b", ".", "./a", "a//b", "a/"};
    static const char *const good[] = {"a", "a/b", "...", "..a", "a..", ".hidden", "a b", "\n", "\xff"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        if (path_is_safe(bad[i]))
            fail_msg("\"%s\"", bad[i]);
    for (size_t i = 0; i < ARRAY_SIZE(good); i++)
        if (!path_is_safe(good[i]))
            fail_msg("\"%s\"", good[i]);
    char *huge = xmalloc(FILESET_PATH_MAX + 2);
    memset(huge, 'x', FILESET_PATH_MAX + 1);
    huge[FILESET_PATH_MAX + 1] = 0;
    assert_false(path_is_safe(huge));
    free(huge);
}

static void paths_are_fit_for_messages(void **state)
{
    static const struct {
        const char *path, *shown;
    } cases[] = {
        {"caf\xc3\xa9/x", "caf\xc3\xa9/x"},
        {"a\nb", "a\\x0ab"},
        {"\xff", "\\xff"},
        {"\xc3", "\\xc3"},
        {"\"\\", "\\x22\\x5c"},
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"},
        {"\xc0\xaf", "\\xc0\\xaf"},
        {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_free_ char *shown = path_display(cases[i].path);
        assert_string_equal(shown, cases[i].shown);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_as_gitignore_does),
        cmocka_unit_test(many_stars_take_no_time),
        cmocka_unit_test(nothing_is_no_set),
        cmocka_unit_test(knows_which_directories_matter),
        cmocka_unit_test(selects_what_is_below_a_match),
        cmocka_unit_test(unsafe_paths_are_seen),
        cmocka_unit_test(paths_are_fit_for_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
