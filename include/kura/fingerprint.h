/* Fingerprints of secrets: whether a secret is the one that a backup was made with, told by what may be read by others.
 * A salt of its own for each, and scrypt (RFC 7914: N = 32768, r = 8, p = 1), so that guessing a password costs 32 MiB
 * and a tenth of a second each time. The name goes in too: equal secrets under two names do not look alike. */
#ifndef KURA_FINGERPRINT_H
#define KURA_FINGERPRINT_H

#include <stdbool.h>

enum { FINGERPRINT_SALT_HEX_SIZE = 33, FINGERPRINT_HEX_SIZE = 65 }; /* lower-case digits, with their NUL */

/* Under a fresh salt. */
void fingerprint_make(const char *name, const char *secret, char ret_salt[FINGERPRINT_SALT_HEX_SIZE],
                      char ret_print[FINGERPRINT_HEX_SIZE]);
/* Whether salt and print are of their form. */
bool fingerprint_is_valid(const char *salt, const char *print);
/* Whether they are of that secret; false also where they are not of their form. */
bool fingerprint_fits(const char *name, const char *secret, const char *salt, const char *print);

#endif
