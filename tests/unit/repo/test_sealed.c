/* Encrypted blobs: names, what is stored, what is read, and what becomes of objects that somebody changed. */
#include "crypt_fixture.h"

#include <stdio.h>

#include "kura/pool.h"
#include "repo_priv.h"

/* sha256sum of "hello\n" */
#define HELLO "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"
enum { LARGE = 1000 * 1000 }; /* sixteen pieces, the last one short */

static uint8_t *large_content(unsigned seed)
{
    uint8_t *bytes = xmalloc(LARGE);
    for (size_t i = 0; i < LARGE; i++)
        bytes[i] = (uint8_t)((i * 2654435761u + seed) >> 13);
    return bytes;
}

static BlobRef put(const void *data, size_t len)
{
    BlobRef ref;
    if (blob_put(repo, BLOB_RAW, data, len, &ref, NULL, &err) < 0)
        fail_msg("%s", err.message);
    return ref;
}

static BlobRef put_large(unsigned seed)
{
    _cleanup_free_ uint8_t *bytes = large_content(seed);
    return put(bytes, LARGE);
}

static char *key_of(const BlobRef *ref)
{
    char *key = xmalloc(BLOB_KEY_SIZE);
    blob_key(repo, ref, key);
    return key;
}

static void names_are_keyed(void **state)
{
    (void)state;
    BlobRef ref = put("hello\n", 6), again = put("hello\n", 6);
    uint8_t mac[SHA256_SIZE];
    char hex[SHA256_HEX_SIZE];
    assert_string_equal(ref.hash, again.hash);
    assert_int_equal(ref.size, 6);
    assert_int_equal(count_objects("blobs/"), 1);
    assert_string_not_equal(ref.hash, HELLO);
    _cleanup_(keyfile_free_cleanup) KeyFile *file = NULL;
    assert_int_equal(keyfile_read(key_file, &file, &err), 0);
    sha256_hmac(file->naming_key, sizeof file->naming_key, HELLO, 64, mac);
    hex_format(mac, sizeof mac, hex);
    assert_string_equal(ref.hash, hex);
    _cleanup_free_ char *key = key_of(&ref), *expected = xasprintf("blobs/%.2s/%s.bin.age", hex, hex);
    assert_string_equal(key, expected);
    _cleanup_(buf_done) Buf object = BUF_INIT(65536), plain = BUF_INIT(65536);
    get_object(key, &object);
    assert_int_equal(object.len, age_encrypted_size(6, 1));
    assert_int_equal(age_decrypt(owner, object.data, object.len, &plain, &err), 0);
    assert_string_equal(buf_str(&plain), "hello\n");
}

static void references_stay_as_they_were(void **state)
{
    (void)state;
    BlobRef ref = put("hello\n", 6), back;
    json_t *json = json_object();
    blob_ref_to_json(&ref, json);
    _cleanup_free_ char *name = xasprintf("%s.bin", ref.hash);
    assert_string_equal(json_string_value(json_object_get(json, "blob")), name);
    assert_int_equal(blob_ref_from_json(json, &back, &err), 0);
    assert_int_equal(back.size, 6);
    json_decref(json);
}

static void the_uploader_tells_the_hash_of_the_content(void **state)
{
    (void)state;
    BlobRef ref;
    char content[SHA256_HEX_SIZE];
    _cleanup_(buf_done) Buf data = BUF_INIT(100), out = BUF_INIT(100);
    Uploader *uploader = uploader_new(repo, 2, 1000);
    assert_int_equal(buf_append_str(&data, "hello\n", &err), 0);
    assert_int_equal(uploader_submit_hashed(uploader, BLOB_TAR, &data, &ref, content, &err), 0);
    assert_int_equal(uploader_finish(uploader, NULL, &err), 0);
    uploader_free(uploader);
    assert_string_equal(content, HELLO);
    assert_string_not_equal(ref.hash, HELLO);
    assert_int_equal(blob_get(reader, &ref, &out, &err), 0);
    assert_string_equal(buf_str(&out), "hello\n");
}

static void only_an_identity_reads(void **state)
{
    (void)state;
    BlobRef ref = put_large(1);
    _cleanup_free_ uint8_t *bytes = large_content(1);
    _cleanup_(buf_done) Buf out = BUF_INIT(BLOB_STORED_MAX);
    forget_requests();
    assert_int_equal(blob_check(repo, &ref, &err), 0);
    assert_int_equal(blob_get(repo, &ref, &out, &err), -1);
    assert_int_equal(err.code, ERR_KEY);
    assert_non_null(strstr(err.hint, "--identity"));
    assert_int_equal(blob_get_range(repo, &ref, 5, 5, &out, &err), -1);
    assert_int_equal(err.code, ERR_KEY);
    assert_int_equal(n_requests("GET"), 0);
    assert_int_equal(blob_get(reader, &ref, &out, &err), 0);
    assert_int_equal(out.len, LARGE);
    assert_memory_equal(out.data, bytes, LARGE);
}

static void a_range_reads_only_its_pieces(void **state)
{
    (void)state;
    BlobRef ref = put_large(2);
    _cleanup_free_ uint8_t *bytes = large_content(2);
    _cleanup_(buf_done) Buf out = BUF_INIT(LARGE);
    const struct {
        uint64_t offset, length, pieces;
    } parts[] = {
        {100000, 10, 1}, {65535, 2, 2}, {65536, 65536, 1}, {LARGE - 1, 1, 1}, {0, 1, 1}, {131000, 200000, 5},
    };
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        unsigned long long before = bytes_got;
        buf_clear(&out);
        forget_requests();
        if (blob_get_range(reader, &ref, parts[i].offset, parts[i].length, &out, &err) < 0)
            fail_msg("%s", err.message);
        assert_int_equal(out.len, parts[i].length);
        assert_memory_equal(out.data, bytes + parts[i].offset, parts[i].length);
        /* The header once, then nothing but pieces. */
        assert_int_equal(n_requests("GET"), i == 0 ? 2 : 1);
        assert_true(bytes_got - before <= parts[i].pieces * (AGE_CHUNK + 16) + (i == 0 ? AGE_HEADER_MAX + 16 : 0));
    }
    assert_int_equal(blob_get_range(reader, &ref, LARGE - 5, 6, &out, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    assert_int_equal(blob_get_range(reader, &ref, UINT64_MAX, 2, &out, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
}

static void whole_and_small_ones_take_one_request(void **state)
{
    (void)state;
    BlobRef large = put_large(3), small = put("hello\n", 6);
    _cleanup_(buf_done) Buf out = BUF_INIT(LARGE);
    forget_requests();
    assert_int_equal(blob_get_range(reader, &large, 0, LARGE, &out, &err), 0);
    assert_int_equal(n_requests("GET"), 1);
    buf_clear(&out);
    assert_int_equal(blob_get_range(reader, &small, 1, 3, &out, &err), 0);
    assert_string_equal(buf_str(&out), "ell");
    assert_int_equal(n_requests("GET"), 2);
}

/* More blobs than headers are kept for, back and forth. */
static void many_blobs_in_turn(void **state)
{
    (void)state;
    enum { N = 70, SIZE = 70000 };
    static uint8_t bytes[SIZE];
    BlobRef refs[N];
    for (unsigned i = 0; i < N; i++) {
        memset(bytes, (int)i, sizeof bytes);
        refs[i] = put(bytes, SIZE);
    }
    for (unsigned round = 0; round < 3; round++)
        for (unsigned i = 0; i < N; i++) {
            unsigned which = round % 2 ? N - 1 - i : i;
            _cleanup_(buf_done) Buf out = BUF_INIT(100);
            assert_int_equal(blob_get_range(reader, &refs[which], 65530, 10, &out, &err), 0);
            assert_int_equal(out.data[9], which);
        }
    assert_true(n_requests("GET") < 3 * N * 2);
}

enum { SHARED = 80, SHARED_SIZE = 70000 };

static int read_shared(void *ctx, Pool *pool, size_t worker, Error *why)
{
    const BlobRef *blobs = ctx;
    for (size_t i = 0; i < 4 * SHARED; i++) {
        size_t which = (i * (worker + 1)) % SHARED;
        _cleanup_(buf_done) Buf out = BUF_INIT(10);
        if (pool_check(pool, why) < 0 || blob_get_range(reader, &blobs[which], 65530, 10, &out, why) < 0)
            return -1;
        if (out.data[9] != which)
            return error_set(why, ERR_FAILED, "a part of another blob");
    }
    return 0;
}

/* Several readers, who push each other's headers out. */
static void many_readers(void **state)
{
    (void)state;
    static uint8_t bytes[SHARED_SIZE];
    BlobRef blobs[SHARED];
    for (unsigned i = 0; i < SHARED; i++) {
        memset(bytes, (int)i, sizeof bytes);
        blobs[i] = put(bytes, SHARED_SIZE);
    }
    if (pool_run(4, read_shared, blobs, &err) < 0)
        fail_msg("%s", err.message);
}

/* Whatever happened to an object, reading it whole or in parts fails and names it; `part` is of the message. */
static void assert_damaged(const BlobRef *ref, const char *part)
{
    _cleanup_(buf_done) Buf out = BUF_INIT(BLOB_STORED_MAX);
    _cleanup_free_ char *key = key_of(ref);
    assert_int_equal(blob_get(reader, ref, &out, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    assert_non_null(strstr(err.message, key));
    assert_non_null(strstr(err.hint, "copy of the repository"));
    if (strstr(err.message, part) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", part, err.message);
}

static void assert_range(const BlobRef *ref, uint64_t offset, bool good)
{
    _cleanup_(buf_done) Buf out = BUF_INIT(1000);
    _cleanup_free_ char *key = key_of(ref);
    int rc = blob_get_range(reader, ref, offset, 1000, &out, &err);
    assert_int_equal(rc, good ? 0 : -1);
    if (good)
        return;
    assert_int_equal(out.len, 0);
    assert_int_equal(err.code, ERR_CORRUPT);
    assert_non_null(strstr(err.message, key));
}

static void one_bit_was_changed(void **state)
{
    (void)state;
    BlobRef ref = put_large(4);
    _cleanup_free_ char *key = key_of(&ref);
    _cleanup_(buf_done) Buf object = BUF_INIT(2 * LARGE);
    get_object(key, &object);
    /* In the version, a stanza, the header's code, the nonce, the first piece, the last tag. */
    const size_t places[] = {3, 40, 150, (size_t)(age_encrypted_size(0, 1) - 20), 300, object.len - 1};
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        object.data[places[i]] ^= 1;
        put_bytes(key, object.data, object.len);
        object.data[places[i]] ^= 1;
        _cleanup_(buf_done) Buf out = BUF_INIT(BLOB_STORED_MAX);
        assert_int_equal(blob_get(reader, &ref, &out, &err), -1);
        assert_non_null(strstr(err.message, key));
        assert_true(err.code == ERR_CORRUPT || err.code == ERR_KEY || err.code == ERR_UNSUPPORTED);
        assert_int_equal(blob_check(reader, &ref, &err), 0); /* the size alone does not tell */
    }
    /* Damage in one piece leaves the others readable. */
    object.data[300] ^= 1;
    put_bytes(key, object.data, object.len);
    assert_range(&ref, 10, false);
    assert_range(&ref, 500000, true);
}

static void it_was_cut_off(void **state)
{
    (void)state;
    BlobRef ref = put_large(5);
    _cleanup_free_ char *key = key_of(&ref);
    _cleanup_(buf_done) Buf object = BUF_INIT(2 * LARGE);
    get_object(key, &object);
    size_t start = (size_t)age_encrypted_size(0, 1) - 16;
    const size_t lengths[] = {0, 10, start, start + 5, start + 2 * (AGE_CHUNK + 16), object.len - 1};
    for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
        put_bytes(key, object.data, lengths[i]);
        assert_damaged(&ref, "");
        assert_int_equal(blob_check(reader, &ref, &err), -1);
        assert_int_equal(err.code, ERR_CORRUPT);
        assert_range(&ref, LARGE - 1000, false);
    }
    /* The next backup that has the content stores it again. */
    bool is_new;
    BlobRef again;
    _cleanup_free_ uint8_t *bytes = large_content(5);
    assert_int_equal(blob_put(repo, BLOB_RAW, bytes, LARGE, &again, &is_new, &err), 0);
    assert_true(is_new);
    assert_range(&ref, LARGE - 1000, true);
}

static void pieces_were_exchanged(void **state)
{
    (void)state;
    BlobRef ref = put_large(6);
    _cleanup_free_ char *key = key_of(&ref);
    _cleanup_(buf_done) Buf object = BUF_INIT(2 * LARGE);
    get_object(key, &object);
    enum { PIECE = AGE_CHUNK + 16 };
    uint8_t *first = object.data + age_encrypted_size(0, 1) - 16, *third = first + 2 * PIECE;
    _cleanup_free_ uint8_t *held = xmalloc(PIECE);
    memcpy(held, first, PIECE);
    memcpy(first, third, PIECE);
    memcpy(third, held, PIECE);
    put_bytes(key, object.data, object.len);
    assert_damaged(&ref, "piece 0");
    assert_range(&ref, 10, false);
    assert_range(&ref, 2 * AGE_CHUNK + 10, false);
    assert_range(&ref, AGE_CHUNK + 10, true);
}

static void something_was_appended(void **state)
{
    (void)state;
    BlobRef ref = put_large(7);
    _cleanup_free_ char *key = key_of(&ref);
    _cleanup_(buf_done) Buf object = BUF_INIT(2 * LARGE);
    get_object(key, &object);
    assert_int_equal(buf_append(&object, "more", 4, &err), 0);
    put_bytes(key, object.data, object.len);
    assert_damaged(&ref, "");
    assert_int_equal(blob_check(reader, &ref, &err), -1);
}

/* Each a perfect encrypted object of the repository, of the same size, but under the other's name. */
static void two_objects_were_exchanged(void **state)
{
    (void)state;
    BlobRef one = put_large(8), two = put_large(9);
    _cleanup_free_ char *first = key_of(&one), *second = key_of(&two);
    _cleanup_(buf_done) Buf a = BUF_INIT(2 * LARGE), b = BUF_INIT(2 * LARGE);
    get_object(first, &a);
    get_object(second, &b);
    put_bytes(first, b.data, b.len);
    put_bytes(second, a.data, a.len);
    assert_damaged(&one, "hash in its name");
    assert_damaged(&two, "hash in its name");
}

/* Recipients are public: anybody can encrypt something for them. */
static void it_was_forged(void **state)
{
    (void)state;
    BlobRef ref = put("hello\n", 6);
    AgeRecipient recipient = recipient_of(owner);
    _cleanup_free_ char *key = key_of(&ref);
    _cleanup_(buf_done) Buf forged = BUF_INIT(65536);
    assert_int_equal(age_encrypt(&recipient, 1, "HELLO\n", 6, &forged, &err), 0);
    put_bytes(key, forged.data, forged.len);
    assert_damaged(&ref, "hash in its name");
    buf_clear(&forged);
    assert_int_equal(age_encrypt(&recipient, 1, "hello\nhello\n", 12, &forged, &err), 0);
    put_bytes(key, forged.data, forged.len);
    assert_damaged(&ref, "not the size");
    put_object(key, "hello\n"); /* in the clear */
    assert_damaged(&ref, "");
}

static void it_is_for_somebody_else(void **state)
{
    (void)state;
    BlobRef ref = put_large(10);
    AgeRecipient recipient = recipient_of(stranger);
    _cleanup_free_ char *key = key_of(&ref);
    _cleanup_free_ uint8_t *bytes = large_content(10);
    _cleanup_(buf_done) Buf other = BUF_INIT(2 * LARGE), out = BUF_INIT(2 * LARGE);
    assert_int_equal(age_encrypt(&recipient, 1, bytes, LARGE, &other, &err), 0);
    put_bytes(key, other.data, other.len);
    assert_int_equal(blob_get(reader, &ref, &out, &err), -1);
    assert_int_equal(err.code, ERR_KEY);
    assert_non_null(strstr(err.message, key));
    assert_int_equal(blob_get_range(reader, &ref, 5, 5, &out, &err), -1);
    assert_int_equal(err.code, ERR_KEY);
}

/* Between two ranges the object gets another header, which moves all pieces. */
static void the_header_changed_meanwhile(void **state)
{
    (void)state;
    BlobRef ref = put_large(11);
    AgeRecipient recipients[2] = {recipient_of(owner), recipient_of(stranger)};
    _cleanup_free_ char *key = key_of(&ref);
    _cleanup_(buf_done) Buf before = BUF_INIT(2 * LARGE), after = BUF_INIT(2 * LARGE);
    assert_range(&ref, 10, true);
    get_object(key, &before);
    assert_int_equal(age_rewrap(owner, recipients, 2, before.data, before.len, &after, &err), 0);
    put_bytes(key, after.data, after.len);
    assert_range(&ref, 10, true);
    assert_range(&ref, LARGE - 1000, true);
    assert_int_equal(blob_check(repo, &ref, &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CRYPT_TEST(names_are_keyed),
        CRYPT_TEST(references_stay_as_they_were),
        CRYPT_TEST(the_uploader_tells_the_hash_of_the_content),
        CRYPT_TEST(only_an_identity_reads),
        CRYPT_TEST(a_range_reads_only_its_pieces),
        CRYPT_TEST(whole_and_small_ones_take_one_request),
        CRYPT_TEST(many_blobs_in_turn),
        CRYPT_TEST(many_readers),
        CRYPT_TEST(one_bit_was_changed),
        CRYPT_TEST(it_was_cut_off),
        CRYPT_TEST(pieces_were_exchanged),
        CRYPT_TEST(something_was_appended),
        CRYPT_TEST(two_objects_were_exchanged),
        CRYPT_TEST(it_was_forged),
        CRYPT_TEST(it_is_for_somebody_else),
        CRYPT_TEST(the_header_changed_meanwhile),
    };
    return cmocka_run_group_tests_name("sealed", tests, NULL, NULL);
}
