/* Credentials of containers and instances, against a server on loopback. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "httpd.h"
#include "kura/clock.h"
#include "kura/mem.h"
#include "kura/stop.h"
#include "s3cred.h"
#include "s3fetch.h"
#include "s3metadata.h"
#include "world.h"

#define LASTING                                                                                                        \
    "{\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"S3CRET\",\"Token\":\"t\",\"Expiration\":\"2099-01-01T00:00:00Z\"}"

static const StoreTimes short_times = {.connect = 500, .total = 500};

static char *answer_of(const char *access_key, time_t expires)
{
    char moment[21];
    clock_format_utc(expires, moment, sizeof moment);
    return xasprintf("{\"Code\":\"Success\",\"LastUpdated\":\"2026-11-22T03:15:00Z\",\"Type\":\"AWS-HMAC\","
                     "\"AccessKeyId\":\"%s\",\"SecretAccessKey\":\"S3CRET\",\"Token\":\"token\",\"Expiration\":\"%s\"}",
                     access_key, moment);
}

static S3Chain *open_patiently(const StoreTimes *times)
{
    S3Chain *chain = NULL;
    Error err = ERROR_INIT;
    if (s3chain_open(&(StoreOptions){.times = times}, &chain, &err) < 0)
        fail_msg("%s", err.message);
    return chain;
}

static S3Chain *open_chain(void)
{
    return open_patiently(NULL);
}

static Httpd *container(const HttpAnswer *answers, size_t n)
{
    Httpd *httpd = httpd_start(answers, n);
    char *url = xasprintf("%s/v2/credentials?id=hidden", httpd_url(httpd));
    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url, 1);
    free(url);
    return httpd;
}

static Httpd *instance(const HttpAnswer *answers, size_t n)
{
    Httpd *httpd = httpd_start(answers, n);
    unsetenv("AWS_EC2_METADATA_DISABLED");
    setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", httpd_url(httpd), 1);
    return httpd;
}

static void assert_access_key(S3Chain *chain, const char *access_key)
{
    S3Credentials got;
    Error err = ERROR_INIT;
    if (s3chain_get(chain, &got, &err) < 0)
        fail_msg("%s", err.message);
    assert_string_equal(got.access_key, access_key);
    assert_string_equal(got.secret_key, "S3CRET");
    s3credentials_done(&got);
}

static void assert_failure(S3Chain *chain, ErrorCode code, const char *part)
{
    S3Credentials got;
    Error err = ERROR_INIT;
    assert_int_equal(s3chain_get(chain, &got, &err), -1);
    if (strstr(err.message, part) == NULL && strstr(err.hint, part) == NULL)
        fail_msg("\"%s\" is not in: %s (%s)", part, err.message, err.hint);
    assert_int_equal(err.code, code);
    assert_null(strstr(err.message, "S3CRET"));
    assert_null(strstr(err.hint, "S3CRET"));
    assert_null(strstr(err.message, "hidden"));
}

static void assert_asked(Httpd *httpd, size_t i, const char *line, const char *header)
{
    const char *request = httpd_request(httpd, i);
    if (strncmp(request, line, strlen(line)) != 0)
        fail_msg("\"%s\" was asked", request);
    if (header && strstr(request, header) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", header, request);
}

static void a_container_is_asked_with_its_token(void **state)
{
    const HttpAnswer answers[] = {{"200 OK", LASTING}, {"200 OK", LASTING}, {"200 OK", LASTING}};
    Httpd *httpd = container(answers, ARRAY_SIZE(answers));
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    S3Chain *chain = open_chain();
    assert_access_key(chain, "a");
    assert_access_key(chain, "a");
    s3chain_close(chain);
    assert_int_equal(httpd_count(httpd), 1);
    assert_asked(httpd, 0, "GET /v2/credentials?id=hidden HTTP/1.1\r\n", NULL);
    assert_null(strstr(httpd_request(httpd, 0), "Authorization"));

    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "from-environment", 1);
    chain = open_chain();
    assert_access_key(chain, "a");
    s3chain_close(chain);
    assert_asked(httpd, 1, "GET ", "\r\nAuthorization: from-environment\r\n");

    world_write(*state, "token", "from-file\n", 10);
    char *path = xasprintf("%s/token", (char *)*state);
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", path, 1);
    free(path);
    chain = open_chain();
    assert_access_key(chain, "a");
    s3chain_close(chain);
    assert_asked(httpd, 2, "GET ", "\r\nAuthorization: from-file\r\n");
    unsetenv("http_proxy");
    httpd_stop(httpd);
}

static void a_token_cannot_smuggle_a_header(void **state)
{
    const HttpAnswer answers[] = {{"200 OK", LASTING}};
    Httpd *httpd = container(answers, ARRAY_SIZE(answers));
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "S3CRET\r\nX-Evil: 1", 1);
    S3Chain *chain = open_chain();
    assert_failure(chain, ERR_USAGE, "more than one line");
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/nowhere/token", 1);
    assert_failure(chain, ERR_NOT_FOUND, "\"/nowhere/token\"");
    s3chain_close(chain);
    assert_int_equal(httpd_count(httpd), 0);
    httpd_stop(httpd);
}

static void what_a_container_answers_wrongly_is_told(void **state)
{
    char *long_body = xmalloc(S3FETCH_BODY_MAX + 1);
    memset(long_body, ' ', S3FETCH_BODY_MAX + 1);
    const struct {
        HttpAnswer answer;
        ErrorCode code;
        const char *message;
        size_t tries;
    } cases[] = {
        {{"404 Not Found", LASTING}, ERR_SERVER, "HTTP status 404", 1},
        {{"302 Found", LASTING, "Location: http://127.0.0.1:1/"}, ERR_SERVER, "HTTP status 302", 1},
        {{"503 Busy", LASTING}, ERR_SERVER, "HTTP status 503", 2},
        {{NULL, NULL}, ERR_CONNECTION, "Timeout was reached", 2},
        {{"200 OK", long_body, NULL, S3FETCH_BODY_MAX + 1}, ERR_CORRUPT, "longer than 65536 bytes", 1},
        {{"200 OK", "{\"a\0\":1}", NULL, 8}, ERR_CORRUPT, "is no text", 1},
        {{"200 OK", ""}, ERR_CORRUPT, "not a JSON object", 1},
        {{"200 OK", "{\"AccessKeyId\":\"S3CRET\""}, ERR_CORRUPT, "not a JSON object", 1},
        {{"200 OK", "[\"S3CRET\"]"}, ERR_CORRUPT, "not a JSON object", 1},
        {{"200 OK", "{\"AccessKeyId\":\"a\"}"}, ERR_CORRUPT, "gives no secret key", 1},
        {{"200 OK", "{\"AccessKeyId\":1,\"SecretAccessKey\":\"S3CRET\"}"}, ERR_CORRUPT, "gives no access key", 1},
        {{"200 OK", "{\"AccessKeyId\":\"a\\r\\nb\",\"SecretAccessKey\":\"S3CRET\"}"},
         ERR_CORRUPT,
         "the S3 access key from the answer is too long or has characters",
         1},
        {{"200 OK", "{\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"S3CRET\",\"Expiration\":\"tomorrow\"}"},
         ERR_CORRUPT,
         "expiration is malformed",
         1},
        {{"200 OK", "{\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"S3CRET\",\"Expiration\":\"2099-01-01T00:00:00.5\"}"},
         ERR_CORRUPT,
         "expiration is malformed",
         1},
        {{"200 OK", "{\"Code\":\"AssumeRoleUnauthorizedAccess\",\"Message\":\"S3CRET\"}"}, ERR_SERVER, "a failure", 1},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const HttpAnswer answers[] = {cases[i].answer, cases[i].answer};
        Httpd *httpd = container(answers, ARRAY_SIZE(answers));
        S3Chain *chain = open_patiently(cases[i].answer.status ? NULL : &short_times);
        assert_failure(chain, cases[i].code, cases[i].message);
        assert_int_equal(httpd_count(httpd), cases[i].tries);
        s3chain_close(chain);
        httpd_stop(httpd);
    }
    free(long_body);
}

static void a_second_try_may_succeed(void **state)
{
    const HttpAnswer answers[] = {{"500 Oops", "{}"},
                                  {"200 OK", "{\"AccessKeyId\":\"b\",\"SecretAccessKey\":\"S3CRET\"}"}};
    Httpd *httpd = container(answers, ARRAY_SIZE(answers));
    S3Chain *chain = open_chain();
    assert_access_key(chain, "b");
    s3chain_close(chain);
    httpd_stop(httpd);
}

static void an_expiration_may_have_a_fraction(void **state)
{
    const HttpAnswer answers[] = {
        {"200 OK", "{\"AccessKeyId\":\"b\",\"SecretAccessKey\":\"S\",\"Expiration\":\"2099-01-01T00:00:00.123Z\"}"}};
    Httpd *httpd = container(answers, ARRAY_SIZE(answers));
    S3Chain *chain = open_chain();
    S3Credentials got;
    Error err = ERROR_INIT;
    assert_int_equal(s3chain_get(chain, &got, &err), 0);
    assert_true(got.expires == 4070908800);
    s3credentials_done(&got);
    s3chain_close(chain);
    httpd_stop(httpd);
}

static void nobody_listening_is_a_failed_connection(void **state)
{
    Httpd *httpd = container(NULL, 0);
    httpd_stop(httpd);
    S3Chain *chain = open_chain();
    assert_failure(chain, ERR_CONNECTION, "container credentials at \"http://127.0.0.1:");
    s3chain_close(chain);
}

static void assert_container_url(const char *relative, const char *full, const char *expected)
{
    setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", relative, 1);
    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", full, 1);
    char *url = NULL;
    Error err = ERROR_INIT;
    int rc = s3container_url(&url, &err);
    if (expected) {
        assert_int_equal(rc, 0);
        assert_string_equal(url, expected);
    } else {
        assert_int_equal(rc, -1);
        assert_int_equal(err.code, ERR_USAGE);
        assert_null(url);
    }
    free(url);
}

static void only_this_machine_is_asked_over_http(void **state)
{
    assert_container_url("/v2/x", "", "http://169.254.170.2/v2/x");
    assert_container_url("/v2/x", "http://example.com/", "http://169.254.170.2/v2/x");
    assert_container_url("@example.com/", "", NULL);
    const char *good[] = {"http://127.0.0.1/x",       "http://127.1.2.3:99/x",
                          "http://localhost:8080/x",  "http://[::1]:8080/x",
                          "http://169.254.170.2/x",   "http://169.254.170.23/v1/credentials",
                          "http://[fd00:ec2::23]/v1", "https://example.com/any?x=1"};
    for (size_t i = 0; i < ARRAY_SIZE(good); i++)
        assert_container_url("", good[i], good[i]);
    const char *bad[] = {"http://example.com/",
                         "http://169.254.170.3/",
                         "http://128.0.0.1/",
                         "http://127.0.0.1.example.com/",
                         "http://127.0.0.1@evil.com/",
                         "http://[::2]/",
                         "http://[fd00:ec2::24]/",
                         "ftp://127.0.0.1/",
                         "file:///etc/passwd",
                         "127.0.0.1/x",
                         "nonsense",
                         "http://localhost.example.com/"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_container_url("", bad[i], NULL);
    unsetenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    unsetenv("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    char *url = NULL;
    Error err = ERROR_INIT;
    assert_int_equal(s3container_url(&url, &err), 0);
    assert_null(url);
}

static void an_instance_is_asked_with_a_token_for_its_role(void **state)
{
    char *body = answer_of("role-key", time(NULL) + 6 * 3600);
    const HttpAnswer answers[] = {{"200 OK", "session-token"}, {"200 OK", "backup-role\nsecond"}, {"200 OK", body}};
    Httpd *httpd = instance(answers, ARRAY_SIZE(answers));
    S3Chain *chain = open_chain();
    assert_access_key(chain, "role-key");
    assert_access_key(chain, "role-key");
    s3chain_close(chain);
    assert_int_equal(httpd_count(httpd), 3);
    assert_asked(httpd, 0, "PUT /latest/api/token HTTP/1.1\r\n", "\r\nX-aws-ec2-metadata-token-ttl-seconds: 300\r\n");
    assert_asked(httpd, 1, "GET /latest/meta-data/iam/security-credentials/ HTTP/1.1\r\n",
                 "\r\nX-aws-ec2-metadata-token: session-token\r\n");
    assert_asked(httpd, 2, "GET /latest/meta-data/iam/security-credentials/backup-role HTTP/1.1\r\n",
                 "\r\nX-aws-ec2-metadata-token: session-token\r\n");
    httpd_stop(httpd);
    free(body);
}

static void what_an_instance_answers_wrongly_is_told(void **state)
{
    const struct {
        HttpAnswer answers[3];
        const char *hint;
        size_t requests;
    } cases[] = {
        /* Version 1 of the service, which knows no tokens, is not asked for credentials. */
        {{{"404 Not Found", ""}}, "(asking for a token: HTTP status 404)", 1},
        {{{"403 Forbidden", ""}}, "(asking for a token: HTTP status 403)", 1},
        {{{"200 OK", ""}}, "the answer is no token", 1},
        {{{"200 OK", "a\r\nX-Evil: 1"}}, "the answer is no token", 1},
        {{{NULL, NULL}, {NULL, NULL}}, "(asking for a token: Timeout was reached)", 2},
        {{{"200 OK", "t"}, {"404 Not Found", ""}}, "(asking for the instance's role: HTTP status 404)", 2},
        {{{"200 OK", "t"}, {"200 OK", "\n"}}, "the instance has no role", 2},
        {{{"200 OK", "t"}, {"200 OK", "../../user-data"}}, "the answer is no name of a role", 2},
        {{{"200 OK", "t"}, {"200 OK", "r"}, {"200 OK", "<html>"}},
         "(asking for the credentials of role \"r\": the answer is not a JSON object)",
         3},
        {{{"200 OK", "t"}, {"200 OK", "r"}, {"200 OK", "{\"Code\":\"Failed\",\"Message\":\"S3CRET\"}"}},
         "(asking for the credentials of role \"r\": the answer tells a failure instead of credentials)",
         3},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Httpd *httpd = instance(cases[i].answers, 3);
        S3Chain *chain = open_patiently(cases[i].answers[0].status ? NULL : &short_times);
        assert_failure(chain, ERR_PERMISSION, cases[i].hint);
        assert_int_equal(httpd_count(httpd), cases[i].requests);
        s3chain_close(chain);
        httpd_stop(httpd);
    }
}

static void an_instance_is_not_asked_when_that_is_disabled(void **state)
{
    const HttpAnswer answers[] = {{"200 OK", "t"}};
    Httpd *httpd = instance(answers, ARRAY_SIZE(answers));
    setenv("AWS_EC2_METADATA_DISABLED", "TRUE", 1);
    S3Chain *chain = open_chain();
    assert_failure(chain, ERR_PERMISSION, "AWS_EC2_METADATA_DISABLED is set");
    s3chain_close(chain);
    assert_int_equal(httpd_count(httpd), 0);
    httpd_stop(httpd);
}

static void credentials_that_expired_are_fetched_again(void **state)
{
    time_t now = time(NULL);
    char *old = answer_of("old", now - 1), *new = answer_of("new", now + 3600);
    const HttpAnswer answers[] = {{"200 OK", "t"}, {"200 OK", "r"}, {"200 OK", old},
                                  {"200 OK", "t"}, {"200 OK", "r"}, {"200 OK", new}};
    Httpd *httpd = instance(answers, ARRAY_SIZE(answers));
    S3Chain *chain = open_chain();
    assert_access_key(chain, "old");
    assert_access_key(chain, "new");
    assert_access_key(chain, "new");
    assert_int_equal(httpd_count(httpd), 6);
    s3chain_close(chain);
    httpd_stop(httpd);
    free(old);
    free(new);
}

static void credentials_that_expired_and_cannot_be_fetched_again_are_an_error(void **state)
{
    char *old = answer_of("old", time(NULL) - 1);
    const HttpAnswer answers[] = {{"200 OK", "t"}, {"200 OK", "r"}, {"200 OK", old}, {"403 Forbidden", ""}};
    Httpd *httpd = instance(answers, ARRAY_SIZE(answers));
    S3Chain *chain = open_chain();
    assert_access_key(chain, "old");
    assert_failure(chain, ERR_SERVER, "asking for a token: HTTP status 403");
    s3chain_close(chain);
    httpd_stop(httpd);
    free(old);
}

/* They are renewed before they expire, but the service is not asked for them with every request. */
static void credentials_that_expire_soon_are_used_meanwhile(void **state)
{
    char *soon = answer_of("soon", time(NULL) + 300);
    const HttpAnswer answers[] = {{"200 OK", soon}};
    Httpd *httpd = container(answers, ARRAY_SIZE(answers));
    S3Chain *chain = open_chain();
    for (size_t i = 0; i < 5; i++)
        assert_access_key(chain, "soon");
    assert_int_equal(httpd_count(httpd), 1);
    s3chain_close(chain);
    httpd_stop(httpd);
    free(soon);
}

static void *get_often(void *arg)
{
    size_t wrong = 0;
    for (size_t i = 0; i < 50; i++) {
        S3Credentials got = {0};
        Error err = ERROR_INIT;
        if (s3chain_get(arg, &got, &err) < 0 || strcmp(got.access_key, "shared") != 0)
            wrong++;
        s3credentials_done(&got);
    }
    return (void *)(uintptr_t)wrong;
}

static void threads_ask_once(void **state)
{
    char *body = answer_of("shared", time(NULL) + 3600);
    const HttpAnswer answers[] = {{"200 OK", body}};
    Httpd *httpd = container(answers, ARRAY_SIZE(answers));
    S3Chain *chain = open_chain();
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, get_often, chain), 0);
    for (size_t i = 0; i < 4; i++) {
        void *wrong;
        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
    assert_int_equal(httpd_count(httpd), 1);
    s3chain_close(chain);
    httpd_stop(httpd);
    free(body);
}

/* The last test: a stop cannot be taken back. */
static void a_stop_ends_the_waiting(void **state)
{
    const HttpAnswer answers[] = {{NULL, NULL}, {NULL, NULL}};
    Httpd *httpd = instance(answers, ARRAY_SIZE(answers));
    S3Chain *chain = open_chain();
    stop_install();
    raise(SIGTERM);
    assert_failure(chain, ERR_INTERRUPTED, "instance metadata at");
    assert_true(httpd_count(httpd) <= 1);
    s3chain_close(chain);
    httpd_stop(httpd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_container_is_asked_with_its_token),
        TEST(a_token_cannot_smuggle_a_header),
        TEST(what_a_container_answers_wrongly_is_told),
        TEST(a_second_try_may_succeed),
        TEST(an_expiration_may_have_a_fraction),
        TEST(nobody_listening_is_a_failed_connection),
        TEST(only_this_machine_is_asked_over_http),
        TEST(an_instance_is_asked_with_a_token_for_its_role),
        TEST(what_an_instance_answers_wrongly_is_told),
        TEST(an_instance_is_not_asked_when_that_is_disabled),
        TEST(credentials_that_expired_are_fetched_again),
        TEST(credentials_that_expired_and_cannot_be_fetched_again_are_an_error),
        TEST(credentials_that_expire_soon_are_used_meanwhile),
        TEST(threads_ask_once),
        TEST(a_stop_ends_the_waiting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
