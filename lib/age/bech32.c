#include "bech32.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

#include <openssl/crypto.h>

#include "kura/words.h"

enum { CHECKSUM = 6 };

static const char charset[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

static uint32_t polymod(uint32_t checksum, uint8_t value)
{
    static const uint32_t generator[] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3};
    uint32_t top = checksum >> 25;
    checksum = (checksum & 0x1ffffff) << 5 ^ value;
    for (int i = 0; i < 5; i++)
        if (top >> i & 1)
            checksum ^= generator[i];
    return checksum;
}

/* The checksum always counts the lower-case form. */
static uint32_t polymod_hrp(const char *hrp)
{
    uint32_t checksum = 1;
    for (const char *c = hrp; *c; c++)
        checksum = polymod(checksum, (uint8_t)(tolower((unsigned char)*c) >> 5));
    checksum = polymod(checksum, 0);
    for (const char *c = hrp; *c; c++)
        checksum = polymod(checksum, tolower((unsigned char)*c) & 31);
    return checksum;
}

/* Every character printable ASCII, and no lower-case letter beside an upper-case one. */
static const char *check_characters(const char *text, size_t len)
{
    bool lower = false, upper = false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < 33 || text[i] > 126)
            return _("it has a character that does not belong there");
        lower |= text[i] >= 'a' && text[i] <= 'z';
        upper |= text[i] >= 'A' && text[i] <= 'Z';
    }
    return lower && upper ? _("upper and lower case are mixed") : NULL;
}

static const char *parse_groups(const char *text, size_t len, Bech32 *ret)
{
    uint32_t checksum = polymod_hrp(ret->hrp);
    for (size_t i = 0; i < len; i++) {
        const char *c = memchr(charset, tolower((unsigned char)text[i]), sizeof charset - 1);
        if (c == NULL)
            return _("it has a character that does not belong there");
        checksum = polymod(checksum, (uint8_t)(c - charset));
        if (i < len - CHECKSUM)
            ret->groups[i] = (uint8_t)(c - charset);
    }
    ret->n = len - CHECKSUM;
    return checksum == 1 ? NULL : _("its checksum is wrong: something is mistyped or missing");
}

const char *bech32_parse(const char *text, size_t len, Bech32 *ret)
{
    if (len > BECH32_TEXT_MAX)
        return _("it is too long");
    const char *wrong = check_characters(text, len);
    if (wrong)
        return wrong;
    const char *separator = memrchr(text, '1', len);
    if (separator == NULL || separator == text)
        return _("it does not begin like one");
    size_t hrp_len = (size_t)(separator - text);
    if (len - hrp_len - 1 < CHECKSUM)
        return _("it is too short");
    memcpy(ret->hrp, text, hrp_len);
    ret->hrp[hrp_len] = 0;
    return parse_groups(separator + 1, len - hrp_len - 1, ret);
}

bool bech32_bytes(const Bech32 *bech32, uint8_t *ret, size_t size)
{
    if (bech32->n != (size * 8 + 4) / 5)
        return false;
    uint32_t bits = 0;
    int have = 0;
    size_t done = 0;
    for (size_t i = 0; i < bech32->n; i++) {
        bits = (bits << 5 | bech32->groups[i]) & 0xfff;
        have += 5;
        if (have >= 8) {
            have -= 8;
            ret[done++] = (uint8_t)(bits >> have);
        }
    }
    return (bits & ((1U << have) - 1)) == 0;
}

static size_t to_groups(const uint8_t *bytes, size_t len, uint8_t *ret)
{
    size_t n = 0, bits = len * 8;
    for (size_t bit = 0; bit < bits; bit += 5) {
        uint32_t pair = (uint32_t)bytes[bit / 8] << 8 | (bit / 8 + 1 < len ? bytes[bit / 8 + 1] : 0);
        ret[n++] = pair >> (11 - bit % 8) & 31;
    }
    return n;
}

void bech32_format(const char *hrp, const uint8_t *bytes, size_t len, char ret[BECH32_TEXT_MAX + 1])
{
    uint8_t groups[BECH32_GROUPS_MAX];
    assert(len <= 40 && strlen(hrp) <= 18);
    size_t n = to_groups(bytes, len, groups);
    uint32_t checksum = polymod_hrp(hrp);
    char *at = stpcpy(stpcpy(ret, hrp), "1");
    for (size_t i = 0; i < n; i++) {
        checksum = polymod(checksum, groups[i]);
        *at++ = charset[groups[i]];
    }
    for (int i = 0; i < CHECKSUM; i++)
        checksum = polymod(checksum, 0);
    checksum ^= 1;
    for (int i = 0; i < CHECKSUM; i++)
        *at++ = charset[checksum >> 5 * (CHECKSUM - 1 - i) & 31];
    *at = 0;
    OPENSSL_cleanse(groups, sizeof groups);
}
