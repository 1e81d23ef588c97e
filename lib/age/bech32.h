/* Bech32 as BIP 173 defines it, the text form of age's keys: a human-readable part, "1", groups of 5 bits, a checksum
 * of six characters. At most 90 characters, all lower or all upper case. */
#ifndef KURA_BECH32_H
#define KURA_BECH32_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BECH32_TEXT_MAX = 90, BECH32_HRP_MAX = 83, BECH32_GROUPS_MAX = 82 };

typedef struct Bech32 {
    char hrp[BECH32_HRP_MAX + 1]; /* in the case it was written in */
    uint8_t groups[BECH32_GROUPS_MAX];
    size_t n; /* groups, without the checksum's */
} Bech32;

/* NULL, or what is wrong with the text; the answer quotes nothing of it. *ret may hold a secret, even on failure. */
const char *bech32_parse(const char *text, size_t len, Bech32 *ret);
/* Whether the groups are exactly `size` bytes, followed by fewer than five zero bits; then these bytes. */
bool bech32_bytes(const Bech32 *bech32, uint8_t *ret, size_t size);
/* The lower-case text of up to 40 bytes under a lower-case part of up to 18 characters, with its NUL. */
void bech32_format(const char *hrp, const uint8_t *bytes, size_t len, char ret[BECH32_TEXT_MAX + 1]);

#endif
