#include "kura/age.h"

#include <openssl/crypto.h>
#include <string.h>

#include "file.h"
#include "header.h"
#include "kura/mem.h"
#include "payload.h"

uint64_t age_encrypted_size(uint64_t len, size_t n)
{
    return HEADER_FIXED + n * HEADER_STANZA + NONCE_SIZE + payload_sealed_size(len);
}

size_t age_count_recipients(uint64_t len, uint64_t encrypted_size)
{
    const uint64_t none = age_encrypted_size(len, 0);
    if (len > UINT64_MAX / 2 || encrypted_size <= none || (encrypted_size - none) % HEADER_STANZA != 0)
        return 0;
    const uint64_t n = (encrypted_size - none) / HEADER_STANZA;
    return n <= AGE_RECIPIENTS_MAX ? (size_t)n : 0;
}

static int encrypt(const uint8_t *file_key, const AgeRecipient *recipients, size_t n, const void *data, size_t len,
                   Buf *out, Error *err)
{
    uint8_t key[KEY_SIZE];
    if (header_write(file_key, recipients, n, out, err) < 0)
        return -1;
    uint8_t *nonce = out->data + out->len;
    crypto_random(nonce, NONCE_SIZE);
    payload_key(file_key, nonce, key);
    payload_seal(key, data, len, nonce + NONCE_SIZE);
    out->len += NONCE_SIZE + (size_t)payload_sealed_size(len);
    OPENSSL_cleanse(key, sizeof key);
    return 0;
}

int age_encrypt(const AgeRecipient *recipients, size_t n, const void *data, size_t len, Buf *out, Error *err)
{
    const size_t start = out->len;
    uint8_t file_key[FILE_KEY_SIZE];
    if (n <= AGE_RECIPIENTS_MAX && buf_reserve(out, (size_t)age_encrypted_size(len, n), err) < 0)
        return -1;
    crypto_random(file_key, sizeof file_key);
    int rc = encrypt(file_key, recipients, n, data, len, out, err);
    OPENSSL_cleanse(file_key, sizeof file_key);
    if (rc < 0)
        out->len = start;
    return rc;
}

/* front: the header, with room for a nonce. */
static int encrypt_in_place(const uint8_t *file_key, Buf *front, Buf *data, Error *err)
{
    uint8_t key[KEY_SIZE];
    const size_t len = data->len, start = front->len + NONCE_SIZE;
    if (buf_reserve(data, start + (size_t)payload_sealed_size(len) - len, err) < 0)
        return -1;
    crypto_random(front->data + front->len, NONCE_SIZE);
    payload_key(file_key, front->data + front->len, key);
    payload_seal_in_place(key, data->data, len, start);
    memcpy(data->data, front->data, start);
    data->len = start + (size_t)payload_sealed_size(len);
    OPENSSL_cleanse(key, sizeof key);
    return 0;
}

int age_encrypt_in_place(const AgeRecipient *recipients, size_t n, Buf *data, Error *err)
{
    uint8_t file_key[FILE_KEY_SIZE];
    _cleanup_(buf_done) Buf front = BUF_INIT(AGE_HEADER_MAX + NONCE_SIZE);
    crypto_random(file_key, sizeof file_key);
    int rc = header_write(file_key, recipients, n, &front, err);
    if (rc == 0)
        rc = buf_reserve(&front, NONCE_SIZE, err);
    if (rc == 0)
        rc = encrypt_in_place(file_key, &front, data, err);
    OPENSSL_cleanse(file_key, sizeof file_key);
    return rc;
}

int age_decrypt(const AgeIdentities *identities, const void *data, size_t len, Buf *out, Error *err)
{
    AgeFile *file;
    size_t plain;
    if (age_open(identities, data, len, &file, err) < 0)
        return -1;
    const uint8_t *payload = (const uint8_t *)data + file->payload_start;
    const size_t sealed = len - file->payload_start;
    int rc = payload_plain_size(sealed, &plain, err);
    if (rc == 0)
        rc = buf_reserve(out, plain, err);
    if (rc == 0)
        rc = payload_open(file->key, payload, sealed, out->data + out->len, err);
    if (rc == 0)
        out->len += plain;
    age_close(file);
    return rc;
}

/* What the size of nonce and chunks tells: a file that ends too early stays one that is seen to. */
static int check_payload(size_t len, Error *err)
{
    size_t plain;
    return payload_plain_size(len < NONCE_SIZE ? 0 : len - NONCE_SIZE, &plain, err);
}

int age_rewrap(const AgeIdentities *identities, const AgeRecipient *recipients, size_t n, const void *data, size_t len,
               Buf *out, Error *err)
{
    const size_t start = out->len;
    uint8_t file_key[FILE_KEY_SIZE];
    Header header;
    if (header_parse(data, len, &header, err) < 0 || header_unwrap(&header, data, identities, file_key, err) < 0)
        return -1;
    int rc = check_payload(len - header.size, err);
    if (rc == 0)
        rc = header_write(file_key, recipients, n, out, err);
    OPENSSL_cleanse(file_key, sizeof file_key);
    if (rc == 0)
        rc = buf_append(out, (const uint8_t *)data + header.size, len - header.size, err);
    if (rc < 0)
        out->len = start;
    return rc;
}
