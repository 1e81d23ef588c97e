#include "base64.h"

#include <assert.h>
#include <openssl/evp.h>
#include <string.h>

size_t base64_encode(const uint8_t *bytes, size_t len, char ret[BASE64_CHARS + 1])
{
    assert(len <= BASE64_BYTES);
    EVP_EncodeBlock((unsigned char *)ret, bytes, (int)len);
    size_t chars = (len * 8 + 5) / 6;
    ret[chars] = 0;
    return chars;
}

/* libcrypto's decoder wants padding and forgives much; what it gives must encode to the same text. */
bool base64_decode(const char *text, size_t len, uint8_t ret[BASE64_BYTES], size_t *ret_len)
{
    char padded[BASE64_CHARS + 4], again[BASE64_CHARS + 1];
    uint8_t bytes[BASE64_BYTES + 3];
    if (len > BASE64_CHARS || len % 4 == 1)
        return false;
    size_t pad = (4 - len % 4) % 4, n = len * 6 / 8;
    memcpy(padded, text, len);
    memcpy(padded + len, "==", pad);
    if (EVP_DecodeBlock(bytes, (const unsigned char *)padded, (int)(len + pad)) != (int)(n + pad))
        return false;
    if (base64_encode(bytes, n, again) != len || memcmp(again, text, len) != 0)
        return false;
    memcpy(ret, bytes, n);
    *ret_len = n;
    return true;
}
