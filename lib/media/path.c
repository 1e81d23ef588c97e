#include "path.h"

#include <stdio.h>
#include <string.h>

#include "kura/hash.h"
#include "kura/mem.h"

enum { DISPLAY_MAX = 1000, DISPLAY_HALF = 400, UTF8_MAX = 4 };

static bool part_is_safe(const char *part, size_t len)
{
    if (len == 0)
        return false;
    return !(part[0] == '.' && (len == 1 || (len == 2 && part[1] == '.')));
}

bool path_is_safe(const char *path)
{
    size_t total = strlen(path);
    if (total > FILESET_PATH_MAX)
        return false;
    for (const char *part = path;;) {
        size_t len = strcspn(part, "/");
        if (!part_is_safe(part, len))
            return false;
        if (part[len] == 0)
            return true;
        part += len + 1;
    }
}

/* Length of the well-formed UTF-8 sequence at text (shortest form, no surrogates), or 0. text is NUL-terminated, so
 * that looking at the next byte is always allowed once this one was not NUL. */
static size_t utf8_length(const unsigned char *text)
{
    static const struct {
        unsigned char first_min, first_max, second_min, second_max;
        size_t len;
    } forms[] = {
        {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3}, {0xE1, 0xEC, 0x80, 0xBF, 3},
        {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3}, {0xF0, 0xF0, 0x90, 0xBF, 4},
        {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
    };
    if (text[0] < 0x80)
        return 1;
    for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
        if (text[0] < forms[i].first_min || text[0] > forms[i].first_max)
            continue;
        if (text[1] < forms[i].second_min || text[1] > forms[i].second_max)
            return 0;
        for (size_t k = 2; k < forms[i].len; k++)
            if ((text[k] & 0xC0) != 0x80)
                return 0;
        return forms[i].len;
    }
    return 0;
}

/* In a text of which the end is known, a sequence that is cut off counts as none: the byte behind it is not looked at.
 */
bool path_text_is_plain(const char *text, size_t len)
{
    for (size_t i = 0; i < len;) {
        unsigned char byte = (unsigned char)text[i];
        if (byte < 0x20 || byte == '"' || byte == '\\')
            return false;
        if (byte < 0x80) {
            i++;
            continue;
        }
        char sequence[UTF8_MAX + 1] = "";
        memcpy(sequence, text + i, len - i < UTF8_MAX ? len - i : UTF8_MAX);
        size_t n = utf8_length((const unsigned char *)sequence);
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

static char *escape(const char *path)
{
    char *text = xmalloc(4 * strlen(path) + 1), *out = text;
    for (const unsigned char *in = (const unsigned char *)path; *in;) {
        size_t len = utf8_length(in);
        if (len == 0 || *in < 0x20 || *in == 0x7F || *in == '"' || *in == '\\') {
            out += sprintf(out, "\\x%02x", *in++);
            continue;
        }
        memcpy(out, in, len);
        out += len;
        in += len;
    }
    *out = 0;
    return text;
}

char *path_display(const char *path)
{
    size_t len = strlen(path);
    if (len <= DISPLAY_MAX)
        return escape(path);
    _cleanup_free_ char *shortened = xasprintf("%.*s(...)%s", (int)DISPLAY_HALF, path, path + len - DISPLAY_HALF);
    return escape(shortened);
}

uint64_t path_hash(const char *path)
{
    RowDigest digest = {0};
    return rowdigest_add(&digest, path, strlen(path));
}
