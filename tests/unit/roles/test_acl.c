#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kura/mem.h"
#include "kura/rolemap.h"

/* "+SELECT(id) TABLE public.t > ro < boss *": grant or revoke, privilege, object, grantee, grantor, grantable. */
static char *format_items(const AclItems *items)
{
    Buf out = BUF_INIT(1 << 20);
    for (size_t i = 0; i < items->n; i++) {
        const AclItem *item = &items->v[i];
        buf_printf(&out, NULL, "%s%c%s", i ? "\n" : "", item->grant ? '+' : '-', item->privilege);
        if (item->column)
            buf_printf(&out, NULL, "(%s)", item->column);
        buf_printf(&out, NULL, " %s > %s", item->object, item->grantee ? item->grantee : "PUBLIC");
        if (item->grantor)
            buf_printf(&out, NULL, " < %s", item->grantor);
        if (item->grantable)
            buf_append_str(&out, " *", NULL);
    }
    char *text = xstrdup(buf_str(&out));
    buf_done(&out);
    return text;
}

static void test_forms(void **state)
{
    static const char *const cases[][2] = {
        {"", ""},
        {"GRANT SELECT ON TABLE public.note TO ro;", "+SELECT TABLE public.note > ro"},
        {"GRANT SELECT,INSERT ON TABLE t TO a, \"B c\";", "+SELECT TABLE t > a\n+SELECT TABLE t > B c\n"
                                                          "+INSERT TABLE t > a\n+INSERT TABLE t > B c"},
        {"REVOKE ALL PRIVILEGES ON SCHEMA public FROM PUBLIC;", "-ALL SCHEMA public > PUBLIC"},
        {"GRANT SELECT(id),UPDATE(\"Na,me\", b) ON TABLE t TO a WITH GRANT OPTION;",
         "+SELECT(id) TABLE t > a *\n+UPDATE(Na,me) TABLE t > a *\n+UPDATE(b) TABLE t > a *"},
        {"GRANT ALL  ON\n FUNCTION public.\"f,(\"(integer, \"we ird\".\"to\")  TO a;",
         "+ALL FUNCTION public.\"f,(\"(integer, \"we ird\".\"to\") > a"},
        {"GRANT ALL ON FOREIGN SERVER \"on\" TO a;", "+ALL FOREIGN SERVER \"on\" > a"},
        {"GRANT SET, ALTER SYSTEM ON PARAMETER work_mem TO a;", "+SET PARAMETER work_mem > a\n"
                                                                "+ALTER SYSTEM PARAMETER work_mem > a"},
        {"grant temp on database d to group g;", "+TEMP database d > g"},
        {"SET SESSION AUTHORIZATION boss;\nGRANT SELECT ON TABLE t TO a;\nRESET SESSION AUTHORIZATION;\n"
         "GRANT SELECT ON TABLE t TO b;",
         "+SELECT TABLE t > a < boss\n+SELECT TABLE t > b"},
        {"GRANT SELECT ON TABLE t TO a GRANTED BY boss;", "+SELECT TABLE t > a < boss"},
        {"GRANT SELECT ON TABLE t TO a WITH GRANT OPTION GRANTED BY boss;", "+SELECT TABLE t > a < boss *"},
        {"REVOKE GRANT OPTION FOR SELECT ON TABLE t FROM a CASCADE;", "-SELECT TABLE t > a *"},
        {"ALTER DEFAULT PRIVILEGES FOR ROLE x IN SCHEMA revoke, \"S\" GRANT SELECT ON TABLES  TO y;",
         "+SELECT FOR ROLE x IN SCHEMA revoke, \"S\" TABLES > y"},
        {"ALTER DEFAULT PRIVILEGES FOR ROLE x REVOKE ALL ON FUNCTIONS FROM PUBLIC;",
         "-ALL FOR ROLE x FUNCTIONS > PUBLIC"},
        {"ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO y;", "+ALL TABLES > y"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        AclItems items;
        Error err = ERROR_INIT;
        if (acl_parse(cases[i][0], &items, &err) < 0)
            fail_msg("%s: %s", cases[i][0], err.message);
        _cleanup_free_ char *seen = format_items(&items);
        if (strcmp(seen, cases[i][1]) != 0)
            fail_msg("%s:\n%s\ninstead of\n%s", cases[i][0], seen, cases[i][1]);
        aclitems_done(&items);
    }
    aclitems_done(NULL);
}

static void test_refused(void **state)
{
    static const char *const cases[] = {
        "SELECT 1;",
        "GRANT a TO b;",
        "GRANT SELECT ON TABLE t;",
        "GRANT SELECT ON TABLE t TO;",
        "GRANT SELECT ON TO a;",
        "GRANT ON TABLE t TO a;",
        "GRANT SELECT, ON TABLE t TO a;",
        "GRANT SELECT() ON TABLE t TO a;",
        "GRANT SELECT(a b) ON TABLE t TO a;",
        "GRANT SELECT(a ON TABLE t TO a;",
        "GRANT SELECT ON TABLE t TO a,;",
        "GRANT SELECT ON TABLE t TO a b;",
        "GRANT SELECT ON TABLE t TO U&\"a!0062\" UESCAPE '!';",
        "GRANT SELECT ON TABLE t TO CURRENT_USER;",
        "GRANT SELECT ON TABLE t FROM a;",
        "REVOKE SELECT ON TABLE t TO a;",
        "GRANT SELECT ON TABLE t TO a WITH ADMIN OPTION;",
        "GRANT SELECT ON TABLE \"t TO a;",
        "SET SESSION AUTHORIZATION 'a';",
        "ALTER DEFAULT PRIVILEGES FOR ROLE GRANT SELECT ON TABLES TO a;",
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        AclItems items = {0};
        Error err = ERROR_INIT;
        if (acl_parse(cases[i], &items, &err) == 0)
            fail_msg("%s was taken", cases[i]);
        assert_int_equal(err.code, ERR_CORRUPT);
        assert_null(items.v);
    }
}

static void test_prefixes(void **state)
{
    static const char text[] = "SET SESSION AUTHORIZATION \"b\";REVOKE GRANT OPTION FOR ALL(\"c\"\"\",d) ON TABLE "
                               "\"x\".y FROM GROUP a, PUBLIC GRANTED BY z RESTRICT;ALTER DEFAULT PRIVILEGES FOR ROLE x "
                               "IN SCHEMA s GRANT SELECT ON TABLES TO y WITH GRANT OPTION; RESET SESSION AUTHORIZATION";
    size_t parsed = 0;
    for (size_t len = 0; len < sizeof text; len++) {
        _cleanup_free_ char *prefix = xstrndup(text, len);
        AclItems items = {0};
        parsed += acl_parse(prefix, &items, NULL) == 0;
        aclitems_done(&items);
    }
    assert_in_range(parsed, 10, sizeof text / 2);
}

/* Lists that multiply to more than memory holds are refused. */
static void test_too_large(void **state)
{
    Buf text = BUF_INIT(1 << 20);
    buf_append_str(&text, "GRANT SELECT(a", NULL);
    for (int i = 0; i < 2000; i++)
        buf_append_str(&text, ",a", NULL);
    buf_append_str(&text, ") ON TABLE t TO a", NULL);
    for (int i = 0; i < 2000; i++)
        buf_append_str(&text, ",a", NULL);
    AclItems items;
    Error err = ERROR_INIT;
    assert_int_equal(acl_parse(buf_str(&text), &items, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    assert_non_null(strstr(err.message, "too large"));
    buf_done(&text);
}

/* The first statement of each pair gives at least what the second gives; or does not. */
static void test_covers(void **state)
{
    static const struct {
        const char *have, *want;
        bool covers;
    } cases[] = {
        {"GRANT SELECT ON TABLE t TO a;", "GRANT SELECT ON TABLE t TO a;", true},
        {"GRANT ALL ON TABLE t TO a;", "GRANT SELECT ON TABLE t TO a;", true},
        {"GRANT ALL PRIVILEGES ON TABLE t TO a WITH GRANT OPTION;", "GRANT UPDATE ON TABLE t TO a;", true},
        {"GRANT ALL ON TABLE t TO PUBLIC;", "GRANT SELECT ON TABLE t TO PUBLIC;", true},
        {"GRANT SELECT ON TABLE t TO a;", "GRANT ALL ON TABLE t TO a;", false},
        {"GRANT ALL ON TABLE t TO a;", "GRANT SELECT ON TABLE t TO a WITH GRANT OPTION;", false},
        {"GRANT ALL ON TABLE t TO a;", "GRANT SELECT ON TABLE t TO b;", false},
        {"GRANT ALL ON TABLE t TO a;", "GRANT SELECT ON TABLE t TO PUBLIC;", false},
        {"GRANT ALL ON TABLE t TO a;", "GRANT SELECT ON TABLE u TO a;", false},
        {"GRANT ALL ON TABLE t TO a;", "GRANT SELECT(c) ON TABLE t TO a;", false},
        {"GRANT ALL ON TABLE t TO a GRANTED BY b;", "GRANT SELECT ON TABLE t TO a;", false},
        {"REVOKE ALL ON TABLE t FROM a;", "REVOKE ALL ON TABLE t FROM a;", false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        AclItems have = {0}, want = {0};
        assert_int_equal(acl_parse(cases[i].have, &have, NULL) | acl_parse(cases[i].want, &want, NULL), 0);
        if (aclitem_covers(&have.v[0], &want.v[0]) != cases[i].covers)
            fail_msg("\"%s\" and \"%s\"", cases[i].have, cases[i].want);
        aclitems_done(&have);
        aclitems_done(&want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_prefixes),
        cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_covers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
