#include "fixture.h"

#include "kura/clock.h"

static Findings findings = FINDINGS_INIT;

static size_t probe_as(PgConn *from, const char *role)
{
    size_t probed = 0;
    Error err = ERROR_INIT;
    findings_done(&findings);
    findings = (Findings)FINDINGS_INIT;
    assert_ok(catalog_probe(from, role, &probed, &findings, &err), err);
    assert_int_equal(PQtransactionStatus(pg_raw(from)), PQTRANS_IDLE);
    return probed;
}

static size_t probe(void)
{
    return probe_as(conn, "app");
}

static void assert_clean(void)
{
    probe();
    show(&findings);
    assert_int_equal(findings.n, 0);
}

static void test_good(void **state)
{
    run_sql("CREATE ROLE app LOGIN; CREATE ROLE other; ALTER DATABASE app OWNER TO app; "
            "CREATE SCHEMA main AUTHORIZATION app; SET ROLE app; "
            "CREATE TABLE main.note (id serial, secret text); CREATE TABLE main.ident (id int GENERATED ALWAYS AS "
            "IDENTITY); CREATE VIEW main.notes AS SELECT * FROM main.note; "
            "CREATE MATERIALIZED VIEW main.mat AS SELECT count(*) FROM main.note; "
            "CREATE TABLE main.forced (a int); ALTER TABLE main.forced ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL "
            "SECURITY; CREATE TABLE main.\"Odd \"\"one\" (); "
            "CREATE TABLE main.parts (a int) PARTITION BY LIST (a); "
            "CREATE TABLE main.part PARTITION OF main.parts FOR VALUES IN (1); RESET ROLE; "
            "CREATE EXTENSION pg_trgm SCHEMA main");
    assert_int_equal(probe(), 10);
    assert_clean();
    char *role;
    Error err = ERROR_INIT;
    assert_ok(pg_query_value(conn, "SELECT current_user", 0, NULL, &role, &err), err);
    assert_string_equal(role, "postgres");
    free(role);
}

/* Under the settings of a backup's session too: row_security = off makes FORCE ROW LEVEL SECURITY an error. */
static void test_after_session_setup(void **state)
{
    Error err = ERROR_INIT;
    assert_ok(catalog_session_setup(conn, &err), err);
    assert_clean();
}

static void test_as_the_role_itself(void **state)
{
    PgConn *self = connect_as("app", "app");
    assert_int_equal(probe_as(self, "app"), 10);
    assert_int_equal(findings.n, 0);
    size_t probed;
    Error err = ERROR_INIT;
    assert_int_equal(catalog_probe(self, "postgres", &probed, &findings, &err), -1);
    assert_non_null(strstr(err.message, "role \"postgres\""));
    assert_non_null(strstr(err.hint, "superuser"));
    assert_int_equal(PQtransactionStatus(pg_raw(self)), PQTRANS_IDLE);
    pg_close(self);
    assert_int_equal(catalog_probe(conn, "no such role", &probed, &findings, &err), -1);
}

static void test_everything_is_postgres(void **state)
{
    run_sql("CREATE ROLE stranger LOGIN");
    assert_int_equal(probe_as(conn, "stranger"), 0);
    assert_found(&findings, FINDING_ERROR, "probe-nothing", "role \"stranger\" owns no table");
}

static void test_missing_grants(void **state)
{
    run_sql("CREATE TABLE main.foreign_one (a int); CREATE SEQUENCE main.own_seq; "
            "CREATE TABLE main.shared (id int DEFAULT nextval('main.own_seq')); GRANT SELECT, INSERT ON main.shared TO "
            "app; "
            "REVOKE UPDATE ON main.note FROM app; CREATE SCHEMA closed; CREATE TABLE closed.t (a int); "
            "GRANT SELECT ON closed.t TO app; REVOKE CREATE ON SCHEMA main FROM app; "
            "CREATE TABLE main.columns (a int, b int); GRANT SELECT (a) ON main.columns TO app");
    probe();
    assert_found(&findings, FINDING_WARNING, "probe-not-granted", "\"main.foreign_one\" belongs to \"postgres\"");
    assert_found(&findings, FINDING_ERROR, "probe-sequence", "\"main.own_seq\"");
    assert_found(&findings, FINDING_ERROR, "probe-privilege", "\"main.note\" but lacks UPDATE");
    assert_found(&findings, FINDING_ERROR, "probe-usage", "\"closed.t\"");
    assert_found(&findings, FINDING_ERROR, "probe-schema", "lacks CREATE on schema \"main\"");
    assert_null(find(&findings, "probe-select", ""));
    run_sql("DROP TABLE main.foreign_one, main.shared, main.columns; DROP SEQUENCE main.own_seq; "
            "GRANT UPDATE ON main.note TO app; DROP SCHEMA closed CASCADE; GRANT CREATE ON SCHEMA main TO app");
    assert_clean();
}

static void test_view_without_access(void **state)
{
    run_sql(
        "CREATE TABLE main.base (a int); ALTER TABLE main.base OWNER TO other; GRANT SELECT ON main.base TO app; "
        "SET ROLE app; CREATE VIEW main.v AS SELECT * FROM main.base; RESET ROLE; REVOKE SELECT ON main.base FROM app");
    probe();
    assert_found(&findings, FINDING_ERROR, "probe-select",
                 "SELECT from \"main.v\" as role \"app\" fails: permission denied");
    run_sql("DROP TABLE main.base CASCADE");
    assert_clean();
}

static void test_database(void **state)
{
    run_sql("ALTER DATABASE app OWNER TO postgres; REVOKE ALL ON DATABASE app FROM PUBLIC, app");
    probe();
    assert_found(&findings, FINDING_ERROR, "probe-connect", "may not connect to database \"app\"");
    run_sql("GRANT CONNECT ON DATABASE app TO PUBLIC");
    assert_clean();
}

static void test_security_definer(void **state)
{
    run_sql(
        "CREATE FUNCTION main.power(int) RETURNS text SECURITY DEFINER LANGUAGE sql AS 'SELECT current_user::text'");
    probe();
    assert_found(&findings, FINDING_ERROR, "security-definer", "function main.power(integer) is SECURITY DEFINER");
    run_sql("REVOKE EXECUTE ON FUNCTION main.power FROM PUBLIC");
    assert_clean();
    run_sql("DROP FUNCTION main.power");
}

static void test_superuser_proves_nothing(void **state)
{
    probe_as(conn, "postgres");
    assert_found(&findings, FINDING_WARNING, "probe-superuser", "proves nothing");
}

/* Thousands of tables: neither the lock table nor the findings overflow. */
static void test_many(void **state)
{
    run_sql("SET ROLE app");
    make_tables("main", "many ", 3000);
    run_sql("RESET ROLE");
    double before = clock_monotonic();
    assert_int_equal(probe(), 3010);
    assert_int_equal(findings.n, 0);
    assert_true(clock_monotonic() - before < 30);
    run_sql("REVOKE USAGE ON SCHEMA main FROM app; ALTER SCHEMA main OWNER TO postgres");
    probe();
    assert_found(&findings, FINDING_ERROR, "probe-usage", "and 2990 more of the kind");
}

static int stop_all(void **state)
{
    findings_done(&findings);
    return stop_cluster(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_after_session_setup),
        cmocka_unit_test(test_as_the_role_itself),
        cmocka_unit_test(test_everything_is_postgres),
        cmocka_unit_test(test_missing_grants),
        cmocka_unit_test(test_view_without_access),
        cmocka_unit_test(test_database),
        cmocka_unit_test(test_security_definer),
        cmocka_unit_test(test_superuser_proves_nothing),
        cmocka_unit_test(test_many),
    };
    return cmocka_run_group_tests(tests, start_cluster, stop_all);
}
