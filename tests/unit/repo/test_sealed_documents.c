/* Manifests and locks of an encrypted repository. */
#include "crypt_fixture.h"

#include <stdio.h>
#include <time.h>

#include "lock_priv.h"
#include "manifest_priv.h"

DEFINE_CLEANUP(Manifest, manifest_free)

enum { DOCUMENT_MAX = 1 << 20 };

static Manifest *small_manifest(const char *id, const char *app)
{
    Manifest *manifest = manifest_new();
    manifest->id = xstrdup(id);
    manifest->app = xstrdup(app);
    manifest->host = xstrdup("h");
    manifest->kura_version = xstrdup("0.1.0");
    manifest->started = xstrdup("2026-11-22T03:15:00Z");
    manifest->finished = xstrdup("2026-11-22T03:15:00Z");
    return manifest;
}

static char *commit(const char *app)
{
    _cleanup_free_ char *id = manifest_new_id(repo, app);
    _cleanup_(manifest_free_cleanup) Manifest *manifest = small_manifest(id, app);
    if (manifest_commit(repo, manifest, &err) < 0)
        fail_msg("%s", err.message);
    return steal(id);
}

static void there_and_back(void **state)
{
    (void)state;
    _cleanup_(manifest_free_cleanup) Manifest *sample = sample_manifest(), *back = NULL;
    _cleanup_(buf_done) Buf before = BUF_INIT(DOCUMENT_MAX), after = BUF_INIT(DOCUMENT_MAX);
    assert_int_equal(manifest_commit(repo, sample, &err), 0);
    assert_int_equal(count_objects("backups/" SAMPLE_ID ".json.age"), 1);
    assert_int_equal(manifest_load(repo, SAMPLE_ID, &back, &err), -1);
    assert_int_equal(err.code, ERR_KEY);
    assert_non_null(strstr(err.hint, "--identity"));
    assert_int_equal(manifest_load(reader, SAMPLE_ID, &back, &err), 0);
    format_manifest(sample, &before);
    format_manifest(back, &after);
    assert_string_equal(buf_str(&before), buf_str(&after));
    assert_int_equal(manifest_commit(repo, sample, &err), -1);
    assert_int_equal(err.code, ERR_EXISTS);
}

static void ids_do_not_tell_the_application(void **state)
{
    (void)state;
    _cleanup_free_ char *one = manifest_new_id(repo, "misskey"), *two = manifest_new_id(reader, "misskey"),
                        *other = manifest_new_id(repo, "misskez");
    assert_true(manifest_id_valid(one));
    assert_null(strstr(one, "misskey"));
    assert_int_equal(strlen(one), strlen("20261122T031500Z-01234567-x7k2"));
    assert_memory_equal(one + 17, two + 17, 8); /* any host of the repository */
    assert_memory_not_equal(one + 17, other + 17, 8);
    assert_true(manifest_id_fits_app(repo, two, "misskey"));
    assert_false(manifest_id_fits_app(repo, two, "misskez"));
}

static void the_latest_of_an_application(void **state)
{
    (void)state;
    _cleanup_free_ char *first = commit("one"), *second = commit("two"), *found = NULL;
    assert_int_equal(manifest_resolve(reader, "latest", "one", &found, &err), 0);
    assert_string_equal(found, first);
    free(steal(found));
    assert_int_equal(manifest_resolve(repo, second, NULL, &found, &err), 0); /* needs no identity */
    assert_string_equal(found, second);
    assert_int_equal(manifest_resolve(reader, "latest", "three", &found, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_int_equal(manifest_resolve(repo, "latest", "one", &found, &err), -1);
    assert_int_equal(err.code, ERR_KEY);
}

static void assert_refused(const char *id, ErrorCode code, const char *part)
{
    Manifest *manifest = NULL;
    assert_int_equal(manifest_load(reader, id, &manifest, &err), -1);
    assert_null(manifest);
    if (err.code != code || strstr(err.message, part) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", part, err.message);
    assert_non_null(strstr(err.message, id));
}

/* Puts a document, encrypted by somebody who knows the recipient and nothing more. */
static void put_forged(const char *id, const char *text)
{
    AgeRecipient recipient = recipient_of(owner);
    _cleanup_(buf_done) Buf sealed = BUF_INIT(DOCUMENT_MAX);
    _cleanup_free_ char *key = xasprintf("backups/%s.json.age", id);
    assert_int_equal(age_encrypt(&recipient, 1, text, strlen(text), &sealed, &err), 0);
    put_bytes(key, sealed.data, sealed.len);
}

static char *wrap(const char *document, const char *mac)
{
    json_t *json =
        json_pack("{s:s, s:i, s:s, s:s}", "kura", "sealed-manifest", "version", 1, "mac", mac, "document", document);
    char *text = json_dumps(json, 0);
    json_decref(json);
    return text;
}

#define FORGED_ID "20261122T031500Z-0123abcd-x7k2"

static void forged_manifests(void **state)
{
    (void)state;
    static const char zeros[] = "0000000000000000000000000000000000000000000000000000000000000000";
    _cleanup_(manifest_free_cleanup) Manifest *manifest = small_manifest(FORGED_ID, "app");
    _cleanup_(buf_done) Buf plain = BUF_INIT(DOCUMENT_MAX);
    format_manifest(manifest, &plain);
    put_forged(FORGED_ID, buf_str(&plain)); /* without a wrapper */
    assert_refused(FORGED_ID, ERR_CORRUPT, "sealed-manifest");
    const char *const macs[] = {zeros, "", "00"};
    for (size_t i = 0; i < ARRAY_SIZE(macs); i++) {
        _cleanup_free_ char *wrapped = wrap(buf_str(&plain), macs[i]);
        put_forged(FORGED_ID, wrapped);
        assert_refused(FORGED_ID, ERR_CORRUPT, "not written by a host of this repository");
        assert_non_null(strstr(err.hint, "Do not restore"));
    }
    put_forged(FORGED_ID, "{\"kura\": \"sealed-manifest\", \"version\": 1}");
    assert_refused(FORGED_ID, ERR_CORRUPT, "mac is missing");
    put_forged(FORGED_ID, "{\"kura\": \"sealed-manifest\", \"version\": 2}");
    assert_refused(FORGED_ID, ERR_UNSUPPORTED, "version 2");
    put_forged(FORGED_ID, "");
    assert_refused(FORGED_ID, ERR_TRUNCATED, "");
    put_object("backups/" FORGED_ID ".json.age", buf_str(&plain)); /* in the clear */
    assert_refused(FORGED_ID, ERR_CORRUPT, "");
    /* An unencrypted one under its usual name is none of the repository's. */
    assert_int_equal(store_delete(store, "backups/" FORGED_ID ".json.age", &err), 0);
    put_object("backups/" FORGED_ID ".json", buf_str(&plain));
    _cleanup_(strvec_done) StrVec ids = {0};
    assert_int_equal(manifest_list(reader, &ids, &err), 0);
    assert_int_equal(ids.n, 0);
    assert_refused(FORGED_ID, ERR_NOT_FOUND, "no backup");
}

/* A real manifest in which somebody changed one digit, and who kept its mac. */
static void a_changed_manifest(void **state)
{
    (void)state;
    _cleanup_free_ char *id = commit("app"), *key = xasprintf("backups/%s.json.age", id);
    _cleanup_(buf_done) Buf object = BUF_INIT(DOCUMENT_MAX), text = BUF_INIT(DOCUMENT_MAX);
    get_object(key, &object);
    assert_int_equal(age_decrypt(owner, object.data, object.len, &text, &err), 0);
    char *moment = strstr((char *)text.data, "03:15:00Z");
    assert_non_null(moment);
    moment[0] = '1';
    put_forged(id, buf_str(&text));
    assert_refused(id, ERR_CORRUPT, "not written by a host of this repository");
}

static void a_manifest_under_the_name_of_another(void **state)
{
    (void)state;
    _cleanup_free_ char *one = commit("one"), *two = commit("two"), *from = xasprintf("backups/%s.json.age", one),
                        *to = xasprintf("backups/%s.json.age", two);
    _cleanup_(buf_done) Buf object = BUF_INIT(DOCUMENT_MAX);
    get_object(from, &object);
    put_bytes(to, object.data, object.len);
    assert_refused(two, ERR_CORRUPT, "another backup");
}

/* One of another repository with the same recipient: its naming key differs. */
static void a_manifest_of_another_repository(void **state)
{
    (void)state;
    Store *other_store;
    Repo *other;
    AgeRecipient recipient = recipient_of(owner);
    _cleanup_free_ char *path = xasprintf("%s.other", key_file);
    RepoAccess access = {.use = REPO_WRITE, .key_file = path};
    assert_int_equal(store_open("mem:other", NULL, true, &other_store, &err), 0);
    assert_int_equal(repo_create_encrypted(other_store, NULL, &recipient, 1, path, &err), 0);
    assert_int_equal(repo_open_with(other_store, &access, &other, &err), 0);
    _cleanup_(manifest_free_cleanup) Manifest *manifest = small_manifest(FORGED_ID, "app");
    _cleanup_(buf_done) Buf object = BUF_INIT(DOCUMENT_MAX);
    assert_int_equal(manifest_commit(other, manifest, &err), 0);
    assert_int_equal(store_get(other_store, "backups/" FORGED_ID ".json.age", 0, UINT64_MAX, &object, &err), 0);
    put_bytes("backups/" FORGED_ID ".json.age", object.data, object.len);
    assert_refused(FORGED_ID, ERR_CORRUPT, "not written by a host of this repository");
    repo_close(other);
    store_close(other_store);
    store_mem_forget("other");
}

/* ---- locks ---- */

static RepoLock *take(Repo *from, bool exclusive)
{
    RepoLock *lock = NULL;
    if (repo_lock(from, exclusive, "secret purpose", &lock, &err) < 0)
        fail_msg("%s", err.message);
    return lock;
}

static void any_host_of_the_repository_reads_locks(void **state)
{
    (void)state;
    RepoLock *lock = take(repo, true), *second = NULL;
    assert_int_equal(repo_lock(reader, false, "restore", &second, &err), -1);
    assert_int_equal(err.code, ERR_LOCKED);
    assert_non_null(strstr(err.message, "secret purpose"));
    repo_unlock(lock);
    lock = take(reader, true); /* a bare host, with an identity alone */
    assert_int_equal(repo_lock(repo, false, "backup", &second, &err), -1);
    assert_int_equal(err.code, ERR_LOCKED);
    repo_unlock(lock);
    lock = take(repo, false);
    repo_unlock(take(reader, false));
    repo_unlock(lock);
    assert_int_equal(count_objects("locks/"), 0);
}

static void the_store_cannot_tell_who_holds_one(void **state)
{
    (void)state;
    RepoLock *lock = take(repo, false);
    _cleanup_free_ char *key = only_object("locks/");
    _cleanup_(buf_done) Buf object = BUF_INIT(DOCUMENT_MAX), plain = BUF_INIT(DOCUMENT_MAX);
    assert_non_null(strstr(key, ".json.age"));
    get_object(key, &object);
    assert_null(memmem(object.data, object.len, "secret purpose", strlen("secret purpose")));
    assert_int_equal(age_decrypt(owner, object.data, object.len, &plain, &err), 0); /* age -d opens it */
    assert_non_null(strstr(buf_str(&plain), "secret purpose"));
    repo_unlock(lock);
}

static void foreign_locks_are_named(void **state)
{
    (void)state;
    AgeRecipient recipient = recipient_of(owner);
    _cleanup_(buf_done) Buf sealed = BUF_INIT(DOCUMENT_MAX);
    assert_int_equal(age_encrypt(&recipient, 1, "{}", 2, &sealed, &err), 0);
    for (int i = 0; i < 2; i++) {
        RepoLock *lock;
        if (i == 0)
            put_bytes("locks/0123.json.age", sealed.data, sealed.len);
        else
            put_object("locks/0123.json.age", "{\"kura\": \"lock\", \"version\": 1}");
        assert_int_equal(repo_lock(repo, false, "backup", &lock, &err), -1);
        assert_int_equal(err.code, ERR_CORRUPT);
        assert_non_null(strstr(err.message, "locks/0123.json.age"));
        assert_non_null(strstr(err.hint, "Remove this object"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CRYPT_TEST(there_and_back),
        CRYPT_TEST(ids_do_not_tell_the_application),
        CRYPT_TEST(the_latest_of_an_application),
        CRYPT_TEST(forged_manifests),
        CRYPT_TEST(a_changed_manifest),
        CRYPT_TEST(a_manifest_under_the_name_of_another),
        CRYPT_TEST(a_manifest_of_another_repository),
        CRYPT_TEST(any_host_of_the_repository_reads_locks),
        CRYPT_TEST(the_store_cannot_tell_who_holds_one),
        CRYPT_TEST(foreign_locks_are_named),
    };
    return cmocka_run_group_tests_name("sealed-documents", tests, NULL, NULL);
}
