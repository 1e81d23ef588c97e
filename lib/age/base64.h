/* Base64 as age writes it: RFC 4648 section 4 without padding. Pieces of at most a line (64 characters, 48 bytes). */
#ifndef KURA_AGE_BASE64_H
#define KURA_AGE_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BASE64_CHARS = 64, BASE64_BYTES = 48 };

/* Writes the text with a NUL to ret and returns its length. */
size_t base64_encode(const uint8_t *bytes, size_t len, char ret[BASE64_CHARS + 1]);
/* False unless the text is what base64_encode makes of some bytes: these. */
bool base64_decode(const char *text, size_t len, uint8_t ret[BASE64_BYTES], size_t *ret_len);

#endif
