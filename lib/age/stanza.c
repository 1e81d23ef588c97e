#include "stanza.h"

#include <openssl/crypto.h>
#include <string.h>

/* The wrapping key serves once: its nonce is fixed. */
static const uint8_t zero_nonce[12];

/* False when the shared secret is zero. */
static bool wrapping_key(const uint8_t secret[KEY_SIZE], const uint8_t peer[KEY_SIZE], const uint8_t share[KEY_SIZE],
                         const uint8_t recipient[KEY_SIZE], uint8_t ret[KEY_SIZE])
{
    uint8_t shared[KEY_SIZE], salt[2 * KEY_SIZE];
    memcpy(salt, share, KEY_SIZE);
    memcpy(salt + KEY_SIZE, recipient, KEY_SIZE);
    bool ok = x25519(secret, peer, shared);
    if (ok)
        hkdf(shared, sizeof shared, salt, sizeof salt, "age-encryption.org/v1/X25519", ret);
    OPENSSL_cleanse(shared, sizeof shared);
    return ok;
}

bool stanza_wrap(const uint8_t file_key[FILE_KEY_SIZE], const uint8_t recipient[KEY_SIZE], Stanza *ret)
{
    uint8_t ephemeral[KEY_SIZE], key[KEY_SIZE];
    crypto_random(ephemeral, sizeof ephemeral);
    x25519_public(ephemeral, ret->share);
    bool ok = wrapping_key(ephemeral, recipient, ret->share, recipient, key);
    if (ok) {
        Aead *aead = aead_new(key, AEAD_SEAL);
        aead_seal(aead, zero_nonce, file_key, FILE_KEY_SIZE, ret->body);
        aead_free(aead);
    }
    OPENSSL_cleanse(ephemeral, sizeof ephemeral);
    OPENSSL_cleanse(key, sizeof key);
    return ok;
}

StanzaFit stanza_unwrap(const Stanza *stanza, const KeyPair *identity, uint8_t ret_file_key[FILE_KEY_SIZE])
{
    uint8_t key[KEY_SIZE];
    if (!wrapping_key(identity->secret, stanza->share, stanza->share, identity->public, key))
        return STANZA_LOW_ORDER;
    Aead *aead = aead_new(key, AEAD_OPEN);
    bool ok = aead_open(aead, zero_nonce, stanza->body, FILE_KEY_SIZE, ret_file_key);
    aead_free(aead);
    OPENSSL_cleanse(key, sizeof key);
    return ok ? STANZA_FITS : STANZA_OTHER_KEY;
}
