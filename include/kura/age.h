/* The age v1 file format (age-encryption.org/v1) with X25519 recipients. Bytes in, bytes out: no files, no store. Keys
 * are wiped from memory when freed. */
#ifndef KURA_AGE_H
#define KURA_AGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kura/buf.h"
#include "kura/error.h"

enum {
    AGE_RECIPIENT_SIZE = 63,    /* "age1" and 58 characters, with the NUL */
    AGE_IDENTITY_SIZE = 75,     /* "AGE-SECRET-KEY-1" and 58 characters, with the NUL */
    AGE_CHUNK = 64 * 1024,      /* plaintext bytes that one tag protects */
    AGE_HEADER_MAX = 16 * 1024, /* longer headers are refused */
    AGE_RECIPIENTS_MAX = 20
};

/* A public key. A plain value. */
typedef struct AgeRecipient {
    uint8_t key[32];
} AgeRecipient;

/* Parses "age1..." (Bech32, strict). ERR_USAGE names what is wrong with it. */
int age_recipient_parse(const char *text, AgeRecipient *ret, Error *err);
void age_recipient_format(const AgeRecipient *recipient, char ret[AGE_RECIPIENT_SIZE]);

/* One or more private keys. */
typedef struct AgeIdentities AgeIdentities;

/* A new random key. */
AgeIdentities *age_identities_new(void);
/* A key derived from 32 secret bytes, the same for the same bytes. */
AgeIdentities *age_identities_from_secret(const uint8_t secret[32]);
/* Parses what age-keygen writes: a key a line, empty lines and lines that begin with '#'. ERR_KEY. Messages never quote
 * the text. */
int age_identities_parse(const char *text, size_t len, AgeIdentities **ret, Error *err);
size_t age_identities_count(const AgeIdentities *identities);
/* The public key of the i-th. */
void age_identities_recipient(const AgeIdentities *identities, size_t i, AgeRecipient *ret);
/* Appends the i-th, "AGE-SECRET-KEY-1...", without a newline. Wipe the buffer after use. */
int age_identities_format(const AgeIdentities *identities, size_t i, Buf *out, Error *err);
void age_identities_free(AgeIdentities *identities); /* NULL-safe */

/* Encrypts to every recipient (1 to AGE_RECIPIENTS_MAX): appends header and payload to *out. */
int age_encrypt(const AgeRecipient *recipients, size_t n, const void *data, size_t len, Buf *out, Error *err);
/* The exact size of what age_encrypt makes of len bytes for n recipients. */
uint64_t age_encrypted_size(uint64_t len, size_t n);
/* How many recipients (1 to AGE_RECIPIENTS_MAX) an object of that size made by age_encrypt has whose plaintext has len
 * bytes; 0 when it cannot be one. */
size_t age_count_recipients(uint64_t len, uint64_t encrypted_size);

/* Decrypts a whole file, made by any program, and appends the plaintext to *out; on failure out->len is as it was.
 * ERR_KEY: none of the identities fits. ERR_UNSUPPORTED: only recipient types that kura does not know. ERR_CORRUPT:
 * header or payload was changed. ERR_TRUNCATED: it ends too early. */
int age_decrypt(const AgeIdentities *identities, const void *data, size_t len, Buf *out, Error *err);

/* Reading a part: an opened header knows where each piece of plaintext is in the file. */
typedef struct AgeFile AgeFile;
/* data: the file's beginning, AGE_HEADER_MAX + 16 bytes of it or all there is. Errors as age_decrypt. */
int age_open(const AgeIdentities *identities, const void *data, size_t len, AgeFile **ret, Error *err);
/* Bytes in front of the first chunk: header and nonce. */
size_t age_payload_start(const AgeFile *file);
/* The range of the file that holds `length` bytes of plaintext from `offset`: whole chunks. total is the plaintext's
 * size; offset + length must not pass it. */
void age_range(const AgeFile *file, uint64_t total, uint64_t offset, uint64_t length, uint64_t *ret_offset,
               uint64_t *ret_length);
/* Decrypts that range, as read from the file, and appends exactly the plaintext that was asked for. ERR_CORRUPT. */
int age_decrypt_range(const AgeFile *file, uint64_t total, uint64_t offset, uint64_t length, const void *data,
                      size_t len, Buf *out, Error *err);
void age_close(AgeFile *file); /* NULL-safe */

/* Rewrites the header for other recipients; the payload stays byte for byte what it was. Appends the whole new file. */
int age_rewrap(const AgeIdentities *identities, const AgeRecipient *recipients, size_t n, const void *data, size_t len,
               Buf *out, Error *err);

#endif
