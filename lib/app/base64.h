/* Base64 in both alphabets (RFC 4648), with padding or without. */
#ifndef KURA_APP_BASE64_H
#define KURA_APP_BASE64_H

#include <stddef.h>
#include <stdint.h>

/* The bytes, followed by a NUL that does not count; NULL: no base64, or more than max bytes of it. To be freed. */
uint8_t *base64_bytes(const char *text, size_t max, size_t *ret_len);

#endif
