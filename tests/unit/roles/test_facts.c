/* A map applied to what is recorded about the database itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kura/mem.h"
#include "kura/rolemap.h"

static void add_grant(DbFacts *facts, const char *grantor, const char *grantee, const char *privilege, bool grantable)
{
    facts->grants = xreallocarray(facts->grants, facts->n_grants + 1, sizeof *facts->grants);
    facts->grants[facts->n_grants++] = (DbGrant){.grantor = xstrdup(grantor),
                                                 .grantee = xstrdup_null(grantee),
                                                 .privilege = xstrdup(privilege),
                                                 .grantable = grantable};
}

static void add_setting(DbFacts *facts, const char *role, const char *name, const char *value)
{
    facts->settings = xreallocarray(facts->settings, facts->n_settings + 1, sizeof *facts->settings);
    facts->settings[facts->n_settings++] =
        (DbSetting){.role = xstrdup_null(role), .name = xstrdup(name), .value = xstrdup(value)};
}

static DbFacts sample(void)
{
    DbFacts facts = {.name = xstrdup("app"), .owner = xstrdup("boss")};
    add_grant(&facts, "boss", NULL, "CONNECT", false);
    add_grant(&facts, "boss", "a", "CONNECT", false);
    add_grant(&facts, "boss", "b", "CONNECT", true);
    add_grant(&facts, "b", "a", "CONNECT", true);
    add_grant(&facts, "b", "c", "TEMPORARY", false);
    add_setting(&facts, NULL, "x", "0");
    add_setting(&facts, "a", "x", "1");
    add_setting(&facts, "b", "x", "2");
    add_setting(&facts, "b", "y", "3");
    return facts;
}

/* What is left, and frees it. */
static void check(DbFacts *facts, const char *expected)
{
    Buf out = BUF_INIT(10000);
    buf_append_str(&out, facts->owner, NULL);
    for (size_t i = 0; i < facts->n_grants; i++) {
        DbGrant *grant = &facts->grants[i];
        buf_printf(&out, NULL, "; %s>%s %s%s", grant->grantor, grant->grantee ? grant->grantee : "PUBLIC",
                   grant->privilege, grant->grantable ? "*" : "");
        free(grant->grantor);
        free(grant->grantee);
        free(grant->privilege);
    }
    for (size_t i = 0; i < facts->n_settings; i++) {
        DbSetting *setting = &facts->settings[i];
        buf_printf(&out, NULL, "; %s %s=%s", setting->role ? setting->role : "-", setting->name, setting->value);
        free(setting->role);
        free(setting->name);
        free(setting->value);
    }
    free(facts->name);
    free(facts->owner);
    free(facts->grants);
    free(facts->settings);
    if (strcmp(buf_str(&out), expected) != 0)
        fail_msg("\n%s\ninstead of\n%s", buf_str(&out), expected);
    buf_done(&out);
}

static void test_apply_facts(void **state)
{
    static const char *const cases[][2] = {
        {"nobody=x", "boss; boss>PUBLIC CONNECT; boss>a CONNECT; boss>b CONNECT*; b>a CONNECT*; b>c TEMPORARY; "
                     "- x=0; a x=1; b x=2; b y=3"},
        {"boss=new,a=\"we ird\"", "new; new>PUBLIC CONNECT; new>we ird CONNECT; new>b CONNECT*; b>we ird CONNECT*; "
                                  "b>c TEMPORARY; - x=0; we ird x=1; b x=2; b y=3"},
        {"b=@drop", "boss; boss>PUBLIC CONNECT; boss>a CONNECT*; boss>c TEMPORARY; - x=0; a x=1"},
        {"a=m,b=m", "boss; boss>PUBLIC CONNECT; boss>m CONNECT*; m>c TEMPORARY; - x=0; m x=2; m y=3"},
        {"*=one", "one; one>PUBLIC CONNECT; one>one CONNECT*; one>one TEMPORARY; - x=0; one x=2; one y=3"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        RoleMap *map = rolemap_new();
        DbFacts facts = sample();
        assert_int_equal(rolemap_add(map, cases[i][0], NULL), 0);
        assert_int_equal(rolemap_apply_facts(map, &facts, NULL), 0);
        check(&facts, cases[i][1]);
        rolemap_free(map);
    }
}

static void test_drop_owner(void **state)
{
    RoleMap *map = rolemap_new();
    DbFacts facts = sample();
    Error err = ERROR_INIT;
    assert_int_equal(rolemap_add(map, "boss=@drop", NULL), 0);
    assert_int_equal(rolemap_apply_facts(map, &facts, &err), -1);
    assert_int_equal(err.code, ERR_USAGE);
    assert_string_equal(err.message, "role \"boss\" is to be dropped, but it owns database \"app\"");
    check(&facts, "boss; boss>PUBLIC CONNECT; boss>a CONNECT; boss>b CONNECT*; b>a CONNECT*; b>c TEMPORARY; "
                  "- x=0; a x=1; b x=2; b y=3");
    rolemap_free(map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_apply_facts), cmocka_unit_test(test_drop_owner)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
