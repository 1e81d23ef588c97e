/* The header, and blobs. */
#include "fixture.h"

#include <stdio.h>

static void defaults(void **state)
{
    (void)state;
    const RepoParams *params = repo_params(repo);
    assert_int_equal(params->zstd_level, 1);
    assert_int_equal(params->segment_min, 512 << 10);
    assert_int_equal(params->segment_mean, 512 << 10);
    assert_int_equal(params->segment_max, 64 << 20);
    assert_int_equal(strlen(repo_id(repo)), 32);
    assert_int_equal(strspn(repo_id(repo), "0123456789abcdef"), 32);
    assert_ptr_equal(repo_store(repo), store);
}

static void chosen_params_are_kept(void **state)
{
    (void)state;
    Store *other;
    Repo *opened;
    const RepoParams chosen = {.zstd_level = 3, .segment_min = 1000, .segment_mean = 2000, .segment_max = 9000};
    assert_int_equal(store_open("mem:chosen", NULL, true, &other, &err), 0);
    assert_int_equal(repo_create(other, &chosen, &err), 0);
    assert_int_equal(repo_open(other, &opened, &err), 0);
    assert_memory_equal(repo_params(opened), &chosen, sizeof chosen);
    assert_string_not_equal(repo_id(opened), repo_id(repo));
    repo_close(opened);
    store_close(other);
    store_mem_forget("chosen");
}

static void impossible_params_are_refused(void **state)
{
    (void)state;
    const RepoParams bad[] = {
        {.zstd_level = 0, .segment_min = 1, .segment_mean = 1, .segment_max = 1},
        {.zstd_level = 20, .segment_min = 1, .segment_mean = 1, .segment_max = 1},
        {.zstd_level = 1, .segment_min = 2, .segment_mean = 1, .segment_max = 1},
        {.zstd_level = 1, .segment_min = 1, .segment_mean = 0, .segment_max = 1},
        {.zstd_level = 1, .segment_min = 1, .segment_mean = 1, .segment_max = BLOB_MAX + 1},
    };
    assert_int_equal(store_delete(store, "kura.json", &err), 0);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_equal(repo_create(store, &bad[i], &err), -1);
    assert_int_equal(count_objects(""), 0);
}

static void not_twice(void **state)
{
    (void)state;
    assert_int_equal(repo_create(store, NULL, &err), -1);
    assert_int_equal(err.code, ERR_EXISTS);
}

static void no_repository(void **state)
{
    (void)state;
    Repo *opened;
    assert_int_equal(store_delete(store, "kura.json", &err), 0);
    assert_int_equal(repo_open(store, &opened, &err), -1);
    assert_int_equal(err.code, ERR_NO_REPOSITORY);
    assert_non_null(strstr(err.hint, "kura init"));
}

static void assert_header(const char *text, ErrorCode code, const char *part)
{
    Repo *opened;
    put_object("kura.json", text);
    assert_int_equal(repo_open(store, &opened, &err), -1);
    assert_int_equal(err.code, code);
    if (strstr(err.message, part) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", part, err.message);
}

#define HEADER(version, id, cipher, level, max)                                                                        \
    "{\"kura\": \"repository\", \"version\": " version ", \"id\": \"" id "\", \"cipher\": \"" cipher                   \
    "\", \"zstd\": {\"level\": " level "}, \"segment\": {\"min\": 1, \"mean\": 1, \"max\": " max "}, \"new\": []}"
#define ID "0123456789abcdef0123456789abcdef"

static void headers(void **state)
{
    (void)state;
    Repo *opened;
    put_object("kura.json", HEADER("1", ID, "none", "1", "5"));
    assert_int_equal(repo_open(store, &opened, &err), 0);
    assert_string_equal(repo_id(opened), ID);
    repo_close(opened);
    assert_header("", ERR_TRUNCATED, "kura.json");
    assert_header("{\"kura\": \"repository\", ", ERR_TRUNCATED, "line 1");
    assert_header("[]", ERR_CORRUPT, "not an object");
    assert_header("{\"kura\": \"manifest\", \"version\": 1}", ERR_CORRUPT, "manifest");
    assert_header("{\"kura\": \"repository\", \"kura\": \"repository\"}", ERR_CORRUPT, "duplicate");
    assert_header("{\"kura\": \"repository\"}", ERR_CORRUPT, "version is missing");
    assert_header(HEADER("2", ID, "none", "1", "5"), ERR_UNSUPPORTED, "version 2");
    assert_non_null(strstr(err.hint, "Update"));
    assert_header(HEADER("0", ID, "none", "1", "5"), ERR_CORRUPT, "version");
    assert_header(HEADER("1.5", ID, "none", "1", "5"), ERR_CORRUPT, "version");
    assert_header(HEADER("1", "ABCDEF", "none", "1", "5"), ERR_CORRUPT, "id");
    assert_header(HEADER("1", ID, "rot13", "1", "5"), ERR_UNSUPPORTED, "rot13");
    assert_header(HEADER("1", ID, "none", "99", "5"), ERR_CORRUPT, "zstd.level");
    assert_header(HEADER("1", ID, "none", "\"1\"", "5"), ERR_CORRUPT, "zstd.level is not an integer");
    assert_header(HEADER("1", ID, "none", "1", "0"), ERR_CORRUPT, "segment");
    assert_header(HEADER("1", ID, "none", "1", "99999999999"), ERR_CORRUPT, "segment.max");
}

/* sha256sum of "hello\n" */
#define HELLO "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"

static void a_blob_is_named_by_its_bytes(void **state)
{
    (void)state;
    BlobRef ref;
    bool is_new;
    _cleanup_(buf_done) Buf out = BUF_INIT(BLOB_STORED_MAX);
    char key[96];
    assert_int_equal(blob_put(repo, BLOB_TAR, "hello\n", 6, &ref, &is_new, &err), 0);
    assert_true(is_new);
    assert_string_equal(ref.hash, HELLO);
    assert_int_equal(ref.size, 6);
    blob_key(repo, &ref, key);
    assert_string_equal(key, "blobs/58/" HELLO ".tar");
    assert_int_equal(buf_append_str(&out, "what was there", &err), 0);
    assert_int_equal(blob_get(repo, &ref, &out, &err), 0);
    assert_string_equal(buf_str(&out), "hello\n");
    assert_int_equal(blob_check(repo, &ref, &err), 0);
    assert_int_equal(blob_get_range(repo, &ref, 1, 3, &out, &err), 0);
    assert_string_equal(buf_str(&out), "hello\nell");
    assert_int_equal(blob_get_range(repo, &ref, 4, 3, &out, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
}

static void equal_blobs_are_stored_once(void **state)
{
    (void)state;
    BlobRef ref, other;
    bool is_new = true;
    assert_int_equal(blob_put(repo, BLOB_RAW, "hello\n", 6, &ref, NULL, &err), 0);
    assert_int_equal(blob_put(repo, BLOB_RAW, "hello\n", 6, &other, &is_new, &err), 0);
    assert_false(is_new);
    assert_string_equal(ref.hash, other.hash);
    assert_int_equal(n_puts, 1);
    assert_int_equal(blob_put(repo, BLOB_ZSTD, "hello\n", 6, &other, &is_new, &err), 0);
    assert_true(is_new); /* another kind is another object */
    assert_int_equal(count_objects("blobs/"), 2);
}

static void a_leftover_of_the_wrong_size_is_replaced(void **state)
{
    (void)state;
    BlobRef ref;
    bool is_new;
    put_object("blobs/58/" HELLO ".bin", "hel");
    assert_int_equal(blob_put(repo, BLOB_RAW, "hello\n", 6, &ref, &is_new, &err), 0);
    assert_true(is_new);
    assert_int_equal(blob_check(repo, &ref, &err), 0);
}

static void damaged_blobs(void **state)
{
    (void)state;
    const BlobRef ref = {.hash = HELLO, .kind = BLOB_RAW, .size = 6};
    _cleanup_(buf_done) Buf out = BUF_INIT(100);
    const char *const bodies[] = {"hellO\n", "hello", "hello\n\n", ""};
    for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
        put_object("blobs/58/" HELLO ".bin", bodies[i]);
        assert_int_equal(blob_get(repo, &ref, &out, &err), -1);
        assert_int_equal(err.code, ERR_CORRUPT);
        assert_non_null(strstr(err.message, "blobs/58/" HELLO ".bin"));
        assert_non_null(strstr(err.hint, "copy of the repository"));
        assert_int_equal(blob_check(repo, &ref, &err), i == 0 ? 0 : -1);
    }
    assert_int_equal(err.code, ERR_CORRUPT);
    assert_int_equal(store_delete(store, "blobs/58/" HELLO ".bin", &err), 0);
    assert_int_equal(blob_check(repo, &ref, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_int_equal(blob_get(repo, &ref, &out, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, HELLO));
    assert_int_equal(blob_get_range(repo, &ref, 0, 1, &out, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
}

static void an_oversized_blob_is_refused(void **state)
{
    (void)state;
    BlobRef ref;
    _cleanup_free_ char *body = xcalloc(1, BLOB_STORED_MAX + 1);
    assert_int_equal(blob_put(repo, BLOB_RAW, body, BLOB_STORED_MAX + 1, &ref, NULL, &err), -1);
    assert_int_equal(count_objects("blobs/"), 0);
}

static int parse_ref(const char *text, BlobRef *ret)
{
    json_t *json = json_loads(text, 0, NULL);
    assert_non_null(json);
    int rc = blob_ref_from_json(json, ret, &err);
    json_decref(json);
    return rc;
}

static void references_in_json(void **state)
{
    (void)state;
    const BlobRef ref = {.hash = HELLO, .kind = BLOB_TAR, .size = 12};
    BlobRef back;
    json_t *json = json_object();
    blob_ref_to_json(&ref, json);
    char *text = json_dumps(json, 0);
    assert_string_equal(text, "{\"blob\": \"" HELLO ".tar\", \"size\": 12}");
    assert_int_equal(parse_ref(text, &back), 0);
    assert_string_equal(back.hash, ref.hash);
    assert_int_equal(back.kind, ref.kind);
    assert_int_equal(back.size, ref.size);
    free(text);
    json_decref(json);
    const char *const bad[] = {
        "{\"size\": 12}",
        "{\"blob\": \"" HELLO ".tar\"}",
        "{\"blob\": \"" HELLO ".tar\", \"size\": -1}",
        "{\"blob\": \"" HELLO ".tar\", \"size\": 68157441}",
        "{\"blob\": \"" HELLO ".tar\", \"size\": \"12\"}",
        "{\"blob\": \"" HELLO ".tar\", \"size\": 1.0}",
        "{\"blob\": \"" HELLO ".exe\", \"size\": 12}",
        "{\"blob\": \"" HELLO ".tarx\", \"size\": 12}",
        "{\"blob\": \"" HELLO "\", \"size\": 12}",
        "{\"blob\": \"" HELLO ".\", \"size\": 12}",
        "{\"blob\": \"" HELLO "0.tar\", \"size\": 12}",
        "{\"blob\": \"../../etc/passwd\", \"size\": 12}",
        "{\"blob\": \"5891B5B522D5DF086D0FF0B110FBD9D21BB4FC7163AF34D08286A2E846F6BE03.tar\", \"size\": 12}",
        "{\"blob\": 1, \"size\": 12}",
    };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        assert_int_equal(parse_ref(bad[i], &back), -1);
        assert_int_equal(err.code, ERR_CORRUPT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        REPO_TEST(defaults),
        REPO_TEST(chosen_params_are_kept),
        REPO_TEST(impossible_params_are_refused),
        REPO_TEST(not_twice),
        REPO_TEST(no_repository),
        REPO_TEST(headers),
        REPO_TEST(a_blob_is_named_by_its_bytes),
        REPO_TEST(equal_blobs_are_stored_once),
        REPO_TEST(a_leftover_of_the_wrong_size_is_replaced),
        REPO_TEST(damaged_blobs),
        REPO_TEST(an_oversized_blob_is_refused),
        REPO_TEST(references_in_json),
    };
    return cmocka_run_group_tests_name("repo", tests, NULL, NULL);
}
