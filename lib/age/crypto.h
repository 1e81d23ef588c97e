/* The primitives that age is made of, over libcrypto. They abort where libcrypto refuses to work: it has all of them
 * built in, and fails only without memory or where the system's openssl.cnf forbids them. */
#ifndef KURA_AGE_CRYPTO_H
#define KURA_AGE_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { KEY_SIZE = 32, TAG_SIZE = 16 };

void crypto_random(void *ret, size_t len);

/* RFC 7748. False when the result is all zero: the point is of low order, and the "secret" known to everybody. */
bool x25519(const uint8_t scalar[KEY_SIZE], const uint8_t point[KEY_SIZE], uint8_t ret[KEY_SIZE]);
void x25519_public(const uint8_t scalar[KEY_SIZE], uint8_t ret[KEY_SIZE]);

/* HKDF-SHA-256 (RFC 5869), 32 bytes of it. Without salt: "", 0. */
void hkdf(const void *secret, size_t len, const void *salt, size_t salt_len, const char *info, uint8_t ret[KEY_SIZE]);
void hmac_sha256(const uint8_t key[KEY_SIZE], const void *data, size_t len, uint8_t ret[KEY_SIZE]);

/* ChaCha20-Poly1305 (RFC 8439) without additional data, under one key, either way. */
typedef struct evp_cipher_ctx_st Aead;
typedef enum AeadUse { AEAD_OPEN, AEAD_SEAL } AeadUse;
Aead *aead_new(const uint8_t key[KEY_SIZE], AeadUse use);
/* nonce is 12 bytes; ret has room for len + TAG_SIZE. */
void aead_seal(Aead *aead, const uint8_t *nonce, const void *data, size_t len, uint8_t *ret);
/* len (without the tag that follows it) bytes to ret. False when the tag does not match: what ret then holds must not
 * be used. */
bool aead_open(Aead *aead, const uint8_t *nonce, const uint8_t *data, size_t len, uint8_t *ret);
void aead_free(Aead *aead); /* NULL-safe; wipes the key */

#endif
