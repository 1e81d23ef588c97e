/* One suite that every kind of store must pass.
 *
 *   test-store-conformance [LOCATION...]     without one: a store in memory and one in a directory
 *
 * A location s3://BUCKET[/PREFIX] is reached by KURA_TEST_S3_ENDPOINT and KURA_TEST_S3_REGION, with credentials from
 * where kura takes them (AWS_ACCESS_KEY_ID and so on). The bucket must exist; what the tests put is removed again. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kura/mem.h"
#include "kura/store.h"
#include "tempdir.h"

static char *location; /* of the kind under test */
static StoreOptions options;
static Store *store; /* fresh and empty for every test */
static Error err;

static int open_fresh(void **state)
{
    (void)state;
    err = (Error)ERROR_INIT;
    return store_open(location, &options, true, &store, &err);
}

static int push_key(void *ctx, const char *key, uint64_t size, Error *e)
{
    (void)size;
    (void)e;
    strvec_push(ctx, key);
    return 0;
}

static int remove_all(void)
{
    _cleanup_(strvec_done) StrVec keys = {0};
    Error why = ERROR_INIT;
    if (store_list(store, "", push_key, &keys, &why) == 0 &&
        store_delete_many(store, (const char *const *)keys.v, keys.n, &why) == 0)
        return 0;
    print_error("%s\n", why.message);
    return -1;
}

static int close_and_empty(void **state)
{
    (void)state;
    int rc = store_is_remote(store) ? remove_all() : 0;
    store_close(store);
    if (strncmp(location, "mem:", 4) == 0)
        store_mem_forget(location + 4);
    else if (strncmp(location, "dir:", 4) == 0)
        tempdir_remove(location + 4);
    return rc;
}

static void put(const char *key, const char *text)
{
    assert_int_equal(store_put(store, key, text, strlen(text), false, &err), 0);
}

static void assert_holds(const char *key, const char *text)
{
    _cleanup_(buf_done) Buf out = BUF_INIT(1024);
    assert_int_equal(store_get(store, key, 0, UINT64_MAX, &out, &err), 0);
    assert_int_equal(out.len, strlen(text));
    assert_memory_equal(out.data, text, out.len);
}

static void assert_missing(const char *key)
{
    _cleanup_(buf_done) Buf out = BUF_INIT(1024);
    uint64_t size;
    assert_int_equal(store_head(store, key, &size, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_int_equal(store_get(store, key, 0, UINT64_MAX, &out, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_int_equal(out.len, 0);
}

static int add_line(void *ctx, const char *key, uint64_t size, Error *e)
{
    return buf_printf(ctx, e, "%s=%ju ", key, (uintmax_t)size);
}

static void assert_list(const char *prefix, const char *expected)
{
    _cleanup_(buf_done) Buf lines = BUF_INIT(65536);
    assert_int_equal(store_list(store, prefix, add_line, &lines, &err), 0);
    assert_string_equal(buf_str(&lines), expected);
}

static void round_trip(void **state)
{
    (void)state;
    uint64_t size;
    const char binary[] = "a\0b\nc\xff";
    _cleanup_(buf_done) Buf out = BUF_INIT(100);
    assert_int_equal(store_put(store, "blobs/ab/abc.zst", binary, sizeof binary, false, &err), 0);
    assert_int_equal(store_head(store, "blobs/ab/abc.zst", &size, &err), 0);
    assert_int_equal(size, sizeof binary);
    assert_int_equal(store_get(store, "blobs/ab/abc.zst", 0, UINT64_MAX, &out, &err), 0);
    assert_int_equal(out.len, sizeof binary);
    assert_memory_equal(out.data, binary, sizeof binary);
    assert_int_equal(out.data[out.len], 0);
}

static void survives_reopening(void **state)
{
    (void)state;
    put("backups/a.json", "{}");
    store_close(store);
    assert_int_equal(store_open(location, &options, false, &store, &err), 0);
    assert_holds("backups/a.json", "{}");
    assert_string_equal(store_name(store), location);
}

static void empty_object(void **state)
{
    (void)state;
    uint64_t size = 1;
    _cleanup_(buf_done) Buf out = BUF_INIT(0);
    assert_int_equal(store_put(store, "empty", NULL, 0, false, &err), 0);
    assert_int_equal(store_head(store, "empty", &size, &err), 0);
    assert_int_equal(size, 0);
    assert_int_equal(store_get(store, "empty", 0, UINT64_MAX, &out, &err), 0);
    assert_int_equal(out.len, 0);
    assert_list("", "empty=0 ");
}

static uint8_t *pattern(size_t len, uint32_t seed)
{
    uint8_t *bytes = xmalloc(len);
    for (size_t i = 0; i < len; i++) {
        seed = seed * 1664525 + 1013904223;
        bytes[i] = (uint8_t)(seed >> 24);
    }
    return bytes;
}

static void big_object(void **state)
{
    (void)state;
    size_t len = 33u * 1024 * 1024 + 7;
    _cleanup_free_ uint8_t *bytes = pattern(len, 1);
    _cleanup_(buf_done) Buf out = BUF_INIT(len);
    assert_int_equal(store_put(store, "big", bytes, len, false, &err), 0);
    assert_int_equal(store_get(store, "big", 0, UINT64_MAX, &out, &err), 0);
    assert_int_equal(out.len, len);
    assert_memory_equal(out.data, bytes, len);
}

static void assert_range(uint64_t offset, uint64_t length, const char *expected)
{
    _cleanup_(buf_done) Buf out = BUF_INIT(100);
    assert_int_equal(buf_append_str(&out, ">", &err), 0);
    assert_int_equal(store_get(store, "range", offset, length, &out, &err), 0);
    assert_int_equal(out.len, 1 + strlen(expected));
    assert_string_equal(buf_str(&out) + 1, expected);
}

static void assert_no_range(uint64_t offset, uint64_t length)
{
    _cleanup_(buf_done) Buf out = BUF_INIT(100);
    assert_int_equal(buf_append_str(&out, ">", &err), 0);
    assert_int_equal(store_get(store, "range", offset, length, &out, &err), -1);
    assert_int_equal(err.code, ERR_TRUNCATED);
    assert_string_equal(buf_str(&out), ">");
}

static void ranges(void **state)
{
    (void)state;
    put("range", "0123456789");
    assert_range(0, UINT64_MAX, "0123456789");
    assert_range(0, 10, "0123456789");
    assert_range(0, 1, "0");
    assert_range(3, 4, "3456");
    assert_range(9, 1, "9");
    assert_range(4, UINT64_MAX, "456789");
    assert_range(10, UINT64_MAX, "");
    assert_range(10, 0, "");
    assert_range(5, 0, "");
    assert_no_range(0, 11);
    assert_no_range(9, 2);
    assert_no_range(11, 0);
    assert_no_range(11, UINT64_MAX);
    assert_no_range(UINT64_MAX - 1, 5);
    assert_no_range(5, UINT64_MAX - 1);
}

static void get_respects_the_maximum(void **state)
{
    (void)state;
    _cleanup_(buf_done) Buf out = BUF_INIT(9);
    put("object", "0123456789");
    assert_int_equal(store_get(store, "object", 0, UINT64_MAX, &out, &err), -1);
    assert_int_equal(out.len, 0);
    assert_int_equal(store_get(store, "object", 1, UINT64_MAX, &out, &err), 0);
    assert_string_equal(buf_str(&out), "123456789");
}

static void missing_objects(void **state)
{
    (void)state;
    assert_missing("nothing");
    assert_missing("no/such/place");
    put("dir/object", "x");
    assert_missing("dir");
    assert_missing("dir/objec");
    assert_missing("dir/object/below");
    assert_int_equal(store_delete(store, "nothing", &err), 0);
    assert_int_equal(store_delete(store, "no/such/place", &err), 0);
    assert_holds("dir/object", "x");
}

static void deleting(void **state)
{
    (void)state;
    put("a/b", "x");
    put("a/c", "y");
    assert_int_equal(store_delete(store, "a/b", &err), 0);
    assert_missing("a/b");
    assert_list("", "a/c=1 ");
    put("a/b", "again");
    assert_holds("a/b", "again");
}

static void settling(void **state)
{
    (void)state;
    put("a/b", "x");
    assert_int_equal(store_settle(store, "a/b", &err), 0);
    assert_int_equal(store_settle(store, "a/nothing", &err), 0);
    assert_int_equal(store_settle(store, "no/such/place", &err), 0);
    assert_int_equal(store_settle(store, "../outside", &err), -1);
    assert_missing("no/such/place");
    assert_list("", "a/b=1 ");
}

static void replacing(void **state)
{
    (void)state;
    put("key", "the old and longer text");
    put("key", "new");
    assert_holds("key", "new");
    assert_list("", "key=3 ");
}

static void exclusive(void **state)
{
    (void)state;
    assert_int_equal(store_put(store, "only/once", "first", 5, true, &err), 0);
    assert_int_equal(store_put(store, "only/once", "second", 6, true, &err), -1);
    assert_int_equal(err.code, ERR_EXISTS);
    assert_holds("only/once", "first");
    assert_list("", "only/once=5 ");
    assert_int_equal(store_delete(store, "only/once", &err), 0);
    assert_int_equal(store_put(store, "only/once", "third", 5, true, &err), 0);
    assert_holds("only/once", "third");
}

static void listing(void **state)
{
    (void)state;
    assert_list("", "");
    const char *const keys[] = {"a/c/d", "ab", "a.b", "a/b", "B", "a-b", "a/c-d", "a_b", "a/c/e", "b/0"};
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        put(keys[i], keys[i]);
    assert_list("", "B=1 a-b=3 a.b=3 a/b=3 a/c-d=5 a/c/d=5 a/c/e=5 a_b=3 ab=2 b/0=3 ");
    assert_list("a", "a-b=3 a.b=3 a/b=3 a/c-d=5 a/c/d=5 a/c/e=5 a_b=3 ab=2 ");
    assert_list("a/", "a/b=3 a/c-d=5 a/c/d=5 a/c/e=5 ");
    assert_list("a/c", "a/c-d=5 a/c/d=5 a/c/e=5 ");
    assert_list("a/c/", "a/c/d=5 a/c/e=5 ");
    assert_list("a/c/d", "a/c/d=5 ");
    assert_list("a.", "a.b=3 ");
    assert_list("ab/", "");
    assert_list("no/such/", "");
}

static void deleting_many(void **state)
{
    (void)state;
    enum { MANY = 203 }; /* more than one batch */
    _cleanup_(strvec_done) StrVec keys = {0};
    assert_int_equal(store_delete_many(store, NULL, 0, &err), 0);
    for (int i = 0; i < MANY; i++)
        strvec_pushf(&keys, "many/%03d", i);
    for (int i = 0; i < MANY; i += 50)
        put(keys.v[i], "x");
    put("other", "y");
    assert_int_equal(store_delete_many(store, (const char *const *)keys.v, keys.n, &err), 0);
    assert_list("", "other=1 ");
    const char *const wrong[] = {"other", "../other"};
    assert_int_equal(store_delete_many(store, wrong, 2, &err), -1);
    assert_holds("other", "y");
}

static void longest_key(void **state)
{
    (void)state;
    char key[513], expected[520];
    memset(key, 'k', sizeof key);
    key[100] = key[301] = '/'; /* a file's name has 255 bytes at most */
    key[512] = 0;
    snprintf(expected, sizeof expected, "%s=1 ", key);
    put(key, "x");
    assert_holds(key, "x");
    assert_list("", expected);
    assert_int_equal(store_put(store, key, "y", 1, true, &err), -1);
    assert_int_equal(err.code, ERR_EXISTS);
    const char *const keys[] = {"other", key};
    assert_int_equal(store_delete_many(store, keys, 2, &err), 0);
    assert_missing(key);
}

static int stop_at_b(void *ctx, const char *key, uint64_t size, Error *e)
{
    (void)size;
    buf_append_str(ctx, key, e);
    return strcmp(key, "b") == 0 ? error_set(e, ERR_FAILED, "enough") : 0;
}

static void listing_ends_with_the_callbacks_error(void **state)
{
    (void)state;
    _cleanup_(buf_done) Buf seen = BUF_INIT(100);
    put("a", "");
    put("b", "");
    put("c", "");
    assert_int_equal(store_list(store, "", stop_at_b, &seen, &err), -1);
    assert_string_equal(err.message, "enough");
    assert_string_equal(buf_str(&seen), "ab");
}

static int delete_it(void *ctx, const char *key, uint64_t size, Error *e)
{
    (void)size;
    ++*(int *)ctx;
    return store_delete(store, key, e);
}

static void deleting_while_listing(void **state)
{
    (void)state;
    int seen = 0;
    for (int i = 0; i < 50; i++) {
        char key[32];
        snprintf(key, sizeof key, "d%d/object%d", i % 3, i);
        put(key, "x");
    }
    assert_int_equal(store_list(store, "", delete_it, &seen, &err), 0);
    assert_int_equal(seen, 50);
    assert_list("", "");
}

static void key_validity(void **state)
{
    (void)state;
    char longest[514];
    memset(longest, 'k', sizeof longest);
    longest[512] = 0;
    const char *const good[] = {"a", "A-Z_09.json", "blobs/ab/abcd.zst", ".hidden", "...", "a..b/c", longest};
    for (size_t i = 0; i < ARRAY_SIZE(good); i++)
        assert_true(store_key_valid(good[i]));
    const char *const bad[] = {"",      "/",    "/a",  "a/",   "a//b", ".",        "..", "a/../b",
                               "a/./b", "../a", "a b", "a\\b", "a\nb", "\xc3\xa4", "a~", "a/.."};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        uint64_t size;
        _cleanup_(buf_done) Buf out = BUF_INIT(10);
        assert_false(store_key_valid(bad[i]));
        assert_int_equal(store_put(store, bad[i], "x", 1, false, &err), -1);
        assert_int_equal(store_get(store, bad[i], 0, UINT64_MAX, &out, &err), -1);
        assert_int_equal(store_head(store, bad[i], &size, &err), -1);
        assert_int_equal(store_delete(store, bad[i], &err), -1);
        assert_int_equal(err.code, ERR_CORRUPT);
    }
    longest[512] = 'k';
    longest[513] = 0;
    assert_false(store_key_valid(longest));
    assert_int_equal(store_list(store, "../", add_line, NULL, &err), -1);
    assert_int_equal(store_list(store, "/etc/", add_line, NULL, &err), -1);
    assert_list("", "");
}

/* Threads. Their asserts are made after the join: cmocka's do not work in threads. */
enum { THREADS = 6, ROUNDS = 25, BODY = 300000 };

typedef struct Putter {
    pthread_t thread;
    int number;
    int puts, exists, failures;
    Error why; /* of the last failure */
} Putter;

static void run_putters(Putter *all, void *(*fn)(void *))
{
    for (int i = 0; i < THREADS; i++) {
        all[i] = (Putter){.number = i};
        assert_int_equal(pthread_create(&all[i].thread, NULL, fn, &all[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(all[i].thread, NULL);
        if (all[i].failures)
            print_error("%d failures, the last one: %s\n", all[i].failures, all[i].why.message);
    }
}

static bool is_whole(const Buf *body)
{
    for (size_t i = 1; i < body->len; i++)
        if (body->data[i] != body->data[0])
            return false;
    return body->len == (size_t)BODY;
}

static void *put_same_key(void *arg)
{
    Putter *putter = arg;
    _cleanup_free_ char *body = xmalloc(BODY);
    memset(body, 'a' + putter->number, BODY);
    for (int i = 0; i < ROUNDS; i++) {
        _cleanup_(buf_done) Buf out = BUF_INIT(BODY);
        putter->failures += store_put(store, "blobs/aa/same", body, BODY, false, &putter->why) < 0;
        if (store_get(store, "blobs/aa/same", 0, UINT64_MAX, &out, &putter->why) < 0)
            putter->failures++;
        else if (!is_whole(&out) && error_set(&putter->why, ERR_CORRUPT, "a mixture of two bodies") < 0)
            putter->failures++;
    }
    return NULL;
}

static void concurrent_puts_of_one_key(void **state)
{
    (void)state;
    Putter all[THREADS];
    run_putters(all, put_same_key);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(all[i].failures, 0);
    assert_list("", "blobs/aa/same=300000 ");
}

static void *put_exclusively(void *arg)
{
    Putter *putter = arg;
    for (int i = 0; i < ROUNDS; i++) {
        char key[32];
        snprintf(key, sizeof key, "once/%d", i);
        if (store_put(store, key, "x", 1, true, &putter->why) == 0)
            putter->puts++;
        else if (putter->why.code == ERR_EXISTS)
            putter->exists++;
        else
            putter->failures++;
    }
    return NULL;
}

static void concurrent_exclusive_puts(void **state)
{
    (void)state;
    Putter all[THREADS];
    int puts = 0;
    run_putters(all, put_exclusively);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(all[i].failures, 0);
        assert_int_equal(all[i].puts + all[i].exists, ROUNDS);
        puts += all[i].puts;
    }
    if (getenv("KURA_TEST_S3_UNCONDITIONAL"))
        assert_true(puts >= ROUNDS); /* such a server cannot tell who was first */
    else
        assert_int_equal(puts, ROUNDS);
}

static void *put_many_keys(void *arg)
{
    Putter *putter = arg;
    for (int i = 0; i < ROUNDS; i++) {
        char key[32], body[16];
        uint64_t size;
        snprintf(key, sizeof key, "many/%02x/%d", i, putter->number);
        snprintf(body, sizeof body, "%d", putter->number);
        putter->failures += store_put(store, key, body, strlen(body), false, NULL) < 0;
        putter->failures += store_head(store, key, &size, NULL) < 0 || size != strlen(body);
    }
    return NULL;
}

static int note_time(void *ctx, const StoreObject *object, Error *e)
{
    (void)e;
    *(int64_t *)ctx = object->time;
    return 0;
}

static int64_t time_of(const char *key)
{
    int64_t found = 0;
    assert_int_equal(store_list_objects(store, key, note_time, &found, &err), 0);
    return found;
}

/* Only differences mean something: a store has a clock of its own. */
static void times(void **state)
{
    (void)state;
    put("old", "1");
    put("other", "1");
    int64_t before = time_of("old");
    assert_true(before > 1600000000);
    while (time_of("old") == before) /* what is put again is as young as what is new */
        put("old", "2");
    assert_true(time_of("old") > before);
    put("new", "1");
    assert_in_range(time_of("new") - time_of("old"), 0, 10);
    assert_in_range(time_of("other") - before, 0, 10);
}

static int count_it(void *ctx, const char *key, uint64_t size, Error *e)
{
    (void)key;
    (void)size;
    (void)e;
    ++*(int *)ctx;
    return 0;
}

static void concurrent_puts_of_many_keys(void **state)
{
    (void)state;
    Putter all[THREADS];
    int seen = 0;
    run_putters(all, put_many_keys);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(all[i].failures, 0);
    assert_int_equal(store_list(store, "many/", count_it, &seen, &err), 0);
    assert_int_equal(seen, THREADS * ROUNDS);
}

static void two_handles_see_one_store(void **state)
{
    (void)state;
    Store *other;
    put("a", "1");
    assert_int_equal(store_open(location, &options, false, &other, &err), 0);
    assert_int_equal(store_put(other, "a", "2", 1, true, &err), -1);
    assert_int_equal(err.code, ERR_EXISTS);
    assert_int_equal(store_put(other, "b/c", "3", 1, true, &err), 0);
    assert_int_equal(store_tidy(other, &err), 0);
    store_close(other);
    assert_holds("a", "1");
    assert_holds("b/c", "3");
}

/* A store that works has no flaw but the rights of its key and perhaps the region that the caller names, and the test
 * leaves nothing behind. */
static void probing(void **state)
{
    (void)state;
    Findings findings = FINDINGS_INIT;
    int rc = store_probe(store, &findings, &err);
    size_t flaws = 0;
    for (size_t i = 0; i < findings.n; i++) {
        const Finding *finding = &findings.v[i];
        bool ours = strcmp(finding->code, "s3-delete") == 0 || strcmp(finding->code, "s3-region") == 0;
        bool flaw = finding->severity > FINDING_NOTE && !ours;
        flaws += flaw;
        if (flaw)
            print_error("%s: %s\n", finding->code, finding->message);
    }
    assert_int_equal(rc, 0);
    assert_int_equal(findings.n > 0, strncmp(location, "mem:", 4) != 0);
    findings_done(&findings);
    assert_int_equal(flaws, 0);
    assert_list("", "");
}

static int run_suite(const char *name, const char *where)
{
#define STORE_TEST(function) cmocka_unit_test_setup_teardown(function, open_fresh, close_and_empty)
    const struct CMUnitTest tests[] = {
        STORE_TEST(round_trip),
        STORE_TEST(survives_reopening),
        STORE_TEST(empty_object),
        STORE_TEST(times),
        STORE_TEST(big_object),
        STORE_TEST(ranges),
        STORE_TEST(get_respects_the_maximum),
        STORE_TEST(missing_objects),
        STORE_TEST(deleting),
        STORE_TEST(settling),
        STORE_TEST(replacing),
        STORE_TEST(exclusive),
        STORE_TEST(deleting_many),
        STORE_TEST(longest_key),
        STORE_TEST(listing),
        STORE_TEST(listing_ends_with_the_callbacks_error),
        STORE_TEST(deleting_while_listing),
        STORE_TEST(key_validity),
        STORE_TEST(concurrent_puts_of_one_key),
        STORE_TEST(concurrent_exclusive_puts),
        STORE_TEST(concurrent_puts_of_many_keys),
        STORE_TEST(two_handles_see_one_store),
        STORE_TEST(probing),
    };
    location = xstrdup(where);
    int failed = cmocka_run_group_tests_name(name, tests, NULL, NULL);
    free(location);
    return failed;
}

/* KURA_TEST_S3_UNCONDITIONAL, beside these: the server knows no conditional PUT. */
static void take_options_of_s3(void)
{
    options.s3_endpoint = getenv("KURA_TEST_S3_ENDPOINT");
    options.s3_region = getenv("KURA_TEST_S3_REGION");
    options.s3_ca = getenv("KURA_TEST_S3_CA");
    if (getenv("KURA_TEST_S3_VIRTUAL_HOST"))
        options.s3_path_style = S3_PATH_STYLE_NO;
}

/* test-store-conformance [LOCATION...]: without one, the stores that need nothing else. */
int main(int argc, char **argv)
{
    int failed = 0;
    take_options_of_s3();
    for (int i = 1; i < argc; i++)
        failed += run_suite(argv[i], argv[i]);
    if (argc > 1)
        return failed;
    _cleanup_free_ char *base = tempdir_new();
    _cleanup_free_ char *dir = xasprintf("dir:%s/store", base);
    failed = run_suite("store in memory", "mem:conformance") + run_suite("store in a directory", dir);
    tempdir_remove(base);
    return failed;
}
