/* The helpers below export and remap: copying, sums, removal. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "copyfile.h"
#include "kura/mem.h"
#include "outfile.h"
#include "rmtree.h"
#include "scratch.h"
#include "sums.h"

enum { SIZE = 3 * 1024 * 1024 + 17 };

static int set_up(void **state)
{
    *state = scratch_new();
    return 0;
}

static int tear_down(void **state)
{
    scratch_remove(*state);
    return 0;
}

/* A file whose bytes tell where they are; returned open for reading. */
static int make_source(const char *dir)
{
    _cleanup_free_ char *path = xasprintf("%s/source", dir);
    _cleanup_free_ char *data = xmalloc(SIZE);
    for (size_t i = 0; i < SIZE; i++)
        data[i] = (char)(i * 31 + i / 251);
    file_save(path, data, SIZE);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static void a_part_is_copied_behind_what_is_there(void **state)
{
    _cleanup_close_ int in = make_source(*state);
    _cleanup_free_ char *source = xasprintf("%s/source", (char *)*state), *path = xasprintf("%s/out", (char *)*state);
    _cleanup_close_ int out = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_int_equal(write(out, "head", 4), 4);
    assert_int_equal(copyfile(in, 1000, SIZE, out, NULL), 0);
    Buf before = file_load(source), after = file_load(path);
    assert_int_equal(after.len, SIZE - 1000 + 4);
    assert_memory_equal(after.data, "head", 4);
    assert_memory_equal(after.data + 4, before.data + 1000, SIZE - 1000);
    buf_done(&before);
    buf_done(&after);
}

/* Takes what comes out of a pipe into a file. */
static int drain(int from, int to)
{
    char chunk[65536];
    ssize_t n;
    while ((n = read(from, chunk, sizeof chunk)) > 0)
        if (write(to, chunk, (size_t)n) != n)
            return 1;
    return n == 0 ? 0 : 1;
}

/* copy_file_range does not write into a pipe. */
static void what_the_kernel_refuses_goes_through_memory(void **state)
{
    _cleanup_close_ int in = make_source(*state);
    _cleanup_free_ char *source = xasprintf("%s/source", (char *)*state), *path = xasprintf("%s/out", (char *)*state);
    _cleanup_close_ int out = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    int ends[2], status;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[1]);
        _exit(drain(ends[0], out));
    }
    close(ends[0]);
    assert_int_equal(copyfile(in, 0, SIZE, ends[1], NULL), 0);
    close(ends[1]);
    assert_true(waitpid(pid, &status, 0) == pid);
    assert_int_equal(status, 0);
    assert_same_file(source, path);
}

static void a_source_that_is_too_short_is_told(void **state)
{
    Error err = ERROR_INIT;
    _cleanup_close_ int in = make_source(*state);
    _cleanup_free_ char *path = xasprintf("%s/out", (char *)*state);
    _cleanup_close_ int out = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(copyfile(in, 0, SIZE + 1, out, &err), -1);
    assert_int_equal(err.code, ERR_TRUNCATED);
    assert_int_equal(copyfile(in, 0, 10, in, &err), -1);
    assert_int_equal(err.sys_errno, EBADF);
}

static void a_new_file_replaces_nothing_and_knows_its_hash(void **state)
{
    Error err = ERROR_INIT;
    OutFile file = OUTFILE_INIT;
    char hex[SHA256_HEX_SIZE], expected[SHA256_HEX_SIZE];
    _cleanup_free_ char *path = xasprintf("%s/out", (char *)*state);
    assert_int_equal(outfile_open(&file, path, &err), 0);
    assert_int_equal(outfile_write(&file, "ab", 2, &err), 0);
    assert_int_equal(outfile_write(&file, NULL, 0, &err), 0);
    assert_int_equal(outfile_write(&file, "c", 1, &err), 0);
    assert_int_equal(outfile_close(&file, hex, &err), 0);
    outfile_done(&file);
    sha256_hex("abc", 3, expected);
    assert_string_equal(hex, expected);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(outfile_open(&file, path, &err), -1);
    assert_int_equal(err.sys_errno, EEXIST);
    outfile_done(&file);
}

static void sums_are_sorted_and_escaped_as_sha256sum_does(void **state)
{
    Error err = ERROR_INIT;
    Sums sums = SUMS_INIT;
    OutFile file = OUTFILE_INIT;
    char hex[SHA256_HEX_SIZE];
    const char *names[] = {"plain", "a b", "new\nline", "back\\slash", "return\r", " lead"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        _cleanup_free_ char *path = xasprintf("%s/%s", (char *)*state, names[i]);
        file_save(path, names[i], strlen(names[i]));
        sha256_hex(names[i], strlen(names[i]), hex);
        sums_add(&sums, names[i], hex);
    }
    _cleanup_free_ char *path = xasprintf("%s/SHA256SUMS", (char *)*state);
    assert_int_equal(outfile_open(&file, path, &err), 0);
    assert_int_equal(sums_write(&sums, &file, &err), 0);
    outfile_done(&file);
    sums_done(&sums);
    Buf ours = file_load(path);
    Buf theirs = RUN("sh", "-c", "cd \"$1\" && rm SHA256SUMS && LC_ALL=C sha256sum *", "sh", *state);
    assert_string_equal(buf_str(&ours), buf_str(&theirs));
    buf_done(&ours);
    buf_done(&theirs);
}

static void a_tree_goes_with_all_that_is_in_it_and_nothing_else(void **state)
{
    const char *dir = *state;
    _cleanup_free_ char *outside = xasprintf("%s/outside", dir), *kept = xasprintf("%s/outside/kept", dir),
                        *tree = xasprintf("%s/tree", dir), *sub = xasprintf("%s/tree/sub", dir),
                        *deep = xasprintf("%s/tree/sub/deep", dir), *file = xasprintf("%s/tree/sub/deep/file", dir),
                        *soft = xasprintf("%s/tree/soft", dir), *top_link = xasprintf("%s/link", dir);
    assert_int_equal(mkdir(outside, 0700) | mkdir(tree, 0700) | mkdir(sub, 0700) | mkdir(deep, 0700), 0);
    file_save(kept, "x", 1);
    file_save(file, "y", 1);
    assert_int_equal(symlink("../outside", soft) | chmod(deep, 0) | chmod(sub, 0500), 0);
    rmtree(tree, true);
    assert_int_equal(count_names(tree), 0);
    rmtree(tree, false);
    assert_int_equal(access(tree, F_OK), -1);
    assert_int_equal(access(kept, F_OK), 0);
    rmtree(tree, false);
    assert_int_equal(symlink("outside", top_link), 0);
    rmtree(top_link, false);
    assert_int_equal(access(kept, F_OK), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_part_is_copied_behind_what_is_there),
        TEST(what_the_kernel_refuses_goes_through_memory),
        TEST(a_source_that_is_too_short_is_told),
        TEST(a_new_file_replaces_nothing_and_knows_its_hash),
        TEST(sums_are_sorted_and_escaped_as_sha256sum_does),
        TEST(a_tree_goes_with_all_that_is_in_it_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
