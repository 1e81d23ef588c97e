/* Hashes: SHA-256 for names of blobs and files (libcrypto), XXH3-128 sums for rows (xxhash). */
#ifndef KURA_HASH_H
#define KURA_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SHA256_SIZE = 32, SHA256_HEX_SIZE = 65 }; /* the latter with its NUL */

typedef struct Sha256 Sha256;
Sha256 *sha256_new(void);
void sha256_update(Sha256 *hash, const void *data, size_t len);
/* Ends this hash, gives lower-case hex, and begins a new one. */
void sha256_finish_hex(Sha256 *hash, char ret_hex[SHA256_HEX_SIZE]);
void sha256_free(Sha256 *hash);
/* In one go. */
void sha256_hex(const void *data, size_t len, char ret_hex[SHA256_HEX_SIZE]);
/* HMAC-SHA-256. */
void sha256_hmac(const uint8_t *key, size_t key_len, const void *data, size_t len, uint8_t ret[SHA256_SIZE]);
/* A key of its own for each purpose out of one secret: HKDF-SHA-256 (RFC 5869) without salt. */
void sha256_hkdf(const uint8_t secret[SHA256_SIZE], const char *purpose, uint8_t ret[SHA256_SIZE]);

/* Lower-case hexadecimal digits and a NUL: 2 * len + 1 bytes at ret. */
void hex_format(const uint8_t *bytes, size_t len, char *ret);
/* Exactly len bytes from exactly 2 * len lower-case digits; -1 for any other text. */
int hex_parse(const char *text, uint8_t *ret, size_t len);
/* Whether text is exactly 64 lower-case hexadecimal digits. */
bool sha256_is_hex(const char *text);

/* An order-independent digest of rows: the sum modulo 2^128 of each row's XXH3-128 (seed 0, over the row's COPY text
 * with its newline). A sum, not an exclusive or, so that doubled rows are seen. Against accidents, not against forgers.
 */
typedef struct RowDigest {
    uint64_t low, high;
    uint64_t rows;
    uint64_t bytes;
} RowDigest;

/* Adds one row and returns the low 64 bits of its hash. */
uint64_t rowdigest_add(RowDigest *digest, const void *row, size_t len);
/* Adds all rows of another digest. */
void rowdigest_merge(RowDigest *digest, const RowDigest *other);
bool rowdigest_equal(const RowDigest *a, const RowDigest *b);
/* 32 lower-case hexadecimal digits, high half first. */
void rowdigest_format(const RowDigest *digest, char ret_hex[33]);
/* The opposite, for the sum alone; -1 when text is not of that form. */
int rowdigest_parse(const char *hex, RowDigest *ret);

#endif
