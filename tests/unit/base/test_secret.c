#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../store/tempdir.h"
#include "kura/mem.h"
#include "kura/secret.h"

static Error err;
static char *dir, *path;

static int set_up(void **state)
{
    dir = tempdir_new();
    path = xasprintf("%s/secret", dir);
    return 0;
}

static int tear_down(void **state)
{
    tempdir_remove(dir);
    free(path);
    free(dir);
    return 0;
}

/* The flags of the mapping that holds an address, as the kernel shows them ("rd wr mr .. dd"). */
static void mapping_flags(const void *address, char *ret, size_t size)
{
    char line[512];
    bool here = false;
    ret[0] = 0;
    FILE *file = fopen("/proc/self/smaps", "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        uintptr_t from, to;
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
            here = (uintptr_t)address >= from && (uintptr_t)address < to;
        else if (here && strncmp(line, "VmFlags:", 8) == 0)
            snprintf(ret, size, "%s", line + 8);
    }
    fclose(file);
}

static void memory_is_kept_out_of_core_dumps(void **state)
{
    char flags[512];
    uint8_t *secret = secret_new(100);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(secret[i], 0);
    mapping_flags(secret, flags, sizeof flags);
    assert_non_null(strstr(flags, " dd"));
    secret_free(secret, 100);
    secret_free(NULL, 100);
}

static void wiping(void **state)
{
    char key[8] = "sesame";
    secret_wipe(key, sizeof key);
    for (size_t i = 0; i < sizeof key; i++)
        assert_int_equal(key[i], 0);
    Buf buf = BUF_INIT(100);
    assert_int_equal(buf_append_str(&buf, "sesame", &err), 0);
    secret_buf_done(&buf);
    assert_null(buf.data);
    secret_buf_done(&buf);
    secret_buf_done(NULL);
}

static void assert_content(const char *expected)
{
    struct stat st;
    _cleanup_(secret_buf_done) Buf text = BUF_INIT(1000);
    assert_int_equal(secret_file_read(path, &text, &err), 0);
    assert_string_equal(buf_str(&text), expected);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
}

static void files(void **state)
{
    umask(0);
    assert_int_equal(secret_file_create(path, "one", 3, &err), 0);
    assert_content("one");
    assert_int_equal(secret_file_create(path, "two", 3, &err), -1);
    assert_int_equal(err.code, ERR_EXISTS);
    assert_content("one");
    assert_int_equal(secret_file_replace(path, "three", 5, &err), 0);
    assert_content("three");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(secret_file_replace(path, "", 0, &err), 0);
    assert_content("");
}

static void files_that_cannot_be_written(void **state)
{
    _cleanup_free_ char *beyond = xasprintf("%s/missing/secret", dir), *link_to = xasprintf("%s/target", dir);
    assert_int_equal(secret_file_create(beyond, "x", 1, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_int_equal(secret_file_replace(beyond, "x", 1, &err), -1);
    /* A link is a name that is taken, wherever it leads. */
    assert_int_equal(symlink(link_to, path), 0);
    assert_int_equal(secret_file_create(path, "x", 1, &err), -1);
    assert_int_equal(err.code, ERR_EXISTS);
    assert_int_equal(access(link_to, F_OK), -1);
}

static void reading_is_bounded(void **state)
{
    const struct {
        size_t max;
        int rc;
    } cases[] = {{9, -1}, {10, 0}, {11, 0}};
    assert_int_equal(secret_file_create(path, "0123456789", 10, &err), 0);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_(secret_buf_done) Buf text = BUF_INIT(cases[i].max);
        assert_int_equal(secret_file_read(path, &text, &err), cases[i].rc);
    }
    _cleanup_(secret_buf_done) Buf text = BUF_INIT(100);
    _cleanup_free_ char *missing = xasprintf("%s/missing", dir);
    assert_int_equal(secret_file_read(missing, &text, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_int_equal(secret_file_read(dir, &text, &err), -1);
}

static void *write_pieces(void *arg)
{
    int fd = open(path, O_WRONLY);
    for (int i = 0; i < 3; i++)
        if (write(fd, "piece ", 6) != 6)
            abort();
    close(fd);
    return NULL;
}

static void a_pipe_is_read_to_its_end(void **state)
{
    pthread_t writer;
    _cleanup_(secret_buf_done) Buf text = BUF_INIT(100);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(pthread_create(&writer, NULL, write_pieces, NULL), 0);
    assert_int_equal(secret_file_read(path, &text, &err), 0);
    assert_string_equal(buf_str(&text), "piece piece piece ");
    pthread_join(writer, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_kept_out_of_core_dumps),
        cmocka_unit_test(wiping),
        cmocka_unit_test_setup_teardown(files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(files_that_cannot_be_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reading_is_bounded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_pipe_is_read_to_its_end, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
