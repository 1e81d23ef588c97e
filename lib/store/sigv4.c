#include "sigv4.h"

#include <ctype.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "kura/hash.h"
#include "kura/mem.h"
#include "secrettext.h"

#define ALGORITHM "AWS4-HMAC-SHA256"
#define TERMINATOR "aws4_request"

enum {
    DAY_LENGTH = 8,             /* of a stamp */
    CANONICAL_MAX = 128 * 1024, /* path, query and a long session token */
    USUAL_SIZE = 8 * 1024       /* a buffer of it rarely grows, and growing would leave a copy that nobody wipes */
};

void sigv4_stamp(time_t moment, char ret[SIGV4_STAMP_SIZE])
{
    struct tm utc;
    ret[0] = 0;
    if (moment >= 0 && gmtime_r(&moment, &utc) && utc.tm_year <= 9999 - 1900)
        strftime(ret, SIGV4_STAMP_SIZE, "%Y%m%dT%H%M%SZ", &utc);
}

static int encode(const char *text, const char *also_kept, Buf *out, Error *err)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t len = strlen(text);
    if (buf_reserve(out, 3 * len, err) < 0)
        return -1;
    uint8_t *to = out->data + out->len;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if ((c < 128 && isalnum(c)) || strchr("-._~", c) || strchr(also_kept, c)) {
            *to++ = c;
        } else {
            *to++ = '%';
            *to++ = (uint8_t)digits[c >> 4];
            *to++ = (uint8_t)digits[c & 15];
        }
    }
    out->len = (size_t)(to - out->data);
    return buf_append(out, "", 0, err);
}

int sigv4_encode_path(const char *path, Buf *out, Error *err)
{
    return encode(path, "/", out, err);
}

/* The encoded forms of one parameter: ordering the plain bytes would put 'a' after '%E4' when it belongs before. */
typedef struct Param {
    Buf name, value;
} Param;

static int compare_params(const void *a, const void *b)
{
    const Param *left = a, *right = b;
    int order = strcmp(buf_str(&left->name), buf_str(&right->name));
    return order ? order : strcmp(buf_str(&left->value), buf_str(&right->value));
}

static int encode_params(const SigV4Pair *params, size_t n, Param *encoded, size_t max, Error *err)
{
    for (size_t i = 0; i < n; i++) {
        encoded[i].name = encoded[i].value = BUF_INIT(max);
        if (encode(params[i].name, "", &encoded[i].name, err) < 0 ||
            encode(params[i].value, "", &encoded[i].value, err) < 0)
            return -1;
    }
    return 0;
}

static int join_params(const Param *params, size_t n, Buf *out, Error *err)
{
    for (size_t i = 0; i < n; i++)
        if (buf_printf(out, err, "%s%s=%s", i ? "&" : "", buf_str(&params[i].name), buf_str(&params[i].value)) < 0)
            return -1;
    return 0;
}

int sigv4_encode_query(const SigV4Pair *params, size_t n, Buf *out, Error *err)
{
    if (n > SIGV4_PARAMS_MAX)
        return error_set(err, ERR_UNSUPPORTED, "a query has more than %d parameters", SIGV4_PARAMS_MAX);
    Param encoded[SIGV4_PARAMS_MAX] = {0};
    int failed = encode_params(params, n, encoded, out->max, err);
    if (!failed) {
        qsort(encoded, n, sizeof *encoded, compare_params);
        failed = join_params(encoded, n, out, err);
    }
    for (size_t i = 0; i < n; i++) {
        buf_done(&encoded[i].name);
        buf_done(&encoded[i].value);
    }
    return failed;
}

/* Headers in the order of the signature. Stable: the values of a repeated header keep theirs. */
static int sort_headers(const SigV4Request *request, const SigV4Pair *ret_sorted[SIGV4_HEADERS_MAX], Error *err)
{
    if (request->n_headers > SIGV4_HEADERS_MAX)
        return error_set(err, ERR_UNSUPPORTED, "a request has more than %d signed headers", SIGV4_HEADERS_MAX);
    for (size_t i = 0; i < request->n_headers; i++) {
        size_t at = i;
        for (; at > 0 && strcasecmp(ret_sorted[at - 1]->name, request->headers[i].name) > 0; at--)
            ret_sorted[at] = ret_sorted[at - 1];
        ret_sorted[at] = &request->headers[i];
    }
    return 0;
}

static bool repeats(const SigV4Pair *const sorted[], size_t i)
{
    return i > 0 && strcasecmp(sorted[i - 1]->name, sorted[i]->name) == 0;
}

static int append_lower(const char *text, Buf *out, Error *err)
{
    size_t start = out->len;
    if (buf_append_str(out, text, err) < 0)
        return -1;
    for (size_t i = start; i < out->len; i++)
        if (out->data[i] >= 'A' && out->data[i] <= 'Z')
            out->data[i] = (uint8_t)(out->data[i] - 'A' + 'a');
    return 0;
}

/* A header's value without space around it, and with single blanks inside. */
static int append_trimmed(const char *value, Buf *out, Error *err)
{
    static const char space[] = " \t\r\n";
    const char *between = "";
    for (;;) {
        value += strspn(value, space);
        size_t word = strcspn(value, space);
        if (word == 0)
            return 0;
        if (buf_append_str(out, between, err) < 0 || buf_append(out, value, word, err) < 0)
            return -1;
        value += word;
        between = " ";
    }
}

static int append_headers(const SigV4Pair *const sorted[], size_t n, Buf *out, Error *err)
{
    for (size_t i = 0; i < n; i++) {
        if (repeats(sorted, i)) {
            out->len--; /* the newline */
            if (buf_append_str(out, ",", err) < 0)
                return -1;
        } else if (append_lower(sorted[i]->name, out, err) < 0 || buf_append_str(out, ":", err) < 0) {
            return -1;
        }
        if (append_trimmed(sorted[i]->value, out, err) < 0 || buf_append_str(out, "\n", err) < 0)
            return -1;
    }
    return 0;
}

static int append_signed_names(const SigV4Pair *const sorted[], size_t n, Buf *out, Error *err)
{
    for (size_t i = 0; i < n; i++)
        if (!repeats(sorted, i) &&
            (buf_append_str(out, i ? ";" : "", err) < 0 || append_lower(sorted[i]->name, out, err) < 0))
            return -1;
    return 0;
}

int sigv4_canonical_request(const SigV4Request *request, Buf *out, Error *err)
{
    const SigV4Pair *sorted[SIGV4_HEADERS_MAX];
    if (sort_headers(request, sorted, err) < 0 ||
        buf_printf(out, err, "%s\n%s\n%s\n", request->method, request->path, request->query) < 0 ||
        append_headers(sorted, request->n_headers, out, err) < 0 || buf_append_str(out, "\n", err) < 0 ||
        append_signed_names(sorted, request->n_headers, out, err) < 0)
        return -1;
    return buf_printf(out, err, "\n%s", request->payload_hash);
}

static int append_scope(const SigV4Request *request, Buf *out, Error *err)
{
    return buf_printf(out, err, "%.*s/%s/%s/" TERMINATOR, DAY_LENGTH, request->stamp, request->region,
                      request->service);
}

int sigv4_string_to_sign(const SigV4Request *request, const char *canonical_request, Buf *out, Error *err)
{
    char hash[SHA256_HEX_SIZE];
    sha256_hex(canonical_request, strlen(canonical_request), hash);
    if (buf_printf(out, err, ALGORITHM "\n%s\n", request->stamp) < 0 || append_scope(request, out, err) < 0)
        return -1;
    return buf_printf(out, err, "\n%s", hash);
}

struct SigV4Keys {
    pthread_mutex_t mutex;
    char *of; /* day, region, service and secret, which the key was derived from; NULL before the first */
    uint8_t key[SHA256_SIZE];
};

SigV4Keys *sigv4_keys_new(void)
{
    SigV4Keys *keys = xcalloc(1, sizeof *keys);
    pthread_mutex_init(&keys->mutex, NULL);
    return keys;
}

void sigv4_keys_free(SigV4Keys *keys)
{
    if (keys == NULL)
        return;
    secrettext_free(keys->of);
    OPENSSL_cleanse(keys->key, sizeof keys->key);
    pthread_mutex_destroy(&keys->mutex);
    free(keys);
}

/* ret may be the key. */
static void hmac(const void *key, size_t key_len, const void *data, size_t len, uint8_t ret[SHA256_SIZE])
{
    uint8_t digest[SHA256_SIZE];
    if (HMAC(EVP_sha256(), key, (int)key_len, data, len, digest, NULL) == NULL)
        abort(); /* libcrypto has it built in: it fails only without memory */
    memcpy(ret, digest, sizeof digest);
    OPENSSL_cleanse(digest, sizeof digest);
}

static void derive_key(const SigV4Request *request, const char *secret_key, uint8_t ret[SHA256_SIZE])
{
    char *first = xasprintf("AWS4%s", secret_key);
    hmac(first, strlen(first), request->stamp, DAY_LENGTH, ret);
    secrettext_free(first);
    hmac(ret, SHA256_SIZE, request->region, strlen(request->region), ret);
    hmac(ret, SHA256_SIZE, request->service, strlen(request->service), ret);
    hmac(ret, SHA256_SIZE, TERMINATOR, strlen(TERMINATOR), ret);
}

static void signing_key(SigV4Keys *keys, const SigV4Request *request, const char *secret_key, uint8_t ret[SHA256_SIZE])
{
    char *of = xasprintf("%.*s\n%s\n%s\n%s", DAY_LENGTH, request->stamp, request->region, request->service, secret_key);
    pthread_mutex_lock(&keys->mutex);
    if (keys->of == NULL || strcmp(keys->of, of) != 0) {
        derive_key(request, secret_key, keys->key);
        char *old = keys->of;
        keys->of = of;
        of = old;
    }
    memcpy(ret, keys->key, SHA256_SIZE);
    pthread_mutex_unlock(&keys->mutex);
    secrettext_free(of);
}

static void sign(SigV4Keys *keys, const char *secret_key, const SigV4Request *request, const Buf *text,
                 char ret_hex[SHA256_HEX_SIZE])
{
    uint8_t key[SHA256_SIZE], digest[SHA256_SIZE];
    signing_key(keys, request, secret_key, key);
    hmac(key, sizeof key, text->data, text->len, digest);
    OPENSSL_cleanse(key, sizeof key);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(ret_hex + 2 * i, 3, "%02x", digest[i]);
}

static int append_authorization(const char *access_key, const SigV4Request *request, const char *signature, Buf *out,
                                Error *err)
{
    const SigV4Pair *sorted[SIGV4_HEADERS_MAX];
    if (sort_headers(request, sorted, err) < 0 || buf_printf(out, err, ALGORITHM " Credential=%s/", access_key) < 0 ||
        append_scope(request, out, err) < 0 || buf_append_str(out, ", SignedHeaders=", err) < 0 ||
        append_signed_names(sorted, request->n_headers, out, err) < 0)
        return -1;
    return buf_printf(out, err, ", Signature=%s", signature);
}

int sigv4_authorize(SigV4Keys *keys, const char *access_key, const char *secret_key, const SigV4Request *request,
                    Buf *out, Error *err)
{
    _cleanup_(buf_done) Buf canonical = BUF_INIT(CANONICAL_MAX);
    _cleanup_(buf_done) Buf text = BUF_INIT(CANONICAL_MAX);
    if (strlen(request->stamp) != SIGV4_STAMP_SIZE - 1)
        return error_set(err, ERR_FAILED, "the system's clock is outside of the years that a request can be signed in");
    char signature[SHA256_HEX_SIZE];
    int failed = buf_reserve(&canonical, USUAL_SIZE, err) < 0 ||
                 sigv4_canonical_request(request, &canonical, err) < 0 ||
                 sigv4_string_to_sign(request, buf_str(&canonical), &text, err) < 0;
    if (canonical.data)
        OPENSSL_cleanse(canonical.data, canonical.len); /* a session token may be in it */
    if (failed)
        return -1;
    sign(keys, secret_key, request, &text, signature);
    return append_authorization(access_key, request, signature, out, err);
}
