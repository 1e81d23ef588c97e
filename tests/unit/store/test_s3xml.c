/* Documents of servers, hostile ones among them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kura/buf.h"
#include "kura/mem.h"
#include "s3error.h"
#include "s3list.h"
#include "s3xml.h"

static int add_element(void *ctx, const char *path, const char *text, Error *err)
{
    return buf_printf(ctx, err, "%s=%s;", path, text);
}

static void assert_parsed(const char *document, const char *expected)
{
    _cleanup_(buf_done) Buf seen = BUF_INIT(4096);
    Error err = ERROR_INIT;
    assert_int_equal(s3xml_parse(document, strlen(document), add_element, &seen, &err), 0);
    assert_string_equal(buf_str(&seen), expected);
}

static void assert_refused(const char *document, size_t len)
{
    _cleanup_(buf_done) Buf seen = BUF_INIT(1 << 20);
    Error err = ERROR_INIT;
    assert_int_equal(s3xml_parse(document, len, add_element, &seen, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
}

static void documents(void **state)
{
    (void)state;
    assert_parsed("<a/>", "a=;");
    assert_parsed("<?xml version='1.0'?><a xmlns='urn:x'>t<b>1</b> <b>&lt;&#x41;&amp;</b></a>", "a/b=1;a/b=<A&;a=;");
    assert_parsed("<s:a xmlns:s='urn:x'><s:b>x</s:b></s:a>", "a/b=x;a=;");
    assert_parsed("<a><![CDATA[<&>]]></a>", "a=<&>;");
}

static void hostile_documents(void **state)
{
    (void)state;
    const char *const wrong[] = {
        "",
        "text",
        "<a>",
        "<a></b>",
        "<a/><b/>",
        "<a>\x01</a>",
        "<a>&#1;</a>",
        "<a>&unknown;</a>",
        "<a>\xff</a>",
        "<!DOCTYPE a><a/>",
        "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
        "<!DOCTYPE a [<!ENTITY x 'xxxxxxxxxx'><!ENTITY y '&x;&x;&x;&x;&x;&x;&x;&x;'>]><a>&y;&y;&y;</a>",
        "<html><p>not XML<br></html>",
    };
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
        assert_refused(wrong[i], strlen(wrong[i]));
    assert_refused("<a>\0</a>", 8);
}

static void boundless_documents(void **state)
{
    (void)state;
    _cleanup_(buf_done) Buf deep = BUF_INIT(1 << 20), text = BUF_INIT(1 << 20), name = BUF_INIT(1 << 20);
    buf_append_str(&text, "<a>", NULL);
    buf_append_str(&name, "<", NULL);
    for (int i = 0; i < 20000; i++) {
        buf_append_str(&deep, "<a>", NULL);
        buf_append_str(&text, "x", NULL);
        buf_append_str(&name, "n", NULL);
    }
    buf_append_str(&text, "</a>", NULL);
    buf_append_str(&name, "/>", NULL);
    assert_refused(buf_str(&deep), deep.len);
    assert_refused(buf_str(&text), text.len);
    assert_refused(buf_str(&name), name.len);
}

static int refuse_b(void *ctx, const char *path, const char *text, Error *err)
{
    (void)text;
    ++*(int *)ctx;
    return strcmp(path, "a/b") == 0 ? error_set(err, ERR_FAILED, "enough") : 0;
}

static void callback_ends_the_parse(void **state)
{
    (void)state;
    const char document[] = "<a><c/><b/><c/></a>";
    int seen = 0;
    Error err = ERROR_INIT;
    assert_int_equal(s3xml_parse(document, strlen(document), refuse_b, &seen, &err), -1);
    assert_string_equal(err.message, "enough");
    assert_int_equal(seen, 2);
}

static void errors(void **state)
{
    (void)state;
    const char document[] = "<?xml version=\"1.0\"?><Error><Code>SlowDown</Code><Message>a&#10;b\xc3\xa4</Message>"
                            "<Region>eu-x-1</Region><Endpoint>b.host</Endpoint><RequestId>id</RequestId>"
                            "<StringToSign>AWS4-HMAC-SHA256 key</StringToSign></Error>";
    S3Error error;
    assert_true(s3error_parse(document, strlen(document), &error));
    assert_string_equal(error.code, "SlowDown");
    assert_string_equal(error.message, "a?b??");
    assert_string_equal(error.region, "eu-x-1");
    assert_string_equal(error.endpoint, "b.host");
    assert_string_equal(error.request_id, "id");
    const char *const none[] = {"",
                                "<html/>",
                                "<Error/>",
                                "<Error><Code>Two Words</Code></Error>",
                                "<Error><Code></Code></Error>",
                                "<Error><Code>A</Code>",
                                "<ListBucketResult><Error><Code>A</Code></Error></ListBucketResult>"};
    for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
        assert_false(s3error_parse(none[i], strlen(none[i]), &error));
        assert_string_equal(error.code, "");
    }
}

#define ENTRY(key, size) "<Contents><Key>" key "</Key><Size>" size "</Size></Contents>"

static void assert_page(const char *inside, const char *prefix, const char *expected, size_t passed_over)
{
    _cleanup_free_ char *document = xasprintf("<ListBucketResult>%s</ListBucketResult>", inside);
    _cleanup_(s3page_done) S3Page page = {0};
    _cleanup_(buf_done) Buf seen = BUF_INIT(4096);
    Error err = ERROR_INIT;
    assert_int_equal(s3page_parse(document, strlen(document), prefix, &page, &err), 0);
    for (size_t i = 0; i < page.n; i++)
        buf_printf(&seen, NULL, "%s=%ju ", page.v[i].key, (uintmax_t)page.v[i].size);
    assert_string_equal(buf_str(&seen), expected);
    assert_int_equal(page.passed_over, passed_over);
}

static void pages(void **state)
{
    (void)state;
    const char url[] = "<EncodingType>url</EncodingType>";
    assert_page("", "", "", 0);
    assert_page(ENTRY("b", "2") ENTRY("a", "1") ENTRY("a", "1"), "", "a=1 b=2 ", 0);
    assert_page(ENTRY("p/a", "1") ENTRY("q/b", "2") ENTRY("p/", "0") ENTRY("p/a b", "3"), "p/", "a=1 ", 3);
    /* '+' for a blank as AWS has it, '%20' as others do, and '+' for itself where nothing was encoded. */
    _cleanup_free_ char *aws = xasprintf(ENTRY("x+%%2B%%E8%%94%%B5/a", "1") "%s", url);
    assert_page(aws, "x +蔵/", "a=1 ", 0);
    _cleanup_free_ char *ceph = xasprintf("%s" ENTRY("x%%20%%2b%%E8%%94%%B5/a", "1"), url);
    assert_page(ceph, "x +蔵/", "a=1 ", 0);
    assert_page(ENTRY("x+%20/a", "1"), "x+%20/", "a=1 ", 0);
    _cleanup_free_ char *raw_plus = xasprintf("%s" ENTRY("x+/a", "1"), url);
    assert_page(raw_plus, "x+/", "a=1 ", 0);
    /* XML first, percent signs second. */
    _cleanup_free_ char *twice = xasprintf("%s" ENTRY("it&apos;s%%26amp;/a", "1"), url);
    assert_page(twice, "it's&amp;/", "a=1 ", 0);
    _cleanup_free_ char *odd = xasprintf("%s" ENTRY("%%00a", "1") ENTRY("a%%00", "1") ENTRY("%%", "1") ENTRY("%%4", "1")
                                             ENTRY("..", "1") ENTRY("a%%2F..%%2Fb", "1"),
                                         url);
    assert_page(odd, "", "a=1 ", 5);
}

static void times(void **state)
{
    (void)state;
    static const char document[] =
        "<ListBucketResult>"
        "<Contents><Key>a</Key><LastModified>2026-11-22T03:15:00.123Z</LastModified><Size>1</Size></Contents>"
        "<Contents><Key>b</Key><LastModified>2026-11-22T03:15:01Z</LastModified><Size>1</Size></Contents>"
        "<Contents><Key>c</Key><LastModified>yesterday</LastModified><Size>1</Size></Contents>"
        "<Contents><Key>d</Key><Size>1</Size></Contents>"
        "</ListBucketResult>";
    const int64_t expected[] = {1795317300, 1795317301, INT64_MIN, INT64_MIN};
    _cleanup_(s3page_done) S3Page page = {0};
    Error err = ERROR_INIT;
    assert_int_equal(s3page_parse(document, sizeof document - 1, "", &page, &err), 0);
    assert_int_equal(page.n, ARRAY_SIZE(expected));
    for (size_t i = 0; i < page.n; i++)
        assert_int_equal(page.v[i].time, expected[i]);
}

static void no_pages(void **state)
{
    (void)state;
    const char *const wrong[] = {
        "<Other/>",
        "<Error><Code>AccessDenied</Code></Error>",
        "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
        "<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>",
        "<ListBucketResult><Contents><Size>1</Size></Contents></ListBucketResult>",
        "<ListBucketResult>" ENTRY("a", "-1") "</ListBucketResult>",
        "<ListBucketResult>" ENTRY("a", "99999999999999999999") "</ListBucketResult>",
        "<ListBucketResult>" ENTRY("a", "1"),
    };
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        Error err = ERROR_INIT;
        S3Page page = {0};
        assert_int_equal(s3page_parse(wrong[i], strlen(wrong[i]), "", &page, &err), -1);
        assert_int_equal(err.code, ERR_CORRUPT);
        assert_null(page.v);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents),
        cmocka_unit_test(hostile_documents),
        cmocka_unit_test(boundless_documents),
        cmocka_unit_test(callback_ends_the_parse),
        cmocka_unit_test(errors),
        cmocka_unit_test(pages),
        cmocka_unit_test(times),
        cmocka_unit_test(no_pages),
    };
    return cmocka_run_group_tests_name("S3 documents", tests, NULL, NULL);
}
