/* One more recipient: for new backups and for old ones, also when it was interrupted. */
#include "crypt_fixture.h"

#include <stdio.h>

#include "kura/findings.h"

DEFINE_CLEANUP(Manifest, manifest_free)

enum { BLOBS = 40, SIZE = 1000, THREADS = 3 };

static BlobRef refs[BLOBS];
static Repo *adder; /* with the identity, on the host */
static AgeRecipient stranger_recipient;

static void fill_repository(void)
{
    uint8_t bytes[SIZE];
    for (int i = 0; i < BLOBS; i++) {
        memset(bytes, i, sizeof bytes);
        assert_int_equal(blob_put(repo, BLOB_RAW, bytes, SIZE, &refs[i], NULL, &err), 0);
    }
    _cleanup_(manifest_free_cleanup) Manifest *manifest = sample_manifest();
    assert_int_equal(manifest_commit(repo, manifest, &err), 0);
}

static int set_up(void **state)
{
    int rc = crypt_set_up(state);
    fill_repository();
    adder = open_as(REPO_READ, owner, key_file);
    stranger_recipient = recipient_of(stranger);
    return rc;
}

static int tear_down(void **state)
{
    repo_close(adder);
    return crypt_tear_down(state);
}
#define ADD_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

static int add(Repo *to, RewrapTotals *totals, Findings *findings)
{
    return repo_add_recipient(to, &stranger_recipient, THREADS, totals, findings, NULL, &err);
}

static void assert_everything_readable_by(const AgeIdentities *identities)
{
    Repo *opened = open_as(REPO_READ, identities, "/nonexistent/key");
    for (int i = 0; i < BLOBS; i++) {
        _cleanup_(buf_done) Buf out = BUF_INIT(SIZE);
        if (blob_get(opened, &refs[i], &out, &err) < 0)
            fail_msg("%s", err.message);
        assert_int_equal(out.data[SIZE - 1], i);
    }
    _cleanup_(manifest_free_cleanup) Manifest *manifest = NULL;
    assert_int_equal(manifest_load(opened, SAMPLE_ID, &manifest, &err), 0);
    repo_close(opened);
}

static void old_backups_are_readable(void **state)
{
    (void)state;
    RewrapTotals totals;
    Findings findings = FINDINGS_INIT;
    assert_locked_out(REPO_READ, stranger, key_file, "does not fit");
    assert_int_equal(add(adder, &totals, &findings), 0);
    assert_int_equal(totals.objects, BLOBS + 1);
    assert_int_equal(totals.rewritten, BLOBS + 1);
    assert_int_equal(totals.failed, 0);
    assert_int_equal(findings.n, 0);
    assert_everything_readable_by(owner);
    assert_everything_readable_by(stranger);
    /* The host pins both, and backs up for both without storing anything twice. */
    Repo *host = open_as(REPO_WRITE, NULL, key_file);
    bool is_new;
    BlobRef ref;
    uint8_t bytes[SIZE] = {0};
    assert_int_equal(blob_put(host, BLOB_RAW, bytes, SIZE, &ref, &is_new, &err), 0);
    assert_false(is_new);
    assert_int_equal(blob_put(host, BLOB_RAW, "new", 3, &ref, &is_new, &err), 0);
    assert_true(is_new);
    Repo *opened = open_as(REPO_READ, stranger, key_file);
    _cleanup_(buf_done) Buf out = BUF_INIT(SIZE);
    assert_int_equal(blob_get(opened, &ref, &out, &err), 0);
    repo_close(opened);
    repo_close(host);
    assert_int_equal(count_objects("locks/"), 0);
}

static void again_it_does_nothing(void **state)
{
    (void)state;
    RewrapTotals totals;
    assert_int_equal(add(adder, &totals, NULL), 0);
    forget_requests();
    assert_int_equal(add(adder, &totals, NULL), 0);
    assert_int_equal(totals.objects, BLOBS + 1);
    assert_int_equal(totals.rewritten, 0);
    assert_int_equal(n_requests("PUT blobs/") + n_requests("PUT backups/") + n_requests("PUT kura.json"), 0);
}

static atomic_int puts_left;

static int fail_later(const char *key, Error *e)
{
    if (strncmp(key, "locks/", 6) == 0 || puts_left-- > 0)
        return 0;
    return error_set(e, ERR_CONNECTION, "the network is down");
}

/* Whichever write is the last one, the repository stays usable by those who could use it, and doing it again, as
 * another process would, goes on where it ended. */
static void interrupted_anywhere(void **state)
{
    (void)state;
    int attempts = 0, rc;
    uint64_t rewritten = 0;
    do {
        RewrapTotals totals = {0};
        before_put = fail_later;
        puts_left = attempts < 2 ? attempts : 7; /* kura.json is not written; kura.json alone; some objects */
        rc = add(adder, &totals, NULL);
        before_put = NULL;
        rewritten += totals.rewritten;
        if (rc < 0)
            assert_int_equal(err.code, ERR_CONNECTION);
        assert_everything_readable_by(owner);
        repo_close(adder);
        adder = open_as(REPO_READ, owner, key_file);
    } while (rc < 0 && attempts++ < 3 * BLOBS);
    assert_int_equal(rc, 0);
    assert_true(attempts >= BLOBS / 7);
    assert_int_equal(rewritten, BLOBS + 1); /* none twice */
    assert_everything_readable_by(stranger);
    repo_close(open_as(REPO_WRITE, NULL, key_file));
}

/* kura.json is written, the host's key file is not. */
static void interrupted_before_the_key_file(void **state)
{
    (void)state;
    RewrapTotals totals;
    assert_int_equal(add(reader, &totals, NULL), 0); /* a host without a key file */
    assert_int_equal(repo_pinning(reader), REPO_PINNED_NONE);
    assert_locked_out(REPO_WRITE, NULL, key_file, "other recipients");
    repo_close(adder);
    adder = open_as(REPO_READ, owner, key_file);
    assert_int_equal(repo_pinning(adder), REPO_PINNED_OTHER);
    assert_int_equal(add(adder, &totals, NULL), 0);
    assert_int_equal(totals.rewritten, 0);
    assert_int_equal(repo_pinning(adder), REPO_PINNED_SAME);
    repo_close(open_as(REPO_WRITE, NULL, key_file));
}

static void a_damaged_object_does_not_stop_it(void **state)
{
    (void)state;
    char key[BLOB_KEY_SIZE];
    RewrapTotals totals;
    Findings findings = FINDINGS_INIT;
    blob_key(repo, &refs[3], key);
    put_object(key, "damaged");
    assert_int_equal(add(adder, &totals, &findings), 0);
    assert_int_equal(totals.failed, 1);
    assert_int_equal(totals.rewritten, BLOBS);
    assert_int_equal(findings.n, 1);
    assert_non_null(strstr(findings.v[0].message, key));
    findings_done(&findings);
}

static void it_needs_an_identity_and_a_free_repository(void **state)
{
    (void)state;
    RewrapTotals totals;
    RepoLock *lock;
    assert_int_equal(add(repo, &totals, NULL), -1);
    assert_int_equal(err.code, ERR_KEY);
    assert_int_equal(repo_lock(repo, false, "backup", &lock, &err), 0);
    assert_int_equal(add(adder, &totals, NULL), -1);
    assert_int_equal(err.code, ERR_LOCKED);
    repo_unlock(lock);
    assert_locked_out(REPO_READ, stranger, key_file, "does not fit");
    assert_int_equal(add(adder, &totals, NULL), 0);
}

static void what_kura_does_not_know_stays(void **state)
{
    (void)state;
    RewrapTotals totals;
    _cleanup_(buf_done) Buf text = BUF_INIT(65536);
    set_header("future", json_string("member"));
    repo_close(adder);
    adder = open_as(REPO_READ, owner, key_file);
    assert_int_equal(add(adder, &totals, NULL), 0);
    get_object("kura.json", &text);
    assert_non_null(strstr(buf_str(&text), "\"future\": \"member\""));
    assert_non_null(strstr(buf_str(&text), repo_id(repo)));
}

static void there_is_an_end_to_it(void **state)
{
    (void)state;
    RewrapTotals totals;
    for (int i = 1; i < REPO_RECIPIENTS_MAX; i++) {
        AgeIdentities *one = age_identities_new();
        stranger_recipient = recipient_of(one);
        age_identities_free(one);
        if (add(adder, &totals, NULL) < 0)
            fail_msg("%s", err.message);
    }
    stranger_recipient = recipient_of(stranger);
    assert_int_equal(add(adder, &totals, NULL), -1);
    assert_int_equal(err.code, ERR_USAGE);
    assert_everything_readable_by(owner);
    repo_close(adder);
    adder = open_as(REPO_WRITE, owner, key_file);
    RepoLock *lock;
    assert_int_equal(repo_lock(adder, true, "test", &lock, &err), 0); /* a lock has one recipient more */
    repo_unlock(lock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ADD_TEST(old_backups_are_readable),
        ADD_TEST(again_it_does_nothing),
        ADD_TEST(interrupted_anywhere),
        ADD_TEST(interrupted_before_the_key_file),
        ADD_TEST(a_damaged_object_does_not_stop_it),
        ADD_TEST(it_needs_an_identity_and_a_free_repository),
        ADD_TEST(what_kura_does_not_know_stays),
        ADD_TEST(there_is_an_end_to_it),
    };
    return cmocka_run_group_tests_name("key-add", tests, NULL, NULL);
}
