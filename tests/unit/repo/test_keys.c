/* Who gets in: key file, identity, and what somebody who can write to the store makes of kura.json. */
#include "crypt_fixture.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keyfile_priv.h"
#include "kura/jsontext.h"

#define NOWHERE "/nonexistent/key"

static void read_text(const char *path, Buf *out)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(buf_reserve(out, 65536, &err), 0);
    out->len = fread(out->data, 1, 65536, file);
    out->data[out->len] = 0;
    fclose(file);
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static char *recipient_text(const AgeIdentities *identities)
{
    char text[AGE_RECIPIENT_SIZE];
    AgeRecipient recipient = recipient_of(identities);
    age_recipient_format(&recipient, text);
    return xstrdup(text);
}

static void the_key_file(void **state)
{
    (void)state;
    struct stat st;
    _cleanup_(buf_done) Buf text = BUF_INIT(65536);
    _cleanup_free_ char *recipient = recipient_text(owner), *id = xasprintf("\nrepository %s\n", repo_id(repo));
    assert_int_equal(stat(key_file, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    read_text(key_file, &text);
    assert_non_null(strstr(buf_str(&text), id));
    assert_non_null(strstr(buf_str(&text), recipient));
    assert_non_null(strstr(buf_str(&text), "\nlocation the test's store\n"));
    assert_string_equal(repo_key_file(repo), key_file);
    assert_true(repo_is_encrypted(repo));
    assert_int_equal(repo_pinning(repo), REPO_PINNED_SAME);
    assert_int_equal(repo_pinning(reader), REPO_PINNED_NONE);
    assert_false(repo_can_read(repo));
    assert_true(repo_can_read(reader));
}

/* Neither the naming key nor the identity may be in the store. */
static void the_store_holds_no_key(void **state)
{
    (void)state;
    _cleanup_(buf_done) Buf header = BUF_INIT(65536), text = BUF_INIT(65536);
    get_object("kura.json", &header);
    read_text(key_file, &text);
    const char *naming = strstr(buf_str(&text), "naming-key ");
    assert_non_null(naming);
    _cleanup_free_ char *hex = xstrndup(naming + strlen("naming-key "), 64);
    assert_null(strstr(buf_str(&header), hex));
    assert_null(strstr(buf_str(&header), "AGE-SECRET-KEY"));
    assert_non_null(strstr(buf_str(&header), "\"cipher\": \"age\""));
}

static void doors(void **state)
{
    (void)state;
    repo_close(open_as(REPO_LOOK, NULL, NOWHERE));
    repo_close(open_as(REPO_READ, NULL, key_file));
    repo_close(open_as(REPO_READ, owner, key_file));
    repo_close(open_as(REPO_WRITE, owner, key_file));
    assert_locked_out(REPO_READ, NULL, NOWHERE, "no key for it here");
    _cleanup_free_ char *recipient = recipient_text(owner);
    assert_non_null(strstr(err.hint, recipient));
    assert_non_null(strstr(err.hint, NOWHERE));
    assert_locked_out(REPO_WRITE, NULL, NOWHERE, "no key for it here");
    assert_locked_out(REPO_WRITE, owner, NOWHERE, "no key file");
    assert_non_null(strstr(err.hint, "kura key pin"));
    assert_locked_out(REPO_READ, stranger, NOWHERE, recipient);
    assert_locked_out(REPO_READ, stranger, key_file, "does not fit");
    assert_locked_out(REPO_LOOK, stranger, key_file, "does not fit");
}

static void nothing_works_without_keys(void **state)
{
    (void)state;
    BlobRef ref;
    RepoLock *lock;
    Repo *looker = open_as(REPO_LOOK, NULL, NOWHERE);
    assert_int_equal(blob_put(looker, BLOB_RAW, "x", 1, &ref, NULL, &err), -1);
    assert_int_equal(err.code, ERR_KEY);
    assert_int_equal(repo_lock(looker, false, "test", &lock, &err), -1);
    assert_int_equal(err.code, ERR_KEY);
    assert_int_equal(count_objects("blobs/") + count_objects("locks/"), 0);
    repo_close(looker);
}

static void another_recipient_appears(void **state)
{
    (void)state;
    _cleanup_free_ char *mine = recipient_text(owner), *his = recipient_text(stranger);
    set_header("recipients", json_pack("[s, s]", mine, his));
    assert_locked_out(REPO_WRITE, NULL, key_file, "other recipients");
    assert_non_null(strstr(err.hint, "kura key list"));
    Repo *opened = open_as(REPO_READ, owner, key_file);
    assert_int_equal(repo_pinning(opened), REPO_PINNED_OTHER);
    RewrapTotals totals;
    AgeIdentities *third = age_identities_new();
    AgeRecipient recipient = recipient_of(third);
    age_identities_free(third);
    assert_int_equal(repo_add_recipient(opened, &recipient, 1, &totals, NULL, NULL, &err), -1);
    assert_int_equal(err.code, ERR_KEY);
    /* What it stores nevertheless, a lock for instance, is not for him. */
    RepoLock *lock;
    assert_int_equal(repo_lock(opened, false, "test", &lock, &err), 0);
    _cleanup_free_ char *key = only_object("locks/");
    _cleanup_(buf_done) Buf object = BUF_INIT(65536), plain = BUF_INIT(65536);
    get_object(key, &object);
    assert_int_equal(age_decrypt(stranger, object.data, object.len, &plain, &err), -1);
    assert_int_equal(err.code, ERR_KEY);
    repo_unlock(lock);
    /* Accepted on purpose, he is trusted. */
    assert_int_equal(repo_pin(opened, &err), 0);
    assert_int_equal(repo_pinning(opened), REPO_PINNED_SAME);
    repo_close(opened);
    repo_close(open_as(REPO_WRITE, NULL, key_file));
}

static void the_recipient_is_replaced(void **state)
{
    (void)state;
    _cleanup_free_ char *his = recipient_text(stranger);
    set_header("recipients", json_pack("[s]", his));
    assert_locked_out(REPO_WRITE, NULL, key_file, "other recipients");
}

/* kura.json of a plain repository, so that the next backup would be readable by everybody. */
static void encryption_is_switched_off(void **state)
{
    (void)state;
    set_header("cipher", json_string("none"));
    assert_locked_out(REPO_WRITE, NULL, key_file, "not encrypted");
    assert_locked_out(REPO_READ, owner, key_file, "not encrypted");
    set_header("id", json_string("0123456789abcdef0123456789abcdef"));
    assert_locked_out(REPO_WRITE, NULL, key_file, "not encrypted");
}

static void another_repository_takes_the_place(void **state)
{
    (void)state;
    set_header("id", json_string("0123456789abcdef0123456789abcdef"));
    assert_locked_out(REPO_WRITE, NULL, key_file, "another repository");
}

/* A naming key of the attacker's, encrypted for the public recipient. */
static void the_naming_key_is_replaced(void **state)
{
    (void)state;
    AgeRecipient recipient = recipient_of(owner);
    _cleanup_(buf_done) Buf sealed = BUF_INIT(65536);
    uint8_t forged[32] = {7};
    assert_int_equal(age_encrypt(&recipient, 1, forged, sizeof forged, &sealed, &err), 0);
    json_t *text = jsontext_new((const char *)sealed.data, sealed.len); /* base64, as it is not UTF-8 */
    set_header("naming_key", json_incref(json_object_get(text, "base64")));
    json_decref(text);
    assert_locked_out(REPO_READ, owner, key_file, "another naming key");
    repo_close(open_as(REPO_WRITE, NULL, key_file)); /* does not care about it */
}

static void assert_header_refused(const char *member, json_t *value, ErrorCode code, const char *part)
{
    Repo *opened;
    _cleanup_(buf_done) Buf before = BUF_INIT(65536);
    get_object("kura.json", &before);
    set_header(member, value);
    RepoAccess access = {.use = REPO_READ, .identities = owner, .key_file = NOWHERE};
    assert_int_equal(repo_open_with(store, &access, &opened, &err), -1);
    if (err.code != code || strstr(err.message, part) == NULL)
        fail_msg("%s: \"%s\" is not in \"%s\"", member, part, err.message);
    put_object("kura.json", buf_str(&before));
}

static void hostile_headers(void **state)
{
    (void)state;
    _cleanup_free_ char *mine = recipient_text(owner), *long_text = xcalloc(1, 60001);
    memset(long_text, 'A', 60000);
    assert_header_refused("recipients", json_string(mine), ERR_CORRUPT, "recipients is not an array");
    assert_header_refused("recipients", json_array(), ERR_CORRUPT, "0 recipients");
    assert_header_refused("recipients", json_pack("[s, s]", mine, mine), ERR_CORRUPT, "twice");
    assert_header_refused("recipients", json_pack("[i]", 1), ERR_CORRUPT, "recipients[0]");
    assert_header_refused("recipients", json_pack("[s]", "age1xyz"), ERR_CORRUPT, "which is none");
    json_t *many = json_array();
    for (int i = 0; i <= REPO_RECIPIENTS_MAX; i++)
        json_array_append_new(many, json_string(mine));
    assert_header_refused("recipients", many, ERR_CORRUPT, "20 recipients");
    assert_header_refused("naming_key", json_integer(1), ERR_CORRUPT, "naming_key");
    assert_header_refused("naming_key", json_string(""), ERR_CORRUPT, "naming_key");
    assert_header_refused("naming_key", json_string("===="), ERR_CORRUPT, "naming_key");
    assert_header_refused("naming_key", json_string("abc"), ERR_CORRUPT, "naming_key");
    assert_header_refused("naming_key", json_string("a$c="), ERR_CORRUPT, "naming_key");
    assert_header_refused("naming_key", json_string("AAAA"), ERR_CORRUPT, "naming key in kura.json");
    assert_header_refused("naming_key", json_string(long_text), ERR_CORRUPT, "naming_key");
    assert_header_refused("cipher", json_string("rot13"), ERR_UNSUPPORTED, "rot13");
    assert_header_refused("segment", json_pack("{s:i, s:i, s:i}", "min", 1, "mean", 1, "max", 1), ERR_CORRUPT,
                          "so short");
}

static void a_naming_key_of_the_wrong_size(void **state)
{
    (void)state;
    AgeRecipient recipient = recipient_of(owner);
    for (size_t len = 0; len <= 64; len += 31) {
        _cleanup_(buf_done) Buf sealed = BUF_INIT(65536);
        uint8_t key[64] = {1};
        assert_int_equal(age_encrypt(&recipient, 1, key, len, &sealed, &err), 0);
        json_t *text = jsontext_new((const char *)sealed.data, sealed.len);
        assert_header_refused("naming_key", json_incref(json_object_get(text, "base64")), ERR_CORRUPT, "naming key");
        json_decref(text);
    }
}

static void assert_key_file(const char *text, const char *part)
{
    KeyFile *file = NULL;
    assert_int_equal(keyfile_parse(text, strlen(text), &file, &err), -1);
    assert_int_equal(err.code, ERR_KEY);
    if (strstr(err.message, part) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", part, err.message);
    assert_null(strstr(err.message, "secret"));
}

#define ID "repository 0123456789abcdef0123456789abcdef\n"
#define KEY "naming-key 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"

static void hostile_key_files(void **state)
{
    (void)state;
    _cleanup_free_ char *text = recipient_text(owner), *one = xasprintf("recipient %s\n", text);
    _cleanup_free_ char *good = xasprintf("# comment\n\n%s" ID KEY "location /a b", one);
    KeyFile *file;
    assert_int_equal(keyfile_parse(good, strlen(good), &file, &err), 0);
    assert_string_equal(file->repository, "0123456789abcdef0123456789abcdef");
    assert_string_equal(file->location, "/a b");
    assert_int_equal(file->naming_key[31], 31);
    assert_int_equal(file->n_recipients, 1);
    keyfile_free(file);
    const char *const complete[] = {"", ID, KEY, ID KEY, one};
    for (size_t i = 0; i < ARRAY_SIZE(complete); i++)
        assert_key_file(complete[i], "incomplete");
    assert_key_file(ID ID, "line 2");
    assert_key_file(KEY "\n" KEY, "line 3");
    assert_key_file("naming-key secret\n", "line 1");
    assert_key_file("naming-key 00\n", "line 1");
    assert_key_file("secret\n", "line 1");
    assert_key_file("repository 0123456789ABCDEF0123456789abcdef\n", "line 1");
    assert_key_file("recipient secret\n", "line 1");
    assert_key_file("location \n", "line 1");
    _cleanup_free_ char *long_place = xcalloc(1, 3000);
    snprintf(long_place, 3000, "location %02000d\n", 0);
    assert_key_file(long_place, "line 1");
    _cleanup_(buf_done) Buf many = BUF_INIT(65536);
    for (int i = 0; i <= REPO_RECIPIENTS_MAX; i++)
        assert_int_equal(buf_append_str(&many, one, &err), 0);
    assert_key_file(buf_str(&many), "line 20");
}

static void a_damaged_key_file_is_no_missing_one(void **state)
{
    (void)state;
    Repo *opened;
    RepoAccess access = {.use = REPO_WRITE, .key_file = key_file};
    write_text(key_file, "something else\n");
    assert_int_equal(repo_open_with(store, &access, &opened, &err), -1);
    assert_int_equal(err.code, ERR_KEY);
    assert_non_null(strstr(err.message, key_file));
}

static void a_second_repository_leaves_nothing(void **state)
{
    (void)state;
    AgeRecipient recipient = recipient_of(owner), twice[2] = {recipient, recipient};
    _cleanup_free_ char *path = xasprintf("%s.2", key_file);
    assert_int_equal(repo_create_encrypted(store, NULL, &recipient, 1, path, &err), -1);
    assert_int_equal(err.code, ERR_EXISTS);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(repo_create_encrypted(store, NULL, &recipient, 1, key_file, &err), -1);
    assert_int_equal(err.code, ERR_EXISTS);
    assert_int_equal(access(key_file, F_OK), 0);
    assert_int_equal(repo_create_encrypted(store, NULL, twice, 2, path, &err), -1);
    assert_int_equal(err.code, ERR_USAGE);
    assert_int_equal(repo_create_encrypted(store, NULL, &recipient, 0, path, &err), -1);
    assert_int_equal(err.code, ERR_USAGE);
    const RepoParams tiny = {.zstd_level = 1, .segment_min = 1000, .segment_mean = 2000, .segment_max = 9000};
    assert_int_equal(repo_create_encrypted(store, &tiny, &recipient, 1, path, &err), -1);
    assert_int_equal(err.code, ERR_USAGE);
    assert_int_equal(access(path, F_OK), -1);
    repo_close(open_as(REPO_WRITE, NULL, key_file));
}

static void another_host_begins(void **state)
{
    (void)state;
    _cleanup_free_ char *path = xasprintf("%s.2", key_file);
    Repo *opened = open_as(REPO_READ, owner, path);
    assert_int_equal(repo_pinning(opened), REPO_PINNED_NONE);
    assert_int_equal(repo_pin(opened, &err), 0);
    repo_close(opened);
    opened = open_as(REPO_WRITE, NULL, path);
    BlobRef here, there;
    bool is_new;
    assert_int_equal(blob_put(repo, BLOB_RAW, "content", 7, &here, &is_new, &err), 0);
    assert_int_equal(blob_put(opened, BLOB_RAW, "content", 7, &there, &is_new, &err), 0);
    assert_false(is_new);
    assert_string_equal(here.hash, there.hash);
    repo_close(opened);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CRYPT_TEST(the_key_file),
        CRYPT_TEST(the_store_holds_no_key),
        CRYPT_TEST(doors),
        CRYPT_TEST(nothing_works_without_keys),
        CRYPT_TEST(another_recipient_appears),
        CRYPT_TEST(the_recipient_is_replaced),
        CRYPT_TEST(encryption_is_switched_off),
        CRYPT_TEST(another_repository_takes_the_place),
        CRYPT_TEST(the_naming_key_is_replaced),
        CRYPT_TEST(hostile_headers),
        CRYPT_TEST(a_naming_key_of_the_wrong_size),
        CRYPT_TEST(hostile_key_files),
        CRYPT_TEST(a_damaged_key_file_is_no_missing_one),
        CRYPT_TEST(a_second_repository_leaves_nothing),
        CRYPT_TEST(another_host_begins),
    };
    return cmocka_run_group_tests_name("keys", tests, NULL, NULL);
}
