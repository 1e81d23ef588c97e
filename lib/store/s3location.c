#include "s3location.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "kura/mem.h"

static const char alphanumeric[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

enum { BUCKET_MIN = 3, BUCKET_MAX = 63 };

static bool bucket_valid(const char *name, size_t len)
{
    if (len < BUCKET_MIN || len > BUCKET_MAX || strchr(alphanumeric, name[0]) == NULL)
        return false;
    for (size_t i = 0; i < len; i++)
        if (strchr(alphanumeric, name[i]) == NULL && strchr("._-", name[i]) == NULL)
            return false;
    return true;
}

/* The length of the UTF-8 character at text, 0 for what is none or a control character. */
static size_t utf8_length(const unsigned char *text)
{
    unsigned c = text[0];
    size_t len = c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : c >= 0xe0 && c < 0xf0 ? 3 : c >= 0xf0 && c < 0xf5 ? 4 : 0;
    if (len == 0 || c < 0x20 || c == 0x7f)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = (c == 0xe0 && text[1] < 0xa0) || (c == 0xf0 && text[1] < 0x90);
    bool outside = (c == 0xed && text[1] > 0x9f) || (c == 0xf4 && text[1] > 0x8f);
    return overlong || outside ? 0 : len;
}

static bool text_valid(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    while (*at) {
        size_t len = utf8_length(at);
        if (len == 0)
            return false;
        at += len;
    }
    return true;
}

static int check_prefix(const char *prefix, Error *err)
{
    if (strlen(prefix) >= S3_PREFIX_MAX) {
        error_set(err, ERR_USAGE, "the prefix of the S3 location is longer than %d bytes", S3_PREFIX_MAX - 1);
        return error_hint(err, "Whole keys have at most %d bytes, and kura's own part needs the rest.", S3_KEY_MAX);
    }
    if (!text_valid(prefix))
        return error_set(err, ERR_USAGE, "the prefix of the S3 location is not printable UTF-8");
    return 0;
}

int s3location_parse(const char *rest, S3Location *ret, Error *err)
{
    if (strncmp(rest, "//", 2) != 0) {
        error_set(err, ERR_USAGE, "the S3 location lacks the \"//\" behind \"s3:\"");
        return error_hint(err, "Write s3://BUCKET/PREFIX.");
    }
    const char *bucket = rest + 2;
    size_t len = strcspn(bucket, "/");
    if (!bucket_valid(bucket, len)) {
        if (memchr(bucket, '@', len)) /* somebody may have written keys there */
            error_set(err, ERR_USAGE, "the S3 location names no bucket behind \"s3://\"");
        else
            error_set(err, ERR_USAGE, "\"%.*s\" is not the name of an S3 bucket", (int)(len > 80 ? 80 : len), bucket);
        return error_hint(err, "A name has 3 to 63 letters, digits, dots or hyphens. The server's address belongs to "
                               "s3-endpoint, not to the location.");
    }
    const char *prefix = bucket + len + (bucket[len] == '/');
    if (check_prefix(prefix, err) < 0)
        return -1;
    size_t prefix_len = strlen(prefix);
    bool closed = prefix_len == 0 || prefix[prefix_len - 1] == '/';
    *ret = (S3Location){.bucket = xstrndup(bucket, len), .prefix = xasprintf("%s%s", prefix, closed ? "" : "/")};
    return 0;
}

void s3location_done(S3Location *location)
{
    if (location == NULL)
        return;
    free(location->bucket);
    free(location->prefix);
    *location = (S3Location){0};
}

static int endpoint_error(Error *err)
{
    error_set(err, ERR_USAGE, "the S3 endpoint is not of the form https://HOST[:PORT]");
    return error_hint(err,
                      "Bucket and prefix belong to the location s3://BUCKET/PREFIX; keys belong to the environment, "
                      "the shared credentials file or the configuration.");
}

/* The length of the host at text, 0 when there is none. */
static size_t host_length(const char *text)
{
    if (text[0] != '[')
        return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_");
    char address[INET6_ADDRSTRLEN];
    size_t len = strspn(text + 1, "0123456789abcdefABCDEF:.");
    if (text[1 + len] != ']' || len >= sizeof address)
        return 0;
    snprintf(address, sizeof address, "%.*s", (int)len, text + 1);
    struct in6_addr parsed;
    return inet_pton(AF_INET6, address, &parsed) == 1 ? len + 2 : 0;
}

static const char *parse_port(const char *text, unsigned *ret)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 5)
        return NULL;
    unsigned port = 0;
    for (size_t i = 0; i < digits; i++)
        port = port * 10 + (unsigned)(text[i] - '0');
    if (port == 0 || port > 65535)
        return NULL;
    *ret = port;
    return text + digits;
}

int s3endpoint_parse(const char *url, S3Endpoint *ret, Error *err)
{
    S3Endpoint endpoint = {.tls = true};
    if (strncasecmp(url, "https://", 8) == 0) {
        url += 8;
    } else if (strncasecmp(url, "http://", 7) == 0) {
        endpoint.tls = false;
        url += 7;
    }
    size_t len = host_length(url);
    if (len == 0 || len >= sizeof endpoint.host || url[0] == '.' || url[0] == '-')
        return endpoint_error(err);
    for (size_t i = 0; i < len; i++)
        endpoint.host[i] = (char)tolower((unsigned char)url[i]);
    url += len;
    if (*url == ':')
        url = parse_port(url + 1, &endpoint.port);
    if (url == NULL || (strcmp(url, "") != 0 && strcmp(url, "/") != 0))
        return endpoint_error(err);
    if (endpoint.port == (endpoint.tls ? 443 : 80))
        endpoint.port = 0;
    *ret = endpoint;
    return 0;
}

void s3endpoint_aws(const char *region, S3Endpoint *ret)
{
    *ret = (S3Endpoint){.tls = true};
    snprintf(ret->host, sizeof ret->host, "s3.%s.amazonaws.com%s", region, strncmp(region, "cn-", 3) == 0 ? ".cn" : "");
}

bool s3endpoint_equal(const S3Endpoint *a, const S3Endpoint *b)
{
    return a->tls == b->tls && a->port == b->port && strcmp(a->host, b->host) == 0;
}

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);
    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

/* The last two labels of a host's name. */
static const char *domain_of(const char *host)
{
    const char *at = strrchr(host, '.');
    while (at && at > host && at[-1] != '.')
        at--;
    return at ? at : host;
}

static bool is_ipv4(const char *host)
{
    struct in_addr parsed;
    return inet_pton(AF_INET, host, &parsed) == 1;
}

bool s3endpoint_is_loopback(const S3Endpoint *endpoint)
{
    const char *host = endpoint->host;
    if (strcmp(host, "localhost") == 0 || ends_with(host, ".localhost") || strcmp(host, "[::1]") == 0)
        return true;
    return is_ipv4(host) && strncmp(host, "127.", 4) == 0;
}

bool s3endpoint_akin(const S3Endpoint *a, const S3Endpoint *b)
{
    if (strcmp(a->host, b->host) == 0 || (s3endpoint_is_loopback(a) && s3endpoint_is_loopback(b)))
        return true;
    return !is_ipv4(b->host) && b->host[0] != '[' && strcmp(domain_of(a->host), domain_of(b->host)) == 0;
}

int s3endpoint_check(const S3Endpoint *endpoint, bool allow_http, Error *err)
{
    if (endpoint->tls || allow_http || s3endpoint_is_loopback(endpoint))
        return 0;
    error_set(err, ERR_USAGE, "the S3 endpoint http://%s would be spoken to unencrypted", endpoint->host);
    return error_hint(err, "Use https://; or say s3-allow-http where the network itself is protected.");
}

bool s3endpoint_prefers_virtual_host(const S3Endpoint *endpoint, const char *bucket)
{
    static const char *const providers[] = {".amazonaws.com", ".amazonaws.com.cn", ".aliyuncs.com", ".myqcloud.com"};
    size_t len = strlen(bucket);
    if (!endpoint->tls || endpoint->port || strspn(bucket, "abcdefghijklmnopqrstuvwxyz0123456789-") != len ||
        bucket[len - 1] == '-')
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(providers); i++)
        if (ends_with(endpoint->host, providers[i]))
            return true;
    return false;
}

bool s3endpoint_strip_bucket(S3Endpoint *endpoint, const char *bucket)
{
    size_t len = strlen(bucket);
    if (strncasecmp(endpoint->host, bucket, len) != 0 || endpoint->host[len] != '.')
        return false;
    memmove(endpoint->host, endpoint->host + len + 1, strlen(endpoint->host + len + 1) + 1);
    return true;
}

bool s3region_valid(const char *region)
{
    size_t len = strlen(region);
    return len > 0 && len < S3_REGION_SIZE &&
           strspn(region, "-._abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == len;
}
