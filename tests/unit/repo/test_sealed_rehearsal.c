/* Rehearsals in an encrypted repository. */
#include "crypt_fixture.h"

DEFINE_CLEANUP(Rehearsal, rehearsal_free)
DEFINE_CLEANUP(Manifest, manifest_free)

#define KEY "rehearsals/" REHEARSAL_ID ".json.age"

static void commit_sample(void)
{
    _cleanup_(rehearsal_free_cleanup) Rehearsal *sample = sample_rehearsal();
    if (rehearsal_commit(repo, sample, &err) < 0)
        fail_msg("%s", err.message);
}

static void there_and_back(void **state)
{
    (void)state;
    _cleanup_(rehearsal_free_cleanup) Rehearsal *sample = sample_rehearsal(), *back = NULL;
    _cleanup_(buf_done) Buf before = BUF_INIT(GOLDEN_MAX), after = BUF_INIT(GOLDEN_MAX);
    commit_sample();
    assert_int_equal(count_objects(KEY), 1);
    assert_int_equal(rehearsal_load(repo, REHEARSAL_ID, &back, &err), -1);
    assert_int_equal(err.code, ERR_KEY);
    assert_int_equal(rehearsal_load(reader, REHEARSAL_ID, &back, &err), 0);
    format_rehearsal(sample, &before);
    format_rehearsal(back, &after);
    assert_string_equal(buf_str(&before), buf_str(&after));
    _cleanup_(strvec_done) StrVec ids = {0};
    assert_int_equal(rehearsal_list(repo, &ids, &err), 0); /* needs no identity */
    assert_int_equal(ids.n, 1);
}

static void assert_refused(const char *part)
{
    Rehearsal *rehearsal = NULL;
    assert_int_equal(rehearsal_load(reader, REHEARSAL_ID, &rehearsal, &err), -1);
    assert_null(rehearsal);
    assert_int_equal(err.code, ERR_CORRUPT);
    if (strstr(err.message, part) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", part, err.message);
}

/* Encrypted by somebody who knows the recipient and nothing more. */
static void a_forged_one(void **state)
{
    (void)state;
    AgeRecipient recipient = recipient_of(owner);
    _cleanup_(rehearsal_free_cleanup) Rehearsal *sample = sample_rehearsal();
    _cleanup_(buf_done) Buf plain = BUF_INIT(GOLDEN_MAX), sealed = BUF_INIT(GOLDEN_MAX);
    format_rehearsal(sample, &plain);
    assert_int_equal(age_encrypt(&recipient, 1, plain.data, plain.len, &sealed, &err), 0);
    put_bytes(KEY, sealed.data, sealed.len);
    assert_refused("sealed-rehearsal");
    json_t *wrapper =
        json_pack("{s:s, s:i, s:s, s:s}", "kura", "sealed-rehearsal", "version", 1, "mac",
                  "0000000000000000000000000000000000000000000000000000000000000000", "document", buf_str(&plain));
    _cleanup_free_ char *text = json_dumps(wrapper, 0);
    json_decref(wrapper);
    buf_clear(&sealed);
    assert_int_equal(age_encrypt(&recipient, 1, text, strlen(text), &sealed, &err), 0);
    put_bytes(KEY, sealed.data, sealed.len);
    assert_refused("not written by a host of this repository");
}

/* Both are vouched for with one key: neither can stand where the other should. */
static void a_manifest_is_no_rehearsal(void **state)
{
    (void)state;
    _cleanup_(manifest_free_cleanup) Manifest *manifest = sample_manifest(), *back = NULL;
    _cleanup_(buf_done) Buf object = BUF_INIT(GOLDEN_MAX), other = BUF_INIT(GOLDEN_MAX);
    assert_int_equal(manifest_commit(repo, manifest, &err), 0);
    get_object("backups/" SAMPLE_ID ".json.age", &object);
    put_bytes(KEY, object.data, object.len);
    assert_refused("sealed-rehearsal");
    assert_int_equal(store_delete(store, KEY, &err), 0);
    commit_sample();
    get_object(KEY, &other);
    put_bytes("backups/" SAMPLE_ID ".json.age", other.data, other.len);
    assert_int_equal(manifest_load(reader, SAMPLE_ID, &back, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
}

/* Who is let in later reads the rehearsals of before. */
static void a_new_recipient(void **state)
{
    (void)state;
    RewrapTotals totals;
    Findings findings = FINDINGS_INIT;
    Progress progress = PROGRESS_INIT;
    AgeRecipient recipient = recipient_of(stranger);
    _cleanup_(rehearsal_free_cleanup) Rehearsal *back = NULL;
    commit_sample();
    assert_int_equal(repo_add_recipient(reader, &recipient, 2, &totals, &findings, &progress, &err), 0);
    assert_int_equal(totals.rewritten, 1);
    Repo *late = open_as(REPO_READ, stranger, "/nowhere/key");
    assert_int_equal(rehearsal_load(late, REHEARSAL_ID, &back, &err), 0);
    repo_close(late);
    findings_done(&findings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CRYPT_TEST(there_and_back),
        CRYPT_TEST(a_forged_one),
        CRYPT_TEST(a_manifest_is_no_rehearsal),
        CRYPT_TEST(a_new_recipient),
    };
    return cmocka_run_group_tests_name("rehearsals, sealed", tests, NULL, NULL);
}
