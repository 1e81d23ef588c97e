/* Who has what, and what is wrong with a map. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kura/mem.h"
#include "kura/rolemap.h"
#include "toc_builder.h"

static RoleMap *map_of(const char *rules)
{
    RoleMap *map = rolemap_new();
    Error err = ERROR_INIT;
    if (rolemap_add(map, rules, &err) < 0)
        fail_msg("%s: %s", rules, err.message);
    return map;
}

static RoleUses survey_of(const EntrySpec *entries, size_t n, const DbFacts *facts, const RoleMap *map)
{
    RoleUses uses;
    Error err = ERROR_INIT;
    Toc *toc = build_toc(entries, n);
    assert_non_null(toc);
    if (rolemap_survey(toc, facts, map, &uses, &err) < 0)
        fail_msg("%s", err.message);
    toc_free(toc);
    return uses;
}

/* "a>b owns=1 grants=2"; new names where they differ, "@" for a dropped one, counters where not zero. */
static char *format_uses(const RoleUses *uses)
{
    Buf out = BUF_INIT(1 << 20);
    for (size_t i = 0; i < uses->n; i++) {
        const RoleUse *use = &uses->v[i];
        const struct {
            const char *name;
            size_t count;
        } counters[] = {
            {"owns", use->owns},         {"grants", use->grants},
            {"by", use->granted_by},     {"default", use->default_acls},
            {"policies", use->policies}, {"mappings", use->user_mappings},
            {"settings", use->settings}, {"database", use->owns_database},
            {"mentions", use->mentions},
        };
        buf_printf(&out, NULL, "%s%s", use->name, use->named ? "" : "?");
        if (use->new_name == NULL || strcmp(use->new_name, use->name) != 0)
            buf_printf(&out, NULL, ">%s", use->new_name ? use->new_name : "@");
        for (size_t j = 0; j < ARRAY_SIZE(counters); j++)
            if (counters[j].count)
                buf_printf(&out, NULL, " %s=%zu", counters[j].name, counters[j].count);
        buf_append_str(&out, "\n", NULL);
    }
    char *text = xstrdup(buf_str(&out));
    buf_done(&out);
    return text;
}

static void check_uses(const RoleUses *uses, const char *expected)
{
    _cleanup_free_ char *seen = format_uses(uses);
    if (strcmp(seen, expected) != 0)
        fail_msg("\n%s\ninstead of\n%s", seen, expected);
}

static const EntrySpec sample[] = {
    {.desc = "DATABASE",
     .tag = "app",
     .owner = "boss",
     .defn = "CREATE DATABASE app;",
     .drop_stmt = "DROP DATABASE app;"},
    {.desc = "DATABASE PROPERTIES",
     .owner = "boss",
     .defn = "ALTER DATABASE app SET x TO 'app';\nALTER ROLE app IN DATABASE app SET search_path TO 'app';\nALTER ROLE "
             "app IN DATABASE app SET role TO 'ro';\n"},
    {.desc = "TABLE",
     .tag = "note",
     .namespace = "public",
     .owner = "app",
     .defn = "CREATE TABLE public.note (a text DEFAULT 'ro'::text);",
     .drop_stmt = "DROP TABLE public.note;"},
    {.desc = "TABLE DATA", .tag = "note", .owner = "app"},
    {.desc = "INDEX", .owner = "app", .defn = "CREATE INDEX i ON t (a);", .drop_stmt = "DROP INDEX i;"},
    {.desc = "BLOB METADATA", .tag = "1..2", .owner = "we ird", .defn = "1\n2\n", .drop_stmt = "-- dummy"},
    {.desc = "ACL",
     .owner = "app",
     .defn = "REVOKE ALL ON TABLE t FROM old_owner;\nGRANT SELECT(a),UPDATE(b) ON TABLE t TO ro;\nSET SESSION "
             "AUTHORIZATION granter;\nGRANT ALL ON TABLE t TO ro, PUBLIC, pg_monitor;\nRESET SESSION AUTHORIZATION;\n"},
    {.desc = "DEFAULT ACL",
     .owner = "app",
     .defn = "ALTER DEFAULT PRIVILEGES FOR ROLE app GRANT ALL ON TABLES TO ro;\nALTER DEFAULT PRIVILEGES FOR ROLE app "
             "REVOKE ALL ON TABLES FROM app;\n"},
    {.desc = "POLICY",
     .owner = "app",
     .defn = "CREATE POLICY p ON t TO ro, \"we ird\" USING (pg_has_role('ro', 'member'));"},
    {.desc = "USER MAPPING", .owner = "boss", .defn = "CREATE USER MAPPING FOR ro SERVER s OPTIONS (\"user\" 'app');"},
    {.desc = "FUNCTION",
     .tag = "f()",
     .namespace = "public",
     .owner = "pg_database_owner",
     .drop_stmt = "DROP FUNCTION public.f();",
     .defn = "CREATE FUNCTION public.f() RETURNS void LANGUAGE plpgsql SET search_path TO 'app' SET role TO 'app'\nAS "
             "$_$ BEGIN /* approx, APP */ "
             "EXECUTE 'GRANT ALL ON t TO app, \"we ird\"'; PERFORM set_config('role', 'we ird', true); SET ROLE ghost; "
             "END $_$;"},
    {.desc = "VIEW",
     .tag = "v",
     .namespace = "public",
     .owner = "app",
     .drop_stmt = "DROP VIEW v;",
     .defn = "CREATE VIEW v AS SELECT '\"we ird\"'::regrole, 'app'::regrole, 'apple'::text;"},
    {.desc = "COMMENT", .tag = "c", .owner = "app", .defn = "COMMENT ON VIEW v IS 'app';"},
    {.desc = "QUEUE", .tag = "q", .owner = "app", .drop_stmt = "DROP QUEUE q;", .defn = "CREATE QUEUE q 'app';"},
};

static void test_survey(void **state)
{
    RoleMap *map = map_of("app=prod,ro=@drop,ghost=x,nobody=y,\"we ird\"=\"we ird\"");
    RoleUses uses = survey_of(sample, ARRAY_SIZE(sample), NULL, map);
    check_uses(&uses, "app>prod owns=3 default=3 settings=2 mentions=6\n"
                      "boss database=1\n"
                      "ghost?>x mentions=1\n"
                      "granter by=1\n"
                      "old_owner\n"
                      "pg_database_owner owns=1\n"
                      "pg_monitor grants=1\n"
                      "ro>@ grants=2 default=1 policies=1 mappings=1 mentions=3\n"
                      "we ird owns=1 policies=1 mentions=3\n");
    const RoleUse *app = roleuses_find(&uses, "app");
    assert_true(app->ruled);
    assert_int_equal(app->mentioned_in.n, 4);
    assert_string_equal(app->mentioned_in.v[0], "DATABASE PROPERTIES tag");
    assert_string_equal(app->mentioned_in.v[1], "FUNCTION public.f()");
    assert_string_equal(app->mentioned_in.v[2], "VIEW public.v");
    assert_string_equal(app->mentioned_in.v[3], "QUEUE q");
    assert_false(roleuses_find(&uses, "boss")->ruled);
    assert_null(roleuses_find(&uses, "nobody"));
    assert_null(roleuses_find(&uses, "public"));
    roleuses_done(&uses);
    assert_null(roleuses_find(&uses, "app"));
    roleuses_done(NULL);
    rolemap_free(map);
}

static void test_no_map(void **state)
{
    RoleUses uses = survey_of(sample, 3, NULL, NULL);
    check_uses(&uses, "app owns=1 settings=2 mentions=1\nboss database=1\n");
    assert_false(uses.v[0].ruled);
    roleuses_done(&uses);
    uses = survey_of(NULL, 0, NULL, NULL);
    assert_int_equal(uses.n, 0);
    roleuses_done(&uses);
}

static void test_facts(void **state)
{
    DbGrant grants[] = {{.grantor = (char *)"boss", .grantee = (char *)"ro", .privilege = (char *)"CONNECT"},
                        {.grantor = (char *)"granter", .grantee = NULL, .privilege = (char *)"TEMPORARY"}};
    DbSetting settings[] = {{.role = NULL}, {.role = (char *)"ro"}};
    char *groups[] = {(char *)"readers", NULL};
    DbRole roles[] = {{.name = (char *)"ro", .member_of = {.v = groups, .n = 1}}};
    DbFacts facts = {.owner = (char *)"boss",
                     .grants = grants,
                     .n_grants = 2,
                     .settings = settings,
                     .n_settings = 2,
                     .roles = roles,
                     .n_roles = 1};
    RoleUses uses = survey_of(sample + 2, 1, &facts, NULL);
    check_uses(&uses, "app owns=1\nboss database=1\ngranter\nreaders\nro grants=1 settings=1 mentions=1\n");
    roleuses_done(&uses);
    /* With the database's own entries in the TOC nothing is counted twice. */
    uses = survey_of(sample, 2, &facts, NULL);
    check_uses(&uses, "app settings=2 mentions=1\nboss database=1\ngranter\nreaders\nro mentions=1\n");
    roleuses_done(&uses);
}

static void test_many_roles(void **state)
{
    enum { N = 5000 };
    EntrySpec *entries = xcalloc(N, sizeof *entries);
    for (size_t i = 0; i < N; i++)
        entries[i] = (EntrySpec){.desc = "TABLE", .owner = xasprintf("r%04zu", i % (N / 2)), .drop_stmt = "DROP"};
    RoleUses uses = survey_of(entries, N, NULL, NULL);
    assert_int_equal(uses.n, N / 2);
    for (size_t i = 0; i < uses.n; i++) {
        assert_int_equal(uses.v[i].owns, 2);
        assert_true(i == 0 || strcmp(uses.v[i - 1].name, uses.v[i].name) < 0);
    }
    roleuses_done(&uses);
    for (size_t i = 0; i < N; i++)
        free((char *)entries[i].owner);
    free(entries);
}

static void test_corrupt(void **state)
{
    EntrySpec entry = {.desc = "ACL", .tag = "TABLE t", .defn = "GRANT 'x"};
    Toc *toc = build_toc(&entry, 1);
    RoleUses uses;
    Error err = ERROR_INIT;
    assert_int_equal(rolemap_survey(toc, NULL, NULL, &uses, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    assert_non_null(strstr(err.message, "ACL TABLE t"));
    toc_free(toc);
    /* Where only mentions are looked for, an odd text is no reason to stop. */
    entry = (EntrySpec){.desc = "FUNCTION", .owner = "a", .defn = "x 'a' 'x"};
    uses = survey_of(&entry, 1, NULL, NULL);
    check_uses(&uses, "a mentions=1\n");
    roleuses_done(&uses);
}

static const Finding *find_finding(const Findings *findings, const char *code, const char *part)
{
    for (size_t i = 0; i < findings->n; i++)
        if (strcmp(findings->v[i].code, code) == 0 && strstr(findings->v[i].message, part))
            return &findings->v[i];
    return NULL;
}

static void check_finding(const Findings *findings, Severity severity, const char *code, const char *part)
{
    const Finding *finding = find_finding(findings, code, part);
    if (finding == NULL)
        fail_msg("no finding %s with \"%s\"", code, part);
    assert_int_equal(finding->severity, severity);
    assert_true(finding->hint && finding->hint[strlen(finding->hint) - 1] == '.');
}

static Findings findings_of(const char *rules, const EntrySpec *entries, size_t n)
{
    RoleMap *map = map_of(rules);
    RoleUses uses = survey_of(entries, n, NULL, map);
    Findings findings = FINDINGS_INIT;
    rolemap_check(map, &uses, &findings);
    roleuses_done(&uses);
    rolemap_free(map);
    return findings;
}

static void test_check(void **state)
{
    Findings findings =
        findings_of("app=prod,ro=@drop,ghost=x,\"No,body\"=y,boss=@drop,pg=@drop", sample, ARRAY_SIZE(sample));
    check_finding(&findings, FINDING_ERROR, "role-rule-unused", "\"\"No,body\"=y\" matches nothing");
    check_finding(&findings, FINDING_ERROR, "role-rule-unused",
                  "\"ghost=x\" matches nothing: the backup only mentions the role in FUNCTION public.f()");
    check_finding(&findings, FINDING_ERROR, "role-rule-unused", "\"pg=@drop\"");
    assert_non_null(strstr(find_finding(&findings, "role-rule-unused", "pg=")->hint,
                           "The backup names these roles: app, boss, granter, old_owner, ro, \"we ird\"."));
    check_finding(&findings, FINDING_ERROR, "role-drop-owner",
                  "role \"boss\" is to be dropped, but it owns the database");
    check_finding(&findings, FINDING_WARNING, "role-drop-policy", "role \"ro\" is to be dropped, and 1 row-level");
    check_finding(&findings, FINDING_WARNING, "role-drop-mapping", "role \"ro\"");
    check_finding(
        &findings, FINDING_WARNING, "role-mentioned",
        "role \"app\" gets another name, but its old one stays in strings or code of DATABASE PROPERTIES tag, "
        "FUNCTION public.f(), VIEW public.v, QUEUE q");
    check_finding(&findings, FINDING_WARNING, "role-mentioned", "role \"ro\"");
    assert_null(find_finding(&findings, "role-mentioned", "we ird"));
    assert_int_equal(findings.n, 8);
    findings_done(&findings);

    findings = findings_of("app=@drop", sample, ARRAY_SIZE(sample));
    check_finding(&findings, FINDING_ERROR, "role-drop-owner", "it owns 3 objects");
    findings_done(&findings);

    findings = findings_of("app=app,*=boss", sample, 3);
    assert_int_equal(findings.n, 0);
    findings_done(&findings);
}

static void test_check_merges(void **state)
{
    static const EntrySpec entries[] = {
        {.desc = "DATABASE PROPERTIES",
         .defn = "ALTER ROLE a IN DATABASE d SET x TO 1; ALTER ROLE b IN DATABASE d SET x TO 2; ALTER ROLE c IN "
                 "DATABASE d SET x TO 3;"},
        {.desc = "USER MAPPING", .defn = "CREATE USER MAPPING FOR a SERVER s;"},
        {.desc = "USER MAPPING", .defn = "CREATE USER MAPPING FOR b SERVER s;"},
    };
    Findings findings = findings_of("a=x,b=x", entries, ARRAY_SIZE(entries));
    check_finding(&findings, FINDING_WARNING, "role-merge-mapping",
                  "2 roles with user mappings of foreign servers become one, \"x\"");
    check_finding(&findings, FINDING_WARNING, "role-merge-setting",
                  "2 roles with settings of their own in the database become one, \"x\"");
    assert_int_equal(findings.n, 2);
    findings_done(&findings);
    findings = findings_of("a=b,b=a", entries, ARRAY_SIZE(entries));
    assert_int_equal(findings.n, 0);
    findings_done(&findings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_survey),       cmocka_unit_test(test_no_map),  cmocka_unit_test(test_facts),
        cmocka_unit_test(test_many_roles),   cmocka_unit_test(test_corrupt), cmocka_unit_test(test_check),
        cmocka_unit_test(test_check_merges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
