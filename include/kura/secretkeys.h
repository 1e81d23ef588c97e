/* Keys that belong together: columns that Rails encrypted and the keys that open them, public keys and their private
 * ones. Pure; nothing of a key is in any message. */
#ifndef KURA_SECRETKEYS_H
#define KURA_SECRETKEYS_H

#include <stdbool.h>
#include <stddef.h>

/* What ActiveRecord::Encryption does with a column: AES-256-GCM, the key derived from a password by PBKDF2-HMAC with
 * 65536 rounds - of SHA-256 where an application has the defaults of Rails 7.1, of SHA-1 before. */
typedef struct RailsCipher RailsCipher;
RailsCipher *railscipher_new(const char *password, const char *derivation_salt);
void railscipher_free(RailsCipher *cipher); /* NULL-safe; wipes */

typedef enum RailsColumn {
    RAILS_OPENED,
    RAILS_REFUSED,   /* encrypted with another key, or damaged */
    RAILS_NO_MESSAGE /* not what Rails writes: never encrypted */
} RailsColumn;

RailsColumn railscipher_open(const RailsCipher *cipher, const char *text);

typedef enum KeyPair { PAIR_FITS, PAIR_DIFFERS, PAIR_UNREADABLE } KeyPair;

/* In PEM, of any kind that libcrypto knows. */
KeyPair keypair_pem(const char *public_key, const char *private_key);
/* Of a web push server (VAPID): a point of P-256 in 65 bytes and its scalar in 32, both in base64url. */
KeyPair keypair_vapid(const char *public_key, const char *private_key);

#endif
