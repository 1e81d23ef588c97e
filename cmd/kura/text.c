#include "text.h"

#include <string.h>
#include <wchar.h>

#include "kura/mem.h"
#include "kura/sqllex.h"

/* Room for the worst case: some bytes for each. */
static Buf escape_buf(const char *text)
{
    return BUF_INIT(strlen(text) * 8 + 16);
}

char *text_message(const char *text)
{
    _cleanup_(buf_done) Buf out = escape_buf(text);
    while (*text) {
        if (*text == '\n') {
            buf_append_str(&out, "\n    ", NULL);
            text++;
        } else {
            text += text_escape_one(&out, text);
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
        if (len > 0 && text_plain(ident) == 0)
            buf_printf(out, NULL, code > 0xFFFF ? "\\+%06X" : "\\%04X", (unsigned)code);
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

char *text_shell_word(const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=,@%+";
    return *text && *text != '=' && strspn(text, plain) == strlen(text) ? xstrdup(text) : text_shell(text);
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

int text_fill(const char *text, size_t columns)
{
    size_t width = text_width(text);
    return width < columns ? (int)(columns - width) : 0;
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
