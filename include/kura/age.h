/* The age v1 file format (age-encryption.org/v1, c2sp.org/age) with X25519 recipients. Bytes in, bytes out: no files,
 * no store. Keys are wiped from memory when freed. Not supported: the text form (armor), passphrases, recipients of
 * other types (SSH, plugins, post-quantum); stanzas of unknown types are skipped as long as another one fits. Every
 * function may be called from several threads at once with the same identities or file. */
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
    AGE_RECIPIENTS_MAX = 20,
    AGE_IDENTITIES_MAX = 100
};

/* A public key. A plain value. */
typedef struct AgeRecipient {
    uint8_t key[32];
} AgeRecipient;

/* Parses "age1..." (Bech32, strict, lower case). ERR_USAGE names what is wrong with it and never quotes the text: it
 * may be a secret key, put there by mistake. */
int age_recipient_parse(const char *text, AgeRecipient *ret, Error *err);
void age_recipient_format(const AgeRecipient *recipient, char ret[AGE_RECIPIENT_SIZE]);

/* One or more private keys. */
typedef struct AgeIdentities AgeIdentities;

/* A new random key. */
AgeIdentities *age_identities_new(void);
/* A key derived from 32 secret bytes, the same for the same bytes: HKDF-SHA-256 of them without salt, with the info
 * "kura age identity". */
AgeIdentities *age_identities_from_secret(const uint8_t secret[32]);
/* Parses what age-keygen writes: a key a line, empty lines and lines that begin with '#'; at most AGE_IDENTITIES_MAX
 * keys, at least one. ERR_KEY. Messages never quote the text. */
int age_identities_parse(const char *text, size_t len, AgeIdentities **ret, Error *err);
size_t age_identities_count(const AgeIdentities *identities);
/* The public key of the i-th. */
void age_identities_recipient(const AgeIdentities *identities, size_t i, AgeRecipient *ret);
/* Appends the i-th, "AGE-SECRET-KEY-1...", without a newline. Reserve AGE_IDENTITY_SIZE bytes first, so that no copy
 * stays behind where the buffer was before it grew, and wipe it after use. */
int age_identities_format(const AgeIdentities *identities, size_t i, Buf *out, Error *err);
void age_identities_free(AgeIdentities *identities); /* NULL-safe */

/* Encrypts to every recipient (1 to AGE_RECIPIENTS_MAX): appends header and payload to *out, which data is no part of.
 * A buffer whose maximum is age_encrypted_size grows to just that. ERR_USAGE: the number of recipients, or one that is
 * no public key; on failure out->len is as it was. */
int age_encrypt(const AgeRecipient *recipients, size_t n, const void *data, size_t len, Buf *out, Error *err);
/* The same with what *data holds, in the same memory: a large buffer need not be there twice. Its maximum must allow
 * age_encrypted_size; on failure nothing is changed. */
int age_encrypt_in_place(const AgeRecipient *recipients, size_t n, Buf *data, Error *err);
/* The exact size of what age_encrypt makes of len bytes (below 2^63) for n recipients. */
uint64_t age_encrypted_size(uint64_t len, size_t n);
/* How many recipients (1 to AGE_RECIPIENTS_MAX) an object of that size made by age_encrypt has whose plaintext has len
 * bytes; 0 when it cannot be one. */
size_t age_count_recipients(uint64_t len, uint64_t encrypted_size);

/* Decrypts a whole file, made by any program, and appends the plaintext to *out, which data is no part of; on failure
 * out->len is as it was and what was decrypted is wiped. ERR_KEY: none of the identities fits. ERR_UNSUPPORTED: only
 * recipient types that kura does not know, armor, another version of the format, a header above AGE_HEADER_MAX.
 * ERR_CORRUPT: header or payload was changed, or it is no age file. ERR_TRUNCATED: it ends too early, as far as can be
 * told: a file cut inside a piece of the payload looks changed. */
int age_decrypt(const AgeIdentities *identities, const void *data, size_t len, Buf *out, Error *err);

/* Reading a part: an opened header knows where each piece of plaintext is in the file. */
typedef struct AgeFile AgeFile;
/* data: the file's beginning, AGE_HEADER_MAX + 16 bytes of it or all there is. Errors as age_decrypt. */
int age_open(const AgeIdentities *identities, const void *data, size_t len, AgeFile **ret, Error *err);
/* Bytes in front of the first chunk: header and nonce. */
size_t age_payload_start(const AgeFile *file);
/* The range of the file that holds `length` bytes of plaintext from `offset`: whole chunks. total is the plaintext's
 * size (below 2^63), which offset + length must not pass. Nothing is to be read for a length of 0. */
void age_range(const AgeFile *file, uint64_t total, uint64_t offset, uint64_t length, uint64_t *ret_offset,
               uint64_t *ret_length);
/* Decrypts that range, as read from the file, and appends exactly the plaintext that was asked for; on failure out->len
 * is as it was. ERR_CORRUPT: a piece was changed or is of another place or file, total is wrong, or the range passes
 * it. ERR_TRUNCATED: there are fewer bytes than the range has. */
int age_decrypt_range(const AgeFile *file, uint64_t total, uint64_t offset, uint64_t length, const void *data,
                      size_t len, Buf *out, Error *err);
void age_close(AgeFile *file); /* NULL-safe */

/* Rewrites the header for other recipients; the payload stays byte for byte what it was, and is not decrypted. Appends
 * the whole new file. Who could read the old file may have kept its file key, which opens the new one too. Errors as
 * age_decrypt and age_encrypt; on failure out->len is as it was. */
int age_rewrap(const AgeIdentities *identities, const AgeRecipient *recipients, size_t n, const void *data, size_t len,
               Buf *out, Error *err);

#endif
