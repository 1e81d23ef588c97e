#include "payload.h"

#include <inttypes.h>
#include <openssl/crypto.h>
#include <string.h>

#include "stanza.h"

/* Eleven bytes, big-endian, and whether it is the last. */
static void chunk_nonce(uint64_t index, bool last, uint8_t ret[12])
{
    memset(ret, 0, 3);
    for (int i = 0; i < 8; i++)
        ret[3 + i] = (uint8_t)(index >> 8 * (7 - i));
    ret[11] = last;
}

void payload_key(const uint8_t *file_key, const uint8_t nonce[NONCE_SIZE], uint8_t ret[KEY_SIZE])
{
    hkdf(file_key, FILE_KEY_SIZE, nonce, NONCE_SIZE, "payload", ret);
}

uint64_t payload_chunks(uint64_t len)
{
    return len == 0 ? 1 : (len - 1) / AGE_CHUNK + 1;
}

uint64_t payload_sealed_size(uint64_t len)
{
    return len + payload_chunks(len) * TAG_SIZE;
}

void payload_seal(const uint8_t key[KEY_SIZE], const uint8_t *data, size_t len, uint8_t *ret)
{
    Aead *aead = aead_new(key, AEAD_SEAL);
    const uint64_t chunks = payload_chunks(len);
    uint8_t nonce[12];
    for (uint64_t i = 0; i < chunks; i++) {
        const bool last = i == chunks - 1;
        const size_t n = last ? len - i * AGE_CHUNK : AGE_CHUNK;
        chunk_nonce(i, last, nonce);
        aead_seal(aead, nonce, data + i * AGE_CHUNK, n, ret + i * CHUNK_SEALED);
    }
    aead_free(aead);
}

/* The last chunk first: each moves towards the end, over what has moved already. */
void payload_seal_in_place(const uint8_t key[KEY_SIZE], uint8_t *buffer, size_t len, size_t start)
{
    Aead *aead = aead_new(key, AEAD_SEAL);
    const uint64_t chunks = payload_chunks(len);
    uint8_t nonce[12];
    for (uint64_t i = chunks; i-- > 0;) {
        const bool last = i == chunks - 1;
        const size_t n = last ? len - i * AGE_CHUNK : AGE_CHUNK;
        uint8_t *to = buffer + start + i * CHUNK_SEALED;
        memmove(to, buffer + i * AGE_CHUNK, n);
        chunk_nonce(i, last, nonce);
        aead_seal(aead, nonce, to, n, to);
    }
    aead_free(aead);
}

int payload_plain_size(size_t sealed, size_t *ret, Error *err)
{
    const size_t whole = sealed / CHUNK_SEALED, rest = sealed % CHUNK_SEALED;
    if (sealed < TAG_SIZE || (rest > 0 && rest < TAG_SIZE))
        return error_set(err, ERR_TRUNCATED, "the encrypted data ends too early");
    if (whole > 0 && rest == TAG_SIZE)
        return error_set(err, ERR_CORRUPT, "the encrypted data is damaged: its last piece is empty");
    *ret = sealed - (whole + (rest > 0)) * TAG_SIZE;
    return 0;
}

int chunk_open(Aead *aead, uint64_t index, bool last, const uint8_t *data, size_t len, uint8_t *ret, Error *err)
{
    uint8_t nonce[12];
    chunk_nonce(index, last, nonce);
    if (aead_open(aead, nonce, data, len, ret))
        return 0;
    return error_set(err, ERR_CORRUPT, "the encrypted data was changed: piece %" PRIu64 " does not match its tag",
                     index);
}

/* The last chunk there is did not open as the last one. When it opens as one in the middle, the rest is missing. */
static int tell_truncated(Aead *aead, uint64_t index, const uint8_t *data, size_t len, uint8_t *ret, Error *err)
{
    if (len == AGE_CHUNK && chunk_open(aead, index, false, data, len, ret, NULL) == 0)
        return error_set(err, ERR_TRUNCATED, "the encrypted data ends too early, after piece %" PRIu64, index);
    return -1;
}

int payload_open(const uint8_t key[KEY_SIZE], const uint8_t *data, size_t len, uint8_t *ret, Error *err)
{
    size_t plain;
    if (payload_plain_size(len, &plain, err) < 0)
        return -1;
    Aead *aead = aead_new(key, AEAD_OPEN);
    const uint64_t chunks = payload_chunks(plain);
    int rc = 0;
    for (uint64_t i = 0; i < chunks && rc == 0; i++) {
        const bool last = i == chunks - 1;
        const size_t n = last ? plain - i * AGE_CHUNK : AGE_CHUNK;
        const uint8_t *from = data + i * CHUNK_SEALED;
        rc = chunk_open(aead, i, last, from, n, ret + i * AGE_CHUNK, err);
        if (rc < 0 && last)
            rc = tell_truncated(aead, i, from, n, ret + i * AGE_CHUNK, err);
    }
    aead_free(aead);
    if (rc < 0)
        OPENSSL_cleanse(ret, plain);
    return rc;
}
