#include "base64.h"

#include <stdlib.h>
#include <string.h>

#include "kura/mem.h"

/* The value of a digit in either alphabet; -1: none. */
static int digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (c == '-' || c == '_')
        return c == '-' ? 62 : 63;
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

uint8_t *base64_bytes(const char *text, size_t max, size_t *ret_len)
{
    size_t len = strlen(text);
    while (len > 0 && text[len - 1] == '=')
        len--;
    if (len % 4 == 1 || len / 4 * 3 + 2 > max + 2)
        return NULL;
    uint8_t *bytes = xmalloc(len / 4 * 3 + 4);
    uint32_t bits = 0;
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        int value = digit(text[i]);
        if (value < 0) {
            free(bytes);
            return NULL;
        }
        bits = bits << 6 | (uint32_t)value;
        if (i % 4 != 0)
            bytes[n++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
    }
    bytes[n] = 0;
    *ret_len = n;
    return bytes;
}
