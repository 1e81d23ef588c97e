/* postgresql.conf as the server reads it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
/* cmocka needs what stands above */
#include <cmocka.h>

#include "kura/fdio.h"
#include "kura/mem.h"
#include "pgconf.h"

static char root[] = "/tmp/kura-pgconf-XXXXXX";
static DoctorScene scene = {.root = root};

static void put(const char *path, const char *text)
{
    Error err = ERROR_INIT;
    _cleanup_free_ char *here = host_path(&scene, path);
    for (char *slash = here + strlen(root); (slash = strchr(slash + 1, '/')) != NULL;) {
        *slash = 0;
        mkdir(here, 0700);
        *slash = '/';
    }
    if (file_put(here, text, strlen(text), 0600, &err) < 0)
        fail_msg("%s", err.message);
}

static int set_up(void **state)
{
    return mkdtemp(root) ? 0 : -1;
}

static int tear_down(void **state)
{
    _cleanup_free_ char *command = xasprintf("rm -rf %s", root);
    return system(command);
}

static void assert_reads(const char *text, const char *name, const char *value)
{
    Error err = ERROR_INIT;
    _cleanup_(pgconf_done) PgConf conf = {0};
    put("/etc/postgresql.conf", text);
    if (pgconf_read(&scene, "/etc/postgresql.conf", &conf, &err) < 0)
        fail_msg("%s", err.message);
    if (value == NULL)
        assert_null(pgconf_get(&conf, name));
    else
        assert_string_equal(pgconf_get(&conf, name), value);
}

static void test_lines(void **state)
{
    assert_reads("port = 5433", "port", "5433");
    assert_reads("  PORT 5434\t# a comment\n", "port", "5434");
    assert_reads("#port = 1\nport=5435\nport = 5436\r\n", "port", "5436");
    assert_reads("data_directory = '/srv/it''s #1 \\'here\\''  # so\n", "data_directory", "/srv/it's #1 'here'");
    assert_reads("unix_socket_directories = ''", "unix_socket_directories", "");
    assert_reads("port = '54", "port", "54");
    assert_reads("portal = 1\n\n=\n'", "port", NULL);
    assert_reads("", "port", NULL);
}

static void test_includes(void **state)
{
    put("/etc/conf.d/10-port.conf", "port = 10\n");
    put("/etc/conf.d/20-port.conf", "port = 20\n");
    put("/etc/conf.d/.30-port.conf", "port = 30\n");
    put("/etc/conf.d/40-port.txt", "port = 40\n");
    assert_reads("port = 1\ninclude_dir 'conf.d'\n", "port", "20");
    assert_reads("include_dir = '/etc/conf.d'\nport = 2", "port", "2");
    assert_reads("port = 3\ninclude = 'conf.d/10-port.conf'\n", "port", "10");
    assert_reads("port = 3\ninclude_if_exists 'nothing'\n", "port", "3");
    /* around and around */
    assert_reads("port = 4\ninclude 'postgresql.conf'\ninclude 'postgresql.conf'\n", "port", "4");
}

static void test_no_file(void **state)
{
    Error err = ERROR_INIT;
    _cleanup_(pgconf_done) PgConf conf = {0};
    _cleanup_free_ char *fifo = host_path(&scene, "/etc/fifo");
    assert_int_equal(pgconf_read(&scene, "/etc/missing.conf", &conf, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(pgconf_read(&scene, "/etc/fifo", &conf, &err), -1);
    assert_non_null(strstr(err.message, "no regular file"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_includes),
        cmocka_unit_test(test_no_file),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
