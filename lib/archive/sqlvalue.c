/* What identifier and string tokens stand for: quotes undone, escapes decoded, letters folded. */
#include <string.h>

#include "kura/mem.h"
#include "kura/sqllex.h"

/* The text between a token's quotes, read one byte after the other. */
typedef struct Reader {
    const char *pos, *end;
} Reader;

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Reads exactly n hexadecimal digits. */
static bool read_hex(Reader *in, int n, uint32_t *ret)
{
    uint32_t value = 0;
    for (int i = 0; i < n; i++) {
        int digit = in->pos < in->end ? hex_digit(*in->pos) : -1;
        if (digit < 0)
            return false;
        value = value << 4 | (uint32_t)digit;
        in->pos++;
    }
    *ret = value;
    return true;
}

static char *put_utf8(char *out, uint32_t code)
{
    if (code < 0x80) {
        *out++ = (char)code;
    } else if (code < 0x800) {
        *out++ = (char)(0xC0 | code >> 6);
        *out++ = (char)(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        *out++ = (char)(0xE0 | code >> 12);
        *out++ = (char)(0x80 | (code >> 6 & 0x3F));
        *out++ = (char)(0x80 | (code & 0x3F));
    } else {
        *out++ = (char)(0xF0 | code >> 18);
        *out++ = (char)(0x80 | (code >> 12 & 0x3F));
        *out++ = (char)(0x80 | (code >> 6 & 0x3F));
        *out++ = (char)(0x80 | (code & 0x3F));
    }
    return out;
}

static bool is_high_surrogate(uint32_t code)
{
    return code >= 0xD800 && code < 0xDC00;
}

static bool is_low_surrogate(uint32_t code)
{
    return code >= 0xDC00 && code < 0xE000;
}

/* Reads the digits of one code point behind its backslash: XXXX or +XXXXXX in U&'', uXXXX or UXXXXXXXX in E''. */
static bool read_code_unit(Reader *in, bool ampersand, uint32_t *ret)
{
    if (in->pos == in->end)
        return false;
    int digits = ampersand ? 4 : *in->pos == 'u' ? 4 : *in->pos == 'U' ? 8 : 0;
    if (ampersand && *in->pos == '+')
        digits = 6;
    if (digits == 0)
        return false;
    if (!ampersand || digits == 6)
        in->pos++;
    return read_hex(in, digits, ret);
}

/* A code point that may be written as two surrogates. Its escape is never shorter than its UTF-8. */
static bool read_code_point(Reader *in, bool ampersand, uint32_t *ret)
{
    uint32_t code, low;
    if (!read_code_unit(in, ampersand, &code))
        return false;
    if (is_high_surrogate(code)) {
        if (in->pos == in->end || *in->pos++ != '\\' || !read_code_unit(in, ampersand, &low) || !is_low_surrogate(low))
            return false;
        code = 0x10000 + ((code & 0x3FF) << 10 | (low & 0x3FF));
    }
    *ret = code;
    return code != 0 && code <= 0x10FFFF && !is_low_surrogate(code);
}

/* What follows a backslash in U&'' and U&"". */
static char *read_ampersand_escape(Reader *in, char *out)
{
    uint32_t code;
    if (in->pos < in->end && *in->pos == '\\') {
        *out++ = *in->pos++;
        return out;
    }
    return read_code_point(in, true, &code) ? put_utf8(out, code) : NULL;
}

/* \ooo and \xhh: a byte of one to three octal, one or two hexadecimal digits; NULL for a NUL. */
static char *read_byte_escape(Reader *in, char *out)
{
    unsigned value = 0;
    if (*in->pos == 'x') {
        in->pos++;
        for (int i = 0; i < 2 && in->pos < in->end && hex_digit(*in->pos) >= 0; i++)
            value = value << 4 | (unsigned)hex_digit(*in->pos++);
    } else {
        for (int i = 0; i < 3 && in->pos < in->end && *in->pos >= '0' && *in->pos <= '7'; i++)
            value = value << 3 | (unsigned)(*in->pos++ - '0');
    }
    if ((value & 0xFF) == 0)
        return NULL;
    *out++ = (char)value;
    return out;
}

/* What follows a backslash in E''. */
static char *read_c_escape(Reader *in, char *out)
{
    static const char letters[] = "bfnrtv", controls[] = "\b\f\n\r\t\v";
    uint32_t code;
    if (in->pos == in->end)
        return NULL;
    char c = *in->pos;
    if (c == 'u' || c == 'U')
        return read_code_point(in, false, &code) ? put_utf8(out, code) : NULL;
    if ((c >= '0' && c <= '7') || (c == 'x' && in->end - in->pos > 1 && hex_digit(in->pos[1]) >= 0))
        return read_byte_escape(in, out);
    const char *letter = strchr(letters, c);
    *out++ = letter && c ? controls[letter - letters] : c;
    in->pos++;
    return out;
}

/* Behind a closing quote: skips to the string's next piece. The lexer has found out that there is one. */
static void skip_to_next_piece(Reader *in)
{
    while (in->pos < in->end && *in->pos != '\'') {
        if (*in->pos == '-')
            while (in->pos < in->end && *in->pos != '\n' && *in->pos != '\r')
                in->pos++;
        else
            in->pos++;
    }
    in->pos++;
}

typedef char *(*ReadEscape)(Reader *in, char *out);

/* No value is longer than its token: a buffer of that size holds it. */
static char *unquote(const SqlToken *token, size_t prefix, ReadEscape read_escape)
{
    char quote = token->start[prefix];
    Reader in = {.pos = token->start + prefix + 1, .end = token->start + token->len - 1};
    _cleanup_free_ char *value = xmalloc(token->len);
    char *out = value;
    while (in.pos < in.end) {
        char c = *in.pos++;
        if (c == '\\' && read_escape) {
            if ((out = read_escape(&in, out)) == NULL)
                return NULL;
        } else if (c == quote && *in.pos != quote) {
            skip_to_next_piece(&in);
        } else {
            in.pos += c == quote;
            *out++ = c;
        }
    }
    *out = 0;
    return steal(value);
}

/* Of a quoted identifier: whether it is U&"". */
static bool has_ampersand(const SqlToken *token)
{
    return token->start[0] != '"';
}

char *sql_ident_value(const SqlToken *token)
{
    if (token->kind == SQL_QUOTED_IDENT)
        return has_ampersand(token) ? unquote(token, 2, read_ampersand_escape) : unquote(token, 0, NULL);
    if (token->kind != SQL_IDENT)
        return NULL;
    char *value = xstrndup(token->start, token->len);
    for (char *c = value; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c + ('a' - 'A'));
    return value;
}

static char *dollar_value(const SqlToken *token)
{
    const char *tag_end = memchr(token->start + 1, '$', token->len - 1);
    size_t tag_len = (size_t)(tag_end - token->start) + 1;
    return xstrndup(token->start + tag_len, token->len - 2 * tag_len);
}

char *sql_string_value(const SqlToken *token)
{
    if (token->kind == SQL_DOLLAR)
        return dollar_value(token);
    if (token->kind != SQL_STRING)
        return NULL;
    switch (token->start[0]) {
    case '\'':
        return unquote(token, 0, NULL);
    case 'e':
    case 'E':
        return unquote(token, 1, read_c_escape);
    case 'n':
    case 'N':
        return unquote(token, 1, NULL);
    case 'u':
    case 'U':
        return unquote(token, 2, read_ampersand_escape);
    default:
        return NULL; /* bits */
    }
}
