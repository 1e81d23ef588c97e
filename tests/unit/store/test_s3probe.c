/* The storage test, against servers with flaws, and lifecycle rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kura/mem.h"
#include "s3lifecycle.h"
#include "s3world.h"

/* "code " for a note, "code! " for a warning, "code!! " for an error. */
static void assert_findings(const Findings *findings, const char *expected)
{
    _cleanup_(buf_done) Buf codes = BUF_INIT(4096);
    for (size_t i = 0; i < findings->n; i++)
        buf_printf(&codes, NULL, "%s%s ", findings->v[i].code,
                   findings->v[i].severity == FINDING_ERROR     ? "!!"
                   : findings->v[i].severity == FINDING_WARNING ? "!"
                                                                : "");
    assert_string_equal(buf_str(&codes), expected);
}

static const char *message_of(const Findings *findings, const char *code)
{
    for (size_t i = 0; i < findings->n; i++)
        if (strcmp(findings->v[i].code, code) == 0)
            return findings->v[i].message;
    fail_msg("no finding %s", code);
    return NULL;
}

static void probe(const HttpAnswer *answers, size_t n, int expected_rc, Findings *findings)
{
    S3World world;
    s3world_open(&world, answers, n, NULL);
    assert_int_equal(store_probe(world.store, findings, &world.err), expected_rc);
    assert_int_equal(httpd_count(world.httpd), n);
    s3world_close(&world);
}

#define EMPTY_LIST                                                                                                     \
    {                                                                                                                  \
        .status = "200 OK", .body = "<ListBucketResult></ListBucketResult>"                                            \
    }
#define DENIED S3_ERROR("403 Forbidden", "AccessDenied")

static void a_key_that_only_adds(void **state)
{
    (void)state;
    static const HttpAnswer answers[] = {
        EMPTY_LIST,
        S3_PUT_OK,
        {.status = "200 OK", .body = "0123456789"},
        {.status = "206 Partial Content", .body = "3456", .header = "Content-Range: bytes 3-6/10"},
        S3_ERROR("412 Precondition Failed", "PreconditionFailed"),
        S3_PUT_OK,
        {.status = "200 OK", .body = "another text"},
        S3_PUT_OK,
        S3_PUT_OK,
        S3_PUT_OK,
        EMPTY_LIST, /* its keys cannot be known here */
        DENIED,
        DENIED,
        DENIED,
        DENIED,
        DENIED, /* DELETE */
        DENIED, /* the cleaning up */
    };
    Findings findings = FINDINGS_INIT;
    probe(answers, ARRAY_SIZE(answers), 0, &findings);
    assert_findings(&findings,
                    "s3-connection s3-clock s3-range s3-conditional-put s3-overwrite s3-list!! s3-versioning "
                    "s3-object-lock s3-lifecycle s3-uploads s3-delete s3-leftover ");
    assert_non_null(strstr(message_of(&findings, "s3-delete"), "may not delete"));
    assert_non_null(strstr(message_of(&findings, "s3-leftover"), "\"pre fix/probe/"));
    assert_non_null(strstr(message_of(&findings, "s3-lifecycle"), "may not ask"));
    findings_done(&findings);
}

static void a_bad_server(void **state)
{
    (void)state;
    static const HttpAnswer answers[] = {
        DENIED, /* list */
        {.status = "200 OK", .header = "ETag: \"x\"\r\nx-amz-expiration: expiry-date=\"Fri\", rule-id=\"old\""},
        {.status = "200 OK", .body = "012345678X"},
        {.status = "200 OK", .header = "ETag: \"x\""}, /* replaced in spite of the condition */
        {.status = "200 OK", .header = "ETag: \"x\"\r\nx-amz-expiration: expiry-date=\"Fri\", rule-id=\"old\""},
        {.status = "200 OK", .body = "0123456789"}, /* stale */
        S3_PUT_OK,
        S3_PUT_OK,
        {.status = "200 OK", .header = "ETag: \"x\"\r\nx-amz-expiration: expiry-date=\"Fri\", rule-id=\"old\""},
        DENIED, /* list */
        S3_ERROR("501 Not Implemented", "NotImplemented"),
        EMPTY_LIST, /* to a question that it does not know */
        EMPTY_LIST,
        EMPTY_LIST,
        S3_DELETE_OK,
        S3_GET_OK, /* still there */
        {.status = "200 OK", .body = "<DeleteResult/>"},
    };
    Findings findings = FINDINGS_INIT;
    probe(answers, ARRAY_SIZE(answers), 0, &findings);
    assert_findings(
        &findings,
        "s3-connection s3-clock s3-list!! s3-get!! s3-conditional-put! s3-overwrite! s3-list!! s3-versioning "
        "s3-object-lock s3-lifecycle s3-uploads s3-lifecycle!! s3-delete!! ");
    findings_done(&findings);
}

static void a_rich_bucket(void **state)
{
    (void)state;
    char date[80];
    time_t there = time(NULL) + 300;
    strftime(date, sizeof date, "Date: %a, %d %b %Y %H:%M:%S GMT", gmtime(&there));
    const HttpAnswer answers[] = {
        {.status = "400 Bad Request",
         .body = "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-x-1</Region></Error>"},
        {.status = "200 OK", .body = "<ListBucketResult></ListBucketResult>", .header = date},
        DENIED, /* PUT */
        {.status = "200 OK", .body = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"},
        {.status = "200 OK",
         .body = "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention>"
                 "<Mode>COMPLIANCE</Mode><Days>30</Days></DefaultRetention></Rule></ObjectLockConfiguration>"},
        {.status = "200 OK",
         .body = "<LifecycleConfiguration><Rule><ID>x</ID><Status>Enabled</Status><Filter><Prefix>pre</Prefix></Filter>"
                 "<Expiration><Days>7</Days></Expiration></Rule></LifecycleConfiguration>"},
        {.status = "200 OK",
         .body =
             "<ListMultipartUploadsResult><Upload><Key>pre fix/x</Key></Upload><Upload/></ListMultipartUploadsResult>"},
        S3_DELETE_OK,
        {.status = "404 Not Found"},
    };
    Findings findings = FINDINGS_INIT;
    probe(answers, ARRAY_SIZE(answers), 0, &findings);
    assert_findings(&findings,
                    "s3-connection s3-region! s3-clock! s3-put!! s3-versioning s3-object-lock s3-lifecycle!! "
                    "s3-uploads! s3-delete ");
    assert_non_null(strstr(message_of(&findings, "s3-region"), "\"eu-x-1\""));
    assert_non_null(strstr(message_of(&findings, "s3-object-lock"), "COMPLIANCE, days: 30"));
    assert_non_null(strstr(message_of(&findings, "s3-lifecycle"), "\"x\" of the bucket deletes"));
    assert_non_null(strstr(message_of(&findings, "s3-uploads"), ": 2"));
    findings_done(&findings);
}

static void nothing_to_learn(void **state)
{
    (void)state;
    static const HttpAnswer refusals[] = {S3_ERROR("403 Forbidden", "InvalidAccessKeyId"),
                                          S3_ERROR("403 Forbidden", "SignatureDoesNotMatch"),
                                          S3_ERROR("404 Not Found", "NoSuchBucket")};
    for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
        Findings findings = FINDINGS_INIT;
        probe(&refusals[i], 1, -1, &findings);
        assert_int_equal(findings.n, 0);
    }
}

static void assert_rules(const char *inside, const char *expected)
{
    _cleanup_free_ char *document = xasprintf("<LifecycleConfiguration>%s</LifecycleConfiguration>", inside);
    _cleanup_(s3rules_done) S3Rules rules = {0};
    _cleanup_(buf_done) Buf seen = BUF_INIT(4096);
    Error err = ERROR_INIT;
    assert_int_equal(s3rules_parse(document, strlen(document), "site/kura/", &rules, &err), 0);
    for (size_t i = 0; i < rules.n; i++)
        buf_printf(&seen, NULL, "%s|%s|%s|%d%d;", rules.v[i].id, rules.v[i].expires, rules.v[i].archives,
                   rules.v[i].old_versions, rules.v[i].ends_uploads);
    assert_string_equal(buf_str(&seen), expected);
}

#define RULE(inside) "<Rule><Status>Enabled</Status>" inside "</Rule>"
#define DAYS "<Expiration><Days>7</Days></Expiration>"

static void rules(void **state)
{
    (void)state;
    assert_rules("", "");
    assert_rules(RULE("<ID>a</ID><Prefix></Prefix>" DAYS), "a|after 7 days||00;");
    assert_rules(RULE("<Filter/><Expiration><Date>2027-01-01T00:00:00Z</Date></Expiration>"), "|on 2027-01-01||00;");
    assert_rules("<Rule><Status>Disabled</Status>" DAYS "</Rule>", "");
    assert_rules(RULE("<Filter><Prefix>site/</Prefix></Filter>" DAYS), "|after 7 days||00;");
    assert_rules(RULE("<Filter><Prefix>site/kura/blobs/</Prefix></Filter>" DAYS), "|after 7 days||00;");
    assert_rules(RULE("<Filter><Prefix>site/other/</Prefix></Filter>" DAYS), "");
    assert_rules(RULE("<Filter><Tag><Key>k</Key><Value>v</Value></Tag></Filter>" DAYS), "");
    assert_rules(RULE("<Filter><And><Prefix></Prefix><Tag><Key>k</Key></Tag></And></Filter>" DAYS), "");
    assert_rules(RULE("<Filter><And><Prefix>log</Prefix></And></Filter>" DAYS) RULE("<ID>b</ID>" DAYS),
                 "b|after 7 days||00;");
    assert_rules(RULE("<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>"
                      "<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration>"
                      "<AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation>"
                      "</AbortIncompleteMultipartUpload>"),
                 "|||11;");
    assert_rules(RULE("<Transition><Days>1</Days><StorageClass>STANDARD_IA</StorageClass></Transition>"), "|||00;");
    assert_rules(RULE("<Transition><Days>1</Days><StorageClass>DEEP_ARCHIVE</StorageClass></Transition>"),
                 "||DEEP_ARCHIVE|00;");
}

static void no_rules(void **state)
{
    (void)state;
    const char *const wrong[] = {"", "<ListBucketResult/>", "<LifecycleConfiguration>", "<html/>"};
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        S3Rules rules = {0};
        assert_int_equal(s3rules_parse(wrong[i], strlen(wrong[i]), "", &rules, NULL), -1);
        assert_null(rules.v);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_that_only_adds), cmocka_unit_test(a_bad_server), cmocka_unit_test(a_rich_bucket),
        cmocka_unit_test(nothing_to_learn),     cmocka_unit_test(rules),        cmocka_unit_test(no_rules),
    };
    return cmocka_run_group_tests_name("S3 storage test", tests, NULL, NULL);
}
