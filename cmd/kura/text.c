#include "text.h"

#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "kura/mem.h"
#include "kura/sqllex.h"

/* Reads one code point; its length in bytes, or 0 when the bytes are no UTF-8. */
static size_t utf8_decode(const char *text, uint32_t *ret)
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

static int is_hostile(uint32_t code)
{
    return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x061C || (code >= 0x200B && code <= 0x200F) ||
           (code >= 0x2028 && code <= 0x202E) || (code >= 0x2060 && code <= 0x206F) || code == 0xFEFF;
}

/* Appends one character of text, escaped where it must be, and returns how many bytes of text it was. */
static size_t escape_one(Buf *out, const char *text)
{
    uint32_t code;
    size_t len = utf8_decode(text, &code);
    if (len > 0 && !is_hostile(code)) {
        buf_append(out, text, len, NULL);
        return len;
    }
    if (*text == '\n' || *text == '\t') {
        buf_append_str(out, *text == '\n' ? "\\n" : "\\t", NULL);
        return 1;
    }
    if (len == 0)
        len = 1;
    for (size_t i = 0; i < len; i++)
        buf_printf(out, NULL, "\\x%02x", (uint8_t)text[i]);
    return len;
}

void text_escape(Buf *out, const char *text)
{
    while (*text)
        text += escape_one(out, text);
}

/* Room for the worst case: four bytes for each. */
static Buf escape_buf(const char *text)
{
    return BUF_INIT(strlen(text) * 8 + 16);
}

char *text_escaped(const char *text)
{
    _cleanup_(buf_done) Buf out = escape_buf(text);
    text_escape(&out, text);
    return xstrdup(buf_str(&out));
}

char *text_message(const char *text)
{
    _cleanup_(buf_done) Buf out = escape_buf(text);
    while (*text) {
        if (*text == '\n') {
            buf_append_str(&out, "\n    ", NULL);
            text++;
        } else {
            text += escape_one(&out, text);
        }
    }
    return xstrdup(buf_str(&out));
}

/* Appends an identifier in double quotes as U&"..", with what must be escaped as code points. */
static void append_unicode_ident(Buf *out, const char *ident)
{
    buf_append_str(out, "U&", NULL);
    while (*ident) {
        uint32_t code;
        size_t len = utf8_decode(ident, &code);
        if (len > 0 && is_hostile(code))
            buf_printf(out, NULL, "\\%04X", (unsigned)code);
        else if (*ident == '\\')
            buf_append_str(out, "\\\\", NULL);
        else
            buf_append(out, ident, len ? len : 1, NULL);
        ident += len ? len : 1;
    }
}

char *text_sql(const char *sql)
{
    _cleanup_(buf_done) Buf out = escape_buf(sql);
    SqlLexer lexer = {.text = sql, .len = strlen(sql)};
    for (SqlToken token; sql_next(&lexer, &token, NULL) == 0 && token.kind != SQL_END;) {
        _cleanup_free_ char *text = xstrndup(token.start, token.len), *escaped = text_escaped(text);
        if (token.kind == SQL_QUOTED_IDENT && text[0] == '"' && strcmp(text, escaped) != 0)
            append_unicode_ident(&out, text);
        else
            buf_append_str(&out, text, NULL);
    }
    return xstrdup(buf_str(&out));
}

/* Appends text with `escape` in front of each of `special`. */
static void append_escaped(Buf *out, const char *text, const char *special, const char *escape)
{
    for (; *text; text++)
        buf_printf(out, NULL, "%s%c", strchr(special, *text) ? escape : "", *text);
}

char *text_shell(const char *text)
{
    _cleanup_free_ char *plain = text_escaped(text);
    _cleanup_(buf_done) Buf out = escape_buf(text);
    if (strcmp(plain, text) == 0) {
        buf_append_str(&out, "'", NULL);
        append_escaped(&out, text, "'", "'\\'");
    } else {
        _cleanup_(buf_done) Buf inner = escape_buf(text);
        append_escaped(&inner, text, "'\\", "\\");
        buf_append_str(&out, "$'", NULL);
        text_escape(&out, buf_str(&inner));
    }
    buf_append_str(&out, "'", NULL);
    return xstrdup(buf_str(&out));
}

static size_t code_width(uint32_t code)
{
    int width = wcwidth((wchar_t)code);
    return width < 0 ? 1 : (size_t)width;
}

size_t text_width(const char *text)
{
    size_t width = 0;
    while (*text) {
        uint32_t code = 0;
        size_t len = utf8_decode(text, &code);
        width += len ? code_width(code) : 1;
        text += len ? len : 1;
    }
    return width;
}

size_t text_fit(const char *text, size_t columns)
{
    size_t used = 0, width = 0;
    while (text[used]) {
        uint32_t code = 0;
        size_t len = utf8_decode(text + used, &code);
        width += len ? code_width(code) : 1;
        if (width > columns)
            break;
        used += len ? len : 1;
    }
    return used;
}

char *text_utf8(const char *text)
{
    uint32_t code;
    for (const char *p = text; *p;) {
        size_t len = utf8_decode(p, &code);
        if (len == 0)
            return text_escaped(text);
        p += len;
    }
    return xstrdup(text);
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
        snprintf(out, TEXT_SIZE, "%.1f s", seconds);
        return out;
    }
    unsigned long long whole = seconds < 1e15 ? (unsigned long long)(seconds + 0.5) : 0;
    if (whole < 3600)
        snprintf(out, TEXT_SIZE, "%llu min %02llu s", whole / 60, whole % 60);
    else
        snprintf(out, TEXT_SIZE, "%llu h %02llu min", whole / 3600, whole % 3600 / 60);
    return out;
}
