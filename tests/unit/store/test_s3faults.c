/* Faults on the way: which are tried again, which end at once, and what is learned from a server. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "kura/clock.h"
#include "kura/log.h"
#include "kura/mem.h"
#include "kura/stop.h"
#include "s3world.h"
#include "world.h"

/* One operation with the answer that it hopes for. */
typedef struct Operation {
    const char *name;
    HttpAnswer good;
    int (*run)(Store *store, Error *err);
} Operation;

static int run_put(Store *store, Error *err)
{
    return store_put(store, "blobs/a", "hello", 5, false, err);
}

static int run_get(Store *store, Error *err)
{
    _cleanup_(buf_done) Buf out = BUF_INIT(100);
    buf_append_str(&out, ">", NULL);
    int rc = store_get(store, "blobs/a", 0, UINT64_MAX, &out, err);
    assert_string_equal(buf_str(&out), rc == 0 ? ">hello" : ">");
    return rc;
}

static int run_part(Store *store, Error *err)
{
    _cleanup_(buf_done) Buf out = BUF_INIT(100);
    int rc = store_get(store, "blobs/a", 1, 3, &out, err);
    assert_string_equal(buf_str(&out), rc == 0 ? "ell" : "");
    return rc;
}

static int run_head(Store *store, Error *err)
{
    uint64_t size = 0;
    int rc = store_head(store, "blobs/a", &size, err);
    assert_int_equal(size, rc == 0 ? 5 : 0);
    return rc;
}

static int run_delete(Store *store, Error *err)
{
    return store_delete(store, "blobs/a", err);
}

static int count(void *ctx, const char *key, uint64_t size, Error *err)
{
    (void)key;
    (void)size;
    (void)err;
    ++*(int *)ctx;
    return 0;
}

static int run_list(Store *store, Error *err)
{
    int seen = 0;
    int rc = store_list(store, "", count, &seen, err);
    assert_int_equal(seen, rc == 0);
    return rc;
}

static const Operation operations[] = {
    {"put", S3_PUT_OK, run_put},   {"get", S3_GET_OK, run_get},          {"part", S3_PART_OK, run_part},
    {"head", S3_GET_OK, run_head}, {"delete", S3_DELETE_OK, run_delete}, {"list", S3_LIST_OK, run_list},
};

static void assert_survived(const Operation *operation, const HttpAnswer *fault, const char *name)
{
    const HttpAnswer answers[] = {S3_DELETE_OK, *fault, operation->good};
    S3World world;
    s3world_open(&world, answers, ARRAY_SIZE(answers), NULL);
    assert_int_equal(store_delete(world.store, "first", &world.err), 0);
    int rc = operation->run(world.store, &world.err);
    size_t requests = httpd_count(world.httpd);
    if (rc < 0 || requests != 3)
        print_error("%s after %s: %s\n", operation->name, name, world.err.message);
    assert_int_equal(rc, 0);
    assert_int_equal(requests, 3);
    s3world_close(&world);
}

static void passing_faults(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        HttpAnswer answer;
    } faults[] = {
        {"500", {.status = "500 Internal Server Error"}},
        {"InternalError", S3_ERROR("500 Internal Server Error", "InternalError")},
        {"502 of a proxy", {.status = "502 Bad Gateway", .body = "<html><body>nginx<br></html>"}},
        {"SlowDown", S3_ERROR("503 Slow Down", "SlowDown")},
        {"503", {.status = "503 Service Unavailable", .header = "Retry-After: 0"}},
        {"504", {.status = "504 Gateway Timeout"}},
        {"429", {.status = "429 Too Many Requests"}},
        {"408", {.status = "408 Request Timeout"}},
        {"no answer", {.raw = ""}},
        {"reset", {.raw = "", .end = HTTP_END_RESET}},
        {"stall", {.raw = "", .end = HTTP_END_STALL}},
        {"half a line", {.raw = "HTTP/1.1 2"}},
        {"half of the headers", {.raw = "HTTP/1.1 200 OK\r\nETag: \"x\"\r\nContent-", .end = HTTP_END_RESET}},
        {"stall in the headers", {.raw = "HTTP/1.1 200 OK\r\n", .end = HTTP_END_STALL}},
        {"no HTTP", {.raw = "SSH-2.0-OpenSSH_9.2\r\n"}},
        {"redirect to itself", {.status = "307 Temporary Redirect", .header = "Location: /elsewhere"}},
    };
    for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
        for (size_t o = 0; o < ARRAY_SIZE(operations); o++)
            assert_survived(&operations[o], &faults[i].answer, faults[i].name);
}

/* Bodies that are not what was announced or asked for. */
static void damaged_bodies(void **state)
{
    (void)state;
    static const HttpAnswer whole[] = {
        {.raw = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel"},
        {.raw = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", .end = HTTP_END_RESET},
        {.raw = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", .end = HTTP_END_STALL},
        {.raw = "HTTP/1.1 200 OK\r\n\r\nhel"},
        {.raw = "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(whole); i++)
        assert_survived(&operations[1], &whole[i], whole[i].raw);
    static const HttpAnswer part[] = {
        {.raw = "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 1-3/5\r\nContent-Length: 3\r\n\r\nel"},
        {.raw = "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-2/5\r\nContent-Length: 3\r\n\r\nhel"},
        {.raw = "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 1-2/5\r\nContent-Length: 2\r\n\r\nel"},
        {.raw = "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 1-3/5\r\nContent-Length: 2\r\n\r\nel"},
        {.raw = "HTTP/1.1 206 Partial Content\r\nContent-Length: 3\r\n\r\nell"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(part); i++)
        assert_survived(&operations[2], &part[i], part[i].raw);
    static const HttpAnswer list[] = {
        {.raw = "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n<ListBucketResult>"},
        {.raw = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n12\r\n<ListBucketResult>"},
        S3_ERROR("200 OK", "InternalError"),
    };
    for (size_t i = 0; i < ARRAY_SIZE(list); i++)
        assert_survived(&operations[5], &list[i], "a list");
    static const HttpAnswer not_s3 = {.status = "200 OK", .body = "<html>welcome</html>"};
    assert_survived(&operations[0], &not_s3, "a put without ETag");
}

static void final_refusals(void **state)
{
    (void)state;
    static const struct {
        HttpAnswer answer;
        ErrorCode code;
        const char *name;
    } refusals[] = {
        {S3_ERROR("403 Forbidden", "AccessDenied"), ERR_PERMISSION, "403 AccessDenied"},
        {S3_ERROR("403 Forbidden", "SignatureDoesNotMatch"), ERR_PERMISSION, "403 SignatureDoesNotMatch"},
        {S3_ERROR("403 Forbidden", "InvalidAccessKeyId"), ERR_PERMISSION, "403 InvalidAccessKeyId"},
        {S3_ERROR("400 Bad Request", "ExpiredToken"), ERR_PERMISSION, "400 ExpiredToken"},
        {S3_ERROR("404 Not Found", "NoSuchBucket"), ERR_NO_REPOSITORY, "404 NoSuchBucket"},
        {S3_ERROR("400 Bad Request", "InvalidArgument"), ERR_SERVER, "400 InvalidArgument"},
        {{.status = "403 Forbidden", .body = "<html>", .header = "x-amz-request-id: id-1"}, ERR_PERMISSION, "403"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(refusals); i++)
        for (size_t o = 0; o < ARRAY_SIZE(operations); o++) {
            bool head = operations[o].run == run_head; /* it asks again by GET, for the code */
            S3World world;
            const HttpAnswer answers[] = {refusals[i].answer, refusals[i].answer};
            s3world_open(&world, answers, head ? 2 : 1, NULL);
            assert_int_equal(operations[o].run(world.store, &world.err), -1);
            assert_int_equal(world.err.code, refusals[i].code);
            assert_int_equal(httpd_count(world.httpd), head ? 2 : 1);
            assert_non_null(strstr(world.err.message, refusals[i].name));
            assert_non_null(strstr(world.err.message, "(request id id-1)"));
            assert_null(strstr(world.err.message, "tried"));
            assert_true(world.err.hint[0] != 0 || refusals[i].code == ERR_SERVER);
            s3world_close(&world);
        }
}

static void giving_up(void **state)
{
    (void)state;
    HttpAnswer answers[50];
    for (size_t i = 0; i < ARRAY_SIZE(answers); i++)
        answers[i] = (HttpAnswer)S3_ERROR("500 Internal Server Error", "InternalError");
    S3World world;
    s3world_open(&world, answers, ARRAY_SIZE(answers), NULL);
    assert_int_equal(run_put(world.store, &world.err), -1);
    assert_int_equal(world.err.code, ERR_SERVER);
    char expected[100];
    snprintf(expected, sizeof expected, "(request id id-1), tried %zu times in ", httpd_count(world.httpd));
    assert_in_range(httpd_count(world.httpd), 3, 9);
    assert_non_null(strstr(world.err.message, "PUT \"blobs/a\": 500 InternalError (request id id-1), tried "));
    assert_non_null(strstr(world.err.message, expected));
    assert_string_not_equal(world.err.hint, "");
    assert_non_null(strstr(s3world_log(), "S3 PUT \"blobs/a\": 500 InternalError"));
    assert_non_null(strstr(s3world_log(), "attempt 2"));
    s3world_close(&world);
}

static void nobody_there(void **state)
{
    (void)state;
    static const StoreTimes times = {.connect = 1000, .stall = 1000, .total = 1000, .retry = 250};
    S3World world;
    s3world_open(&world, NULL, 0, &(StoreOptions){.s3_endpoint = "http://127.0.0.1:1", .times = &times});
    assert_int_equal(run_get(world.store, &world.err), -1);
    assert_int_equal(world.err.code, ERR_CONNECTION);
    assert_non_null(strstr(world.err.message, "GET \"blobs/a\": "));
    assert_non_null(strstr(world.err.message, ", tried "));
    s3world_close(&world);
    s3world_open(&world, NULL, 0, &(StoreOptions){.s3_endpoint = "https://no-such-host.invalid"});
    assert_int_equal(run_get(world.store, &world.err), -1);
    assert_int_equal(world.err.code, ERR_CONNECTION);
    assert_null(strstr(world.err.message, "tried"));
    assert_non_null(strstr(world.err.hint, "s3-endpoint"));
    s3world_close(&world);
}

static void region_is_learned(void **state)
{
    (void)state;
    static const HttpAnswer answers[] = {
        {.status = "400 Bad Request",
         .body = "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-x-1</Region></Error>"},
        S3_PUT_OK,
        S3_PUT_OK,
        {.status = "400 Bad Request",
         .body = "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-x-2</Region></Error>"},
    };
    S3World world;
    s3world_open(&world, answers, ARRAY_SIZE(answers), NULL);
    assert_int_equal(run_put(world.store, &world.err), 0);
    assert_int_equal(run_put(world.store, &world.err), 0);
    assert_non_null(strstr(httpd_request(world.httpd, 0), "/us-east-1/s3/aws4_request"));
    assert_non_null(strstr(httpd_request(world.httpd, 1), "/eu-x-1/s3/aws4_request"));
    assert_non_null(strstr(httpd_request(world.httpd, 2), "/eu-x-1/s3/aws4_request"));
    assert_int_equal(run_put(world.store, &world.err), -1); /* not believed twice */
    assert_int_equal(httpd_count(world.httpd), 4);
    assert_non_null(strstr(world.err.hint, "s3-region"));
    s3world_close(&world);
}

/* Credentials of a container, which the server says have expired before their time. */
static void credentials_are_renewed(void **state)
{
    (void)state;
    static const HttpAnswer sources[] = {
        {.status = "200 OK",
         .body = "{\"AccessKeyId\":\"KEY1\",\"SecretAccessKey\":\"s\",\"Token\":\"t1\",\"Expiration\":\"2099-01-01T00:"
                 "00:00Z\"}"},
        {.status = "200 OK",
         .body = "{\"AccessKeyId\":\"KEY2\",\"SecretAccessKey\":\"s\",\"Token\":\"t2\",\"Expiration\":\"2099-01-01T00:"
                 "00:00Z\"}"},
        {.status = "200 OK",
         .body = "{\"AccessKeyId\":\"KEY2\",\"SecretAccessKey\":\"s\",\"Token\":\"t2\",\"Expiration\":\"2099-01-01T00:"
                 "00:00Z\"}"},
    };
    static const HttpAnswer answers[] = {S3_ERROR("400 Bad Request", "ExpiredToken"), S3_PUT_OK,
                                         S3_ERROR("400 Bad Request", "ExpiredToken")};
    Httpd *source = httpd_start(sources, ARRAY_SIZE(sources)), *httpd = httpd_start(answers, ARRAY_SIZE(answers));
    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", httpd_url(source), 1);
    StoreOptions options = {.s3_endpoint = httpd_url(httpd), .s3_region = "us-east-1"};
    Store *store;
    Error err = ERROR_INIT;
    assert_int_equal(store_open("s3://bucket", &options, false, &store, &err), 0);
    assert_int_equal(run_put(store, &err), 0);
    assert_non_null(strstr(httpd_request(httpd, 0), "Credential=KEY1/"));
    assert_non_null(strstr(httpd_request(httpd, 1), "Credential=KEY2/"));
    assert_int_equal(run_put(store, &err), -1); /* the source has no others */
    assert_int_equal(err.code, ERR_PERMISSION);
    assert_int_equal(httpd_count(httpd), 3);
    assert_int_equal(httpd_count(source), 3);
    store_close(store);
    unsetenv("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    httpd_stop(source);
    httpd_stop(httpd);
}

static time_t date_of(const char *request)
{
    struct tm tm = {0};
    const char *at = strstr(request, "x-amz-date: ");
    assert_non_null(at);
    assert_non_null(strptime(at + 12, "%Y%m%dT%H%M%SZ", &tm));
    return timegm(&tm);
}

static void clock_is_corrected(void **state)
{
    (void)state;
    char date[80];
    time_t there = time(NULL) + 3 * 3600;
    strftime(date, sizeof date, "Date: %a, %d %b %Y %H:%M:%S GMT", gmtime(&there));
    const char body[] = "<Error><Code>RequestTimeTooSkewed</Code></Error>";
    const HttpAnswer answers[] = {
        {.status = "403 Forbidden", .body = body, .header = date},
        S3_PUT_OK,
        S3_PUT_OK,
        {.status = "403 Forbidden", .body = body, .header = date},
    };
    S3World world;
    s3world_open(&world, answers, ARRAY_SIZE(answers), NULL);
    assert_int_equal(run_put(world.store, &world.err), 0);
    assert_int_equal(run_put(world.store, &world.err), 0);
    assert_in_range(date_of(httpd_request(world.httpd, 0)), there - 3 * 3600, there - 3 * 3600 + 60);
    assert_in_range(date_of(httpd_request(world.httpd, 1)), there, there + 60);
    assert_in_range(date_of(httpd_request(world.httpd, 2)), there, there + 60);
    assert_int_equal(run_put(world.store, &world.err), -1);
    assert_int_equal(httpd_count(world.httpd), 4);
    assert_non_null(strstr(world.err.hint, "clock"));
    s3world_close(&world);
}

static void redirects_to_another_server(void **state)
{
    (void)state;
    static const HttpAnswer there[] = {S3_PUT_OK, S3_PUT_OK};
    Httpd *other = httpd_start(there, ARRAY_SIZE(there));
    _cleanup_free_ char *location = xasprintf("Location: %s/bucket/pre%%20fix/blobs/a", httpd_url(other));
    const HttpAnswer here[] = {{.status = "307 Temporary Redirect", .header = location}};
    S3World world;
    s3world_open(&world, here, ARRAY_SIZE(here), NULL);
    assert_int_equal(run_put(world.store, &world.err), 0);
    assert_int_equal(run_put(world.store, &world.err), 0);
    assert_int_equal(httpd_count(world.httpd), 1);
    assert_int_equal(httpd_count(other), 2);
    _cleanup_free_ char *host = xasprintf("\r\nHost: %s\r\n", strstr(httpd_url(other), "127."));
    assert_non_null(strstr(httpd_request(other, 0), "PUT /bucket/pre%20fix/blobs/a HTTP/1.1\r\n"));
    assert_non_null(strstr(httpd_request(other, 0), host));
    assert_non_null(strstr(httpd_request(other, 0), "\r\n\r\nhello"));
    s3world_close(&world);
    httpd_stop(other);
}

/* Nothing is sent unencrypted to a network because a server said so. */
static void redirects_away_are_not_followed(void **state)
{
    (void)state;
    const HttpAnswer answers[] = {
        {.status = "301 Moved Permanently", .header = "Location: http://192.0.2.1/bucket/x"},
    };
    S3World world;
    s3world_open(&world, answers, ARRAY_SIZE(answers), NULL);
    assert_int_equal(run_put(world.store, &world.err), -1);
    assert_int_equal(httpd_count(world.httpd), 1);
    assert_non_null(strstr(world.err.message, "301"));
    assert_non_null(strstr(world.err.hint, "s3-endpoint"));
    s3world_close(&world);
}

/* Neither is what is stored taken to a server that has nothing to do with the one that was named. */
static void redirects_to_strangers_are_not_followed(void **state)
{
    (void)state;
    const HttpAnswer answers[] = {
        {.status = "301 Moved Permanently", .header = "Location: https://s3.example.net/bucket/x"},
    };
    S3World world;
    s3world_open(&world, answers, ARRAY_SIZE(answers), NULL);
    assert_int_equal(run_put(world.store, &world.err), -1);
    assert_int_equal(httpd_count(world.httpd), 1);
    assert_non_null(strstr(world.err.message, "301"));
    s3world_close(&world);
}

static void expect_is_given_up(void **state)
{
    (void)state;
    static const HttpAnswer answers[] = {{.status = "417 Expectation Failed"}, S3_PUT_OK, S3_PUT_OK};
    size_t len = 1024 * 1024;
    _cleanup_free_ char *body = xmalloc(len);
    memset(body, 'x', len);
    S3World world;
    s3world_open(&world, answers, ARRAY_SIZE(answers), NULL);
    assert_int_equal(store_put(world.store, "a", body, len, false, &world.err), 0);
    assert_int_equal(store_put(world.store, "a", body, len, false, &world.err), 0);
    assert_non_null(strstr(httpd_request(world.httpd, 0), "\r\nExpect: 100-continue\r\n"));
    assert_null(strstr(httpd_request(world.httpd, 1), "\r\nExpect:"));
    assert_null(strstr(httpd_request(world.httpd, 2), "\r\nExpect:"));
    s3world_close(&world);
}

/* A stop ends even a wait for a server that says nothing. In a child: a stop is for good. */
static void stop_ends_a_request(void **state)
{
    (void)state;
    static const StoreTimes patient = {.connect = 60000, .stall = 60000, .total = 60000, .retry = 60000};
    static const HttpAnswer silent[] = {{.end = HTTP_END_STALL}};
    Httpd *httpd = httpd_start(silent, 1);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        Error err = ERROR_INIT;
        Store *store;
        StoreOptions options = {.s3_endpoint = httpd_url(httpd), .s3_access_key = "a", .s3_secret_key = "b"};
        options.times = &patient;
        stop_install();
        signal(SIGALRM, SIG_DFL);
        alarm(60);
        if (store_open("s3://bucket", &options, false, &store, &err) < 0)
            _exit(2);
        /* the parent stops it once the server has the request */
        _exit(store_delete(store, "a", &err) == -1 && err.code == ERR_INTERRUPTED ? 0 : 3);
    }
    double deadline = clock_monotonic() + 20;
    while (httpd_count(httpd) == 0 && clock_monotonic() < deadline)
        usleep(1000);
    double start = clock_monotonic();
    int status;
    kill(pid, SIGTERM);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_true(clock_monotonic() - start < 30);
    httpd_stop(httpd);
}

/* A person who asked for a stop is not kept waiting by what only tidies up, a lock's removal for instance. */
static void a_stop_hurries_what_tidies_up(void **state)
{
    (void)state;
    static const StoreTimes patient = {.connect = 60000, .stall = 60000, .total = 60000, .retry = 60000};
    HttpAnswer answers[50];
    for (size_t i = 0; i < ARRAY_SIZE(answers); i++)
        answers[i] = (HttpAnswer)S3_ERROR("500 Internal Server Error", "InternalError");
    answers[1] = (HttpAnswer){.end = HTTP_END_STALL};
    Httpd *httpd = httpd_start(answers, ARRAY_SIZE(answers));
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        Error err = ERROR_INIT;
        Store *store;
        StoreOptions options = {.s3_endpoint = httpd_url(httpd), .s3_access_key = "a", .s3_secret_key = "b"};
        options.times = &patient;
        stop_install();
        raise(SIGTERM);
        stop_hold();
        signal(SIGALRM, SIG_DFL);
        alarm(30);
        if (store_open("s3://bucket", &options, false, &store, &err) < 0)
            _exit(2);
        _exit(store_delete(store, "a", &err) == -1 && err.code != ERR_INTERRUPTED ? 0 : 3);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_true(httpd_count(httpd) >= 2);
    httpd_stop(httpd);
}

static void uploads_are_limited(void **state)
{
    (void)state;
    static const HttpAnswer answers[] = {S3_PUT_OK};
    size_t len = 100 * 1024;
    _cleanup_free_ char *body = xmalloc(len);
    memset(body, 'x', len);
    S3World world;
    s3world_open(&world, answers, ARRAY_SIZE(answers), &(StoreOptions){.limit_upload = 100 * 1024});
    double start = clock_monotonic();
    assert_int_equal(store_put(world.store, "a", body, len, false, &world.err), 0);
    double taken = clock_monotonic() - start;
    assert_true(taken > 0.8);
    assert_int_equal(httpd_count(world.httpd), 1);
    s3world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passing_faults),
        cmocka_unit_test(damaged_bodies),
        cmocka_unit_test(final_refusals),
        cmocka_unit_test(giving_up),
        cmocka_unit_test(nobody_there),
        cmocka_unit_test(region_is_learned),
        cmocka_unit_test_setup_teardown(credentials_are_renewed, world_setup, world_teardown),
        cmocka_unit_test(clock_is_corrected),
        cmocka_unit_test(redirects_to_another_server),
        cmocka_unit_test(redirects_away_are_not_followed),
        cmocka_unit_test(redirects_to_strangers_are_not_followed),
        cmocka_unit_test(expect_is_given_up),
        cmocka_unit_test(stop_ends_a_request),
        cmocka_unit_test(a_stop_hurries_what_tidies_up),
        cmocka_unit_test(uploads_are_limited),
    };
    return cmocka_run_group_tests_name("S3 under trouble", tests, NULL, NULL);
}
