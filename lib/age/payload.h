/* The payload of an age file: chunks of AGE_CHUNK bytes, the last one shorter, each with a tag of its own whose nonce
 * counts the chunks and tells the last one. */
#ifndef KURA_AGE_PAYLOAD_H
#define KURA_AGE_PAYLOAD_H

#include "crypto.h"
#include "kura/age.h"

enum {
    NONCE_SIZE = 16, /* between header and first chunk */
    CHUNK_SEALED = AGE_CHUNK + TAG_SIZE
};

void payload_key(const uint8_t *file_key, const uint8_t nonce[NONCE_SIZE], uint8_t ret[KEY_SIZE]);

/* How many chunks hold len bytes of plaintext: one at least. */
uint64_t payload_chunks(uint64_t len);
/* The bytes that all of them take. */
uint64_t payload_sealed_size(uint64_t len);

/* Writes payload_sealed_size(len) bytes to ret. */
void payload_seal(const uint8_t key[KEY_SIZE], const uint8_t *data, size_t len, uint8_t *ret);

/* The same within one buffer: the plaintext is its first len bytes, the chunks begin at `start` of it. */
void payload_seal_in_place(const uint8_t key[KEY_SIZE], uint8_t *buffer, size_t len, size_t start);

/* The size of the plaintext, going by the size alone. ERR_TRUNCATED; ERR_CORRUPT. */
int payload_plain_size(size_t sealed, size_t *ret, Error *err);
/* Writes the plaintext to ret, which is wiped after a failure. ERR_CORRUPT; ERR_TRUNCATED: whole chunks are missing. */
int payload_open(const uint8_t key[KEY_SIZE], const uint8_t *data, size_t len, uint8_t *ret, Error *err);

/* One chunk: data is len bytes and a tag, ret takes len bytes. ERR_CORRUPT. */
int chunk_open(Aead *aead, uint64_t index, bool last, const uint8_t *data, size_t len, uint8_t *ret, Error *err);

#endif
