#include "fixture.h"

static void test_parse(void **state)
{
    static const struct {
        const char *text, *shown;
    } cases[] = {
        {"{}", ""},
        {"{=r/b}", "PUBLIC:SELECT/b"},
        {"{a=r*w/b,=U/b}", "PUBLIC:USAGE/b a:SELECT*,UPDATE/b"},
        {"{\"\\\"x y\\\"=r/b\"}", "x y:SELECT/b"},
        {"{\"\\\"q\\\"\\\"uote\\\"=r/\\\"c,d}\\\"\"}", "q\"uote:SELECT/c,d}"},
        {"{\"\\\"a=b/c\\\"=a/b\"}", "a=b/c:INSERT/b"},
        {"{\"\\\"back\\\\slash\\\"=a/b\"}", "back\\slash:INSERT/b"},
        {"{16999=r/b}", "16999:SELECT/b"},
        {"{a=rZ/b}", "a:SELECT/b"},
        {"{a=r/b,a=w/b}", "a:SELECT,UPDATE/b"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        OwnAcl acl = acl_of(cases[i].text);
        assert_string_equal(show_acl(&acl), cases[i].shown);
        own_acl_done(&acl);
    }
}

static void test_parse_refuses(void **state)
{
    static const char *const bad[] = {"", "a=r/b", "{a=r/b", "{a}", "{a=r}", "{\"a=r/b}", "{a=r/b}x"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        OwnAcl acl = {0};
        Error err = ERROR_INIT;
        if (own_acl_parse(names, bad[i], NULL, &acl, &err) == 0)
            fail_msg("\"%s\" was taken", bad[i]);
        assert_int_equal(err.code, ERR_CORRUPT);
        own_acl_done(&acl);
    }
}

static void assert_owner_change(const char *before, const char *from, const char *to, const char *after)
{
    OwnAcl acl = acl_of(before);
    own_acl_change_owner(&acl, own_name(names, from), own_name(names, to));
    assert_string_equal(show_acl(&acl), after);
    own_acl_done(&acl);
}

/* As the server does it: the new owner takes both places of the old one, and what becomes the same is merged. */
static void test_change_owner(void **state)
{
    assert_owner_change("{a=rw/a,=r/a}", "a", "b", "PUBLIC:SELECT/b b:SELECT,UPDATE/b");
    assert_owner_change("{a=r/a,b=w*/a,c=r/b}", "a", "b", "b:SELECT,UPDATE*/b c:SELECT/b");
    assert_owner_change("{c=r/c}", "a", "b", "c:SELECT/c");
    assert_owner_change("{}", "a", "b", "");
}

static void test_revoke(void **state)
{
    OwnAcl acl = acl_of("{a=r*w*/o,b=r/a,a=d/b}");
    Error err = ERROR_INIT;
    const char *a = own_name(names, "a"), *o = own_name(names, "o");
    assert_int_equal(own_acl_parse(names, "{a=w/o}", own_name(names, "col"), &acl, &err), 0);
    own_acl_revoke(&acl, &(OwnGrant){.grantee = a, .grantor = o, .grantable = own_right('r')});
    assert_string_equal(show_acl(&acl), "a:DELETE/b a:SELECT,UPDATE*/o b:SELECT/a a(col):UPDATE/o");
    own_acl_revoke(&acl, &(OwnGrant){.grantee = a, .grantor = o, .rights = own_right('w')});
    assert_string_equal(show_acl(&acl), "a:DELETE/b a:SELECT/o b:SELECT/a"); /* of the columns, too */
    own_acl_revoke(&acl, &(OwnGrant){.grantee = a, .rights = own_right('r') | own_right('d')});
    assert_string_equal(show_acl(&acl), "b:SELECT/a");
    own_acl_done(&acl);
}

static void test_default(void **state)
{
    OwnAcl acl;
    const char *owner = own_name(names, "o");
    own_acl_default(OWN_FUNCTION, owner, SERVER, &acl);
    assert_string_equal(show_acl(&acl), "PUBLIC:EXECUTE/o o:EXECUTE/o");
    own_acl_done(&acl);
    own_acl_default(OWN_TABLE, owner, SERVER, &acl);
    assert_null(strstr(show_acl(&acl), "MAINTAIN"));
    own_acl_done(&acl);
    own_acl_default(OWN_TABLE, owner, 170000, &acl);
    assert_non_null(strstr(show_acl(&acl), "MAINTAIN"));
    own_acl_done(&acl);
    own_acl_default(OWN_DATABASE, owner, SERVER, &acl);
    assert_string_equal(show_acl(&acl), "PUBLIC:TEMPORARY,CONNECT/o o:CREATE,TEMPORARY,CONNECT/o");
    own_acl_done(&acl);
}

static void test_many_names(void **state)
{
    enum { MANY = 20000 };
    const char **first = xcalloc(MANY, sizeof *first);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < MANY; i++) {
            char text[32];
            snprintf(text, sizeof text, "role %d", i);
            const char *name = own_name(names, text);
            assert_string_equal(name, text);
            if (round == 0)
                first[i] = name;
            else
                assert_ptr_equal(first[i], name);
        }
    }
    free(first);
    assert_null(own_name(names, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),  cmocka_unit_test(test_parse_refuses), cmocka_unit_test(test_change_owner),
        cmocka_unit_test(test_revoke), cmocka_unit_test(test_default),       cmocka_unit_test(test_many_names),
    };
    return cmocka_run_group_tests(tests, make_names, free_names);
}
