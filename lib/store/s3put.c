#include <openssl/evp.h>
#include <string.h>

#include "kura/mem.h"
#include "s3_priv.h"

/* Anything can answer 200; S3 tells what it stored. */
static int accept_put(void *ctx, const S3Answer *answer, Error *err)
{
    (void)ctx;
    if (answer->etag[0])
        return 0;
    error_set(err, ERR_SERVER, "the answer has no ETag, so it is not that of an S3 server");
    return 1;
}

enum { HEADERS_MAX = 4, SHA256_BASE64_SIZE = 48 };

int s3_put_once(S3 *s3, const char *key, const void *data, size_t len, bool conditional, S3Outcome *ret, Error *err)
{
    SigV4Pair headers[HEADERS_MAX] = {{"Content-Type", "application/octet-stream"}};
    size_t n = 1;
    unsigned char sum[EVP_MAX_MD_SIZE], base64[SHA256_BASE64_SIZE];
    if (conditional)
        headers[n++] = (SigV4Pair){"If-None-Match", "*"};
    if (s3->checksum) {
        unsigned sum_len = 0;
        if (EVP_Digest(len ? data : "", len, sum, &sum_len, EVP_sha256(), NULL) != 1)
            abort();
        EVP_EncodeBlock(base64, sum, (int)sum_len);
        headers[n++] = (SigV4Pair){"x-amz-checksum-sha256", (const char *)base64};
        headers[n++] = (SigV4Pair){"x-amz-sdk-checksum-algorithm", "SHA256"};
    }
    const S3Call call = {.method = "PUT",
                         .key = key,
                         .headers = headers,
                         .n_headers = n,
                         .body = data,
                         .body_len = len,
                         .accept = accept_put};
    return s3_request(s3, &call, ret, err);
}

/* An attempt that got no answer is simply made again: it can only have stored the same bytes. */
int s3_put(Store *store, const char *key, const void *data, size_t len, Error *err)
{
    S3Outcome outcome;
    return s3_put_once(s3_of(store), key, data, len, false, &outcome, err);
}

/* 1 when the object is exactly these bytes, 0 when it is something else, -1 when that cannot be learned. */
static int holds(Store *store, const char *key, const void *data, size_t len, Error *err)
{
    uint64_t size;
    if (s3_head(store, key, &size, err) < 0)
        return -1;
    if (size != len)
        return 0;
    _cleanup_(buf_done) Buf there = BUF_INIT(len);
    if (s3_get(store, key, 0, UINT64_MAX, &there, err) < 0)
        return -1;
    return there.len == len && (len == 0 || memcmp(there.data, data, len) == 0);
}

static int taken(const char *key, Error *err)
{
    return error_set(err, ERR_EXISTS, "object \"%s\" exists already", key);
}

/* Looks before it puts: some servers ignore the condition without a word. Where the answer to an attempt was lost, that
 * attempt may be the one that took the key. */
int s3_put_new(Store *store, const char *key, const void *data, size_t len, Error *err)
{
    S3 *s3 = s3_of(store);
    S3Outcome outcome;
    Error why = ERROR_INIT;
    uint64_t size;
    if (s3->no_conditional)
        return error_set(err, ERR_UNSUPPORTED, "this server knows no conditional PUT");
    if (s3_head(store, key, &size, &why) == 0)
        return taken(key, err);
    if (why.code != ERR_NOT_FOUND) {
        if (err)
            *err = why;
        return -1;
    }
    if (s3_put_once(s3, key, data, len, true, &outcome, &why) == 0)
        return 0;
    if (why.code == ERR_EXISTS) {
        int ours = outcome.ambiguous ? holds(store, key, data, len, err) : 0;
        return ours < 0 ? -1 : ours ? 0 : taken(key, err);
    }
    if (why.code == ERR_UNSUPPORTED)
        s3->no_conditional = true;
    if (err)
        *err = why;
    return -1;
}
