/* Answers of S3 servers: header lines up to the first empty one, and a body that is read as every document there is. */
#include <string.h>

#include "fuzz.h"
#include "kura/store.h"
#include "s3error.h"
#include "s3lifecycle.h"
#include "s3list.h"

static void require_printable(const char *text, size_t size)
{
    size_t len = strnlen(text, size);
    fuzz_require(len < size);
    for (size_t i = 0; i < len; i++)
        fuzz_require(text[i] >= 0x20 && text[i] < 0x7f);
}

static size_t read_headers(const char *data, size_t len)
{
    S3Answer answer = {0};
    size_t at = 0;
    while (at < len) {
        const char *end = memchr(data + at, '\n', len - at);
        size_t line = end ? (size_t)(end - data) - at + 1 : len - at;
        s3answer_header(&answer, data + at, line, 1784000000);
        at += line;
        if (line <= 2)
            break;
    }
    require_printable(answer.request_id, sizeof answer.request_id);
    require_printable(answer.location, sizeof answer.location);
    require_printable(answer.etag, sizeof answer.etag);
    fuzz_require(answer.region[0] == 0 || s3region_valid(answer.region));
    fuzz_require(!answer.has_range || answer.range_first <= answer.range_last);
    return at;
}

static void read_list(const char *data, size_t len)
{
    S3Page page;
    if (s3page_parse(data, len, "p/", &page, NULL) < 0)
        return;
    for (size_t i = 0; i < page.n; i++) {
        fuzz_require(store_key_valid(page.v[i].key));
        fuzz_require(i == 0 || strcmp(page.v[i - 1].key, page.v[i].key) < 0);
    }
    fuzz_require(!page.truncated || page.token);
    s3page_done(&page);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const char *text = (const char *)data;
    S3Error error;
    S3Rules rules;
    size_t body = read_headers(text, len);
    fuzz_require(s3error_parse(text + body, len - body, &error) == (error.code[0] != 0));
    require_printable(error.code, sizeof error.code);
    require_printable(error.message, sizeof error.message);
    require_printable(error.endpoint, sizeof error.endpoint);
    read_list(text + body, len - body);
    if (s3rules_parse(text + body, len - body, "p/", &rules, NULL) == 0)
        s3rules_done(&rules);
    return 0;
}
