#include "fixture.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "kura/prefetch.h"
#include "kura/stop.h"
#include "store_priv.h"

enum { N = 300 };

static BlobRef refs[N];

/* N blobs of n bytes at least, each with its number at the start. */
static int set_up_blobs(void **state, size_t n)
{
    if (fixture_set_up(state) < 0)
        return -1;
    store->remote = true;
    _cleanup_free_ char *body = xcalloc(1, n + 32);
    for (int i = 0; i < N; i++) {
        int len = snprintf(body, 32, "number %d;", i);
        if (blob_put(repo, BLOB_RAW, body, (size_t)len + n, &refs[i], NULL, &err) < 0)
            return -1;
    }
    forget_requests();
    return 0;
}

static int set_up(void **state)
{
    return set_up_blobs(state, 0);
}

static void whole(const void *list, size_t i, PrefetchItem *ret)
{
    *ret = (PrefetchItem){.blob = ((const BlobRef *)list)[i]};
}

/* Everything but the word "number ". */
static void behind_the_word(const void *list, size_t i, PrefetchItem *ret)
{
    const BlobRef *ref = &((const BlobRef *)list)[i];
    *ret = (PrefetchItem){.blob = *ref, .part = true, .offset = 7, .length = ref->size - 7};
}

static void assert_number(const Buf *buf, const char *format, int i)
{
    _cleanup_free_ char *expected = NULL;
    assert_true(asprintf(&expected, format, i) > 0);
    assert_string_equal(buf_str(buf), expected);
}

static void take(Prefetch *prefetch, Buf *out)
{
    if (prefetch_next(prefetch, out, &err) < 0)
        fail_msg("%s", err.message);
}

static void blobs_come_in_order(void **state)
{
    (void)state;
    _cleanup_(buf_done) Buf out = BUF_INIT(BLOB_STORED_MAX);
    Prefetch *prefetch = prefetch_new(repo, N, whole, refs);
    for (int i = 0; i < N; i++) {
        take(prefetch, &out);
        assert_number(&out, "number %d;", i);
    }
    prefetch_free(prefetch);
    assert_int_equal(n_requests("GET"), N);
    prefetch_free(NULL);
}

static void parts_come_in_order(void **state)
{
    (void)state;
    _cleanup_(buf_done) Buf out = BUF_INIT(BLOB_STORED_MAX);
    Prefetch *prefetch = prefetch_new(repo, N, behind_the_word, refs);
    for (int i = 0; i < N; i++) {
        take(prefetch, &out);
        assert_number(&out, "%d;", i);
    }
    prefetch_free(prefetch);
}

static pthread_t consumer;
static atomic_int foreign;

static int see_thread(const char *key, Error *e)
{
    (void)key;
    (void)e;
    foreign += !pthread_equal(pthread_self(), consumer);
    return 0;
}

static void a_local_store_and_a_single_blob_are_read_when_asked_for(void **state)
{
    (void)state;
    _cleanup_(buf_done) Buf out = BUF_INIT(BLOB_STORED_MAX);
    foreign = 0;
    consumer = pthread_self();
    before_get = see_thread;
    store->remote = false;
    Prefetch *prefetch = prefetch_new(repo, N, whole, refs);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(n_requests("GET"), i);
        take(prefetch, &out);
        assert_number(&out, "number %d;", i);
    }
    prefetch_free(prefetch);
    store->remote = true;
    prefetch = prefetch_new(repo, 1, whole, refs);
    assert_int_equal(n_requests("GET"), 10);
    take(prefetch, &out);
    prefetch_free(prefetch);
    assert_int_equal(n_requests("GET"), 11);
    assert_int_equal(foreign, 0);
    prefetch_free(prefetch_new(repo, 0, whole, refs));
}

/* Waits until cond, at most a minute. */
#define WAIT_FOR(cond)                                                                                                 \
    do {                                                                                                               \
        time_t until_ = time(NULL) + 60;                                                                               \
        while (!(cond) && time(NULL) < until_)                                                                         \
            sched_yield();                                                                                             \
        assert_true(cond);                                                                                             \
    } while (0)

static atomic_int now_reading, most_reading, gate;

static int hold_at_gate(const char *key, Error *e)
{
    (void)key;
    int now = ++now_reading;
    for (int most = most_reading; now > most && !atomic_compare_exchange_weak(&most_reading, &most, now);)
        ;
    for (time_t until = time(NULL) + 60; !gate && time(NULL) < until;)
        sched_yield();
    now_reading--;
    return gate ? 0 : error_set(e, ERR_FAILED, "nobody opened the gate");
}

static void close_gate(void)
{
    now_reading = most_reading = gate = 0;
    before_get = hold_at_gate;
}

/* Two at a time have as many requests as one. */
static void requests_are_bounded_together(void **state)
{
    (void)state;
    _cleanup_(buf_done) Buf out = BUF_INIT(BLOB_STORED_MAX);
    close_gate();
    Prefetch *one = prefetch_new(repo, N, whole, refs);
    WAIT_FOR(now_reading == 8);
    Prefetch *two = prefetch_new(repo, N, whole, refs);
    WAIT_FOR(now_reading == 9); /* the one it needs next */
    gate = 1;
    for (int i = 0; i < N; i++) {
        take(one, &out);
        assert_number(&out, "number %d;", i);
        take(two, &out);
        assert_number(&out, "number %d;", i);
    }
    prefetch_free(one);
    prefetch_free(two);
    assert_in_range(most_reading, 9, 10);
}

/* Blobs of 5 MiB: twelve fit into 64 MiB. */
static int set_up_large(void **state)
{
    if (set_up_blobs(state, 0) < 0)
        return -1;
    _cleanup_free_ char *body = xcalloc(1, 5 << 20);
    if (blob_put(repo, BLOB_RAW, body, 5 << 20, &refs[0], NULL, &err) < 0)
        return -1;
    for (int i = 1; i < N; i++)
        refs[i] = refs[0];
    forget_requests();
    return 0;
}

static void memory_is_bounded(void **state)
{
    (void)state;
    _cleanup_(buf_done) Buf out = BUF_INIT(BLOB_STORED_MAX);
    Prefetch *prefetch = prefetch_new(repo, N, whole, refs);
    WAIT_FOR(n_requests("GET") == 12);
    for (int i = 1; i <= 10; i++) {
        take(prefetch, &out);
        assert_int_equal(out.len, 5 << 20);
        WAIT_FOR(n_requests("GET") == 12 + i);
    }
    prefetch_free(prefetch); /* nothing is fetched that nobody takes */
    assert_int_equal(n_requests("GET"), 22);
    before_get = see_thread;
    prefetch = prefetch_new(repo, 12, whole, refs); /* the share has all of it back */
    WAIT_FOR(n_requests("GET") == 22 + 12);
    prefetch_free(prefetch);
}

static int fail_the_hundredth(const char *key, Error *e)
{
    return strstr(key, refs[100].hash) ? error_set(e, ERR_IO, "the line is dead") : 0;
}

static void a_failure_comes_at_its_place(void **state)
{
    (void)state;
    _cleanup_(buf_done) Buf out = BUF_INIT(BLOB_STORED_MAX);
    before_get = fail_the_hundredth;
    Prefetch *prefetch = prefetch_new(repo, N, whole, refs);
    for (int i = 0; i < 100; i++)
        take(prefetch, &out);
    assert_int_equal(prefetch_next(prefetch, &out, &err), -1);
    assert_int_equal(err.code, ERR_IO);
    assert_non_null(strstr(err.message, "the line is dead"));
    prefetch_free(prefetch);
    assert_in_range(n_requests("GET"), 101, 100 + 64);
}

static void a_damaged_blob_is_told(void **state)
{
    (void)state;
    char key[96];
    _cleanup_(buf_done) Buf out = BUF_INIT(BLOB_STORED_MAX);
    blob_key(repo, &refs[3], key);
    put_object(key, "number ?;");
    Prefetch *prefetch = prefetch_new(repo, N, whole, refs);
    for (int i = 0; i < 3; i++)
        take(prefetch, &out);
    assert_int_equal(prefetch_next(prefetch, &out, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    assert_non_null(strstr(err.message, refs[3].hash));
    prefetch_free(prefetch);
}

/* The last one: from here on this process is stopping. */
static void a_stop_ends_the_wait(void **state)
{
    (void)state;
    _cleanup_(buf_done) Buf out = BUF_INIT(BLOB_STORED_MAX);
    stop_install();
    close_gate();
    Prefetch *prefetch = prefetch_new(repo, N, whole, refs);
    WAIT_FOR(now_reading == 8);
    raise(SIGTERM);
    assert_int_equal(prefetch_next(prefetch, &out, &err), -1);
    assert_int_equal(err.code, ERR_INTERRUPTED);
    gate = 1;
    prefetch_free(prefetch);
    assert_int_equal(n_requests("GET"), 8);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(blobs_come_in_order),
        TEST(parts_come_in_order),
        TEST(a_local_store_and_a_single_blob_are_read_when_asked_for),
        TEST(requests_are_bounded_together),
        cmocka_unit_test_setup_teardown(memory_is_bounded, set_up_large, fixture_tear_down),
        TEST(a_failure_comes_at_its_place),
        TEST(a_damaged_blob_is_told),
        TEST(a_stop_ends_the_wait),
    };
    return cmocka_run_group_tests_name("prefetch", tests, NULL, NULL);
}
