/* Rules: how they are written, which one decides. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kura/mem.h"
#include "kura/rolemap.h"

static RoleMap *map_of(const char *rules)
{
    RoleMap *map = rolemap_new();
    Error err = ERROR_INIT;
    if (rolemap_add(map, rules, &err) < 0)
        fail_msg("%s: %s", rules, err.message);
    return map;
}

static void check_lookup(const RoleMap *map, const char *role, const char *expected)
{
    const char *found = rolemap_lookup(map, role);
    if (expected == NULL)
        assert_null(found);
    else
        assert_string_equal(found, expected);
}

static void test_names(void **state)
{
    static const struct {
        const char *rules, *role, *expected;
    } cases[] = {
        {"misskey=mk_prod", "misskey", "mk_prod"},
        {"MissKey=Mk_Prod", "misskey", "mk_prod"},
        {"misskey=mk_prod", "Misskey", "Misskey"},
        {"\"MissKey\"=\"Mk\"", "MissKey", "Mk"},
        {"\"MissKey\"=\"Mk\"", "misskey", "misskey"},
        {" a = b , c\t=\td ", "c", "d"},
        {"a=b,\"c,d\"=\"e=f\"", "c,d", "e=f"},
        {"\"a=b\"=\"c,d\"", "a=b", "c,d"},
        {"\"a\"\"b\"=\"\"\"\"", "a\"b", "\""},
        {"\"we ird\"=weird", "we ird", "weird"},
        {"Stra\xC3\x9F"
         "e=\xE6\x97\xA5\xE6\x9C\xAC",
         "stra\xC3\x9F"
         "e",
         "\xE6\x97\xA5\xE6\x9C\xAC"},
        {"\"new\nline\"=\"tab\tback\\slash\"", "new\nline", "tab\tback\\slash"},
        {"user=select", "user", "select"},
        {"a=@drop", "a", NULL},
        {"a= @DROP ", "a", NULL},
        {"a=\"@drop\"", "a", "@drop"},
        {"\"@drop\"=a", "@drop", "a"},
        {"\"*\"=a", "*", "a"},
        {"\"*\"=a", "b", "b"},
        {"\"PUBLIC\"=a", "PUBLIC", "a"},
        {"a=pg_database_owner", "a", "pg_database_owner"},
        {"a$1=b$2", "a$1", "b$2"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        RoleMap *map = map_of(cases[i].rules);
        check_lookup(map, cases[i].role, cases[i].expected);
        assert_false(rolemap_is_empty(map));
        rolemap_free(map);
    }
}

static void test_longest_name(void **state)
{
    char name[65] = "";
    memset(name, 'a', 63);
    _cleanup_free_ char *rule = xasprintf("%s=%s", name, name);
    RoleMap *map = map_of(rule);
    check_lookup(map, name, name);
    name[63] = 'a';
    _cleanup_free_ char *longer = xasprintf("x=%s", name);
    Error err = ERROR_INIT;
    assert_int_equal(rolemap_add(map, longer, &err), -1);
    assert_non_null(strstr(err.message, "longer than 63 bytes"));
    rolemap_free(map);
}

static void test_precedence(void **state)
{
    RoleMap *map = map_of("*=everyone,a=b,b=a,c=@drop,d=d,\"session_user\"=\"current_role\"");
    check_lookup(map, "session_user", "current_role");
    check_lookup(map, "a", "b");
    check_lookup(map, "b", "a");
    check_lookup(map, "c", NULL);
    check_lookup(map, "d", "d");
    check_lookup(map, "x", "everyone");
    check_lookup(map, "*", "everyone");
    check_lookup(map, "public", "public");
    check_lookup(map, "PUBLIC", "everyone");
    check_lookup(map, "pg_read_all_data", "pg_read_all_data");
    check_lookup(map, "current_user", "everyone"); /* a role's name: SQL writes it in quotes */
    check_lookup(map, "none", "none");
    check_lookup(map, "user", "everyone");
    rolemap_free(map);
    map = rolemap_new();
    assert_true(rolemap_is_empty(map));
    check_lookup(map, "a", "a");
    rolemap_free(map);
    rolemap_free(NULL);
}

static void test_repeated(void **state)
{
    RoleMap *map = map_of("a=b,a=b,c=@drop,c=@drop,*=x,*=x");
    static const char *const contradictions[] = {"a=c", "a=@drop", "c=d", "*=y", "c=\"@drop\""};
    for (size_t i = 0; i < ARRAY_SIZE(contradictions); i++) {
        Error err = ERROR_INIT;
        assert_int_equal(rolemap_add(map, contradictions[i], &err), -1);
        assert_int_equal(err.code, ERR_USAGE);
        assert_non_null(strstr(err.message, "another rule maps this role"));
    }
    check_lookup(map, "a", "b");
    rolemap_free(map);
}

static void test_refused(void **state)
{
    static const char *const cases[][2] = {
        {"", "\"=\" is missing"},
        {"a", "role map rule \"a\": \"=\" is missing"},
        {"=", "a name is empty"},
        {"a=", "a name is empty"},
        {"=a", "a name is empty"},
        {"\"\"=a", "a name is empty"},
        {"a=\"\"", "a name is empty"},
        {"a=b,", "\"=\" is missing"},
        {"a=b,,c=d", "\"=\" is missing"},
        {"a=b=c", "role map rule \"a=b=c\": there is more behind"},
        {"a=b c", "there is more behind"},
        {"a b=c", "\"=\" is missing"},
        {"a=b\nc=d", "there is more behind"},
        {"\"a\"b=c", "\"=\" is missing"},
        {"a=\"b\"\"", "a quoted name has no end"},
        {"\"a=b", "a quoted name has no end"},
        {"x=y,a-b=c", "role map rule \"a-b=c\": a name with such characters"},
        {"a=b.c", "such characters"},
        {"1a=b", "such characters"},
        {"a=@dorp", "such characters"},
        {"@drop=a", "such characters"},
        {"a=*", "such characters"},
        {"a=#b", "such characters"},
        {"a=U&\"b\"", "there is more behind"},
        {"*=@drop", "only roles that are named can be dropped"},
        {"pg_monitor=a", "predefined roles"},
        {"\"pg_x\"=@drop", "predefined roles"},
        {"public=a", "PUBLIC, CURRENT_USER"},
        {"PUBLIC=a", "PUBLIC, CURRENT_USER"},
        {"\"public\"=a", "PUBLIC, CURRENT_USER"},
        {"a=Public", "PUBLIC, CURRENT_USER"},
        {"a=current_user", "PUBLIC, CURRENT_USER"},
        {"session_user=a", "PUBLIC, CURRENT_USER"},
        {"Current_Role=a", "PUBLIC, CURRENT_USER"},
        {"a=\"none\"", "PUBLIC, CURRENT_USER"},
        {"none=a", "PUBLIC, CURRENT_USER"},
        {"*=public", "PUBLIC, CURRENT_USER"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        RoleMap *map = rolemap_new();
        Error err = ERROR_INIT;
        if (rolemap_add(map, cases[i][0], &err) == 0)
            fail_msg("%s was taken", cases[i][0]);
        assert_int_equal(err.code, ERR_USAGE);
        if (strstr(err.message, cases[i][1]) == NULL)
            fail_msg("%s: \"%s\" is not in \"%s\"", cases[i][0], cases[i][1], err.message);
        rolemap_free(map);
    }
}

static void test_file(void **state)
{
    static const char text[] = "\xEF\xBB\xBF# roles of the new host\r\n"
                               "\r\n"
                               "misskey = mk_prod # the owner\r\n"
                               "  ro=reader,\t\"a#b\"=\"c#\nd\"\r\n"
                               "\t# nothing\n"
                               "old=@drop#gone\n"
                               "*=rest";
    RoleMap *map = rolemap_new();
    Error err = ERROR_INIT;
    if (rolemap_add_text(map, text, sizeof text - 1, "roles.map", &err) < 0)
        fail_msg("%s", err.message);
    check_lookup(map, "misskey", "mk_prod");
    check_lookup(map, "ro", "reader");
    check_lookup(map, "a#b", "c#\nd");
    check_lookup(map, "old", NULL);
    check_lookup(map, "x", "rest");
    rolemap_free(map);

    map = rolemap_new();
    assert_int_equal(rolemap_add_text(map, "", 0, "empty", &err), 0);
    assert_int_equal(rolemap_add_text(map, "# a\n\n", 5, "empty", &err), 0);
    assert_true(rolemap_is_empty(map));
    rolemap_free(map);
}

static void test_file_refused(void **state)
{
    static const struct {
        const char *text;
        size_t len;
        const char *message;
    } cases[] = {
        {"a=b\n\nc\n", 7, "roles.map, line 3: role map rule \"c\": \"=\" is missing"},
        {"a=b\r\nc=d e\r\n", 12, "roles.map, line 2: role map rule \"c=d e\": there is more"},
        {"a=\nb=c", 6, "line 1: role map rule \"a=\": a name is empty"},
        {"a=\"b\n", 5, "line 1: role map rule \"a=\"b\": a quoted name has no end"},
        {"a=\"b\n\"\na=c", 10, "line 3: role map rule \"a=c\": another rule"},
        {"a=b\0", 4, "role map \"roles.map\" is no text"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        RoleMap *map = rolemap_new();
        Error err = ERROR_INIT;
        assert_int_equal(rolemap_add_text(map, cases[i].text, cases[i].len, "roles.map", &err), -1);
        assert_int_equal(err.code, ERR_USAGE);
        if (strstr(err.message, cases[i].message) == NULL)
            fail_msg("\"%s\" is not in \"%s\"", cases[i].message, err.message);
        rolemap_free(map);
    }
}

/* Whatever is cut off, it is taken or refused with a reason. */
static void test_prefixes(void **state)
{
    static const char rules[] = "misskey=mk,\"we \"\"ird\"=\"a,b=c\", old=@drop,*=\"rest\n\"";
    for (size_t len = 0; len < sizeof rules; len++) {
        _cleanup_free_ char *prefix = xstrndup(rules, len);
        RoleMap *map = rolemap_new(), *from_text = rolemap_new();
        Error err = ERROR_INIT;
        if (rolemap_add(map, prefix, &err) < 0)
            assert_true(err.code == ERR_USAGE && err.message[0]);
        rolemap_add_text(from_text, prefix, len, "f", &err);
        rolemap_free(map);
        rolemap_free(from_text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),        cmocka_unit_test(test_longest_name), cmocka_unit_test(test_precedence),
        cmocka_unit_test(test_repeated),     cmocka_unit_test(test_refused),      cmocka_unit_test(test_file),
        cmocka_unit_test(test_file_refused), cmocka_unit_test(test_prefixes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
