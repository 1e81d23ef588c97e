/* What only a store in a directory has: modes, links, leftovers, a full disk. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "kura/mem.h"
#include "kura/store.h"
#include "tempdir.h"

static char *base; /* holds "store", and what lies outside of it */
static char *root; /* base/store */
static Store *store;
static Error err;

static int set_up(void **state)
{
    (void)state;
    err = (Error)ERROR_INIT;
    base = tempdir_new();
    root = xasprintf("%s/store", base);
    return store_open(root, NULL, true, &store, &err);
}

static int tear_down(void **state)
{
    (void)state;
    store_close(store);
    tempdir_remove(base);
    free(root);
    free(base);
    return 0;
}

static char *path_of(const char *name)
{
    return xasprintf("%s/%s", base, name);
}

static void make_file(const char *name, const char *text)
{
    _cleanup_free_ char *path = path_of(name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void assert_file(const char *name, const char *text)
{
    _cleanup_free_ char *path = path_of(name);
    char found[64] = "";
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(found, sizeof found, file));
    fclose(file);
    assert_string_equal(found, text);
}

static void make_dir(const char *name)
{
    _cleanup_free_ char *path = path_of(name);
    assert_int_equal(mkdir(path, 0700), 0);
}

static void make_link(const char *target, const char *name)
{
    _cleanup_free_ char *path = path_of(name);
    assert_int_equal(symlink(target, path), 0);
}

static struct stat stat_of(const char *name)
{
    _cleanup_free_ char *path = path_of(name);
    struct stat st;
    assert_int_equal(lstat(path, &st), 0);
    return st;
}

static int add_key(void *ctx, const char *key, uint64_t size, Error *e)
{
    (void)size;
    return buf_printf(ctx, e, "%s ", key);
}

static void assert_list(const char *expected)
{
    _cleanup_(buf_done) Buf keys = BUF_INIT(65536);
    assert_int_equal(store_list(store, "", add_key, &keys, &err), 0);
    assert_string_equal(buf_str(&keys), expected);
}

static int count_names(const char *name)
{
    _cleanup_free_ char *path = path_of(name);
    DIR *dir = opendir(path);
    int n = 0;
    assert_non_null(dir);
    while (readdir(dir))
        n++;
    closedir(dir);
    return n - 2;
}

static void put(const char *key, const char *text)
{
    assert_int_equal(store_put(store, key, text, strlen(text), false, &err), 0);
}

static void modes(void **state)
{
    (void)state;
    mode_t old = umask(0);
    put("blobs/ab/abc", "x");
    umask(old);
    assert_int_equal(stat_of("store").st_mode & 07777, 0700);
    assert_int_equal(stat_of("store/blobs").st_mode & 07777, 0700);
    assert_int_equal(stat_of("store/blobs/ab").st_mode & 07777, 0700);
    assert_int_equal(stat_of("store/blobs/ab/abc").st_mode & 07777, 0600);
    assert_int_equal(count_names("store/blobs/ab"), 1);
}

static void a_root_that_is_not_there(void **state)
{
    (void)state;
    Store *other;
    uint64_t size;
    _cleanup_free_ char *absent = path_of("absent"), *deep = path_of("no/such/parent");
    assert_int_equal(store_open(absent, NULL, false, &other, &err), 0);
    assert_int_equal(store_head(other, "kura.json", &size, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_int_equal(store_list(other, "", add_key, NULL, &err), 0);
    assert_int_equal(store_delete(other, "a", &err), 0);
    assert_int_equal(store_put(other, "a", "x", 1, false, &err), -1);
    assert_int_equal(access(absent, F_OK), -1);
    make_dir("absent"); /* a disk that was mounted meanwhile */
    assert_int_equal(store_put(other, "a", "x", 1, false, &err), 0);
    store_close(other);
    assert_int_equal(store_open(deep, NULL, true, &other, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
}

static void locations(void **state)
{
    (void)state;
    Store *other;
    assert_int_equal(store_open("ftp://host/path", NULL, false, &other, &err), -1);
    assert_int_equal(err.code, ERR_UNSUPPORTED);
    assert_non_null(strstr(err.hint, "dir:"));
    assert_int_equal(store_open("", NULL, false, &other, &err), -1);
    assert_int_equal(store_open("dir:", NULL, false, &other, &err), -1);
    const char *const paths[] = {"./a:b", "/a/b:c", "relative/x:y", "C:x", "dir:s3:bucket"};
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        assert_int_equal(store_open(paths[i], NULL, false, &other, &err), 0);
        assert_string_equal(store_name(other), paths[i]);
        store_close(other);
    }
}

static void assert_refused(const char *key)
{
    uint64_t size;
    _cleanup_(buf_done) Buf out = BUF_INIT(100);
    assert_int_equal(store_get(store, key, 0, UINT64_MAX, &out, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    assert_int_equal(store_head(store, key, &size, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
}

static void linked_directories(void **state)
{
    (void)state;
    make_dir("outside");
    make_file("outside/secret", "secret");
    make_link("../outside", "store/blobs");
    assert_refused("blobs/secret");
    assert_int_equal(store_put(store, "blobs/new", "x", 1, false, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    assert_non_null(strstr(err.hint, "Links"));
    assert_int_equal(store_put(store, "blobs/ab/new", "x", 1, true, &err), -1);
    assert_int_equal(store_delete(store, "blobs/secret", &err), -1);
    assert_int_equal(count_names("outside"), 1);
    assert_list("");
    /* A loop is no trap either. */
    make_link("..", "store/loop");
    put("real/object", "x");
    assert_list("real/object ");
}

static void linked_files(void **state)
{
    (void)state;
    make_file("secret", "secret");
    put("blobs/a", "x");
    make_link("../../secret", "store/blobs/b");
    assert_refused("blobs/b");
    assert_list("blobs/a ");
    assert_int_equal(store_put(store, "blobs/b", "mine", 4, true, &err), -1);
    assert_int_equal(err.code, ERR_EXISTS);
    put("blobs/b", "mine");
    assert_file("secret", "secret");
    assert_file("store/blobs/b", "mine");
    assert_true(S_ISREG(stat_of("store/blobs/b").st_mode));
    make_link("../../secret", "store/blobs/c");
    assert_int_equal(store_delete(store, "blobs/c", &err), 0);
    assert_file("secret", "secret");
    assert_list("blobs/a blobs/b ");
}

static void strange_files(void **state)
{
    (void)state;
    _cleanup_free_ char *fifo = path_of("store/fifo");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_refused("fifo");
    make_file("store/not a key", "x");
    make_file("store/key", "x");
    assert_list("key ");
    assert_int_equal(store_put(store, "key/below", "x", 1, false, &err), -1);
    assert_int_equal(err.code, ERR_EXISTS);
    make_dir("store/dir");
    assert_int_equal(store_put(store, "dir", "x", 1, false, &err), -1);
    assert_int_equal(store_delete(store, "dir", &err), 0);
    assert_true(S_ISDIR(stat_of("store/dir").st_mode));
    assert_int_equal(count_names("store"), 4);
}

static void leftovers(void **state)
{
    (void)state;
    put("blobs/ab/abc", "x");
    make_file("store/blobs/ab/.tmp-0123456789abcdef-1~", "half");
    make_file("store/blobs/ab/.tmp-0123456789abcdef-2~", "half");
    make_file("store/blobs/ab/.tmp-note", "of somebody else");
    _cleanup_free_ char *old = path_of("store/blobs/ab/.tmp-0123456789abcdef-1~");
    struct timespec times[2] = {{.tv_sec = time(NULL) - 3 * 86400}, {.tv_sec = time(NULL) - 3 * 86400}};
    assert_int_equal(utimensat(AT_FDCWD, old, times, 0), 0);
    assert_list("blobs/ab/.tmp-note blobs/ab/abc ");
    assert_int_equal(store_tidy(store, &err), 0);
    assert_int_equal(access(old, F_OK), -1);
    assert_int_equal(count_names("store/blobs/ab"), 3);
    assert_list("blobs/ab/.tmp-note blobs/ab/abc ");
}

/* More directories than descriptors are kept. */
static void many_directories(void **state)
{
    (void)state;
    for (int i = 0; i < 400; i++) {
        char key[32], text[16];
        snprintf(key, sizeof key, "d%d/e/f", i);
        snprintf(text, sizeof text, "%d", i);
        put(key, text);
    }
    for (int i = 0; i < 400; i++) {
        char key[32];
        _cleanup_(buf_done) Buf out = BUF_INIT(16);
        snprintf(key, sizeof key, "d%d/e/f", i);
        assert_int_equal(store_get(store, key, 0, UINT64_MAX, &out, &err), 0);
        assert_int_equal(atoi(buf_str(&out)), i);
    }
}

static void full_disk(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        print_message("not root: no file system to fill\n");
        skip();
    }
    Store *small;
    size_t len = 2u * 1024 * 1024;
    _cleanup_free_ char *mounted = path_of("small"), *body = xcalloc(1, len);
    _cleanup_(buf_done) Buf out = BUF_INIT(16);
    make_dir("small");
    assert_int_equal(mount("tmpfs", mounted, "tmpfs", 0, "size=1m"), 0);
    int opened = store_open(mounted, NULL, false, &small, &err);
    int first = store_put(small, "blobs/aa/key", "old", 3, false, &err);
    Error replaced = ERROR_INIT, made = ERROR_INIT;
    int replace = store_put(small, "blobs/aa/key", body, len, false, &replaced);
    int make = store_put(small, "blobs/aa/new", body, len, true, &made);
    int names = count_names("small/blobs/aa");
    int get = store_get(small, "blobs/aa/key", 0, UINT64_MAX, &out, &err);
    int after = store_put(small, "blobs/aa/new", body, len / 8, true, &err);
    store_close(small);
    assert_int_equal(umount2(mounted, MNT_DETACH), 0);
    assert_int_equal(opened, 0);
    assert_int_equal(first, 0);
    assert_int_equal(replace, -1);
    assert_int_equal(replaced.sys_errno, ENOSPC);
    assert_string_not_equal(replaced.hint, "");
    assert_int_equal(make, -1);
    assert_int_equal(made.sys_errno, ENOSPC);
    assert_int_equal(names, 1);
    assert_int_equal(get, 0);
    assert_string_equal(buf_str(&out), "old");
    assert_int_equal(after, 0);
}

/* The probe's findings but for those that are as they should be, as "code code "; the number of notes. */
static size_t probe(const char *location, char *ret_codes, size_t size)
{
    Store *probed;
    Findings findings = FINDINGS_INIT;
    size_t notes = 0;
    ret_codes[0] = 0;
    assert_int_equal(store_open(location, NULL, false, &probed, &err), 0);
    if (store_probe(probed, &findings, &err) < 0)
        fail_msg("%s", err.message);
    store_close(probed);
    for (size_t i = 0; i < findings.n; i++) {
        notes += findings.v[i].severity == FINDING_NOTE;
        if (findings.v[i].severity != FINDING_NOTE)
            snprintf(ret_codes + strlen(ret_codes), size - strlen(ret_codes), "%s%s ",
                     findings.v[i].severity == FINDING_ERROR ? "!" : "", findings.v[i].code);
    }
    findings_done(&findings);
    return notes;
}

/* Pages of an object that are in memory. */
static size_t pages_of(int fd, size_t size)
{
    unsigned char in_memory[4096];
    size_t n = 0;
    void *map = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
    assert_ptr_not_equal(map, MAP_FAILED);
    assert_true(size / (size_t)sysconf(_SC_PAGESIZE) <= sizeof in_memory);
    assert_int_equal(mincore(map, size, in_memory), 0);
    munmap(map, size);
    for (size_t i = 0; i < size / (size_t)sysconf(_SC_PAGESIZE); i++)
        n += in_memory[i] & 1;
    return n;
}

static void the_page_cache_stays_as_it_was(void **state)
{
    (void)state;
    enum { SIZE = 4 * 1024 * 1024 };
    _cleanup_free_ char *content = xcalloc(1, SIZE), *path = path_of("store/blobs/ab/abc");
    _cleanup_(buf_done) Buf out = BUF_INIT(SIZE);
    assert_int_equal(store_put(store, "blobs/ab/abc", content, SIZE, false, &err), 0);
    _cleanup_close_ int fd = open(path, O_RDWR);
    size_t all = pages_of(fd, SIZE);
    assert_true(all > 0);
    assert_int_equal(store_get(store, "blobs/ab/abc", 0, UINT64_MAX, &out, &err), 0);
    assert_int_equal(pages_of(fd, SIZE), all);

    assert_int_equal(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
    if (pages_of(fd, SIZE) > 0) {
        print_message("a file system in memory has its files nowhere else\n");
        skip();
    }
    buf_clear(&out);
    assert_int_equal(store_get(store, "blobs/ab/abc", 0, UINT64_MAX, &out, &err), 0);
    assert_int_equal(pages_of(fd, SIZE), 0);
}

static void a_good_directory_is_probed(void **state)
{
    (void)state;
    char codes[200];
    put("blobs/ab/abc", "x");
    assert_int_equal(probe(root, codes, sizeof codes), 3);
    assert_string_equal(codes, "");
    assert_int_equal(count_names("store"), 1); /* nothing is left */
    make_dir("store/probe");
    make_file("store/probe/mine", "x");
    probe(root, codes, sizeof codes);
    assert_string_equal(codes, "");
    assert_int_equal(count_names("store/probe"), 1);
}

static void rights_are_told(void **state)
{
    (void)state;
    static const struct {
        mode_t mode;
        const char *codes;
    } cases[] = {{0700, ""}, {0750, ""}, {0770, "dir-rights "}, {0755, "dir-rights "}, {0777, "!dir-rights "}};
    char codes[200];
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_int_equal(chmod(root, cases[i].mode), 0);
        probe(root, codes, sizeof codes);
        assert_string_equal(codes, cases[i].codes);
    }
}

static void a_directory_that_cannot_be_used_is_told(void **state)
{
    (void)state;
    char codes[200];
    make_file("store/probe", "in the way");
    probe(root, codes, sizeof codes);
    assert_string_equal(codes, "!dir-write ");

    _cleanup_free_ char *absent = path_of("absent"), *below = path_of("absent/below/");
    assert_int_equal(probe(absent, codes, sizeof codes), 1);
    assert_string_equal(codes, "");
    assert_int_equal(probe(below, codes, sizeof codes), 0);
    assert_string_equal(codes, "!dir-missing ");
    assert_int_equal(access(absent, F_OK), -1);

    make_file("file", "x");
    _cleanup_free_ char *file = path_of("file");
    Store *probed;
    Findings findings = FINDINGS_INIT;
    assert_int_equal(store_open(file, NULL, false, &probed, &err), 0);
    assert_int_equal(store_probe(probed, &findings, &err), -1);
    assert_int_equal(err.code, ERR_USAGE);
    assert_int_equal(findings.n, 0);
    store_close(probed);
}

static void space_is_told(void **state)
{
    (void)state;
    uint64_t bytes = 0, objects = 0;
    assert_int_equal(store_space(store, &bytes, &objects, &err), 0);
    assert_true(bytes > 0 && bytes < UINT64_MAX);
    assert_true(objects > 0);
    Store *other;
    _cleanup_free_ char *absent = path_of("absent");
    assert_int_equal(store_open(absent, NULL, false, &other, &err), 0);
    assert_int_equal(store_space(other, &bytes, &objects, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    store_close(other);
    assert_int_equal(store_open("mem:space", NULL, true, &other, &err), 0);
    assert_int_equal(store_space(other, &bytes, &objects, &err), 0);
    assert_true(bytes == UINT64_MAX && objects == UINT64_MAX);
    store_close(other);
    store_mem_forget("space");
}

int main(void)
{
#define DIR_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        DIR_TEST(modes),
        DIR_TEST(a_root_that_is_not_there),
        DIR_TEST(locations),
        DIR_TEST(linked_files),
        DIR_TEST(linked_directories),
        DIR_TEST(strange_files),
        DIR_TEST(leftovers),
        DIR_TEST(many_directories),
        DIR_TEST(full_disk),
        DIR_TEST(the_page_cache_stays_as_it_was),
        DIR_TEST(a_good_directory_is_probed),
        DIR_TEST(rights_are_told),
        DIR_TEST(a_directory_that_cannot_be_used_is_told),
        DIR_TEST(space_is_told),
    };
    return cmocka_run_group_tests_name("directory store", tests, NULL, NULL);
}
