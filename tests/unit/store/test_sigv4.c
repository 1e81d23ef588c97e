#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include "kura/hash.h"
#include "kura/mem.h"
#include "sigv4.h"

static const char *const access_key = "AKIAIOSFODNN7EXAMPLE";
static const char *const secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
static const char *const empty_hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

static void assert_path(const char *path, const char *encoded)
{
    _cleanup_(buf_done) Buf out = BUF_INIT(4096);
    Error err = ERROR_INIT;
    assert_int_equal(sigv4_encode_path(path, &out, &err), 0);
    assert_string_equal(buf_str(&out), encoded);
}

static void a_path_keeps_only_what_needs_no_encoding(void **state)
{
    assert_path("/", "/");
    assert_path("/AZaz09-._~", "/AZaz09-._~");
    assert_path("/a b+c%41&d=e", "/a%20b%2Bc%2541%26d%3De");
    assert_path("/./..//x/", "/./..//x/");
    assert_path("/\xe8\x94\xb5", "/%E8%94%B5");
    assert_path("/\x01\n\x7f\xff", "/%01%0A%7F%FF");
    assert_path("/!*'();:@,$[]{}|\\^`\"<>#?", "/%21%2A%27%28%29%3B%3A%40%2C%24%5B%5D%7B%7D%7C%5C%5E%60%22%3C%3E%23%3F");
}

static void assert_query(const SigV4Pair *params, size_t n, const char *encoded)
{
    _cleanup_(buf_done) Buf out = BUF_INIT(4096);
    Error err = ERROR_INIT;
    assert_int_equal(sigv4_encode_query(params, n, &out, &err), 0);
    assert_string_equal(buf_str(&out), encoded);
}

static void a_query_is_sorted_by_encoded_name_and_then_value(void **state)
{
    const SigV4Pair listing[] = {
        {"prefix", "a/b c"}, {"list-type", "2"}, {"delete", ""}, {"continuation-token", "1+/="}, {"max-keys", "10"}};
    assert_query(listing, ARRAY_SIZE(listing),
                 "continuation-token=1%2B%2F%3D&delete=&list-type=2&max-keys=10&prefix=a%2Fb%20c");
    /* '-' is before '=', but a name that ends is before a longer one. */
    const SigV4Pair names[] = {{"a-b", "1"}, {"a", "2"}, {"a", "10"}};
    assert_query(names, ARRAY_SIZE(names), "a=10&a=2&a-b=1");
    /* '}' as a byte is behind 'z', encoded it is before. */
    const SigV4Pair encoded[] = {{"z", ""}, {"}", ""}, {"\xe3\x81\x82", ""}};
    assert_query(encoded, ARRAY_SIZE(encoded), "%7D=&%E3%81%82=&z=");
    assert_query(NULL, 0, "");
}

static void what_does_not_fit_is_refused(void **state)
{
    Buf small = BUF_INIT(8);
    Error err = ERROR_INIT;
    assert_int_equal(sigv4_encode_path("/1234567890", &small, &err), -1);
    const SigV4Pair param = {"prefix", "1234567890"};
    assert_int_equal(sigv4_encode_query(&param, 1, &small, &err), -1);
    assert_int_equal(small.len, 0);
    SigV4Pair many[SIGV4_PARAMS_MAX + 1];
    for (size_t i = 0; i < ARRAY_SIZE(many); i++)
        many[i] = (SigV4Pair){"a", "b"};
    _cleanup_(buf_done) Buf out = BUF_INIT(4096);
    assert_int_equal(sigv4_encode_query(many, ARRAY_SIZE(many), &out, &err), -1);
    assert_int_equal(err.code, ERR_UNSUPPORTED);
    buf_done(&small);
}

static void a_stamp_is_utc_and_within_years_that_have_four_digits(void **state)
{
    char stamp[SIGV4_STAMP_SIZE];
    setenv("TZ", "Asia/Tokyo", 1);
    sigv4_stamp(1440938160, stamp);
    assert_string_equal(stamp, "20150830T123600Z");
    sigv4_stamp(0, stamp);
    assert_string_equal(stamp, "19700101T000000Z");
    sigv4_stamp((time_t)1 << 40, stamp);
    assert_string_equal(stamp, "");
    sigv4_stamp(-1, stamp);
    assert_string_equal(stamp, "");
}

static SigV4Request request_of(const char *stamp, const char *region)
{
    static const SigV4Pair host = {"Host", "examplebucket.s3.amazonaws.com"};
    return (SigV4Request){.method = "GET",
                          .path = "/",
                          .query = "",
                          .headers = &host,
                          .n_headers = 1,
                          .payload_hash = empty_hash,
                          .region = region,
                          .service = "s3",
                          .stamp = stamp};
}

static char *authorize(SigV4Keys *keys, const char *secret, const SigV4Request *request)
{
    Buf out = BUF_INIT(4096);
    Error err = ERROR_INIT;
    assert_int_equal(sigv4_authorize(keys, access_key, secret, request, &out, &err), 0);
    return (char *)out.data;
}

static void assert_signature(const char *method, const char *path, const SigV4Pair *params, size_t n_params,
                             const SigV4Pair *headers, size_t n_headers, const char *hash, const char *signature)
{
    _cleanup_(buf_done) Buf encoded = BUF_INIT(4096);
    _cleanup_(buf_done) Buf query = BUF_INIT(4096);
    Error err = ERROR_INIT;
    assert_int_equal(sigv4_encode_path(path, &encoded, &err), 0);
    assert_int_equal(sigv4_encode_query(params, n_params, &query, &err), 0);
    SigV4Pair all[SIGV4_HEADERS_MAX] = {
        {"Host", "examplebucket.s3.amazonaws.com"}, {"x-amz-date", "20130524T000000Z"}, {"x-amz-content-sha256", hash}};
    for (size_t i = 0; i < n_headers; i++)
        all[3 + i] = headers[i];
    SigV4Request request = request_of("20130524T000000Z", "us-east-1");
    request.method = method;
    request.path = buf_str(&encoded);
    request.query = buf_str(&query);
    request.headers = all;
    request.n_headers = 3 + n_headers;
    request.payload_hash = hash;
    SigV4Keys *keys = sigv4_keys_new();
    _cleanup_free_ char *value = authorize(keys, secret_key, &request);
    sigv4_keys_free(keys);
    assert_string_equal(strstr(value, "Signature=") + strlen("Signature="), signature);
}

/* The four examples of "Authenticating Requests: Using the Authorization Header" (Amazon S3 API Reference). */
static void the_examples_of_the_s3_reference(void **state)
{
    const SigV4Pair range = {"Range", "bytes=0-9"};
    assert_signature("GET", "/test.txt", NULL, 0, &range, 1, empty_hash,
                     "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
    char hash[SHA256_HEX_SIZE];
    sha256_hex("Welcome to Amazon S3.", 21, hash);
    const SigV4Pair put[] = {{"Date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}};
    assert_signature("PUT", "/test$file.text", NULL, 0, put, 2, hash,
                     "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
    const SigV4Pair lifecycle = {"lifecycle", ""};
    assert_signature("GET", "/", &lifecycle, 1, NULL, 0, empty_hash,
                     "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
    const SigV4Pair list[] = {{"prefix", "J"}, {"max-keys", "2"}};
    assert_signature("GET", "/", list, 2, NULL, 0, empty_hash,
                     "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

static char *authorize_anew(const char *secret, const SigV4Request *request)
{
    SigV4Keys *keys = sigv4_keys_new();
    char *value = authorize(keys, secret, request);
    sigv4_keys_free(keys);
    return value;
}

static void a_kept_key_serves_only_its_day_region_and_secret(void **state)
{
    const struct {
        const char *stamp, *region, *secret;
    } uses[] = {{"20261122T235959Z", "us-east-1", "a"},    {"20261123T000000Z", "us-east-1", "a"},
                {"20261123T000001Z", "us-east-1", "a"},    {"20261123T000001Z", "eu-west-3", "a"},
                {"20261123T000001Z", "eu-west-3", "b"},    {"20261123T000001Z", "eu-west-3", "s3/b"},
                {"20261123T000001Z", "eu-west-3/s3", "b"}, {"20261122T235959Z", "us-east-1", "a"}};
    SigV4Keys *keys = sigv4_keys_new();
    for (size_t i = 0; i < ARRAY_SIZE(uses); i++) {
        SigV4Request request = request_of(uses[i].stamp, uses[i].region);
        _cleanup_free_ char *kept = authorize(keys, uses[i].secret, &request);
        _cleanup_free_ char *anew = authorize_anew(uses[i].secret, &request);
        assert_string_equal(kept, anew);
    }
    sigv4_keys_free(keys);
}

/* Assertions of cmocka belong to the main thread. */
typedef struct Signer {
    SigV4Keys *keys;
    const char *secret;
    char *expected;
    size_t wrong;
} Signer;

static void *sign_often(void *arg)
{
    Signer *signer = arg;
    SigV4Request request = request_of("20261122T120000Z", "us-east-1");
    for (size_t i = 0; i < 200; i++) {
        Buf out = BUF_INIT(4096);
        Error err = ERROR_INIT;
        if (sigv4_authorize(signer->keys, access_key, signer->secret, &request, &out, &err) < 0 ||
            strcmp(buf_str(&out), signer->expected) != 0)
            signer->wrong++;
        buf_done(&out);
    }
    return NULL;
}

static void threads_share_the_keys(void **state)
{
    SigV4Keys *keys = sigv4_keys_new();
    SigV4Request request = request_of("20261122T120000Z", "us-east-1");
    Signer signers[4] = {{.secret = "a"}, {.secret = "b"}, {.secret = "c"}, {.secret = "a"}};
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++) {
        signers[i].keys = keys;
        signers[i].expected = authorize_anew(signers[i].secret, &request);
        assert_int_equal(pthread_create(&threads[i], NULL, sign_often, &signers[i]), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(signers[i].wrong, 0);
        free(signers[i].expected);
    }
    sigv4_keys_free(keys);
}

static void a_host_is_signed_with_its_port_and_a_repeated_header_once(void **state)
{
    const SigV4Pair headers[] = {{"x-amz-meta-test-two", "2"},
                                 {"X-Amz-Meta-Test", "b"},
                                 {"HOST", "127.0.0.1:9010"},
                                 {"x-amz-meta-test", " a\t c "},
                                 {"x-amz-meta-empty", ""}};
    SigV4Request request = request_of("20261122T120000Z", "us-east-1");
    request.headers = headers;
    request.n_headers = ARRAY_SIZE(headers);
    _cleanup_(buf_done) Buf out = BUF_INIT(4096);
    Error err = ERROR_INIT;
    assert_int_equal(sigv4_canonical_request(&request, &out, &err), 0);
    const char *start = "GET\n/\n\n"
                        "host:127.0.0.1:9010\n"
                        "x-amz-meta-empty:\n"
                        "x-amz-meta-test:b,a c\n"
                        "x-amz-meta-test-two:2\n"
                        "\n"
                        "host;x-amz-meta-empty;x-amz-meta-test;x-amz-meta-test-two\n";
    _cleanup_free_ char *expected = xasprintf("%s%s", start, empty_hash);
    assert_string_equal(buf_str(&out), expected);
}

static void a_request_that_cannot_be_signed_is_refused(void **state)
{
    SigV4Keys *keys = sigv4_keys_new();
    _cleanup_(buf_done) Buf out = BUF_INIT(4096);
    Error err = ERROR_INIT;
    SigV4Request timeless = request_of("", "us-east-1");
    assert_int_equal(sigv4_authorize(keys, access_key, secret_key, &timeless, &out, &err), -1);
    assert_non_null(strstr(err.message, "clock"));
    SigV4Pair many[SIGV4_HEADERS_MAX + 1];
    for (size_t i = 0; i < ARRAY_SIZE(many); i++)
        many[i] = (SigV4Pair){"host", "x"};
    SigV4Request crowded = request_of("20261122T120000Z", "us-east-1");
    crowded.headers = many;
    crowded.n_headers = ARRAY_SIZE(many);
    assert_int_equal(sigv4_authorize(keys, access_key, secret_key, &crowded, &out, &err), -1);
    assert_int_equal(err.code, ERR_UNSUPPORTED);
    assert_int_equal(out.len, 0);
    sigv4_keys_free(keys);
    sigv4_keys_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_keeps_only_what_needs_no_encoding),
        cmocka_unit_test(a_query_is_sorted_by_encoded_name_and_then_value),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(a_stamp_is_utc_and_within_years_that_have_four_digits),
        cmocka_unit_test(the_examples_of_the_s3_reference),
        cmocka_unit_test(a_kept_key_serves_only_its_day_region_and_secret),
        cmocka_unit_test(threads_share_the_keys),
        cmocka_unit_test(a_host_is_signed_with_its_port_and_a_repeated_header_once),
        cmocka_unit_test(a_request_that_cannot_be_signed_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
