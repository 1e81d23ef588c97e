/* The X25519 recipient type: how a file key is wrapped for a public key. */
#ifndef KURA_AGE_STANZA_H
#define KURA_AGE_STANZA_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto.h"

enum { FILE_KEY_SIZE = 16, WRAPPED_SIZE = FILE_KEY_SIZE + TAG_SIZE };

typedef struct Stanza {
    uint8_t share[KEY_SIZE];    /* the public half of a key made for this stanza alone */
    uint8_t body[WRAPPED_SIZE]; /* the wrapped file key */
} Stanza;

typedef struct KeyPair {
    uint8_t secret[KEY_SIZE];
    uint8_t public[KEY_SIZE];
} KeyPair;

/* False when the public key is a point of low order. */
bool stanza_wrap(const uint8_t file_key[FILE_KEY_SIZE], const uint8_t recipient[KEY_SIZE], Stanza *ret);

typedef enum StanzaFit { STANZA_FITS, STANZA_OTHER_KEY, STANZA_LOW_ORDER } StanzaFit;
StanzaFit stanza_unwrap(const Stanza *stanza, const KeyPair *identity, uint8_t ret_file_key[FILE_KEY_SIZE]);

#endif
