#include "kura/jsontext.h"

#include <stdint.h>
#include <string.h>

#include "kura/mem.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static json_t *encode(const uint8_t *bytes, size_t len)
{
    _cleanup_free_ char *text = xmalloc((len + 2) / 3 * 4 + 1);
    size_t at = 0;
    for (size_t i = 0; i < len; i += 3) {
        size_t have = len - i < 3 ? len - i : 3;
        uint32_t bits = (uint32_t)bytes[i] << 16;
        if (have > 1)
            bits |= (uint32_t)bytes[i + 1] << 8;
        if (have > 2)
            bits |= bytes[i + 2];
        text[at++] = digits[bits >> 18];
        text[at++] = digits[bits >> 12 & 63];
        text[at++] = have > 1 ? digits[bits >> 6 & 63] : '=';
        text[at++] = have > 2 ? digits[bits & 63] : '=';
    }
    json_t *object = json_object();
    json_object_set_new(object, "base64", json_stringn(text, at));
    return object;
}

/* Decodes text of `len` digits and padding; gives the number of bytes, or SIZE_MAX when it is not canonical. */
static size_t decode(const char *text, size_t len, uint8_t *out)
{
    size_t pad = len > 0 && text[len - 1] == '=' ? 1 + (len > 1 && text[len - 2] == '=') : 0;
    if (len % 4 != 0)
        return SIZE_MAX;
    uint32_t bits = 0;
    size_t n = 0;
    for (size_t i = 0; i < len - pad; i++) {
        const char *digit = text[i] ? strchr(digits, text[i]) : NULL;
        if (digit == NULL)
            return SIZE_MAX;
        bits = bits << 6 | (uint32_t)(digit - digits);
        if (i % 4 != 0)
            out[n++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
    }
    uint32_t unused = pad == 2 ? bits & 15 : pad == 1 ? bits & 3 : 0;
    return unused ? SIZE_MAX : n;
}

json_t *jsontext_new(const char *bytes, size_t len)
{
    json_t *text = memchr(bytes, 0, len) ? NULL : json_stringn(bytes, len);
    return text ? text : encode((const uint8_t *)bytes, len);
}

static int get_base64(const json_t *text, char **ret, size_t *ret_len, Error *err)
{
    size_t len = json_string_length(text);
    _cleanup_free_ char *bytes = xmalloc(len / 4 * 3 + 1);
    size_t n = decode(json_string_value(text), len, (uint8_t *)bytes);
    if (n == SIZE_MAX)
        return error_set(err, ERR_CORRUPT, "\"base64\" is malformed");
    bytes[n] = 0;
    *ret = steal(bytes);
    *ret_len = n;
    return 0;
}

static char *get_string(const json_t *text, size_t *ret_len)
{
    *ret_len = json_string_length(text);
    return memcpy(xmalloc(*ret_len + 1), json_string_value(text), *ret_len + 1);
}

int jsontext_get(const json_t *json, char **ret, size_t *ret_len, Error *err)
{
    _cleanup_free_ char *text = NULL;
    size_t len = 0;
    const json_t *base64 = json_object_get(json, "base64");
    if (json_is_string(base64) && json_object_size(json) == 1) {
        if (get_base64(base64, &text, &len, err) < 0)
            return -1;
    } else if (json_is_string(json)) {
        text = get_string(json, &len);
    } else {
        return error_set(err, ERR_CORRUPT, "neither a string nor an object with \"base64\"");
    }
    if (ret_len == NULL && strlen(text) != len)
        return error_set(err, ERR_CORRUPT, "a text holds a zero byte");
    if (ret_len)
        *ret_len = len;
    *ret = steal(text);
    return 0;
}
