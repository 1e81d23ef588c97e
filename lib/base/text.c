#include "kura/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "kura/mem.h"
#include "kura/words.h"

size_t utf8_decode(const char *text, uint32_t *ret)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const uint8_t *bytes = (const uint8_t *)text;
    size_t len = bytes[0] < 0x80 ? 1 : bytes[0] >> 5 == 6 ? 2 : bytes[0] >> 4 == 14 ? 3 : bytes[0] >> 3 == 30 ? 4 : 0;
    if (len == 0)
        return 0;
    uint32_t code = len == 1 ? bytes[0] : bytes[0] & (0xFFu >> (len + 1));
    for (size_t i = 1; i < len; i++) {
        if (bytes[i] >> 6 != 2) /* the NUL at the end, too */
            return 0;
        code = code << 6 | (bytes[i] & 0x3F);
    }
    if (code < least[len] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000))
        return 0;
    *ret = code;
    return len;
}

/* Ranges of Unicode, in order: controls, and what takes no room or reorders its neighbours. */
static bool moves_or_hides(uint32_t code)
{
    static const uint32_t ranges[][2] = {{0x00, 0x1F},     {0x7F, 0x9F},      {0xAD, 0xAD},     {0x61C, 0x61C},
                                         {0x115F, 0x1160}, {0x180E, 0x180E},  {0x200B, 0x200F}, {0x2028, 0x202E},
                                         {0x2060, 0x206F}, {0x3164, 0x3164},  {0xFEFF, 0xFEFF}, {0xFFA0, 0xFFA0},
                                         {0xFFF9, 0xFFFB}, {0xE0000, 0xE0FFF}};
    for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
        if (code <= ranges[i][1])
            return code >= ranges[i][0];
    return false;
}

size_t text_plain(const char *text)
{
    uint32_t code;
    size_t len = utf8_decode(text, &code);
    return len > 0 && !moves_or_hides(code) ? len : 0;
}

size_t text_escape_one(Buf *out, const char *text)
{
    uint32_t code;
    size_t len = text_plain(text);
    if (len > 0) {
        buf_append(out, text, len, NULL);
        return len;
    }
    if (*text == '\n' || *text == '\t') {
        buf_append_str(out, *text == '\n' ? "\\n" : "\\t", NULL);
        return 1;
    }
    len = utf8_decode(text, &code);
    if (len == 0)
        len = 1;
    for (size_t i = 0; i < len; i++)
        buf_printf(out, NULL, "\\x%02x", (uint8_t)text[i]);
    return len;
}

void text_escape(Buf *out, const char *text)
{
    while (*text)
        text += text_escape_one(out, text);
}

char *text_escaped(const char *text)
{
    _cleanup_(buf_done) Buf out = BUF_INIT(strlen(text) * 4 + 1);
    text_escape(&out, text);
    return xstrdup(buf_str(&out));
}

char *text_bytes(uint64_t bytes, char out[TEXT_SIZE])
{
    static const char *units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = (double)bytes;
    size_t unit = 0;
    /* from 1023.95 on the one decimal would read "1024.0" */
    while (value >= (unit ? 1023.95 : 1024) && unit + 1 < ARRAY_SIZE(units)) {
        value /= 1024;
        unit++;
    }
    snprintf(out, TEXT_SIZE, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
    return out;
}

char *text_count(uint64_t count, char out[TEXT_SIZE])
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%llu", (unsigned long long)count), used = 0;
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            out[used++] = ',';
        out[used++] = digits[i];
    }
    out[used] = 0;
    return out;
}

char *text_seconds(double seconds, char out[TEXT_SIZE])
{
    if (!(seconds > 0))
        seconds = 0;
    if (seconds < 59.95) {
        snprintf(out, TEXT_SIZE, _("%.1f s"), seconds);
        return out;
    }
    unsigned long long whole = seconds < 1e15 ? (unsigned long long)(seconds + 0.5) : 0;
    if (whole < 3600)
        snprintf(out, TEXT_SIZE, _("%llu min %02llu s"), whole / 60, whole % 60);
    else
        snprintf(out, TEXT_SIZE, _("%llu h %02llu min"), whole / 3600, whole % 3600 / 60);
    return out;
}

char *text_age(double seconds, char out[TEXT_SIZE])
{
    if (!(seconds >= 2 * 86400))
        return text_seconds(seconds, out);
    snprintf(out, TEXT_SIZE, _("%.0f days"), floor(seconds / 86400));
    return out;
}
