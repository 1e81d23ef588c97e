#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kura/mem.h"
#include "s3location.h"

static void assert_location(const char *rest, const char *bucket, const char *prefix)
{
    Error err = ERROR_INIT;
    S3Location location;
    assert_int_equal(s3location_parse(rest, &location, &err), 0);
    assert_string_equal(location.bucket, bucket);
    assert_string_equal(location.prefix, prefix);
    s3location_done(&location);
}

static void locations(void **state)
{
    (void)state;
    assert_location("//bucket", "bucket", "");
    assert_location("//bucket/", "bucket", "");
    assert_location("//my.Bucket_1-x/a", "my.Bucket_1-x", "a/");
    assert_location("//bucket/a/b/", "bucket", "a/b/");
    assert_location("//bucket/ a+b%20&c=d?#/蔵/../x", "bucket", " a+b%20&c=d?#/蔵/../x/");
    assert_location("//bucket//a//", "bucket", "/a//");
}

static void no_locations(void **state)
{
    (void)state;
    char long_prefix[600] = "//bucket/";
    memset(long_prefix + 9, 'p', 512);
    const char *const wrong[] = {"",
                                 "bucket",
                                 "/bucket",
                                 "//",
                                 "///a",
                                 "//ab/x",
                                 "//-ab/x",
                                 "//key:secret@host/bucket",
                                 "//bu cket/x",
                                 "//b\xc3\xa4h",
                                 "//bucket/a\nb",
                                 "//bucket/a\x7f",
                                 "//bucket/\xff",
                                 "//bucket/\xc0\xaf",
                                 "//bucket/\xed\xa0\x80",
                                 "//bucket/\xe3\x81",
                                 "//bucket/\xf4\x90\x80\x80",
                                 long_prefix};
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        Error err = ERROR_INIT;
        S3Location location = {0};
        assert_int_equal(s3location_parse(wrong[i], &location, &err), -1);
        assert_int_equal(err.code, ERR_USAGE);
        assert_null(location.bucket);
        assert_null(strstr(err.message, "secret"));
    }
    long_prefix[9 + 511] = 0;
    S3Location longest;
    assert_int_equal(s3location_parse(long_prefix, &longest, NULL), 0);
    assert_int_equal(strlen(longest.prefix), 512);
    s3location_done(&longest);
}

static void assert_endpoint(const char *url, bool tls, const char *host, unsigned port)
{
    S3Endpoint endpoint;
    assert_int_equal(s3endpoint_parse(url, &endpoint, NULL), 0);
    assert_int_equal(endpoint.tls, tls);
    assert_string_equal(endpoint.host, host);
    assert_int_equal(endpoint.port, port);
}

static void endpoints(void **state)
{
    (void)state;
    assert_endpoint("https://s3.example.com", true, "s3.example.com", 0);
    assert_endpoint("s3.Example.com/", true, "s3.example.com", 0);
    assert_endpoint("HTTP://localhost:9000", false, "localhost", 9000);
    assert_endpoint("https://host:443", true, "host", 0);
    assert_endpoint("http://host:80/", false, "host", 0);
    assert_endpoint("https://host:80", true, "host", 80);
    assert_endpoint("https://[2001:DB8::1]:8443", true, "[2001:db8::1]", 8443);
    const char *const wrong[] = {"",
                                 "https://",
                                 "ftp://host",
                                 "https://host/path",
                                 "host:0",
                                 "host:65536",
                                 "host:1x",
                                 "https://key:secret@host",
                                 "host?x",
                                 "[::1",
                                 "[1.2.3.4.5]",
                                 "https://ho st",
                                 "-host",
                                 ".host",
                                 "https://host:99999999999"};
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        Error err = ERROR_INIT;
        S3Endpoint endpoint;
        assert_int_equal(s3endpoint_parse(wrong[i], &endpoint, &err), -1);
        assert_int_equal(err.code, ERR_USAGE);
        assert_null(strstr(err.message, "secret"));
    }
}

static void aws_endpoints(void **state)
{
    (void)state;
    S3Endpoint endpoint;
    s3endpoint_aws("eu-central-1", &endpoint);
    assert_string_equal(endpoint.host, "s3.eu-central-1.amazonaws.com");
    assert_true(endpoint.tls);
    s3endpoint_aws("cn-north-1", &endpoint);
    assert_string_equal(endpoint.host, "s3.cn-north-1.amazonaws.com.cn");
}

static void unencrypted(void **state)
{
    (void)state;
    const char *const here[] = {"http://localhost:1", "http://b.localhost", "http://127.0.0.1", "http://127.8.9.10:9",
                                "http://[::1]:9"};
    const char *const elsewhere[] = {"http://host",     "http://127.0.0.1.example.com",
                                     "http://10.0.0.1", "http://localhost.example.com",
                                     "http://[::2]",    "http://127.1"};
    S3Endpoint endpoint;
    for (size_t i = 0; i < ARRAY_SIZE(here); i++) {
        assert_int_equal(s3endpoint_parse(here[i], &endpoint, NULL), 0);
        assert_int_equal(s3endpoint_check(&endpoint, false, NULL), 0);
    }
    for (size_t i = 0; i < ARRAY_SIZE(elsewhere); i++) {
        Error err = ERROR_INIT;
        assert_int_equal(s3endpoint_parse(elsewhere[i], &endpoint, NULL), 0);
        assert_int_equal(s3endpoint_check(&endpoint, false, &err), -1);
        assert_int_equal(err.code, ERR_USAGE);
        assert_int_equal(s3endpoint_check(&endpoint, true, NULL), 0);
    }
}

static bool prefers_host(const char *url, const char *bucket)
{
    S3Endpoint endpoint;
    assert_int_equal(s3endpoint_parse(url, &endpoint, NULL), 0);
    return s3endpoint_prefers_virtual_host(&endpoint, bucket);
}

static void styles(void **state)
{
    (void)state;
    assert_true(prefers_host("https://s3.eu-west-1.amazonaws.com", "my-bucket-1"));
    assert_true(prefers_host("oss-cn-hangzhou.aliyuncs.com", "bucket"));
    assert_false(prefers_host("https://s3.eu-west-1.amazonaws.com", "my.bucket"));
    assert_false(prefers_host("https://s3.eu-west-1.amazonaws.com", "My-Bucket"));
    assert_false(prefers_host("https://s3.eu-west-1.amazonaws.com", "bucket-"));
    assert_false(prefers_host("http://s3.eu-west-1.amazonaws.com", "bucket"));
    assert_false(prefers_host("https://s3.eu-west-1.amazonaws.com:8443", "bucket"));
    assert_false(prefers_host("https://minio.example.com", "bucket"));
    assert_false(prefers_host("https://notamazonaws.com", "bucket"));
    assert_false(prefers_host("https://10.0.0.1", "bucket"));
}

static void buckets_in_hosts(void **state)
{
    (void)state;
    S3Endpoint endpoint;
    assert_int_equal(s3endpoint_parse("https://bucket.s3.example.com", &endpoint, NULL), 0);
    assert_false(s3endpoint_strip_bucket(&endpoint, "buck"));
    assert_true(s3endpoint_strip_bucket(&endpoint, "bucket"));
    assert_string_equal(endpoint.host, "s3.example.com");
    assert_false(s3endpoint_strip_bucket(&endpoint, "bucket"));
}

/* Where a redirect may lead. */
static void akin(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
        bool akin;
    } cases[] = {
        {"s3.example.net", "s3.example.net:9000", true},
        {"s3.amazonaws.com", "s3.eu-west-1.amazonaws.com", true},
        {"s3.us-east-1.amazonaws.com", "s3.eu-west-1.amazonaws.com", true},
        {"localhost:1", "127.0.0.1:2", true},
        {"192.0.2.1", "192.0.2.1:9000", true},
        {"s3.example.net", "s3.example.com", false},
        {"s3.example.net", "localhost", false},
        {"s3.example.net", "127.0.0.1:9000", false},
        {"s3.example.net", "[::1]:9000", false},
        {"s3.example.net", "net", false},
        {"192.0.2.1", "10.0.2.1", false},
        {"192.0.2.1", "169.254.169.254", false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        S3Endpoint from, to;
        Error err = ERROR_INIT;
        assert_int_equal(s3endpoint_parse(cases[i].from, &from, &err), 0);
        assert_int_equal(s3endpoint_parse(cases[i].to, &to, &err), 0);
        if (s3endpoint_akin(&from, &to) != cases[i].akin)
            fail_msg("%s -> %s", cases[i].from, cases[i].to);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(locations),        cmocka_unit_test(no_locations), cmocka_unit_test(endpoints),
        cmocka_unit_test(aws_endpoints),    cmocka_unit_test(unencrypted),  cmocka_unit_test(styles),
        cmocka_unit_test(buckets_in_hosts), cmocka_unit_test(akin),
    };
    return cmocka_run_group_tests_name("S3 locations", tests, NULL, NULL);
}
