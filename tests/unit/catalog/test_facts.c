#include "fixture.h"

static DbFacts facts;

static void read_facts(PgConn *from)
{
    Error err = ERROR_INIT;
    dbfacts_done(&facts);
    facts = (DbFacts){0};
    assert_ok(catalog_facts(from, &facts, &err), err);
}

static const DbRole *role(const char *name)
{
    return dbfacts_role(&facts, name);
}

static bool has_grant(const char *grantor, const char *grantee, const char *privilege, bool grantable)
{
    for (size_t i = 0; i < facts.n_grants; i++) {
        const DbGrant *grant = &facts.grants[i];
        bool to = grantee ? grant->grantee && strcmp(grant->grantee, grantee) == 0 : grant->grantee == NULL;
        if (to && strcmp(grant->grantor, grantor) == 0 && strcmp(grant->privilege, privilege) == 0)
            return grant->grantable == grantable;
    }
    return false;
}

static bool has_setting(const char *of, const char *name, const char *value)
{
    for (size_t i = 0; i < facts.n_settings; i++) {
        const DbSetting *setting = &facts.settings[i];
        bool whose = of ? setting->role && strcmp(setting->role, of) == 0 : setting->role == NULL;
        if (whose && strcmp(setting->name, name) == 0 && strcmp(setting->value, value) == 0)
            return true;
    }
    return false;
}

static void test_fresh(void **state)
{
    read_facts(conn);
    assert_string_equal(facts.name, "app");
    assert_string_equal(facts.owner, "postgres");
    assert_string_equal(facts.encoding, "UTF8");
    assert_string_equal(facts.locale_provider, "libc");
    assert_string_equal(facts.collate, "C.UTF-8");
    assert_string_equal(facts.ctype, "C.UTF-8");
    assert_null(facts.icu_locale);
    assert_string_equal(facts.tablespace, "pg_default");
    assert_int_equal(facts.connection_limit, -1);
    assert_null(facts.comment);
    assert_true(facts.acl_default);
    assert_int_equal(facts.n_grants, 0);
    assert_false(facts.standby);
    assert_int_equal(facts.server_version_num, pg_server_version(conn));
    assert_int_equal(atoi(facts.server_version), facts.server_version_num / 10000);
    assert_true(strlen(facts.system_identifier) >= 18);
    assert_true(facts.size_bytes > 1000000);
    assert_int_equal(facts.n_extensions, 1);
    assert_string_equal(facts.extensions[0].name, "plpgsql");
    assert_string_equal(facts.extensions[0].schema, "pg_catalog");
    assert_int_equal(facts.n_roles, 1);
    assert_true(facts.roles[0].bootstrap);
    assert_true(facts.roles[0].superuser);
}

static void make_roles(void)
{
    run_sql("CREATE ROLE owner_role LOGIN CREATEDB CONNECTION LIMIT 5 PASSWORD 'secret'; "
            "CREATE ROLE \"Grantee = x\" NOINHERIT; CREATE ROLE top_group; CREATE ROLE mid_group IN ROLE top_group; "
            "CREATE ROLE defaults_for; CREATE ROLE defaults_to; CREATE ROLE policy_role; CREATE ROLE set_here; "
            "CREATE ROLE db_grantee; CREATE ROLE column_grantee; CREATE ROLE elsewhere; CREATE ROLE mapped; "
            "CREATE ROLE bystander; GRANT mid_group, pg_monitor TO owner_role");
}

static void use_roles(void)
{
    run_sql("ALTER ROLE owner_role SET work_mem = '7MB'; ALTER ROLE owner_role SET search_path = 'a', 'b=c'; "
            "ALTER ROLE set_here IN DATABASE app SET statement_timeout = '5s'; "
            "ALTER ROLE elsewhere IN DATABASE postgres SET statement_timeout = '5s'; "
            "ALTER DATABASE app SET search_path = 'x=y', public; "
            "CREATE TABLE public.t (a int, b int); ALTER TABLE public.t OWNER TO owner_role; "
            "GRANT SELECT ON public.t TO \"Grantee = x\"; GRANT SELECT (a) ON public.t TO column_grantee; "
            "ALTER DEFAULT PRIVILEGES FOR ROLE defaults_for GRANT SELECT ON TABLES TO defaults_to; "
            "CREATE POLICY p ON public.t TO policy_role USING (true); "
            "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; "
            "CREATE USER MAPPING FOR mapped SERVER s; "
            "ALTER DATABASE app OWNER TO owner_role; REVOKE ALL ON DATABASE app FROM PUBLIC; "
            "GRANT CONNECT ON DATABASE app TO db_grantee WITH GRANT OPTION; GRANT TEMP ON DATABASE app TO PUBLIC; "
            "ALTER DATABASE app CONNECTION LIMIT 99; COMMENT ON DATABASE app IS 'it''s mine'");
}

static void check_all(void)
{
    assert_string_equal(facts.owner, "owner_role");
    assert_int_equal(facts.connection_limit, 99);
    assert_string_equal(facts.comment, "it's mine");
    assert_false(facts.acl_default);
    assert_true(has_grant("owner_role", "db_grantee", "CONNECT", true));
    assert_true(has_grant("owner_role", NULL, "TEMPORARY", false));
    assert_true(has_grant("owner_role", "owner_role", "CREATE", false));
    assert_true(has_setting(NULL, "search_path", "\"x=y\", public"));
    assert_true(has_setting("set_here", "statement_timeout", "5s"));
    assert_int_equal(facts.n_settings, 2);
    static const char *const wanted[] = {"owner_role",   "Grantee = x", "top_group",      "mid_group",
                                         "defaults_for", "defaults_to", "policy_role",    "set_here",
                                         "db_grantee",   "mapped",      "column_grantee", "postgres"};
    for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
        if (role(wanted[i]) == NULL)
            fail_msg("role %s is missing", wanted[i]);
    assert_int_equal(facts.n_roles, ARRAY_SIZE(wanted));
    const DbRole *owner = role("owner_role");
    assert_true(owner->login && owner->createdb && owner->inherit);
    assert_false(owner->superuser || owner->createrole || owner->bootstrap);
    assert_int_equal(owner->connection_limit, 5);
    assert_int_equal(owner->member_of.n, 2);
    assert_true(strvec_contains(&owner->member_of, "mid_group"));
    assert_true(strvec_contains(&owner->member_of, "pg_monitor"));
    assert_int_equal(owner->settings.n, 2);
    assert_true(strvec_contains(&owner->settings, "work_mem=7MB"));
    assert_true(strvec_contains(&owner->settings, "search_path=a, \"b=c\""));
    assert_true(strvec_contains(&role("mid_group")->member_of, "top_group"));
    assert_false(role("Grantee = x")->inherit);
}

static void test_full(void **state)
{
    make_roles();
    use_roles();
    read_facts(conn);
    check_all();
}

/* All of it may be read by anybody who may connect. */
static void test_as_an_ordinary_role(void **state)
{
    PgConn *owner = connect_as("app", "owner_role");
    read_facts(owner);
    check_all();
    pg_close(owner);
}

static void test_locale_providers(void **state)
{
    PgConn *other;
    if (pg_server_version(conn) >= 150000) {
        run_sql("CREATE DATABASE icu_db TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'de-DE'");
        other = connect_as("icu_db", "postgres");
        read_facts(other);
        assert_string_equal(facts.locale_provider, "icu");
        assert_string_equal(facts.icu_locale, "de-DE");
        assert_non_null(facts.collation_version);
        pg_close(other);
    }
    if (pg_server_version(conn) >= 170000) {
        run_sql("CREATE DATABASE builtin_db TEMPLATE template0 LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'");
        other = connect_as("builtin_db", "postgres");
        read_facts(other);
        assert_string_equal(facts.locale_provider, "builtin");
        assert_string_equal(facts.icu_locale, "C.UTF-8");
        pg_close(other);
    }
}

static int stop_all(void **state)
{
    dbfacts_done(&facts);
    return stop_cluster(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fresh),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_as_an_ordinary_role),
        cmocka_unit_test(test_locale_providers),
    };
    return cmocka_run_group_tests(tests, start_cluster, stop_all);
}
