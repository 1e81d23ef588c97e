/* Reading parts of a file. Pieces are decrypted straight into the result, but for the first and the last one of a
 * range, of which only a part is wanted. */
#include "file.h"

#include <inttypes.h>
#include <openssl/crypto.h>
#include <string.h>

#include "header.h"
#include "kura/mem.h"
#include "payload.h"

int age_open(const AgeIdentities *identities, const void *data, size_t len, AgeFile **ret, Error *err)
{
    uint8_t file_key[FILE_KEY_SIZE];
    Header header;
    if (header_parse(data, len, &header, err) < 0 || header_unwrap(&header, data, identities, file_key, err) < 0)
        return -1;
    int rc = 0;
    if (len - header.size < NONCE_SIZE) {
        rc = error_set(err, ERR_TRUNCATED, "the encrypted data ends too early");
    } else {
        *ret = xmalloc(sizeof **ret);
        payload_key(file_key, (const uint8_t *)data + header.size, (*ret)->key);
        (*ret)->payload_start = header.size + NONCE_SIZE;
    }
    OPENSSL_cleanse(file_key, sizeof file_key);
    return rc;
}

size_t age_payload_start(const AgeFile *file)
{
    return file->payload_start;
}

void age_close(AgeFile *file)
{
    if (file)
        OPENSSL_cleanse(file, sizeof *file);
    free(file);
}

/* Where chunk i begins behind the header and the nonce, or where the last one ends. */
static uint64_t sealed_position(uint64_t total, uint64_t i)
{
    return i < payload_chunks(total) ? i * CHUNK_SEALED : payload_sealed_size(total);
}

static uint64_t first_chunk(uint64_t offset)
{
    return offset / AGE_CHUNK;
}

static uint64_t end_chunk(uint64_t offset, uint64_t length)
{
    return length == 0 ? first_chunk(offset) : (offset + length - 1) / AGE_CHUNK + 1;
}

void age_range(const AgeFile *file, uint64_t total, uint64_t offset, uint64_t length, uint64_t *ret_offset,
               uint64_t *ret_length)
{
    const uint64_t from = sealed_position(total, first_chunk(offset));
    *ret_offset = file->payload_start + from;
    *ret_length = sealed_position(total, end_chunk(offset, length)) - from;
}

/* What is wanted, and of how much. */
typedef struct Want {
    uint64_t total, offset, end;
} Want;

/* Decrypts a chunk of which [skip, skip + n) is wanted, through a buffer of its own. */
static int open_part(Aead *aead, uint64_t i, bool last, const uint8_t *data, size_t len, size_t skip, size_t n,
                     uint8_t *ret, Error *err)
{
    uint8_t *whole = xmalloc(AGE_CHUNK);
    int rc = chunk_open(aead, i, last, data, len, whole, err);
    if (rc == 0)
        memcpy(ret, whole + skip, n);
    OPENSSL_cleanse(whole, AGE_CHUNK);
    free(whole);
    return rc;
}

/* Decrypts what is wanted of chunk i, which data begins with, to its place in ret. */
static int open_wanted(Aead *aead, const Want *want, uint64_t i, const uint8_t *data, uint8_t *ret, Error *err)
{
    const uint64_t start = i * AGE_CHUNK;
    const bool last = i == payload_chunks(want->total) - 1;
    const size_t len = last ? (size_t)(want->total - start) : AGE_CHUNK;
    const uint64_t from = want->offset > start ? want->offset : start;
    const uint64_t to = want->end < start + len ? want->end : start + len;
    ret += from - want->offset;
    if (to - from == len)
        return chunk_open(aead, i, last, data, len, ret, err);
    return open_part(aead, i, last, data, len, (size_t)(from - start), (size_t)(to - from), ret, err);
}

static int check_range(uint64_t wanted, size_t len, const Want *want, Error *err)
{
    if (want->offset > want->end || want->end > want->total)
        return error_set(err, ERR_CORRUPT, "a range passes the end of the encrypted data");
    if (len < wanted)
        return error_set(err, ERR_TRUNCATED, "the encrypted data ends too early: %zu bytes instead of %" PRIu64, len,
                         wanted);
    if (len > wanted)
        return error_set(err, ERR_CORRUPT, "%zu bytes of encrypted data instead of %" PRIu64, len, wanted);
    return 0;
}

int age_decrypt_range(const AgeFile *file, uint64_t total, uint64_t offset, uint64_t length, const void *data,
                      size_t len, Buf *out, Error *err)
{
    const Want want = {total, offset, offset + length};
    const uint64_t first = first_chunk(offset), end = end_chunk(offset, length);
    uint64_t position, wanted;
    age_range(file, total, offset, length, &position, &wanted);
    if (check_range(wanted, len, &want, err) < 0 || buf_reserve(out, (size_t)length, err) < 0)
        return -1;
    Aead *aead = aead_new(file->key, AEAD_OPEN);
    uint8_t *ret = out->data + out->len;
    int rc = 0;
    for (uint64_t i = first; i < end && rc == 0; i++)
        rc = open_wanted(aead, &want, i, (const uint8_t *)data + (i - first) * CHUNK_SEALED, ret, err);
    aead_free(aead);
    if (rc == 0)
        out->len += (size_t)length;
    else
        OPENSSL_cleanse(ret, (size_t)length);
    return rc;
}
