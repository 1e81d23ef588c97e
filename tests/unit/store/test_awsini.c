#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/stat.h>

#include "awsini.h"
#include "kura/mem.h"
#include "world.h"

static AwsIni *parse(const char *home, const char *text)
{
    world_write(home, "file", text, strlen(text));
    _cleanup_free_ char *path = xasprintf("%s/file", home);
    AwsIni *ini = NULL;
    Error err = ERROR_INIT;
    assert_int_equal(awsini_read(path, &ini, &err), 0);
    return ini;
}

static void assert_value(const AwsIni *ini, const char *section, const char *key, const char *value)
{
    const char *got = awsini_get(ini, section, NULL, key);
    if (value == NULL) {
        assert_null(got);
    } else {
        assert_non_null(got);
        assert_string_equal(got, value);
    }
}

static void settings_are_trimmed_and_comments_left_out(void **state)
{
    AwsIni *ini = parse(*state, "\xef\xbb\xbf# first\r\n"
                                "  ; second\n"
                                "[profile \t foo ] ; third\r\n"
                                "Name \t=  \tval=ue \t\r\n"
                                "behind = a/b+c # a comment\n"
                                "adjacent = a#b;c\n"
                                "empty = # nothing\n"
                                "\n"
                                "last=1");
    assert_true(awsini_has(ini, "profile foo"));
    assert_value(ini, "profile foo", "name", "val=ue");
    assert_value(ini, "profile foo", "behind", "a/b+c");
    assert_value(ini, "profile foo", "adjacent", "a#b;c");
    assert_value(ini, "profile foo", "empty", NULL);
    assert_value(ini, "profile foo", "last", "1");
    assert_value(ini, "profile foo", "first", NULL);
    assert_int_equal(awsini_malformed(ini, "profile foo"), 0);
    awsini_free(ini);
}

static void sections_of_one_name_are_one_and_the_last_value_counts(void **state)
{
    AwsIni *ini =
        parse(*state, "[a]\nx = 1\ny = 2\n[b]\nx = 3\n[a]\ny = 4\n[empty]#\n[profile \"with blank\"]\nx = 5\n");
    assert_value(ini, "a", "x", "1");
    assert_value(ini, "a", "y", "4");
    assert_value(ini, "b", "x", "3");
    assert_value(ini, "b", "y", NULL);
    assert_true(awsini_has(ini, "empty"));
    assert_value(ini, "profile with blank", "x", "5");
    assert_false(awsini_has(ini, "A"));
    awsini_free(ini);
}

static void indented_settings_belong_to_the_one_above(void **state)
{
    AwsIni *ini = parse(*state, "[default]\n"
                                "s3 =\n"
                                "  region = nested\n"
                                "\n"
                                "\tendpoint_url = https://nested\n"
                                "region = outer\n"
                                "text = one\n"
                                "  goes on\n"
                                "[indented]\n"
                                "  region = first\n"
                                "  output = json\n"
                                "    more = nested\n");
    assert_value(ini, "default", "region", "outer");
    assert_value(ini, "default", "endpoint_url", NULL);
    assert_string_equal(awsini_get(ini, "default", "s3", "endpoint_url"), "https://nested");
    assert_string_equal(awsini_get(ini, "default", "s3", "region"), "nested");
    assert_null(awsini_get(ini, "default", "text", "region"));
    assert_value(ini, "indented", "region", "first");
    assert_value(ini, "indented", "output", "json");
    assert_value(ini, "indented", "more", NULL);
    assert_int_equal(awsini_malformed(ini, "default"), 0);
    assert_int_equal(awsini_malformed(ini, "indented"), 0);
    awsini_free(ini);
}

static void malformed_lines_are_told_by_number_and_section(void **state)
{
    AwsIni *ini = parse(*state, "lost = 1\n[good]\na = 1\n[bad]\na = 1\nkey : value\n= value\n[open\nb = 2\n");
    assert_int_equal(awsini_malformed(ini, "good"), 0);
    assert_int_equal(awsini_malformed(ini, "bad"), 6);
    assert_value(ini, "good", "lost", NULL);
    awsini_free(ini);
    ini = parse(*state, "[a]\nx = 1\n[open\nx = 2\n");
    assert_int_equal(awsini_malformed(ini, "a"), 3);
    awsini_free(ini);
}

static void assert_refused(const char *home, ErrorCode code, const char *message)
{
    _cleanup_free_ char *path = xasprintf("%s/file", home);
    AwsIni *ini = NULL;
    Error err = ERROR_INIT;
    assert_int_equal(awsini_read(path, &ini, &err), -1);
    assert_int_equal(err.code, code);
    assert_non_null(strstr(err.message, message));
    assert_non_null(strstr(err.message, path));
    assert_null(ini);
}

static void what_is_no_small_text_is_refused(void **state)
{
    assert_refused(*state, ERR_NOT_FOUND, "cannot open");
    world_write(*state, "file", "[a]\nx = 1\0y\n", 12);
    assert_refused(*state, ERR_CORRUPT, "NUL");
    size_t limit = 1024 * 1024;
    char *text = xmalloc(limit + 1);
    memset(text, '#', limit + 1);
    world_write(*state, "file", text, limit + 1);
    assert_refused(*state, ERR_CORRUPT, "longer than 1048576 bytes");
    text[limit] = 0;
    AwsIni *ini = parse(*state, text);
    assert_false(awsini_has(ini, "a"));
    awsini_free(ini);
    free(text);
    _cleanup_free_ char *path = xasprintf("%s/file", (char *)*state);
    assert_int_equal(remove(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_refused(*state, ERR_IO, "cannot read");
}

static void a_file_that_everybody_may_read_is_known(void **state)
{
    AwsIni *ini = parse(*state, "[a]\n");
    assert_false(awsini_exposed(ini));
    awsini_free(ini);
    _cleanup_free_ char *path = xasprintf("%s/file", (char *)*state);
    assert_int_equal(chmod(path, 0644), 0);
    Error err = ERROR_INIT;
    assert_int_equal(awsini_read(path, &ini, &err), 0);
    assert_true(awsini_exposed(ini));
    awsini_free(ini);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(settings_are_trimmed_and_comments_left_out, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(sections_of_one_name_are_one_and_the_last_value_counts, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(indented_settings_belong_to_the_one_above, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(malformed_lines_are_told_by_number_and_section, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(what_is_no_small_text_is_refused, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(a_file_that_everybody_may_read_is_known, world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
