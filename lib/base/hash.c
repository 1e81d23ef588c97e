#include "kura/hash.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <stdio.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "kura/mem.h"

struct Sha256 {
    EVP_MD_CTX *ctx;
};

static void must(int ok)
{
    if (!ok)
        abort(); /* libcrypto has SHA-256 built in: it fails only without memory */
}

Sha256 *sha256_new(void)
{
    Sha256 *hash = xmalloc(sizeof *hash);
    hash->ctx = EVP_MD_CTX_new();
    must(hash->ctx && EVP_DigestInit_ex(hash->ctx, EVP_sha256(), NULL));
    return hash;
}

void sha256_update(Sha256 *hash, const void *data, size_t len)
{
    must(EVP_DigestUpdate(hash->ctx, data, len));
}

static const char hex_digits[] = "0123456789abcdef";

void hex_format(const uint8_t *bytes, size_t len, char *ret)
{
    for (size_t i = 0; i < len; i++) {
        *ret++ = hex_digits[bytes[i] >> 4];
        *ret++ = hex_digits[bytes[i] & 15];
    }
    *ret = 0;
}

int hex_parse(const char *text, uint8_t *ret, size_t len)
{
    if (strlen(text) != 2 * len || strspn(text, hex_digits) != 2 * len)
        return -1;
    for (size_t i = 0; i < len; i++)
        ret[i] = (uint8_t)((strchr(hex_digits, text[2 * i]) - hex_digits) << 4 |
                           (strchr(hex_digits, text[2 * i + 1]) - hex_digits));
    return 0;
}

void sha256_finish_hex(Sha256 *hash, char ret_hex[SHA256_HEX_SIZE])
{
    uint8_t digest[SHA256_SIZE];
    must(EVP_DigestFinal_ex(hash->ctx, digest, NULL));
    must(EVP_DigestInit_ex(hash->ctx, EVP_sha256(), NULL));
    hex_format(digest, SHA256_SIZE, ret_hex);
}

void sha256_free(Sha256 *hash)
{
    if (hash == NULL)
        return;
    EVP_MD_CTX_free(hash->ctx);
    free(hash);
}

void sha256_hex(const void *data, size_t len, char ret_hex[SHA256_HEX_SIZE])
{
    uint8_t digest[SHA256_SIZE];
    must(EVP_Digest(data, len, digest, NULL, EVP_sha256(), NULL));
    hex_format(digest, SHA256_SIZE, ret_hex);
}

void sha256_hmac(const uint8_t *key, size_t key_len, const void *data, size_t len, uint8_t ret[SHA256_SIZE])
{
    must(HMAC(EVP_sha256(), key, (int)key_len, data, len, ret, NULL) != NULL);
}

void sha256_hkdf(const uint8_t secret[SHA256_SIZE], const char *purpose, uint8_t ret[SHA256_SIZE])
{
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA256", 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)secret, SHA256_SIZE),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)purpose, strlen(purpose)),
        OSSL_PARAM_construct_end(),
    };
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
    must(ctx && EVP_KDF_derive(ctx, ret, SHA256_SIZE, params) > 0);
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
}

bool sha256_is_hex(const char *text)
{
    return strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

static void add(RowDigest *digest, uint64_t low, uint64_t high)
{
    digest->low += low;
    digest->high += high + (digest->low < low);
}

uint64_t rowdigest_add(RowDigest *digest, const void *row, size_t len)
{
    XXH128_hash_t hash = XXH3_128bits(row, len);
    add(digest, hash.low64, hash.high64);
    digest->rows++;
    digest->bytes += len;
    return hash.low64;
}

void rowdigest_merge(RowDigest *digest, const RowDigest *other)
{
    add(digest, other->low, other->high);
    digest->rows += other->rows;
    digest->bytes += other->bytes;
}

bool rowdigest_equal(const RowDigest *a, const RowDigest *b)
{
    return a->low == b->low && a->high == b->high && a->rows == b->rows && a->bytes == b->bytes;
}

void rowdigest_format(const RowDigest *digest, char ret_hex[33])
{
    snprintf(ret_hex, 33, "%016lx%016lx", (unsigned long)digest->high, (unsigned long)digest->low);
}

int rowdigest_parse(const char *hex, RowDigest *ret)
{
    if (strlen(hex) != 32 || strspn(hex, "0123456789abcdef") != 32)
        return -1;
    unsigned long high, low;
    if (sscanf(hex, "%16lx%16lx", &high, &low) != 2)
        return -1;
    *ret = (RowDigest){.high = high, .low = low};
    return 0;
}
