#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "kura/mem.h"
#include "kura/pgtools.h"

static void write_script(const char *dir, const char *name, const char *text)
{
    _cleanup_free_ char *path = xasprintf("%s/%s", dir, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "#!/bin/sh\n%s\n", text);
    fclose(file);
    chmod(path, 0755);
}

static void remove_tools(const char *dir)
{
    _cleanup_free_ char *dump = xasprintf("%s/pg_dump", dir);
    _cleanup_free_ char *restore = xasprintf("%s/pg_restore", dir);
    unlink(dump);
    unlink(restore);
    rmdir(dir);
}

static void test_installed(void **state)
{
    PgTools tools;
    Error err = ERROR_INIT;
    if (pgtools_find(NULL, 13, &tools, &err) < 0)
        fail_msg("%s", err.message);
    assert_true(tools.major >= 13);
    assert_int_equal(tools.major, atoi(tools.version));
    assert_int_equal(access(tools.pg_dump, X_OK), 0);
    assert_int_equal(access(tools.pg_restore, X_OK), 0);
    int major = tools.major;
    pgtools_done(&tools);
    assert_int_equal(pgtools_find(NULL, major, &tools, &err), 0);
    assert_int_equal(tools.major, major);
    pgtools_done(&tools);
}

static void test_too_old(void **state)
{
    PgTools tools;
    Error err = ERROR_INIT;
    assert_int_equal(pgtools_find(NULL, 99, &tools, &err), -1);
    assert_int_equal(err.code, ERR_TOOL);
    assert_non_null(strstr(err.message, "version 99 or later"));
    assert_non_null(strstr(err.message, "found: 1"));
    assert_non_null(strstr(err.hint, "postgresql-client-99"));
}

static void test_only_the_option(void **state)
{
    PgTools tools;
    Error err = ERROR_INIT;
    char dir[] = "/tmp/kura-tools-XXXXXX";
    assert_non_null(mkdtemp(dir));
    assert_int_equal(pgtools_find(dir, 13, &tools, &err), -1);
    assert_non_null(strstr(err.message, dir));
    assert_non_null(strstr(err.message, "found: none"));
    write_script(dir, "pg_dump", "echo 'pg_dump (PostgreSQL) 17beta1 (Debian 17~beta1)'; echo more");
    assert_int_equal(pgtools_find(dir, 13, &tools, &err), -1);
    write_script(dir, "pg_restore", "exit 0");
    assert_int_equal(pgtools_find(dir, 13, &tools, &err), 0);
    assert_int_equal(tools.major, 17);
    assert_string_equal(tools.version, "17beta1");
    assert_string_equal(tools.bindir, dir);
    pgtools_done(&tools);
    assert_int_equal(pgtools_find(dir, 18, &tools, &err), -1);
    assert_non_null(strstr(err.message, "found: 17beta1 in /tmp/kura-tools-"));
    write_script(dir, "pg_dump", "echo 'pg_dump: no'");
    assert_int_equal(pgtools_find(dir, 13, &tools, &err), -1);
    write_script(dir, "pg_dump", "exit 3");
    assert_int_equal(pgtools_find(dir, 13, &tools, &err), -1);
    remove_tools(dir);
}

static void test_lowest_in_path(void **state)
{
    PgTools tools;
    Error err = ERROR_INIT;
    char high[] = "/tmp/kura-tools-XXXXXX", low[] = "/tmp/kura-tools-XXXXXX";
    assert_non_null(mkdtemp(high));
    assert_non_null(mkdtemp(low));
    write_script(high, "pg_dump", "echo 'pg_dump (PostgreSQL) 92.1'");
    write_script(high, "pg_restore", "exit 0");
    write_script(low, "pg_dump", "echo 'pg_dump (PostgreSQL) 91.4'");
    write_script(low, "pg_restore", "exit 0");
    _cleanup_free_ char *old = xstrdup(getenv("PATH"));
    _cleanup_free_ char *path = xasprintf("%s:.::%s:%s", high, low, old);
    setenv("PATH", path, 1);
    assert_int_equal(pgtools_find(NULL, 90, &tools, &err), 0);
    assert_int_equal(tools.major, 91);
    pgtools_done(&tools);
    assert_int_equal(pgtools_find(NULL, 92, &tools, &err), 0);
    assert_string_equal(tools.bindir, high);
    pgtools_done(&tools);
    setenv("PATH", old, 1);
    remove_tools(high);
    remove_tools(low);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_installed),
        cmocka_unit_test(test_too_old),
        cmocka_unit_test(test_only_the_option),
        cmocka_unit_test(test_lowest_in_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
