#include "crypto.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static void must(bool ok)
{
    if (!ok)
        abort();
}

void crypto_random(void *ret, size_t len)
{
    uint8_t *at = ret;
    while (len > 0) {
        ssize_t n = getrandom(at, len, 0);
        must(n > 0 || errno == EINTR);
        if (n < 0)
            continue;
        at += n;
        len -= (size_t)n;
    }
}

/* Whatever libcrypto's queue holds afterwards would be taken for an error of the next TLS connection. */
bool x25519(const uint8_t scalar[KEY_SIZE], const uint8_t point[KEY_SIZE], uint8_t ret[KEY_SIZE])
{
    static const uint8_t zero[KEY_SIZE];
    size_t len = KEY_SIZE;
    EVP_PKEY *own = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, scalar, KEY_SIZE);
    EVP_PKEY *peer = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, point, KEY_SIZE);
    must(own && peer);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(own, NULL);
    must(ctx && EVP_PKEY_derive_init(ctx) > 0);
    ERR_set_mark();
    /* libcrypto refuses points of low order by itself, and no others. */
    bool ok = EVP_PKEY_derive_set_peer(ctx, peer) > 0 && EVP_PKEY_derive(ctx, ret, &len) > 0 &&
              CRYPTO_memcmp(ret, zero, KEY_SIZE) != 0;
    ERR_pop_to_mark();
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(peer);
    EVP_PKEY_free(own);
    return ok;
}

void x25519_public(const uint8_t scalar[KEY_SIZE], uint8_t ret[KEY_SIZE])
{
    size_t len = KEY_SIZE;
    EVP_PKEY *own = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, scalar, KEY_SIZE);
    must(own && EVP_PKEY_get_raw_public_key(own, ret, &len) > 0);
    EVP_PKEY_free(own);
}

/* Fetched once: looking an algorithm up by its name takes longer than encrypting a short chunk with it. */
static EVP_CIPHER *chacha20_poly1305;
static EVP_KDF *hkdf_kdf;
static pthread_once_t fetched = PTHREAD_ONCE_INIT;

static void fetch(void)
{
    chacha20_poly1305 = EVP_CIPHER_fetch(NULL, "ChaCha20-Poly1305", NULL);
    hkdf_kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    must(chacha20_poly1305 && hkdf_kdf);
}

void hkdf(const void *secret, size_t len, const void *salt, size_t salt_len, const char *info, uint8_t ret[KEY_SIZE])
{
    pthread_once(&fetched, fetch);
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(hkdf_kdf);
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA256", 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)secret, len),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)salt, salt_len),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)info, strlen(info)),
        OSSL_PARAM_construct_end(),
    };
    must(ctx && EVP_KDF_derive(ctx, ret, KEY_SIZE, params) > 0);
    EVP_KDF_CTX_free(ctx);
}

void hmac_sha256(const uint8_t key[KEY_SIZE], const void *data, size_t len, uint8_t ret[KEY_SIZE])
{
    must(HMAC(EVP_sha256(), key, KEY_SIZE, data, len, ret, NULL) != NULL);
}

Aead *aead_new(const uint8_t key[KEY_SIZE], AeadUse use)
{
    pthread_once(&fetched, fetch);
    Aead *aead = EVP_CIPHER_CTX_new();
    must(aead && EVP_CipherInit_ex2(aead, chacha20_poly1305, key, NULL, use == AEAD_SEAL, NULL) > 0);
    return aead;
}

/* A nonce alone keeps the key. */
static void begin(Aead *aead, const uint8_t *nonce, const void *data, size_t len, uint8_t *ret)
{
    int done = 0;
    must(EVP_CipherInit_ex2(aead, NULL, NULL, nonce, -1, NULL) > 0);
    must(len == 0 || (EVP_CipherUpdate(aead, ret, &done, data, (int)len) > 0 && (size_t)done == len));
}

void aead_seal(Aead *aead, const uint8_t *nonce, const void *data, size_t len, uint8_t *ret)
{
    int done;
    begin(aead, nonce, data, len, ret);
    must(EVP_CipherFinal_ex(aead, ret + len, &done) > 0 && done == 0);
    must(EVP_CIPHER_CTX_ctrl(aead, EVP_CTRL_AEAD_GET_TAG, TAG_SIZE, ret + len) > 0);
}

bool aead_open(Aead *aead, const uint8_t *nonce, const uint8_t *data, size_t len, uint8_t *ret)
{
    uint8_t none[TAG_SIZE];
    int done;
    begin(aead, nonce, data, len, ret);
    must(EVP_CIPHER_CTX_ctrl(aead, EVP_CTRL_AEAD_SET_TAG, TAG_SIZE, (void *)(data + len)) > 0);
    ERR_set_mark();
    bool ok = EVP_CipherFinal_ex(aead, none, &done) > 0;
    ERR_pop_to_mark();
    return ok;
}

void aead_free(Aead *aead)
{
    EVP_CIPHER_CTX_free(aead);
}
