#include "fixture.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>

#include "kura/stop.h"
#include "store_priv.h"

static Uploader *uploader;

static void fill(Buf *data, const char *text, size_t len)
{
    while (data->len < len)
        assert_int_equal(buf_append(data, text, strlen(text), NULL), 0);
}

static int submit(const char *text, size_t len, BlobRef *ret)
{
    Buf data = BUF_INIT(BLOB_MAX);
    fill(&data, text, len);
    int rc = uploader_submit(uploader, BLOB_RAW, &data, ret, &err);
    buf_done(&data);
    return rc;
}

static void everything_is_stored_when_finished(void **state)
{
    (void)state;
    UploadTotals totals;
    BlobRef refs[40];
    bool is_new;
    assert_int_equal(blob_put(repo, BLOB_RAW, "number 7;", 9, &refs[7], &is_new, &err), 0);
    uploader = uploader_new(repo, 3, 100);
    for (int i = 0; i < 40; i++) {
        char text[32];
        snprintf(text, sizeof text, "number %d;", i);
        assert_int_equal(submit(text, 1, &refs[i]), 0);
    }
    assert_int_equal(uploader_finish(uploader, &totals, &err), 0);
    assert_int_equal(totals.blobs, 40);
    assert_int_equal(totals.bytes, 40 * 9 + 30);
    assert_int_equal(totals.new_blobs, 39);
    assert_int_equal(totals.new_bytes, 39 * 9 + 30);
    for (int i = 0; i < 40; i++)
        assert_int_equal(blob_check(repo, &refs[i], &err), 0);
    uploader_free(uploader);
}

static void the_bytes_are_taken(void **state)
{
    (void)state;
    Buf data = BUF_INIT(100);
    BlobRef ref, again;
    uploader = uploader_new(repo, 1, 100);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(buf_append_str(&data, "bytes", &err), 0);
        assert_int_equal(uploader_submit(uploader, BLOB_TAR, &data, i ? &again : &ref, &err), 0);
        assert_int_equal(data.len, 0);
        assert_int_equal(data.max, 100);
    }
    assert_string_equal(ref.hash, again.hash);
    assert_int_equal(ref.kind, BLOB_TAR);
    assert_int_equal(uploader_finish(uploader, NULL, &err), 0);
    assert_int_equal(n_puts, 1);
    uploader_free(uploader);
    buf_done(&data);
}

/* Many threads, few contents: each is asked for and sent once. */
enum { THREADS = 4, SUBMITS = 200, CONTENTS = 25 };

static void *submit_many(void *arg)
{
    atomic_int *failures = arg;
    for (int i = 0; i < SUBMITS; i++) {
        char text[32];
        BlobRef ref;
        Buf data = BUF_INIT(1 << 20);
        snprintf(text, sizeof text, "content %d;", i % CONTENTS);
        *failures += buf_append_str(&data, text, NULL) < 0;
        *failures += uploader_submit(uploader, BLOB_RAW, &data, &ref, NULL) < 0;
        buf_done(&data);
    }
    return NULL;
}

static void equal_blobs_are_sent_once(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    atomic_int failures = 0;
    UploadTotals totals;
    uploader = uploader_new(repo, 2, 1000);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, submit_many, &failures);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(uploader_finish(uploader, &totals, &err), 0);
    assert_int_equal(failures, 0);
    assert_int_equal(totals.blobs, THREADS * SUBMITS);
    assert_int_equal(totals.new_blobs, CONTENTS);
    assert_int_equal(n_puts, CONTENTS);
    assert_int_equal(n_heads, CONTENTS);
    uploader_free(uploader);
}

/* With one thread every blob that was let in is stored, in flight (the one that is being put), or in the queue. */
static atomic_int overfull;
static int queue_fits;

static int look_at_queue(const char *key, Error *e)
{
    (void)key;
    (void)e;
    overfull += uploader_totals(uploader).blobs > (uint64_t)(n_puts + queue_fits);
    return 0;
}

static void submit_numbers(int n, size_t len)
{
    for (int i = 0; i < n; i++) {
        char text[32];
        BlobRef ref;
        snprintf(text, sizeof text, "%09d;", i);
        assert_int_equal(submit(text, len, &ref), 0);
    }
}

static void the_queue_is_bounded(void **state)
{
    (void)state;
    overfull = 0;
    queue_fits = 1;
    before_put = look_at_queue;
    uploader = uploader_new(repo, 1, 250);
    submit_numbers(200, 100);
    assert_int_equal(uploader_finish(uploader, NULL, &err), 0);
    assert_int_equal(n_puts, 200);
    assert_int_equal(overfull, 0);
    uploader_free(uploader);
}

static void one_blob_is_always_let_in(void **state)
{
    (void)state;
    overfull = 0;
    queue_fits = 0;
    before_put = look_at_queue;
    uploader = uploader_new(repo, 1, 10);
    submit_numbers(50, 1000);
    assert_int_equal(uploader_finish(uploader, NULL, &err), 0);
    assert_int_equal(overfull, 0);
    uploader_free(uploader);
}

/* Puts that go on at the same time, and the bytes that they and the queue hold. */
static atomic_int puts_now, most_puts, most_held;

static void keep_most(atomic_int *most, int now)
{
    for (int seen = *most; now > seen && !atomic_compare_exchange_weak(most, &seen, now);)
        ;
}

static int look_at_memory(const char *key, Error *e)
{
    (void)key;
    (void)e;
    keep_most(&most_puts, ++puts_now);
    UploadTotals totals = uploader_totals(uploader);
    keep_most(&most_held, (int)(totals.bytes - totals.new_bytes));
    sched_yield();
    puts_now--;
    return 0;
}

static void what_is_in_flight_counts_too(void **state)
{
    (void)state;
    puts_now = most_puts = most_held = 0;
    before_put = look_at_memory;
    uploader = uploader_new(repo, 6, 450);
    submit_numbers(300, 100);
    assert_int_equal(uploader_finish(uploader, NULL, &err), 0);
    assert_int_equal(n_puts, 300);
    assert_in_range(most_puts, 1, 4);
    assert_in_range(most_held, 100, 400);
    uploader_free(uploader);
}

/* --- known blobs --- */

static BlobRef name_of(const char *text)
{
    BlobRef ref = {.kind = BLOB_RAW, .size = strlen(text)};
    sha256_hex(text, strlen(text), ref.hash);
    return ref;
}

static void a_known_blob_is_neither_asked_for_nor_sent(void **state)
{
    (void)state;
    UploadTotals totals;
    const BlobRef known = name_of("known");
    BlobRef ref, other_kind;
    store->remote = true;
    uploader = uploader_new(repo, 2, 1000);
    uploader_know(uploader, &known);
    assert_int_equal(submit("known", 1, &ref), 0);
    assert_string_equal(ref.hash, known.hash);
    assert_int_equal(submit("other", 1, &ref), 0);
    Buf data = BUF_INIT(100);
    assert_int_equal(buf_append_str(&data, "known", &err), 0);
    assert_int_equal(uploader_submit(uploader, BLOB_TAR, &data, &other_kind, &err), 0);
    assert_int_equal(uploader_finish(uploader, &totals, &err), 0);
    assert_int_equal(n_heads, 2);
    assert_int_equal(n_puts, 2);
    assert_int_equal(totals.blobs, 3);
    assert_int_equal(totals.new_blobs, 2);
    assert_int_equal(count_objects("blobs/"), 2);
    uploader_free(uploader);
}

/* There asking is cheap, and what was lost comes back. */
static void a_local_store_is_asked_all_the_same(void **state)
{
    (void)state;
    BlobRef ref;
    const BlobRef known = name_of("known");
    uploader = uploader_new(repo, 1, 1000);
    uploader_know(uploader, &known);
    assert_int_equal(uploader_know_all(uploader, &err), 0);
    assert_int_equal(submit("known", 1, &ref), 0);
    assert_int_equal(uploader_finish(uploader, NULL, &err), 0);
    assert_int_equal(n_heads, 1);
    assert_int_equal(n_puts, 1);
    uploader_free(uploader);
}

static void who_distrusts_asks(void **state)
{
    (void)state;
    BlobRef ref;
    const BlobRef known = name_of("known");
    store->remote = true;
    uploader = uploader_new(repo, 1, 1000);
    uploader_distrust(uploader);
    uploader_know(uploader, &known);
    assert_int_equal(uploader_know_all(uploader, &err), 0);
    assert_int_equal(submit("known", 1, &ref), 0);
    assert_int_equal(uploader_finish(uploader, NULL, &err), 0);
    assert_int_equal(n_heads, 1);
    assert_int_equal(n_puts, 1);
    uploader_free(uploader);
}

/* What is doubted is asked for, whoever knows it; what is damaged is replaced, and then there. */
static void what_is_doubted_is_not_believed(void **state)
{
    (void)state;
    BlobRef doubted, damaged, sent;
    Buf bytes = BUF_INIT(100);
    bool there;
    char key[BLOB_KEY_SIZE];
    store->remote = true;
    assert_int_equal(blob_put(repo, BLOB_RAW, "doubted", 7, &doubted, NULL, &err), 0);
    assert_int_equal(blob_put(repo, BLOB_RAW, "damaged", 7, &damaged, NULL, &err), 0);
    blob_key(repo, &damaged, key);
    put_object(key, "demaged");
    uploader = uploader_new(repo, 1, 100);
    uploader_doubt(uploader, &doubted, false);
    uploader_doubt(uploader, &damaged, true);
    uploader_know(uploader, &doubted);
    uploader_know(uploader, &damaged);
    assert_int_equal(uploader_has(uploader, &doubted, &there, &err), 0);
    assert_true(there);
    assert_int_equal(n_requests("HEAD blobs/"), 3); /* two are blob_put's */
    assert_int_equal(uploader_has(uploader, &damaged, &there, &err), 0);
    assert_false(there);
    assert_int_equal(n_requests("HEAD blobs/"), 3);
    assert_int_equal(submit("damaged", 1, &sent), 0);
    assert_int_equal(uploader_has(uploader, &damaged, &there, &err), 0);
    assert_true(there);
    assert_int_equal(uploader_finish(uploader, NULL, &err), 0);
    assert_int_equal(blob_get(repo, &damaged, &bytes, &err), 0);
    buf_done(&bytes);
    uploader_free(uploader);
}

static void a_listing_spares_the_questions(void **state)
{
    (void)state;
    BlobRef ref;
    store->remote = true;
    assert_int_equal(blob_put(repo, BLOB_RAW, "left behind", 11, &ref, NULL, &err), 0);
    put_object("blobs/00/foreign", "no blob");
    n_heads = n_puts = 0;
    uploader = uploader_new(repo, 2, 1000);
    assert_int_equal(uploader_know_all(uploader, &err), 0);
    assert_int_equal(submit("left behind", 1, &ref), 0);
    assert_int_equal(submit("new", 1, &ref), 0);
    assert_int_equal(uploader_finish(uploader, NULL, &err), 0);
    assert_int_equal(n_heads, 0);
    assert_int_equal(n_puts, 1);
    assert_int_equal(blob_check(repo, &ref, &err), 0);
    uploader_free(uploader);
}

static int fail_at_tenth(const char *key, Error *e)
{
    (void)key;
    return n_puts >= 10 ? error_set(e, ERR_IO, "the disk is full (%d)", (int)n_puts) : 0;
}

static void the_first_failure_ends_it(void **state)
{
    (void)state;
    BlobRef ref;
    int accepted = 0;
    before_put = fail_at_tenth;
    uploader = uploader_new(repo, 1, 30);
    for (; accepted < 1000; accepted++) {
        char text[32];
        snprintf(text, sizeof text, "%09d;", accepted);
        if (submit(text, 1, &ref) < 0)
            break;
    }
    assert_in_range(accepted, 10, 14);
    assert_int_equal(err.code, ERR_IO);
    assert_non_null(strstr(err.message, "the disk is full (10)"));
    error_clear(&err);
    assert_int_equal(uploader_finish(uploader, NULL, &err), -1);
    assert_non_null(strstr(err.message, "the disk is full (10)"));
    assert_int_equal(n_puts, 10);
    assert_int_equal(uploader_totals(uploader).new_blobs, 9);
    uploader_free(uploader);
}

static void giving_up_drops_the_queue(void **state)
{
    (void)state;
    uploader_free(NULL);
    uploader = uploader_new(repo, 1, 1 << 20);
    uploader_free(uploader);
    uploader = uploader_new(repo, 2, 1 << 20);
    submit_numbers(500, 1000);
    uploader_free(uploader);
    assert_in_range(n_puts, 0, 500);
}

/* The last one: from here on this process is stopping. */
static int stop_at_fifth(const char *key, Error *e)
{
    (void)key;
    (void)e;
    if (n_puts == 5)
        raise(SIGTERM);
    return 0;
}

static void a_stop_ends_it(void **state)
{
    (void)state;
    BlobRef ref;
    int accepted = 0;
    stop_install();
    before_put = stop_at_fifth;
    uploader = uploader_new(repo, 1, 30);
    for (; accepted < 1000; accepted++) {
        char text[32];
        snprintf(text, sizeof text, "%09d;", accepted);
        if (submit(text, 1, &ref) < 0)
            break;
    }
    assert_in_range(accepted, 5, 9);
    assert_int_equal(err.code, ERR_INTERRUPTED);
    uploader_finish(uploader, NULL, &err);
    assert_in_range(n_puts, 5, 6);
    uploader_free(uploader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        REPO_TEST(everything_is_stored_when_finished),
        REPO_TEST(the_bytes_are_taken),
        REPO_TEST(equal_blobs_are_sent_once),
        REPO_TEST(the_queue_is_bounded),
        REPO_TEST(one_blob_is_always_let_in),
        REPO_TEST(what_is_in_flight_counts_too),
        REPO_TEST(a_known_blob_is_neither_asked_for_nor_sent),
        REPO_TEST(a_local_store_is_asked_all_the_same),
        REPO_TEST(who_distrusts_asks),
        REPO_TEST(what_is_doubted_is_not_believed),
        REPO_TEST(a_listing_spares_the_questions),
        REPO_TEST(the_first_failure_ends_it),
        REPO_TEST(giving_up_drops_the_queue),
        REPO_TEST(a_stop_ends_it),
    };
    return cmocka_run_group_tests_name("uploader", tests, NULL, NULL);
}
