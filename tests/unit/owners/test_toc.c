#include "fixture.h"

#include "toc_builder.h"

static OwnState live, state_;

static int begin(void **state)
{
    live = new_state();
    live.roles = xcalloc(1, sizeof *live.roles);
    live.roles[0] = (OwnRole){.name = own_name(names, "postgres"), .superuser = true, .bootstrap = true};
    live.n_roles = 1;
    state_ = (OwnState){0};
    return 0;
}

static int end(void **state)
{
    own_state_done(&live);
    own_state_done(&state_);
    return 0;
}

static void read_toc(const EntrySpec *entries, size_t n)
{
    Toc *toc = build_toc(entries, n);
    Error err = ERROR_INIT;
    assert_non_null(toc);
    if (own_state_from_toc(toc, &live, &state_, &err) < 0)
        fail_msg("%s", err.message);
    toc_free(toc);
}

static const OwnObject *object_of(const char *key)
{
    const OwnObject *object = own_state_find(&state_, key);
    if (object == NULL)
        fail_msg("there is no %s", key);
    return object;
}

static void test_objects(void **state)
{
    static const EntrySpec entries[] = {
        {.desc = "TABLE", .tag = "odd \"t\"", .namespace = "S", .owner = "a", .drop_stmt = "DROP TABLE x;"},
        {.desc = "FUNCTION",
         .tag = "f(integer)",
         .namespace = "s",
         .owner = "a",
         .drop_stmt = "DROP FUNCTION s.f(a integer, VARIADIC b text[]);\n"},
        {.desc = "OPERATOR",
         .tag = "<=",
         .namespace = "s",
         .owner = "a",
         .drop_stmt = "DROP OPERATOR s.<= (s.x, NONE);"},
        {.desc = "OPERATOR CLASS",
         .tag = "c",
         .namespace = "s",
         .owner = "a",
         .drop_stmt = "DROP OPERATOR CLASS s.c USING btree;"},
        {.desc = "DATABASE", .tag = "whatever", .owner = "a", .drop_stmt = "DROP DATABASE whatever;"},
        {.desc = "BLOB METADATA", .tag = "7..9", .owner = "b", .defn = "7\n9\n", .drop_stmt = "-- dummy"},
        {.desc = "ACL",
         .tag = "LARGE OBJECTS 7..9",
         .owner = "b",
         .defn = "GRANT SELECT ON LARGE OBJECT 7 TO c;",
         .dep = "6"},
        {.desc = "POLICY",
         .tag = "t p",
         .namespace = "s",
         .defn = "CREATE POLICY \"p 1\" ON s.t AS RESTRICTIVE FOR SELECT TO b, \"C\" USING ((x = 'TO d'::text));"},
        {.desc = "POLICY", .tag = "t q", .namespace = "s", .defn = "CREATE POLICY q ON s.t USING (true);"},
    };
    read_toc(entries, ARRAY_SIZE(entries));
    _cleanup_free_ char *canonical = own_canonical("s.f(a integer, VARIADIC b text[])");
    _cleanup_free_ char *function = xasprintf("FUNCTION %s", canonical);
    assert_string_equal(object_of("TABLE \"S\".\"odd \"\"t\"\"\"")->owner, "a");
    assert_string_equal(show_acl(&object_of(function)->acl), "PUBLIC:EXECUTE/a a:EXECUTE/a");
    object_of("OPERATOR s.<= (s.x, \"none\")");
    object_of("OPERATOR CLASS s.c \"using\" btree");
    object_of("DATABASE");
    assert_string_equal(show_acl(&object_of("LARGE OBJECT 9")->acl), "b:SELECT,UPDATE/b c:SELECT/b");
    assert_int_equal(object_of("POLICY \"p 1\" ON s.t")->n_roles, 2);
    assert_string_equal(object_of("POLICY \"p 1\" ON s.t")->roles[0], "C");
    assert_null(object_of("POLICY q ON s.t")->roles[0]);
}

static void test_grants(void **state)
{
    static const EntrySpec entries[] = {
        {.desc = "TABLE", .tag = "t", .namespace = "s", .owner = "a", .drop_stmt = "DROP TABLE s.t;"},
        {.desc = "ACL",
         .tag = "TABLE t",
         .namespace = "s",
         .owner = "a",
         .defn =
             "REVOKE ALL ON TABLE s.t FROM a;\nGRANT SELECT,INSERT ON TABLE s.t TO a;\nGRANT SELECT ON TABLE s.t TO "
             "b WITH GRANT OPTION;\nSET SESSION AUTHORIZATION b;\nGRANT SELECT ON TABLE s.t TO PUBLIC;\nRESET SESSION "
             "AUTHORIZATION;\n",
         .dep = "1"},
        {.desc = "ACL",
         .tag = "COLUMN t.c",
         .namespace = "s",
         .owner = "a",
         .defn = "GRANT SELECT(c),UPDATE(c) ON TABLE s.t TO d;",
         .dep = "1"},
        {.desc = "DEFAULT ACL",
         .tag = "DEFAULT PRIVILEGES FOR FUNCTIONS",
         .owner = "a",
         .defn = "ALTER DEFAULT PRIVILEGES FOR ROLE a REVOKE ALL ON FUNCTIONS FROM PUBLIC;"},
        {.desc = "DEFAULT ACL",
         .tag = "DEFAULT PRIVILEGES FOR TABLES",
         .namespace = "s",
         .owner = "a",
         .defn = "ALTER DEFAULT PRIVILEGES FOR ROLE a IN SCHEMA s GRANT SELECT ON TABLES  TO b;"},
    };
    read_toc(entries, ARRAY_SIZE(entries));
    assert_string_equal(show_acl(&object_of("TABLE s.t")->acl),
                        "PUBLIC:SELECT/b a:SELECT,INSERT/a b:SELECT*/a d(c):SELECT,UPDATE/a");
    assert_string_equal(show_acl(&own_default_acl(&state_, "a", NULL, "FUNCTIONS")->acl), "a:EXECUTE/a");
    assert_string_equal(show_acl(&own_default_acl(&state_, "a", "s", "TABLES")->acl), "b:SELECT/a");
}

/* An extension's and the server's own have no entry but that of their grants, which starts from what they came with. */
static void test_foreign(void **state)
{
    static const EntrySpec entries[] = {
        {.desc = "ACL",
         .tag = "FUNCTION m(integer)",
         .namespace = "s",
         .defn = "GRANT ALL ON FUNCTION s.m(integer) TO b;",
         .dep = "99"},
        {.desc = "ACL",
         .tag = "FUNCTION pg_sleep",
         .namespace = "pg_catalog",
         .defn = "REVOKE ALL ON FUNCTION pg_catalog.pg_sleep(double precision) FROM PUBLIC;"},
        {.desc = "ACL", .tag = "FUNCTION nowhere", .namespace = "s", .defn = "GRANT ALL ON FUNCTION s.nowhere() TO b;"},
    };
    _cleanup_free_ char *canonical = own_canonical("s.m(integer)");
    _cleanup_free_ char *key = xasprintf("FUNCTION %s", canonical);
    OwnObject *member = own_state_add(&live, OWN_FUNCTION, key);
    member->owner = own_name(names, "postgres");
    member->flags = OWN_MEMBER;
    member->base = acl_of("{postgres=X/postgres}");
    member->acl = acl_of("{}");
    read_toc(entries, ARRAY_SIZE(entries));
    assert_string_equal(show_acl(&object_of(key)->acl), "b:EXECUTE/postgres postgres:EXECUTE/postgres");
    assert_int_equal(state_.n, 2);
    assert_true(state_.v[1].flags & OWN_SYSTEM);
    assert_string_equal(state_.v[1].grant_sql, "pg_catalog.pg_sleep(double precision)");
    assert_string_equal(show_acl(&state_.v[1].acl), "postgres:EXECUTE/postgres");
    assert_string_equal(show_acl(&state_.v[1].base), "PUBLIC:EXECUTE/postgres postgres:EXECUTE/postgres");
}

/* An archive says nothing of a schema public that is as it came. */
static void test_public(void **state)
{
    static const EntrySpec entries[] = {{.desc = "ENCODING", .tag = "ENCODING"}};
    add(&live, OWN_SCHEMA, NULL, "public", "postgres", NULL);
    read_toc(entries, 1);
    assert_string_equal(object_of("SCHEMA public")->owner, "pg_database_owner");
    assert_string_equal(show_acl(&object_of("SCHEMA public")->acl),
                        "PUBLIC:USAGE/pg_database_owner pg_database_owner:USAGE,CREATE/pg_database_owner");
}

static void test_hostile(void **state)
{
    static const EntrySpec entries[] = {
        {.desc = "FUNCTION", .tag = "f", .namespace = "s", .owner = "a", .drop_stmt = "DROP FUNCTION \"unterminated"},
        {.desc = "FUNCTION", .tag = "f", .namespace = "s", .owner = "a"},
        {.desc = "TABLE", .tag = "t", .owner = "a"},
        {.desc = "POLICY", .defn = "CREATE POLICY"},
        {.desc = "POLICY", .defn = "CREATE POLICY p ON t"},
        {.desc = "POLICY"},
        {.desc = "BLOB METADATA", .owner = "a", .defn = "a b c"},
        {.desc = "DEFAULT ACL",
         .tag = "DEFAULT PRIVILEGES FOR WISHES",
         .owner = "a",
         .defn = "ALTER DEFAULT PRIVILEGES FOR ROLE a GRANT SELECT ON TABLES TO b;"},
        {.desc = "ACL", .owner = "a", .defn = "GRANT SELECT ON TABLE x TO b;", .dep = "77"},
    };
    read_toc(entries, ARRAY_SIZE(entries));
    assert_int_equal(state_.n, 1);
}

#define each(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        each(test_objects), each(test_grants), each(test_foreign), each(test_public), each(test_hostile),
    };
    return cmocka_run_group_tests(tests, make_names, free_names);
}
