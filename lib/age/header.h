/* The header of an age file: the file key, wrapped for each recipient, and an authentication code over all of it. */
#ifndef KURA_AGE_HEADER_H
#define KURA_AGE_HEADER_H

#include <stddef.h>
#include <stdint.h>

#include "crypto.h"
#include "kura/age.h"
#include "kura/buf.h"
#include "kura/error.h"
#include "stanza.h"

enum {
    HEADER_FIXED = 22 + 48,  /* version line, authentication code */
    HEADER_STANZA = 54 + 44, /* "-> X25519 " and the share; the wrapped key */
    HEADER_STANZAS_MAX = AGE_HEADER_MAX / HEADER_STANZA
};

#define AGE_VERSION_LINE "age-encryption.org/v1\n"

typedef struct Header {
    Stanza stanza[HEADER_STANZAS_MAX]; /* those of type X25519 */
    size_t n;
    size_t n_foreign;
    char foreign[33];  /* the type of the first stanza of another type, or its beginning; "" */
    size_t mac_covers; /* so many bytes from the beginning */
    uint8_t mac[KEY_SIZE];
    size_t size; /* with the last newline */
} Header;

/* Parses the header that data begins with. ERR_CORRUPT; ERR_TRUNCATED; ERR_UNSUPPORTED: armor, another version of the
 * format, more than AGE_HEADER_MAX bytes. Nothing in it is to be trusted before header_unwrap. */
int header_parse(const uint8_t *data, size_t len, Header *ret, Error *err);

/* Finds the file key with the first stanza that one of the identities opens, and checks the authentication code. data
 * is what was parsed. ERR_KEY and ERR_UNSUPPORTED as age_decrypt; ERR_CORRUPT. */
int header_unwrap(const Header *header, const uint8_t *data, const AgeIdentities *identities,
                  uint8_t ret_file_key[FILE_KEY_SIZE], Error *err);

/* Appends a header. ERR_USAGE: no recipients, too many, or one that is no usable key. */
int header_write(const uint8_t file_key[FILE_KEY_SIZE], const AgeRecipient *recipients, size_t n, Buf *out, Error *err);

#endif
