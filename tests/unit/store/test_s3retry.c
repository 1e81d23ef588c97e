/* What answers mean, and when there is a next attempt. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kura/mem.h"
#include "s3retry.h"

static void decisions(void **state)
{
    (void)state;
    static const struct {
        S3Fault fault;
        int status;
        const char *code;
        bool reached;
        ErrorCode error;
        S3Remedy remedy;
    } cases[] = {
        {S3_FAULT_NONE, 200, "", true, ERR_NONE, S3_REMEDY_NONE},
        {S3_FAULT_NONE, 206, "", true, ERR_NONE, S3_REMEDY_NONE},
        {S3_FAULT_NONE, 204, "", false, ERR_NONE, S3_REMEDY_NONE},
        {S3_FAULT_NONE, 200, "InternalError", true, ERR_SERVER, S3_REMEDY_WAIT},
        {S3_FAULT_NONE, 200, "AccessDenied", true, ERR_PERMISSION, S3_REMEDY_NONE},
        {S3_FAULT_NONE, 500, "", true, ERR_SERVER, S3_REMEDY_WAIT},
        {S3_FAULT_NONE, 502, "", true, ERR_SERVER, S3_REMEDY_WAIT},
        {S3_FAULT_NONE, 503, "SlowDown", true, ERR_SERVER, S3_REMEDY_WAIT},
        {S3_FAULT_NONE, 503, "ServiceUnavailable", false, ERR_SERVER, S3_REMEDY_WAIT},
        {S3_FAULT_NONE, 504, "", true, ERR_SERVER, S3_REMEDY_WAIT},
        {S3_FAULT_NONE, 520, "", true, ERR_SERVER, S3_REMEDY_WAIT},
        {S3_FAULT_NONE, 429, "", true, ERR_SERVER, S3_REMEDY_WAIT},
        {S3_FAULT_NONE, 408, "", true, ERR_CONNECTION, S3_REMEDY_WAIT},
        {S3_FAULT_NONE, 400, "RequestTimeout", true, ERR_CONNECTION, S3_REMEDY_WAIT},
        {S3_FAULT_NONE, 400, "BadDigest", true, ERR_SERVER, S3_REMEDY_WAIT},
        {S3_FAULT_NONE, 409, "ConditionalRequestConflict", true, ERR_SERVER, S3_REMEDY_WAIT},
        {S3_FAULT_NONE, 409, "BucketNotEmpty", true, ERR_SERVER, S3_REMEDY_NONE},
        {S3_FAULT_NONE, 400, "InvalidArgument", true, ERR_SERVER, S3_REMEDY_NONE},
        {S3_FAULT_NONE, 400, "AuthorizationHeaderMalformed", true, ERR_USAGE, S3_REMEDY_REGION},
        {S3_FAULT_NONE, 400, "ExpiredToken", true, ERR_PERMISSION, S3_REMEDY_CREDENTIALS},
        {S3_FAULT_NONE, 301, "PermanentRedirect", true, ERR_USAGE, S3_REMEDY_REDIRECT},
        {S3_FAULT_NONE, 301, "", true, ERR_USAGE, S3_REMEDY_REDIRECT},
        {S3_FAULT_NONE, 307, "TemporaryRedirect", true, ERR_SERVER, S3_REMEDY_REDIRECT},
        {S3_FAULT_NONE, 403, "AccessDenied", true, ERR_PERMISSION, S3_REMEDY_NONE},
        {S3_FAULT_NONE, 403, "", true, ERR_PERMISSION, S3_REMEDY_NONE},
        {S3_FAULT_NONE, 403, "SignatureDoesNotMatch", true, ERR_PERMISSION, S3_REMEDY_NONE},
        {S3_FAULT_NONE, 403, "InvalidAccessKeyId", true, ERR_PERMISSION, S3_REMEDY_NONE},
        {S3_FAULT_NONE, 403, "RequestTimeTooSkewed", true, ERR_PERMISSION, S3_REMEDY_CLOCK},
        {S3_FAULT_NONE, 403, "QuotaExceeded", true, ERR_IO, S3_REMEDY_NONE},
        {S3_FAULT_NONE, 404, "NoSuchBucket", true, ERR_NO_REPOSITORY, S3_REMEDY_NONE},
        {S3_FAULT_NONE, 404, "NoSuchKey", true, ERR_NOT_FOUND, S3_REMEDY_NONE},
        {S3_FAULT_NONE, 404, "", true, ERR_NOT_FOUND, S3_REMEDY_NONE},
        {S3_FAULT_NONE, 412, "PreconditionFailed", true, ERR_EXISTS, S3_REMEDY_NONE},
        {S3_FAULT_NONE, 416, "InvalidRange", true, ERR_TRUNCATED, S3_REMEDY_NONE},
        {S3_FAULT_NONE, 417, "", true, ERR_SERVER, S3_REMEDY_NO_EXPECT},
        {S3_FAULT_NONE, 501, "NotImplemented", true, ERR_UNSUPPORTED, S3_REMEDY_NONE},
        {S3_FAULT_NONE, 507, "", true, ERR_IO, S3_REMEDY_NONE},
        {S3_FAULT_DNS, 0, "", false, ERR_CONNECTION, S3_REMEDY_NONE},
        {S3_FAULT_DNS, 0, "", true, ERR_CONNECTION, S3_REMEDY_WAIT},
        {S3_FAULT_CONNECT, 0, "", false, ERR_CONNECTION, S3_REMEDY_WAIT},
        {S3_FAULT_CONNECT, 0, "", true, ERR_CONNECTION, S3_REMEDY_WAIT},
        {S3_FAULT_HANDSHAKE, 0, "", false, ERR_CONNECTION, S3_REMEDY_NONE},
        {S3_FAULT_HANDSHAKE, 0, "", true, ERR_CONNECTION, S3_REMEDY_WAIT},
        {S3_FAULT_CERTIFICATE, 0, "", false, ERR_CONNECTION, S3_REMEDY_NONE},
        {S3_FAULT_CERTIFICATE, 0, "", true, ERR_CONNECTION, S3_REMEDY_NONE},
        {S3_FAULT_LOST, 0, "", false, ERR_CONNECTION, S3_REMEDY_WAIT},
        {S3_FAULT_LOST, 200, "", true, ERR_CONNECTION, S3_REMEDY_WAIT},
        {S3_FAULT_LOST, 403, "AccessDenied", true, ERR_PERMISSION, S3_REMEDY_NONE},
        {S3_FAULT_SHORT, 206, "", true, ERR_CONNECTION, S3_REMEDY_WAIT},
        {S3_FAULT_STALL, 0, "", true, ERR_CONNECTION, S3_REMEDY_WAIT},
        {S3_FAULT_TOTAL, 200, "", true, ERR_CONNECTION, S3_REMEDY_WAIT},
        {S3_FAULT_PROTOCOL, 200, "", true, ERR_CONNECTION, S3_REMEDY_WAIT},
        {S3_FAULT_PROTOCOL, 0, "", false, ERR_CONNECTION, S3_REMEDY_NONE},
        {S3_FAULT_LOCAL, 200, "", true, ERR_FAILED, S3_REMEDY_NONE},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        S3Answer answer = {.fault = cases[i].fault, .status = cases[i].status};
        S3Error error = {0};
        snprintf(error.code, sizeof error.code, "%s", cases[i].code);
        S3Meaning meaning = s3retry_meaning(&answer, &error, cases[i].reached);
        if (meaning.code != cases[i].error || meaning.remedy != cases[i].remedy)
            print_error("case %zu (status %d %s)\n", i, cases[i].status, cases[i].code);
        assert_int_equal(meaning.code, cases[i].error);
        assert_int_equal(meaning.remedy, cases[i].remedy);
    }
}

static void refusals_have_hints(void **state)
{
    (void)state;
    const char *const codes[] = {"AccessDenied", "SignatureDoesNotMatch", "InvalidAccessKeyId", "ExpiredToken",
                                 "NoSuchBucket", "RequestTimeTooSkewed",  "PermanentRedirect",  "QuotaExceeded"};
    for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
        S3Error error = {0};
        snprintf(error.code, sizeof error.code, "%s", codes[i]);
        assert_non_null(s3error_meaning(&error, 400).hint);
    }
}

static void ambiguity(void **state)
{
    (void)state;
    assert_true(s3retry_ambiguous(&(S3Answer){.fault = S3_FAULT_LOST, .sent = true}));
    assert_true(s3retry_ambiguous(&(S3Answer){.status = 503, .sent = true}));
    assert_true(s3retry_ambiguous(&(S3Answer){.fault = S3_FAULT_SHORT, .status = 200, .sent = true}));
    assert_false(s3retry_ambiguous(&(S3Answer){.fault = S3_FAULT_CONNECT}));
    assert_false(s3retry_ambiguous(&(S3Answer){.status = 409, .sent = true}));
    assert_false(s3retry_ambiguous(&(S3Answer){.status = 307, .sent = true}));
}

static void delays(void **state)
{
    (void)state;
    const unsigned randoms[] = {0, 1, 12345, 4294967295u};
    unsigned longest = 100;
    for (unsigned tries = 1; tries < 40; tries++, longest = longest < 10000 ? longest * 2 : 20000)
        for (size_t i = 0; i < ARRAY_SIZE(randoms); i++) {
            unsigned delay = s3retry_delay(tries, &(S3Answer){0}, randoms[i]);
            assert_in_range(delay, longest / 2 - 1, longest > 20000 ? 20000 : longest);
        }
    assert_in_range(s3retry_delay(1, &(S3Answer){.status = 503}, 7), 250, 500);
    assert_in_range(s3retry_delay(1, &(S3Answer){.status = 503, .retry_after = 3}, 7), 3000, 3100);
    assert_in_range(s3retry_delay(1, &(S3Answer){.status = 503, .retry_after = 3600}, 7), 60000, 61000);
}

static void patience(void **state)
{
    (void)state;
    assert_int_equal(s3retry_patience(300000, true, false), 300000);
    assert_int_equal(s3retry_patience(300000, false, false), 15000);
    assert_int_equal(s3retry_patience(10, false, false), 10);
    assert_int_equal(s3retry_patience(300000, true, true), S3RETRY_HURRIED_MAX);
    assert_int_equal(s3retry_patience(10, true, true), 10);
}

static void header(S3Answer *answer, const char *line)
{
    s3answer_header(answer, line, strlen(line), 1784000000);
}

static void headers(void **state)
{
    (void)state;
    S3Answer answer = {0};
    header(&answer, "HTTP/1.1 100 Continue\r\n");
    header(&answer, "HTTP/1.1 206 Partial Content\r\n");
    header(&answer, "content-length:  10 \r\n");
    header(&answer, "Content-Range: bytes 5-14/20\r\n");
    header(&answer, "Date: Sun, 22 Nov 2026 13:00:00 GMT\r\n");
    header(&answer, "Retry-After: 7\r\n");
    header(&answer, "X-Amz-Request-Id: a\x01"
                    "b\r\n");
    header(&answer, "x-amz-bucket-region: eu-x-1\r\n");
    header(&answer, "ETag: \"x\"\r\n");
    assert_int_equal(answer.status, 206);
    assert_true(answer.continued);
    assert_true(answer.has_length);
    assert_int_equal(answer.length, 10);
    assert_true(answer.has_range);
    assert_int_equal(answer.range_first, 5);
    assert_int_equal(answer.range_last, 14);
    assert_int_equal(answer.range_total, 20);
    assert_int_equal(answer.date, 1795352400);
    assert_int_equal(answer.retry_after, 7);
    assert_string_equal(answer.request_id, "a?b");
    assert_string_equal(answer.region, "eu-x-1");
    assert_string_equal(answer.etag, "\"x\"");
    header(&answer, "HTTP/1.1 503 No\r\n");
    assert_int_equal(answer.status, 503);
    assert_false(answer.has_length);
    assert_string_equal(answer.etag, "");
    header(&answer, "Retry-After: Tue, 14 Jul 2026 03:34:00 GMT\r\n");
    assert_int_equal(answer.retry_after, 1784000040 - 1784000000);
}

static void malformed_headers(void **state)
{
    (void)state;
    const char *const lines[] = {"Content-Length: -1\r\n",
                                 "Content-Length: 1x\r\n",
                                 "Content-Length: 9223372036854775808\r\n",
                                 "Content-Length: 99999999999999999999999\r\n",
                                 "Content-Length:\r\n",
                                 "Content-Range: bytes 5-4/20\r\n",
                                 "Content-Range: bytes 5-20/20\r\n",
                                 "Content-Range: bytes 0-1/*\r\n",
                                 "Content-Range: 0-1/2\r\n",
                                 "Content-Range: bytes 0-1/2 x\r\n",
                                 "x-amz-bucket-region: a b\r\n",
                                 "x-amz-bucket-region: evil/region\r\n",
                                 "Date: yesterday\r\n",
                                 "no colon\r\n",
                                 ": no name\r\n",
                                 "\r\n",
                                 ""};
    S3Answer answer = {0};
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
        header(&answer, lines[i]);
    assert_false(answer.has_length);
    assert_false(answer.has_range);
    assert_string_equal(answer.region, "");
    assert_int_equal(answer.date, 0);
    header(&answer, "HTTP/1.1 abc\r\n");
    assert_int_equal(answer.status, 0);
    header(&answer, "HTTP/1.1 99999999999 x\r\n");
    assert_int_equal(answer.status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decisions),         cmocka_unit_test(refusals_have_hints),
        cmocka_unit_test(ambiguity),         cmocka_unit_test(delays),
        cmocka_unit_test(patience),          cmocka_unit_test(headers),
        cmocka_unit_test(malformed_headers),
    };
    return cmocka_run_group_tests_name("S3 retries", tests, NULL, NULL);
}
