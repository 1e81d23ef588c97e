#include "fixture.h"

static OwnState have, want;

static int begin(void **state)
{
    have = new_state();
    want = (OwnState){0};
    static const struct {
        const char *name;
        bool superuser;
    } roles[] = {{"postgres", true}, {"app", false}, {"ro", false}, {"other", false}, {"pg_database_owner", false}};
    have.roles = xcalloc(ARRAY_SIZE(roles), sizeof *have.roles);
    have.n_roles = ARRAY_SIZE(roles);
    for (size_t i = 0; i < ARRAY_SIZE(roles); i++)
        have.roles[i] = (OwnRole){.name = own_name(names, roles[i].name), .superuser = roles[i].superuser};
    return 0;
}

static int end(void **state)
{
    own_state_done(&have);
    own_state_done(&want);
    return 0;
}

static void want_map(const char *rules)
{
    RoleMap *map = rolemap_new();
    Error err = ERROR_INIT;
    assert_int_equal(rolemap_add(map, rules, &err), 0);
    if (own_want_map(&have, map, &want, &err) < 0)
        fail_msg("%s", err.message);
    rolemap_free(map);
}

static void test_app(void **state)
{
    add(&have, OWN_DATABASE, NULL, "app", "postgres", NULL);
    add(&have, OWN_SCHEMA, NULL, "public", "pg_database_owner", "{pg_database_owner=UC/pg_database_owner}");
    add(&have, OWN_TABLE, "public", "t", "postgres", "{postgres=r/postgres,ro=r/postgres}");
    add(&have, OWN_EVENT_TRIGGER, NULL, "e", "postgres", NULL)->flags = OWN_ADMIN;
    add(&have, OWN_FUNCTION, "public", "f()", "postgres", NULL)->flags = OWN_MEMBER;
    own_want_app(&have, "app", &want);
    assert_string_equal(want.v[0].owner, "app");
    assert_string_equal(want.v[1].owner, "pg_database_owner");
    assert_string_equal(want.v[2].owner, "app");
    assert_string_equal(show_acl(&want.v[2].acl), "app:SELECT/app ro:SELECT/app");
    assert_string_equal(want.v[3].owner, "postgres");
    assert_string_equal(want.v[4].owner, "postgres");
}

/* As PostgreSQL 15 leaves it when a 14's public was restored as postgres. */
static void test_app_public(void **state)
{
    add(&have, OWN_SCHEMA, NULL, "public", "postgres", "{postgres=UC/postgres,=U/postgres}");
    own_want_app(&have, "app", &want);
    assert_string_equal(want.v[0].owner, "pg_database_owner");
    own_state_done(&want);
    own_acl_done(&have.v[0].acl);
    have.v[0].acl = acl_of("{postgres=UC/postgres,=UC/postgres}");
    own_want_app(&have, "app", &want);
    assert_string_equal(want.v[0].owner, "postgres"); /* everybody may create: so may the application */
}

static void test_app_defaults_move(void **state)
{
    add(&have, OWN_TABLE, "public", "t", "postgres", NULL);
    own_default_acl(&have, "postgres", "public", "TABLES")->acl = acl_of("{ro=r/postgres}");
    own_default_acl(&have, "other", "public", "TABLES")->acl = acl_of("{ro=w/other}");
    own_want_app(&have, "app", &want);
    assert_int_equal(have.n, want.n);
    assert_string_equal(show_acl(&own_default_acl(&want, "postgres", "public", "TABLES")->acl), "");
    assert_string_equal(show_acl(&own_default_acl(&want, "app", "public", "TABLES")->acl), "ro:SELECT/app");
    assert_string_equal(show_acl(&own_default_acl(&want, "other", "public", "TABLES")->acl), "ro:UPDATE/other");
}

static void test_map(void **state)
{
    add(&have, OWN_TABLE, "public", "t", "app", "{app=r/app,ro=r*/app,other=r/ro,=r/app}");
    add(&have, OWN_WRAPPER, NULL, "w", "postgres", NULL)->flags = OWN_ADMIN;
    want_map("app=new,ro=@drop,postgres=new");
    assert_string_equal(want.v[0].owner, "new");
    assert_string_equal(show_acl(&want.v[0].acl), "PUBLIC:SELECT/new new:SELECT/new other:SELECT/new");
    assert_string_equal(want.v[1].owner, "postgres"); /* only a superuser may own it */
}

static void test_map_merges(void **state)
{
    add(&have, OWN_TABLE, "public", "t", "app", "{app=r/app,ro=w*/app,other=w/ro}");
    want_map("ro=app");
    assert_string_equal(show_acl(&want.v[0].acl), "app:SELECT,UPDATE*/app other:UPDATE/app");
}

static void test_map_dropped_owner(void **state)
{
    RoleMap *map = rolemap_new();
    Error err = ERROR_INIT;
    add(&have, OWN_TABLE, "public", "t", "app", NULL);
    assert_int_equal(rolemap_add(map, "app=@drop", &err), 0);
    assert_int_equal(own_want_map(&have, map, &want, &err), -1);
    assert_int_equal(err.code, ERR_USAGE);
    rolemap_free(map);
}

/* What an extension brought belongs to it; only what was granted to others is the site's. */
static void test_map_member(void **state)
{
    OwnObject *object = add(&have, OWN_FUNCTION, "public", "f()", "postgres", "{postgres=X/postgres,ro=X/postgres}");
    object->flags = OWN_MEMBER;
    object->base = acl_of("{postgres=X/postgres}");
    want_map("*=new");
    assert_string_equal(show_acl(&want.v[0].acl), "new:EXECUTE/postgres postgres:EXECUTE/postgres");
    assert_string_equal(want.v[0].owner, "postgres");
}

static void test_like(void **state)
{
    OwnState like = new_state();
    StrVec missing = {0};
    add(&have, OWN_TABLE, "s", "both", "postgres", NULL);
    add(&have, OWN_TABLE, "s", "later", "postgres", NULL);
    add(&have, OWN_TABLE, "s", "accepted", "other", NULL);
    OwnObject *member = add(&have, OWN_FUNCTION, "s", "m()", "postgres", "{ro=X/postgres}");
    member->flags = OWN_MEMBER;
    member->base = acl_of("{=X/postgres}");
    own_default_acl(&have, "ro", NULL, "TABLES");
    own_acl_grant(&own_default_acl(&have, "ro", NULL, "TABLES")->acl,
                  &(OwnGrant){.grantor = own_name(names, "ro"), .rights = own_right('r')});
    add(&like, OWN_TABLE, "s", "both", "app", "{app=r/app,ro=r/app}");
    add(&like, OWN_TABLE, "s", "gone", "app", NULL);
    add(&like, OWN_TABLE, "s", "third", "other", NULL);
    own_default_acl(&like, "app", "s", "TABLES")->acl = acl_of("{ro=r/app}");
    own_want_like(&have, &like, &want, &missing);
    assert_int_equal(have.n, want.n);
    assert_string_equal(want.v[0].owner, "app");
    assert_string_equal(show_acl(&want.v[0].acl), "app:SELECT/app ro:SELECT/app");
    assert_string_equal(want.v[1].owner, "app"); /* who owns most there */
    assert_true(want.v[1].flags & OWN_LATER);
    assert_string_equal(want.v[2].owner, "other"); /* owns other things there */
    assert_string_equal(show_acl(&want.v[3].acl), "PUBLIC:EXECUTE/postgres");
    assert_null(strstr(show_acl(&own_default_acl(&want, "ro", NULL, "TABLES")->acl), "PUBLIC"));
    assert_string_equal(show_acl(&own_default_acl(&want, "app", "s", "TABLES")->acl), "ro:SELECT/app");
    assert_int_equal(missing.n, 2);
    assert_string_equal(missing.v[0], "TABLE s.gone");
    strvec_done(&missing);
    own_state_done(&like);
}

static const OwnFinding *finding_of(const OwnFindings *findings, const char *code)
{
    for (size_t i = 0; i < findings->n; i++)
        if (strcmp(findings->v[i].code, code) == 0)
            return &findings->v[i];
    fail_msg("no finding %s", code);
    return NULL;
}

static void test_findings(void **state)
{
    OwnFindings findings = {0};
    OwnObject *definer = add(&have, OWN_FUNCTION, "public", "f", "postgres", NULL);
    definer->flags = OWN_DEFINER;
    add(&have, OWN_TABLE, "public", "t", "postgres", NULL);
    add(&have, OWN_TABLE, "public", "u", "postgres", "{16999=r/postgres}");
    add(&have, OWN_SEQUENCE, "public", "s", "ro", NULL)->user = 2;
    own_want_app(&have, "app", &want);
    own_compare(&have, &want, "the cure", &findings);
    own_inspect(&have, &want, "the cure", &findings);
    const OwnFinding *owner = finding_of(&findings, "owner-wrong");
    assert_string_equal(owner->message,
                        "3 objects belong to superuser \"postgres\", expected \"app\" (1 function, 2 tables)");
    assert_int_equal(owner->objects.n, 3);
    assert_int_equal(owner->severity, OWN_ERROR);
    assert_string_equal(owner->cure, "the cure");
    assert_string_equal(finding_of(&findings, "security-definer")->objects.v[0], "FUNCTION public.f");
    assert_non_null(strstr(finding_of(&findings, "grant-dangling")->message, "16999"));
    assert_string_equal(finding_of(&findings, "sequence-owner")->cure, "the cure");
    assert_int_equal(own_findings_count(&findings, OWN_WARNING), findings.n);
    own_findings_done(&findings);
}

static void test_grant_findings(void **state)
{
    OwnFindings findings = {0};
    OwnState like = new_state();
    StrVec missing = {0};
    add(&have, OWN_TABLE, "public", "t", "app", "{app=r/app,other=rw/app}");
    add(&like, OWN_TABLE, "public", "t", "app", "{app=r/app,ro=r*/app,other=r/ro}");
    own_want_like(&have, &like, &want, &missing);
    own_compare(&have, &want, NULL, &findings);
    assert_string_equal(finding_of(&findings, "grant-missing")->message,
                        "role \"ro\" lacks 1 right on 1 object that it should have");
    assert_string_equal(finding_of(&findings, "grant-extra")->message,
                        "role \"other\" has 1 right on 1 object that it should not have");
    assert_non_null(strstr(finding_of(&findings, "grant-grantor")->message, "role \"other\""));
    own_findings_done(&findings);
    own_state_done(&like);
}

#define each(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        each(test_app),        each(test_app_public),        each(test_app_defaults_move), each(test_map),
        each(test_map_merges), each(test_map_dropped_owner), each(test_map_member),        each(test_like),
        each(test_findings),   each(test_grant_findings),
    };
    return cmocka_run_group_tests(tests, make_names, free_names);
}
