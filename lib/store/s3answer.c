#include "s3answer.h"

#include <curl/curl.h>
#include <string.h>
#include <strings.h>

#include "kura/mem.h"

void s3answer_copy(char *to, size_t size, const char *from, size_t len)
{
    size_t n = len < size - 1 ? len : size - 1;
    for (size_t i = 0; i < n; i++)
        to[i] = from[i] >= 0x20 && from[i] < 0x7f ? from[i] : '?';
    to[n] = 0;
}

/* A decimal number that fits; the text behind it, or NULL. */
static const char *parse_number(const char *text, uint64_t *ret)
{
    uint64_t value = 0;
    size_t digits = 0;
    for (; text[digits] >= '0' && text[digits] <= '9'; digits++) {
        unsigned digit = (unsigned)(text[digits] - '0');
        if (value > ((uint64_t)INT64_MAX - digit) / 10)
            return NULL;
        value = value * 10 + digit;
    }
    *ret = value;
    return digits ? text + digits : NULL;
}

/* "bytes 0-9/100", or "bytes * /100" (without the blank) with status 416. */
static void parse_range(S3Answer *answer, const char *value)
{
    uint64_t first = 0, last = 0, total;
    if (strncasecmp(value, "bytes ", 6) != 0)
        return;
    value += 6;
    if (*value == '*')
        value++;
    else if ((value = parse_number(value, &first)) == NULL || *value != '-' ||
             (value = parse_number(value + 1, &last)) == NULL || last < first)
        return;
    if (*value != '/' || (value = parse_number(value + 1, &total)) == NULL || *value != 0)
        return;
    if (total > 0 && last >= total)
        return;
    answer->has_range = true;
    answer->range_first = first;
    answer->range_last = last;
    answer->range_total = total;
}

static void parse_retry_after(S3Answer *answer, const char *value, time_t now)
{
    uint64_t seconds;
    const char *end = parse_number(value, &seconds);
    if (end == NULL || *end != 0) {
        time_t moment = curl_getdate(value, NULL);
        seconds = moment > now ? (uint64_t)(moment - now) : 0;
    }
    answer->retry_after = seconds < 3600 ? (unsigned)seconds : 3600;
}

static void parse_status(S3Answer *answer, const char *line)
{
    const char *blank = strchr(line, ' ');
    uint64_t status;
    bool continued = answer->continued || (blank && strncmp(blank, " 100", 4) == 0);
    *answer = (S3Answer){.continued = continued, .sent = answer->sent, .resent = answer->resent};
    if (blank && parse_number(blank + 1, &status) && status >= 100 && status <= 999)
        answer->status = (int)status;
}

static void take(S3Answer *answer, const char *name, const char *value, time_t now)
{
    const char *end;
    if (strcasecmp(name, "content-length") == 0) {
        end = parse_number(value, &answer->length);
        answer->has_length = end && *end == 0;
    } else if (strcasecmp(name, "content-range") == 0) {
        parse_range(answer, value);
    } else if (strcasecmp(name, "date") == 0) {
        time_t date = curl_getdate(value, NULL);
        answer->date = date > 0 ? date : 0;
    } else if (strcasecmp(name, "retry-after") == 0) {
        parse_retry_after(answer, value, now);
    } else if (strcasecmp(name, "x-amz-request-id") == 0) {
        s3answer_copy(answer->request_id, sizeof answer->request_id, value, strlen(value));
    } else if (strcasecmp(name, "x-amz-bucket-region") == 0 && s3region_valid(value)) {
        s3answer_copy(answer->region, sizeof answer->region, value, strlen(value));
    } else if (strcasecmp(name, "location") == 0 && strlen(value) < sizeof answer->location) {
        s3answer_copy(answer->location, sizeof answer->location, value, strlen(value));
    } else if (strcasecmp(name, "etag") == 0) {
        s3answer_copy(answer->etag, sizeof answer->etag, value, strlen(value));
    } else if (strcasecmp(name, "x-amz-expiration") == 0) {
        s3answer_copy(answer->expiration, sizeof answer->expiration, value, strlen(value));
    }
}

void s3answer_header(S3Answer *answer, const char *line, size_t len, time_t now)
{
    while (len > 0 && strchr(" \t\r\n", line[len - 1]))
        len--;
    if (len == 0 || memchr(line, 0, len))
        return;
    _cleanup_free_ char *copy = xstrndup(line, len);
    if (strncmp(copy, "HTTP/", 5) == 0) {
        parse_status(answer, copy);
        return;
    }
    char *colon = strchr(copy, ':');
    if (colon == NULL)
        return;
    *colon = 0;
    take(answer, copy, colon + 1 + strspn(colon + 1, " \t"), now);
}
