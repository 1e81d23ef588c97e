#include "fixture.h"

#include "kura/clock.h"

static CatalogTables tables;

static void list_tables(PgConn *from)
{
    Error err = ERROR_INIT;
    catalog_tables_done(&tables);
    assert_ok(catalog_tables(from, &tables, &err), err);
}

static const CatalogTable *table(const char *schema, const char *name)
{
    for (size_t i = 0; i < tables.n; i++)
        if (strcmp(tables.v[i].schema, schema) == 0 && strcmp(tables.v[i].name, name) == 0)
            return &tables.v[i];
    return NULL;
}

static void assert_setting(const char *name, const char *wanted)
{
    char *value;
    Error err = ERROR_INIT;
    const char *params[] = {name};
    assert_ok(pg_query_value(conn, "SELECT current_setting($1)", 1, params, &value, &err), err);
    assert_string_equal(value, wanted);
    free(value);
}

static void test_session(void **state)
{
    Error err = ERROR_INIT;
    run_sql("SET TimeZone = 'Asia/Tokyo'; SET quote_all_identifiers = on; SET statement_timeout = '1h'");
    assert_ok(catalog_session_setup(conn, &err), err);
    assert_setting("search_path", "");
    assert_setting("TimeZone", "UTC");
    assert_setting("DateStyle", "ISO, MDY");
    assert_setting("IntervalStyle", "postgres");
    assert_setting("extra_float_digits", "3");
    assert_setting("synchronize_seqscans", "off");
    assert_setting("statement_timeout", "0");
    assert_setting("idle_in_transaction_session_timeout", "0");
    assert_setting("row_security", "off");
    assert_setting("bytea_output", "hex");
    assert_setting("lc_monetary", "C");
    assert_setting("quote_all_identifiers", "off");
    if (pg_server_version(conn) >= 170000) {
        assert_setting("transaction_timeout", "0");
        assert_setting("restrict_nonsystem_relation_kind", "view, foreign-table");
    }
}

static void test_preflight(void **state)
{
    Error err = ERROR_INIT;
    Findings findings = FINDINGS_INIT;
    assert_ok(catalog_preflight(conn, 10, &findings, &err), err);
    assert_int_equal(findings.n, 0);
    findings_done(&findings);
}

static void test_kinds(void **state)
{
    run_sql("CREATE SCHEMA \"Odd \"\"schema\"; CREATE TABLE \"Odd \"\"schema\".\"t.\"\"able\" (a int); "
            "CREATE UNLOGGED TABLE public.fast (a int); CREATE MATERIALIZED VIEW public.mat AS SELECT 1 AS a; "
            "CREATE VIEW public.plain_view AS SELECT 1 AS a; CREATE SEQUENCE public.seq; "
            "CREATE TEMP TABLE passing (a int); CREATE TABLE public.pg_like (a int)");
    list_tables(conn);
    const CatalogTable *odd = table("Odd \"schema", "t.\"able");
    assert_non_null(odd);
    assert_int_equal(odd->relkind, 'r');
    assert_int_equal(odd->persistence, 'p');
    assert_true(odd->readable);
    assert_false(odd->row_security);
    assert_null(odd->extension);
    assert_null(odd->root_name);
    assert_string_equal(odd->access_method, "heap");
    assert_ptr_equal(catalog_tables_find(&tables, odd->oid), odd);
    assert_null(catalog_tables_find(&tables, 1259));
    assert_int_equal(table("public", "fast")->persistence, 'u');
    assert_int_equal(table("public", "mat")->relkind, 'm');
    assert_non_null(table("public", "pg_like"));
    assert_null(table("public", "plain_view"));
    assert_null(table("public", "seq"));
    for (size_t i = 0; i < tables.n; i++) {
        assert_string_not_equal(tables.v[i].name, "passing");
        assert_string_not_equal(tables.v[i].schema, "pg_catalog");
        assert_true(i == 0 || tables.v[i - 1].oid < tables.v[i].oid);
    }
}

static void test_partitions(void **state)
{
    run_sql("CREATE TABLE public.top (a int, b int) PARTITION BY RANGE (a); "
            "CREATE TABLE public.mid PARTITION OF public.top FOR VALUES FROM (0) TO (10) PARTITION BY RANGE (b); "
            "CREATE TABLE public.leaf PARTITION OF public.mid FOR VALUES FROM (0) TO (10); "
            "CREATE TABLE public.parent (a int); CREATE TABLE public.child () INHERITS (public.parent)");
    list_tables(conn);
    assert_int_equal(table("public", "top")->relkind, 'p');
    const CatalogTable *leaf = table("public", "leaf");
    assert_int_equal(leaf->relkind, 'r');
    assert_string_equal(leaf->root_schema, "public");
    assert_string_equal(leaf->root_name, "top");
    assert_null(table("public", "child")->root_name);
}

static void test_sizes(void **state)
{
    run_sql(
        "CREATE TABLE public.sized (a int, b text); "
        "INSERT INTO public.sized SELECT g, (SELECT string_agg(md5(random()::text), '') FROM generate_series(1, 500) "
        "WHERE g > 0) FROM generate_series(1, 100) g");
    list_tables(conn);
    const CatalogTable *sized = table("public", "sized");
    assert_true(sized->blocks >= 1);
    assert_true(sized->bytes > sized->blocks * 8192 + 100 * 10000);
}

/* A table that somebody rewrites must not make the listing wait. */
static void test_busy_table(void **state)
{
    PgConn *other = another();
    run_in(other, "BEGIN; LOCK TABLE public.sized IN ACCESS EXCLUSIVE MODE");
    pg_set_deadline(conn, 10);
    list_tables(conn);
    pg_set_deadline(conn, 0);
    assert_non_null(table("public", "sized"));
    pg_close(other);
}

static void test_readable(void **state)
{
    run_sql("DROP ROLE IF EXISTS reader; CREATE ROLE reader LOGIN; CREATE TABLE public.open_table (a int); "
            "CREATE TABLE public.closed (a int); CREATE SCHEMA shut; CREATE TABLE shut.granted (a int); "
            "CREATE TABLE public.policed (a int); ALTER TABLE public.policed ENABLE ROW LEVEL SECURITY; "
            "GRANT SELECT ON public.open_table, public.policed, shut.granted TO reader");
    PgConn *reader = connect_as("app", "reader");
    list_tables(reader);
    assert_true(table("public", "open_table")->readable);
    assert_false(table("public", "open_table")->row_security);
    assert_false(table("public", "closed")->readable);
    assert_false(table("shut", "granted")->readable);
    assert_true(table("public", "policed")->readable);
    assert_true(table("public", "policed")->row_security);
    list_tables(conn);
    assert_true(table("public", "closed")->readable);
    assert_false(table("public", "policed")->row_security);
    pg_close(reader);
}

/* An extension of our own making needs files in the server's directories; adding members by hand needs none. */
static void test_extension_members(void **state)
{
    run_sql("CREATE EXTENSION pg_trgm SCHEMA public; CREATE TABLE public.conf (a int, b bool); "
            "CREATE TABLE public.inner_table (a int); CREATE TABLE public.all_conf (a int); "
            "ALTER EXTENSION pg_trgm ADD TABLE public.conf; ALTER EXTENSION pg_trgm ADD TABLE public.inner_table; "
            "ALTER EXTENSION pg_trgm ADD TABLE public.all_conf; "
            "UPDATE pg_catalog.pg_extension SET extconfig = ARRAY['public.conf'::regclass::oid, "
            "'public.all_conf'::regclass::oid], extcondition = ARRAY['WHERE NOT b', ''] WHERE extname = 'pg_trgm'");
    list_tables(conn);
    const CatalogTable *conf = table("public", "conf");
    assert_string_equal(conf->extension, "pg_trgm");
    assert_true(conf->config);
    assert_string_equal(conf->condition, "WHERE NOT b");
    assert_true(table("public", "all_conf")->config);
    assert_null(table("public", "all_conf")->condition);
    assert_null(table("public", "inner_table"));
}

static void test_many(void **state)
{
    make_tables("public", "many ", 2000);
    double before = clock_monotonic();
    list_tables(conn);
    assert_true(tables.n > 2000);
    assert_true(clock_monotonic() - before < 20);
}

static int stop_all(void **state)
{
    catalog_tables_done(&tables);
    return stop_cluster(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_session),  cmocka_unit_test(test_preflight),         cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_sizes),    cmocka_unit_test(test_partitions),        cmocka_unit_test(test_busy_table),
        cmocka_unit_test(test_readable), cmocka_unit_test(test_extension_members), cmocka_unit_test(test_many),
    };
    return cmocka_run_group_tests(tests, start_cluster, stop_all);
}
