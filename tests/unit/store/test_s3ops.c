/* What the operations of the S3 store send, and what they make of the answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kura/mem.h"
#include "s3world.h"

static void assert_has(S3World *world, size_t i, const char *text)
{
    const char *request = httpd_request(world->httpd, i);
    if (strstr(request, text) == NULL)
        print_error("no \"%s\" in:\n%s\n", text, request);
    assert_non_null(strstr(request, text));
}

static void assert_has_not(S3World *world, size_t i, const char *text)
{
    assert_null(strstr(httpd_request(world->httpd, i), text));
}

static void a_put(void **state)
{
    (void)state;
    static const HttpAnswer answers[] = {S3_PUT_OK, S3_PUT_OK};
    S3World world;
    s3world_open(&world, answers, ARRAY_SIZE(answers), NULL);
    assert_true(store_is_remote(world.store));
    assert_string_equal(store_name(world.store), "s3://bucket/pre fix");
    assert_int_equal(store_put(world.store, "blobs/a", "hello", 5, false, &world.err), 0);
    assert_has(&world, 0, "PUT /bucket/pre%20fix/blobs/a HTTP/1.1\r\n");
    assert_has(&world, 0, "\r\nContent-Length: 5\r\n");
    assert_has(&world, 0, "\r\nContent-MD5: XUFAKrxLKna5cZ2REBfFkg==\r\n");
    assert_has(&world, 0,
               "\r\nx-amz-content-sha256: 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824\r\n");
    assert_has(&world, 0, "\r\nx-amz-security-token: " S3WORLD_TOKEN "\r\n");
    assert_has(&world, 0,
               "SignedHeaders=content-md5;content-type;host;x-amz-content-sha256;x-amz-date;x-amz-security-token");
    assert_has(&world, 0, "\r\n\r\nhello");
    assert_has_not(&world, 0, "Expect");
    assert_has_not(&world, 0, "checksum");
    assert_has_not(&world, 0, "If-None-Match");
    assert_int_equal(store_put(world.store, "empty", NULL, 0, false, &world.err), 0);
    assert_has(&world, 1, "\r\nContent-Length: 0\r\n");
    assert_has(&world, 1, "\r\nContent-MD5: 1B2M2Y8AsgTpgAmY7PhCfg==\r\n");
    s3world_close(&world);
}

static void a_put_with_checksum(void **state)
{
    (void)state;
    static const HttpAnswer answers[] = {S3_PUT_OK};
    S3World world;
    s3world_open(&world, answers, ARRAY_SIZE(answers), &(StoreOptions){.s3_checksum = true});
    assert_int_equal(store_put(world.store, "a", "hello", 5, false, &world.err), 0);
    assert_has(&world, 0, "\r\nx-amz-checksum-sha256: LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=\r\n");
    assert_has(&world, 0, "\r\nx-amz-sdk-checksum-algorithm: SHA256\r\n");
    assert_has(&world, 0, ";x-amz-checksum-sha256;");
    s3world_close(&world);
}

static void exclusive_puts(void **state)
{
    (void)state;
    static const HttpAnswer answers[] = {
        S3_ERROR("404 Not Found", "NoSuchKey"),
        S3_ERROR("404 Not Found", "NoSuchKey"),
        S3_PUT_OK, /* new */
        S3_ERROR("404 Not Found", "NoSuchKey"),
        S3_ERROR("412 Precondition Failed", "PreconditionFailed"), /* a race */
        S3_GET_OK,                                                 /* there already */
    };
    S3World world;
    s3world_open(&world, answers, ARRAY_SIZE(answers), NULL);
    assert_int_equal(store_put(world.store, "a", "hello", 5, true, &world.err), 0);
    assert_has(&world, 0, "HEAD ");
    assert_has(&world, 1, "GET "); /* a bare 404 could be about the bucket */
    assert_has(&world, 2, "\r\nIf-None-Match: *\r\n");
    assert_has(&world, 2, ";if-none-match;");
    assert_int_equal(store_put(world.store, "a", "hello", 5, true, &world.err), -1);
    assert_int_equal(world.err.code, ERR_EXISTS);
    assert_int_equal(store_put(world.store, "a", "hello", 5, true, &world.err), -1);
    assert_int_equal(world.err.code, ERR_EXISTS);
    assert_int_equal(httpd_count(world.httpd), 6);
    s3world_close(&world);
}

/* The answer to the first attempt is lost; the second one finds the key taken. By whom? */
static void lost_answers_to_exclusive_puts(void **state)
{
    (void)state;
    static const struct {
        HttpAnswer head, get;
        int expected;
        size_t requests;
    } cases[] = {
        {S3_GET_OK, S3_GET_OK, 0, 6},
        {S3_GET_OK, {.status = "200 OK", .body = "other"}, -1, 6},
        {{.status = "200 OK", .body = "longer than hello"}, {.status = "500"}, -1, 5},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const HttpAnswer answers[] = {S3_DELETE_OK,  {.status = "404 Not Found"},
                                      {.raw = ""},   S3_ERROR("412 Precondition Failed", "PreconditionFailed"),
                                      cases[i].head, cases[i].get};
        S3World world;
        s3world_open(&world, answers, ARRAY_SIZE(answers), NULL);
        assert_int_equal(store_delete(world.store, "first", &world.err), 0);
        assert_int_equal(store_put(world.store, "a", "hello", 5, true, &world.err), cases[i].expected);
        assert_int_equal(world.err.code, cases[i].expected ? ERR_EXISTS : ERR_NONE);
        assert_int_equal(httpd_count(world.httpd), cases[i].requests);
        s3world_close(&world);
    }
}

/* A kept connection that turns out dead: libcurl sends once more by itself, and the first time may have had its effect.
 */
static void exclusive_puts_sent_twice_in_one_attempt(void **state)
{
    (void)state;
    static const HttpAnswer answers[] = {
        {.status = "204 No Content", .end = HTTP_END_KEEP},
        {.status = "404 Not Found", .end = HTTP_END_KEEP},
        {.raw = ""}, /* takes the request, and closes */
        S3_ERROR("412 Precondition Failed", "PreconditionFailed"),
        S3_GET_OK,
        S3_GET_OK,
    };
    S3World world;
    s3world_open(&world, answers, ARRAY_SIZE(answers), NULL);
    assert_int_equal(store_delete(world.store, "first", &world.err), 0);
    assert_int_equal(store_put(world.store, "a", "hello", 5, true, &world.err), 0);
    assert_int_equal(httpd_count(world.httpd), 6);
    assert_has(&world, 3, "\r\n\r\nhello");
    s3world_close(&world);
}

static void no_conditional_put(void **state)
{
    (void)state;
    static const HttpAnswer answers[] = {
        S3_DELETE_OK,
        {.status = "404 Not Found"},
        S3_ERROR("501 Not Implemented", "NotImplemented"), /* asked and refused */
        {.status = "404 Not Found"},
        S3_PUT_OK, /* the other way */
        {.status = "404 Not Found"},
        S3_PUT_OK, /* at once */
        S3_GET_OK,
    };
    S3World world;
    s3world_open(&world, answers, ARRAY_SIZE(answers), NULL);
    assert_int_equal(store_delete(world.store, "first", &world.err), 0);
    assert_int_equal(store_put(world.store, "a", "hello", 5, true, &world.err), 0);
    assert_has_not(&world, 4, "If-None-Match");
    assert_int_equal(store_put(world.store, "b", "hello", 5, true, &world.err), 0);
    assert_has_not(&world, 6, "If-None-Match");
    assert_int_equal(store_put(world.store, "b", "hello", 5, true, &world.err), -1);
    assert_int_equal(world.err.code, ERR_EXISTS);
    s3world_close(&world);
}

static void sizes_are_checked_first(void **state)
{
    (void)state;
    static const HttpAnswer answers[] = {
        {.raw = "HTTP/1.1 200 OK\r\nContent-Length: 9000000000000\r\n\r\nhello", .end = HTTP_END_STALL},
        {.raw = "HTTP/1.1 206 OK\r\nContent-Length: 9000000000000\r\nContent-Range: bytes 1-9000000000000/9000000000001"
                "\r\n\r\nhello",
         .end = HTTP_END_STALL},
    };
    _cleanup_(buf_done) Buf out = BUF_INIT(100);
    S3World world;
    s3world_open(&world, answers, ARRAY_SIZE(answers), NULL);
    assert_int_equal(store_get(world.store, "a", 0, UINT64_MAX, &out, &world.err), -1);
    assert_non_null(strstr(world.err.message, "9000000000000 bytes"));
    assert_int_equal(store_get(world.store, "a", 1, UINT64_MAX, &out, &world.err), -1);
    assert_int_equal(httpd_count(world.httpd), 2);
    assert_int_equal(out.len, 0);
    s3world_close(&world);
}

static void parts(void **state)
{
    (void)state;
    static const HttpAnswer answers[] = {
        S3_PART_OK,
        {.status = "206 Partial Content", .body = "lo", .header = "Content-Range: bytes 3-4/5"}, /* has no more */
        S3_ERROR("416 Range Not Satisfiable", "InvalidRange"),
        S3_GET_OK, /* behind the end */
        S3_ERROR("416 Range Not Satisfiable", "InvalidRange"),
        S3_GET_OK, /* at the end */
        S3_GET_OK, /* an empty part */
        S3_GET_OK, /* a server that knows no parts */
    };
    _cleanup_(buf_done) Buf out = BUF_INIT(100);
    S3World world;
    s3world_open(&world, answers, ARRAY_SIZE(answers), NULL);
    assert_int_equal(store_get(world.store, "a", 1, 3, &out, &world.err), 0);
    assert_has(&world, 0, "\r\nRange: bytes=1-3\r\n");
    assert_string_equal(buf_str(&out), "ell");
    assert_int_equal(store_get(world.store, "a", 3, 4, &out, &world.err), -1);
    assert_int_equal(world.err.code, ERR_TRUNCATED);
    assert_int_equal(store_get(world.store, "a", 9, 1, &out, &world.err), -1);
    assert_int_equal(world.err.code, ERR_TRUNCATED);
    assert_int_equal(store_get(world.store, "a", 5, UINT64_MAX, &out, &world.err), 0);
    assert_has(&world, 4, "\r\nRange: bytes=5-\r\n");
    assert_int_equal(store_get(world.store, "a", 2, 0, &out, &world.err), 0);
    assert_string_equal(buf_str(&out), "ell");
    assert_int_equal(store_get(world.store, "a", 2, 2, &out, &world.err), -1);
    assert_int_equal(world.err.code, ERR_UNSUPPORTED);
    assert_int_equal(httpd_count(world.httpd), 8);
    s3world_close(&world);
}

static void objects_that_are_missing_for_an_instant(void **state)
{
    (void)state;
    static const HttpAnswer answers[] = {
        S3_ERROR("404 Not Found", "NoSuchKey"),
        S3_GET_OK,
        S3_GET_OK, /* being replaced */
        S3_ERROR("404 Not Found", "NoSuchKey"),
        {.status = "404 Not Found"}, /* gone */
    };
    _cleanup_(buf_done) Buf out = BUF_INIT(100);
    S3World world;
    s3world_open(&world, answers, ARRAY_SIZE(answers), NULL);
    assert_int_equal(store_get(world.store, "a", 0, UINT64_MAX, &out, &world.err), 0);
    assert_string_equal(buf_str(&out), "hello");
    assert_int_equal(store_get(world.store, "a", 0, UINT64_MAX, &out, &world.err), -1);
    assert_int_equal(world.err.code, ERR_NOT_FOUND);
    assert_int_equal(httpd_count(world.httpd), ARRAY_SIZE(answers));
    s3world_close(&world);
}

static int add_key(void *ctx, const char *key, uint64_t size, Error *err)
{
    return buf_printf(ctx, err, "%s=%ju ", key, (uintmax_t)size);
}

#define PAGE(inside)                                                                                                   \
    {                                                                                                                  \
        .status = "200 OK", .body = "<ListBucketResult>" inside "</ListBucketResult>"                                  \
    }
#define ENTRY(key) "<Contents><Key>pre+fix/" key "</Key><Size>1</Size></Contents><EncodingType>url</EncodingType>"
#define MORE(token) "<IsTruncated>true</IsTruncated><NextContinuationToken>" token "</NextContinuationToken>"

static void pages_of_a_list(void **state)
{
    (void)state;
    static const HttpAnswer answers[] = {PAGE(ENTRY("b/1") ENTRY("b/2") MORE("to+k&amp;n/=")), PAGE(MORE("2")),
                                         PAGE(ENTRY("b/2") ENTRY("b/3") ENTRY("c"))};
    _cleanup_(buf_done) Buf seen = BUF_INIT(1000);
    S3World world;
    s3world_open(&world, answers, ARRAY_SIZE(answers), NULL);
    assert_int_equal(store_list(world.store, "b/", add_key, &seen, &world.err), 0);
    assert_string_equal(buf_str(&seen), "b/1=1 b/2=1 b/3=1 ");
    assert_has(&world, 0,
               "GET /bucket?encoding-type=url&list-type=2&max-keys=1000&prefix=pre%20fix%2Fb%2F HTTP/1.1\r\n");
    assert_has(&world, 1, "GET /bucket?continuation-token=to%2Bk%26n%2F%3D&encoding-type=url&");
    s3world_close(&world);
}

static void lists_that_cannot_be(void **state)
{
    (void)state;
    static const struct {
        HttpAnswer answers[2];
        ErrorCode code;
    } cases[] = {
        {{PAGE(ENTRY("b") MORE("1")), PAGE(ENTRY("a"))}, ERR_UNSUPPORTED},
        {{PAGE(ENTRY("a") MORE("1")), PAGE(ENTRY("b") MORE("1"))}, ERR_CORRUPT},
        {{PAGE("<IsTruncated>true</IsTruncated>"), PAGE("")}, ERR_CORRUPT},
        {{{.status = "200 OK", .body = "<!DOCTYPE x [<!ENTITY a 'b'>]><ListBucketResult/>"}, PAGE("")}, ERR_CORRUPT},
        {{{.status = "200 OK", .body = "<html>welcome</html>"}, PAGE("")}, ERR_CORRUPT},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_(buf_done) Buf seen = BUF_INIT(1000);
        S3World world;
        s3world_open(&world, cases[i].answers, 2, NULL);
        assert_int_equal(store_list(world.store, "", add_key, &seen, &world.err), -1);
        assert_int_equal(world.err.code, cases[i].code);
        s3world_close(&world);
    }
}

#define DELETED(inside)                                                                                                \
    {                                                                                                                  \
        .status = "200 OK", .body = "<DeleteResult>" inside "</DeleteResult>"                                          \
    }

static void batches(void **state)
{
    (void)state;
    static const HttpAnswer answers[] = {
        DELETED(""),
        DELETED("<Error><Key>pre fix/b</Key><Code>InternalError</Code></Error>"),
        S3_DELETE_OK,
        DELETED("<Error><Key>pre fix/a</Key><Code>AccessDenied</Code></Error>"),
        S3_ERROR("403 Forbidden", "AccessDenied"),
        DELETED("<Error><Key>other/a</Key><Code>AccessDenied</Code></Error>"),
        S3_ERROR("501 Not Implemented", "NotImplemented"),
        S3_DELETE_OK,
        S3_DELETE_OK,
        S3_DELETE_OK,
        S3_DELETE_OK,
    };
    const char *const keys[] = {"a", "b"};
    S3World world;
    s3world_open(&world, answers, ARRAY_SIZE(answers), NULL);
    assert_int_equal(store_delete_many(world.store, keys, 2, &world.err), 0);
    assert_has(&world, 0, "POST /bucket?delete= HTTP/1.1\r\n");
    assert_has(&world, 0, "\r\nContent-MD5: ");
    assert_has(&world, 0,
               "<Quiet>true</Quiet><Object><Key>pre fix/a</Key></Object><Object><Key>pre fix/b</Key></Object>");
    assert_int_equal(store_delete_many(world.store, keys, 2, &world.err), 0);
    assert_has(&world, 2, "DELETE /bucket/pre%20fix/b ");
    assert_int_equal(store_delete_many(world.store, keys, 2, &world.err), -1);
    assert_int_equal(world.err.code, ERR_PERMISSION);
    assert_int_equal(store_delete_many(world.store, keys, 2, &world.err), -1);
    assert_int_equal(world.err.code, ERR_CORRUPT);
    assert_int_equal(store_delete_many(world.store, keys, 2, &world.err), 0);
    assert_int_equal(store_delete_many(world.store, keys, 2, &world.err), 0); /* not asked again */
    assert_int_equal(httpd_count(world.httpd), ARRAY_SIZE(answers));
    s3world_close(&world);
}

static void deletes(void **state)
{
    (void)state;
    static const HttpAnswer answers[] = {S3_DELETE_OK, S3_ERROR("404 Not Found", "NoSuchKey"),
                                         S3_ERROR("404 Not Found", "NoSuchBucket"),
                                         S3_ERROR("403 Forbidden", "AccessDenied")};
    S3World world;
    s3world_open(&world, answers, ARRAY_SIZE(answers), NULL);
    assert_int_equal(store_delete(world.store, "a", &world.err), 0);
    assert_int_equal(store_delete(world.store, "a", &world.err), 0);
    assert_int_equal(store_delete(world.store, "a", &world.err), -1);
    assert_int_equal(world.err.code, ERR_NO_REPOSITORY);
    assert_int_equal(store_delete(world.store, "a", &world.err), -1);
    assert_int_equal(world.err.code, ERR_PERMISSION);
    s3world_close(&world);
}

static void missing_things(void **state)
{
    (void)state;
    static const HttpAnswer answers[] = {
        {.status = "404 Not Found"}, S3_ERROR("404 Not Found", "NoSuchBucket"), /* the bucket */
        {.status = "404 Not Found"}, S3_ERROR("404 Not Found", "NoSuchKey"),    /* the object */
        {.status = "404 Not Found"},                                            /* the object: the bucket is there */
        {.status = "403 Forbidden"}, S3_PART_OK,                                /* HEAD is forbidden, GET is not */
    };
    uint64_t size = 0;
    S3World world;
    s3world_open(&world, answers, ARRAY_SIZE(answers), NULL);
    assert_int_equal(store_head(world.store, "a", &size, &world.err), -1);
    assert_int_equal(world.err.code, ERR_NO_REPOSITORY);
    assert_int_equal(store_head(world.store, "a", &size, &world.err), -1);
    assert_int_equal(world.err.code, ERR_NOT_FOUND);
    assert_int_equal(store_head(world.store, "a", &size, &world.err), -1);
    assert_int_equal(world.err.code, ERR_NOT_FOUND);
    assert_int_equal(httpd_count(world.httpd), 5);
    assert_int_equal(store_head(world.store, "a", &size, &world.err), 0);
    assert_int_equal(size, 5);
    s3world_close(&world);
}

static void styles(void **state)
{
    (void)state;
    static const HttpAnswer answers[] = {S3_ERROR("403 Forbidden", "SecondLevelDomainForbidden"), S3_PUT_OK, S3_PUT_OK};
    Httpd *httpd = httpd_start(answers, ARRAY_SIZE(answers));
    _cleanup_free_ char *local = xasprintf("http://localhost%s", strrchr(httpd_url(httpd), ':'));
    _cleanup_free_ char *host = xasprintf("\r\nHost: bucket.localhost%s\r\n", strrchr(httpd_url(httpd), ':'));
    S3World world;
    s3world_open(&world, NULL, 0, &(StoreOptions){.s3_endpoint = local});
    assert_int_equal(store_put(world.store, "a", "x", 1, false, &world.err), 0);
    assert_non_null(strstr(httpd_request(httpd, 0), "PUT /bucket/pre%20fix/a HTTP/1.1\r\n"));
    assert_non_null(strstr(httpd_request(httpd, 1), "PUT /pre%20fix/a HTTP/1.1\r\n"));
    assert_non_null(strstr(httpd_request(httpd, 1), host));
    s3world_close(&world);
    s3world_open(&world, NULL, 0, &(StoreOptions){.s3_endpoint = local, .s3_path_style = S3_PATH_STYLE_NO});
    assert_int_equal(store_put(world.store, "a", "x", 1, false, &world.err), 0);
    assert_non_null(strstr(httpd_request(httpd, 2), host));
    s3world_close(&world);
    httpd_stop(httpd);
}

static void refused_options(void **state)
{
    (void)state;
    static const struct {
        const char *location;
        StoreOptions options;
    } cases[] = {
        {"s3://bucket", {.s3_endpoint = "http://example.com"}},
        {"s3://bucket", {.s3_endpoint = "https://user:topSecretKey@example.com"}},
        {"s3://bucket", {.s3_endpoint = "https://example.com", .s3_region = "no region"}},
        {"s3:bucket", {.s3_endpoint = "https://example.com"}},
        {"s3://b", {.s3_endpoint = "https://example.com"}},
        {"s3://bucket", {.s3_endpoint = "https://example.com", .s3_ca = "/no/such/file"}},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Error err = ERROR_INIT;
        Store *store = NULL;
        StoreOptions options = cases[i].options;
        options.s3_access_key = "a";
        options.s3_secret_key = "b";
        assert_int_equal(store_open(cases[i].location, &options, false, &store, &err), -1);
        assert_int_equal(err.code, options.s3_ca ? ERR_NOT_FOUND : ERR_USAGE);
        assert_null(store);
        assert_null(strstr(err.message, "topSecretKey"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_put),
        cmocka_unit_test(a_put_with_checksum),
        cmocka_unit_test(exclusive_puts),
        cmocka_unit_test(lost_answers_to_exclusive_puts),
        cmocka_unit_test(exclusive_puts_sent_twice_in_one_attempt),
        cmocka_unit_test(no_conditional_put),
        cmocka_unit_test(sizes_are_checked_first),
        cmocka_unit_test(parts),
        cmocka_unit_test(objects_that_are_missing_for_an_instant),
        cmocka_unit_test(pages_of_a_list),
        cmocka_unit_test(lists_that_cannot_be),
        cmocka_unit_test(batches),
        cmocka_unit_test(deletes),
        cmocka_unit_test(missing_things),
        cmocka_unit_test(styles),
        cmocka_unit_test(refused_options),
    };
    return cmocka_run_group_tests_name("S3 operations", tests, NULL, NULL);
}
