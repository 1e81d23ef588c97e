/* What older servers do not know is found in the SQL, and not in names, strings and comments that look alike. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kura/mem.h"
#include "kura/newsql.h"

static void check(const char *desc, const char *defn, int major, const char *what)
{
    TocEntry entry = {.desc = desc, .tag = "t", .defn = defn};
    Toc toc = {.entries = &entry, .n_entries = 1};
    NewSqls list;
    Error err = ERROR_INIT;
    assert_int_equal(newsql_find(&toc, major, &list, &err), 0);
    if (what == NULL) {
        assert_int_equal(list.n, 0);
    } else {
        assert_int_equal(list.n, 1);
        assert_int_equal(list.v[0].n, 1);
        assert_true(list.v[0].since > major);
        assert_non_null(strstr(list.v[0].what, what));
        assert_ptr_equal(list.v[0].first, &entry);
    }
    newsqls_done(&list);
}

/* Found before `since`, and no more from it on. */
static void since(int major, const char *desc, const char *defn, const char *what)
{
    check(desc, defn, major - 1, what);
    check(desc, defn, major, NULL);
}

static void test_found(void **state)
{
    since(14, "TYPE", "CREATE TYPE s AS RANGE (\n subtype = integer,\n multirange_type_name = public.m\n);",
          "multirange");
    since(14, "PROCEDURE", "CREATE PROCEDURE p(IN a integer, OUT b integer) LANGUAGE sql AS 'x';", "OUT");
    since(14, "STATISTICS", "CREATE STATISTICS s ON (a + b), c FROM t;", "expressions");
    since(14, "FUNCTION", "CREATE FUNCTION f() RETURNS integer BEGIN ATOMIC SELECT 1; END;", "body in SQL");
    since(15, "CONSTRAINT", "ALTER TABLE ONLY t ADD CONSTRAINT k UNIQUE NULLS NOT DISTINCT (a);", "NULLS NOT DISTINCT");
    since(15, "FK CONSTRAINT", "ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES u(a) ON DELETE SET NULL (a);",
          "SET NULL");
    since(15, "PUBLICATION TABLE", "ALTER PUBLICATION p ADD TABLE ONLY t WHERE ((a > 1));", "rows or columns");
    since(15, "PUBLICATION TABLES IN SCHEMA", "ALTER PUBLICATION p ADD TABLES IN SCHEMA s;", "whole schemas");
    since(15, "DATABASE", "CREATE DATABASE d WITH LOCALE_PROVIDER = icu ICU_LOCALE = 'und';", "ICU");
    since(16, "VIEW", "CREATE VIEW v AS SELECT (a IS JSON) FROM t;", "IS JSON");
    since(17, "VIEW", "CREATE VIEW v AS SELECT x FROM JSON_TABLE('[1]', '$' COLUMNS (x int));", "JSON_TABLE");
    since(17, "ACL", "GRANT SELECT,MAINTAIN ON TABLE t TO r;", "MAINTAIN");
    since(17, "EVENT TRIGGER", "CREATE EVENT TRIGGER e ON login EXECUTE FUNCTION f();", "login");
    since(18, "TABLE", "CREATE TABLE t (a integer, b integer GENERATED ALWAYS AS ((a * (2))));", "virtual");
    since(18, "FK CONSTRAINT",
          "ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (id, PERIOD at) REFERENCES u(id, PERIOD at);", "temporal");
    since(18, "CHECK CONSTRAINT", "ALTER TABLE t ADD CONSTRAINT c CHECK ((a > 0)) NOT ENFORCED;", "NOT ENFORCED");
    since(18, "CONSTRAINT", "ALTER TABLE t ADD CONSTRAINT n NOT NULL a NOT VALID;", "NOT NULL");
    since(18, "STATISTICS DATA", NULL, "statistics");
}

static void test_not_found(void **state)
{
    check("TABLE", "CREATE TABLE t (a integer, b integer GENERATED ALWAYS AS ((a * (2))) STORED);", 13, NULL);
    check("TABLE", "CREATE TABLE t (a integer GENERATED ALWAYS AS IDENTITY);", 13, NULL);
    check("TABLE", "CREATE TABLE t (period integer, \"not enforced\" text DEFAULT 'NOT ENFORCED' NOT NULL);", 13, NULL);
    check("FK CONSTRAINT",
          "ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (a, period) REFERENCES u(a, period) ON DELETE "
          "SET NULL;",
          13, NULL);
    check("INDEX", "CREATE INDEX i ON t (a) /* NULLS NOT DISTINCT */;", 13, NULL);
    check("VIEW", "CREATE VIEW v AS SELECT \"json_table\"(a) FROM t;", 13, NULL);
    check("PUBLICATION TABLE", "ALTER PUBLICATION p ADD TABLE ONLY \"(\";", 13, NULL);
    check("STATISTICS", "CREATE STATISTICS s ON a, b FROM t;", 13, NULL);
    check("DATABASE", "CREATE DATABASE d WITH LOCALE_PROVIDER = libc LOCALE = 'C';", 13, NULL);
    check("ACL", "GRANT SELECT ON TABLE t TO \"maintain\";", 13, NULL);
}

static void test_counts(void **state)
{
    TocEntry entries[] = {
        {.desc = "INDEX", .tag = "one", .defn = "CREATE UNIQUE INDEX one ON t (a) NULLS NOT DISTINCT;"},
        {.desc = "CONSTRAINT", .tag = "two", .defn = "ALTER TABLE t ADD UNIQUE NULLS NOT DISTINCT (b);"},
        {.desc = "PROCEDURE", .tag = "p", .defn = "CREATE PROCEDURE p(OUT a int, OUT b int) BEGIN ATOMIC END;"},
        {.tag = "no type"},
    };
    Toc toc = {.entries = entries, .n_entries = ARRAY_SIZE(entries)};
    NewSqls list;
    Error err = ERROR_INIT;
    assert_int_equal(newsql_find(&toc, 13, &list, &err), 0);
    assert_int_equal(list.n, 3);
    assert_int_equal(list.v[0].n, 2);
    assert_ptr_equal(list.v[0].first, &entries[0]);
    assert_int_equal(list.v[1].n, 1);
    assert_int_equal(list.v[2].n, 1);
    newsqls_done(&list);
}

static void test_broken(void **state)
{
    TocEntry entry = {.desc = "VIEW", .tag = "v", .defn = "CREATE VIEW v AS SELECT 'open"};
    Toc toc = {.entries = &entry, .n_entries = 1};
    NewSqls list;
    Error err = ERROR_INIT;
    assert_int_equal(newsql_find(&toc, 13, &list, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
}

static void test_roles(void **state)
{
    assert_int_equal(newsql_role_since("pg_maintain"), 17);
    assert_int_equal(newsql_role_since("pg_database_owner"), 14);
    assert_int_equal(newsql_role_since("pg_monitor"), 0);
    assert_int_equal(newsql_role_since("misskey"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found),  cmocka_unit_test(test_not_found), cmocka_unit_test(test_counts),
        cmocka_unit_test(test_broken), cmocka_unit_test(test_roles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
