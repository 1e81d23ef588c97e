/* HJSON: JSON for people, with comments, keys and texts without quotes, and commas that may be left out. */
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kura/mem.h"
#include "kura/text.h"
#include "settings.h"
#include "wipe.h"
#include "yamlscalar.h"

typedef struct Reader {
    SettingsInput *input;
    Settings *ret;
    const char *text;
    size_t at, first;
    Error *err;
} Reader;

static int refuse(Reader *reader, const char *what)
{
    return settings_error(reader->input, reader->at, what, reader->err);
}

static bool begins(const Reader *reader, const char *text)
{
    return strncmp(reader->text + reader->at, text, strlen(text)) == 0;
}

static char here(const Reader *reader)
{
    return reader->text[reader->at];
}

/* White space and comments; commas too where they may stand. */
static int skip(Reader *reader, bool commas)
{
    for (;;) {
        while (here(reader) > 0 && here(reader) <= ' ')
            reader->at++;
        if (here(reader) == '#' || begins(reader, "//")) {
            reader->at += strcspn(reader->text + reader->at, "\n");
        } else if (begins(reader, "/*")) {
            const char *end = strstr(reader->text + reader->at + 2, "*/");
            if (end == NULL)
                return refuse(reader, "a comment does not end");
            reader->at = (size_t)(end - reader->text) + 2;
        } else if (commas && here(reader) == ',') {
            reader->at++;
            commas = false; /* one is enough */
        } else {
            return 0;
        }
    }
}

/* ---- texts ---- */

static int four_digits(Reader *reader, uint32_t *ret)
{
    char digits[5] = "";
    strncpy(digits, reader->text + reader->at + 1, 4);
    if (strlen(digits) != 4 || digits[strspn(digits, "0123456789abcdefABCDEF")] != 0)
        return refuse(reader, "invalid \\u in a text");
    *ret = (uint32_t)strtoul(digits, NULL, 16);
    reader->at += 4;
    return 0;
}

static void append_utf8(Buf *out, uint32_t c)
{
    char bytes[4];
    size_t n = 0;
    if (c < 0x80) {
        bytes[n++] = (char)c;
    } else if (c < 0x800) {
        bytes[n++] = (char)(0xc0 | c >> 6);
    } else if (c < 0x10000) {
        bytes[n++] = (char)(0xe0 | c >> 12);
        bytes[n++] = (char)(0x80 | (c >> 6 & 0x3f));
    } else {
        bytes[n++] = (char)(0xf0 | c >> 18);
        bytes[n++] = (char)(0x80 | (c >> 12 & 0x3f));
        bytes[n++] = (char)(0x80 | (c >> 6 & 0x3f));
    }
    if (c >= 0x80)
        bytes[n++] = (char)(0x80 | (c & 0x3f));
    buf_append(out, bytes, n, NULL);
}

/* The reader is at the 'u'; a pair of surrogates is one character. */
static int read_unicode(Reader *reader, Buf *out)
{
    uint32_t c, low;
    if (four_digits(reader, &c) < 0)
        return -1;
    if (c >= 0xd800 && c < 0xdc00 && reader->text[reader->at + 1] == '\\' && reader->text[reader->at + 2] == 'u') {
        reader->at += 2;
        if (four_digits(reader, &low) < 0)
            return -1;
        c = low >= 0xdc00 && low < 0xe000 ? 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00) : 0;
    }
    if (c == 0 || (c >= 0xd800 && c < 0xe000))
        return refuse(reader, "invalid \\u in a text");
    append_utf8(out, c);
    return 0;
}

static int read_escape(Reader *reader, Buf *out)
{
    static const char from[] = "bfnrt\"'\\/", to[] = "\b\f\n\r\t\"'\\/";
    const char *which = here(reader) ? strchr(from, here(reader)) : NULL;
    if (here(reader) == 'u')
        return read_unicode(reader, out);
    if (which == NULL)
        return refuse(reader, "invalid escape in a text");
    return buf_append(out, &to[which - from], 1, NULL);
}

/* "..." or '...'; the reader is at the quote, and then behind the text. */
static int read_quoted(Reader *reader, char **ret)
{
    char quote = here(reader);
    Buf out = BUF_INIT(SIZE_MAX / 2);
    int rc = begins(reader, "'''") ? refuse(reader, "texts of several lines are not read") : 0;
    reader->at++;
    while (rc == 0 && here(reader) != quote) {
        if (here(reader) == 0 || here(reader) == '\n' || here(reader) == '\r') {
            rc = refuse(reader, "a text in quotes does not end on its line");
        } else if (here(reader) == '\\') {
            reader->at++;
            rc = read_escape(reader, &out);
        } else {
            buf_append(&out, reader->text + reader->at, 1, NULL);
        }
        reader->at += rc == 0;
    }
    reader->at += rc == 0;
    if (rc == 0)
        *ret = xstrdup(buf_str(&out));
    secret_buf_done(&out);
    return rc;
}

/* ---- values without quotes ---- */

static bool is_number(const char *text)
{
    text += *text == '-';
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || (digits > 1 && *text == '0'))
        return false;
    text += digits;
    if (*text == '.') {
        digits = strspn(text + 1, "0123456789");
        if (digits == 0)
            return false;
        text += 1 + digits;
    }
    if (*text == 'e' || *text == 'E') {
        text += 1 + (text[1] == '-' || text[1] == '+');
        digits = strspn(text, "0123456789");
        if (digits == 0)
            return false;
        text += digits;
    }
    return *text == 0;
}

static char *trimmed(const char *text, size_t len)
{
    while (len && isspace((unsigned char)text[len - 1]))
        len--;
    return xstrndup(text, len);
}

/* A word with a meaning of its own, where it is followed by what ends a value. NULL: it is none. *ret_null for null. */
static char *literal(const char *text, size_t *ret_len, bool *ret_null)
{
    size_t len = strcspn(text, ",}]#/\r\n");
    while (text[len] == '/' && text[len + 1] != '/' && text[len + 1] != '*')
        len += 1 + strcspn(text + len + 1, ",}]#/\r\n");
    _cleanup_(wipe_text) char *word = trimmed(text, len);
    *ret_len = strlen(word);
    *ret_null = strcmp(word, "null") == 0;
    if (is_number(word))
        return js_number_text(strtod(word, NULL));
    return *ret_null || strcmp(word, "true") == 0 || strcmp(word, "false") == 0 ? steal(word) : NULL;
}

static int put(Reader *reader, const char *path, const char *value, size_t from, size_t len)
{
    return settings_put(reader->ret, reader->first, reader->input, path, value, from, len, reader->err);
}

static int read_bare(Reader *reader, const char *path)
{
    size_t len, from = reader->at;
    bool null = false;
    if (here(reader) == 0 || strchr("{}[],:", here(reader)))
        return refuse(reader, "a value is missing");
    _cleanup_(wipe_text) char *value = literal(reader->text + from, &len, &null);
    if (value == NULL) {
        value = trimmed(reader->text + from, strcspn(reader->text + from, "\r\n"));
        len = strlen(value);
    }
    reader->at += len;
    return null ? 0 : put(reader, path, value, from, len);
}

/* ---- structure ---- */

static int read_value(Reader *reader, const char *path, unsigned depth);

static int read_key(Reader *reader, char **ret)
{
    if (here(reader) == '"' || here(reader) == '\'')
        return read_quoted(reader, ret);
    size_t len = strcspn(reader->text + reader->at, "{}[],: \t\r\n");
    if (len == 0)
        return refuse(reader, "a key is missing");
    *ret = xstrndup(reader->text + reader->at, len);
    reader->at += len;
    return 0;
}

static int read_member(Reader *reader, const char *path, unsigned depth)
{
    _cleanup_free_ char *key = NULL;
    if (read_key(reader, &key) < 0 || skip(reader, false) < 0)
        return -1;
    _cleanup_free_ char *below = xasprintf("%s%s%s", path, *path ? "." : "", key);
    if (here(reader) != ':')
        return refuse(reader, "a key has no \":\" behind it");
    if (settings_have_below(reader->ret, below) && strlen(reader->input->prefix) == 0)
        return refuse(reader, "the same key stands twice");
    reader->at++;
    return skip(reader, false) < 0 ? -1 : read_value(reader, below, depth);
}

static int read_members(Reader *reader, const char *path, char end, unsigned depth)
{
    for (;;) {
        if (skip(reader, true) < 0)
            return -1;
        if (here(reader) == end)
            return 0;
        if (here(reader) == 0)
            return refuse(reader, "the file ends too early");
        if (read_member(reader, path, depth) < 0)
            return -1;
    }
}

static int read_items(Reader *reader, const char *path, unsigned depth)
{
    for (size_t n = 0;; n++) {
        _cleanup_free_ char *below = xasprintf("%s[%zu]", path, n);
        if (skip(reader, n > 0) < 0)
            return -1;
        if (here(reader) == ']')
            return 0;
        if (read_value(reader, below, depth) < 0)
            return -1;
    }
}

static int read_value(Reader *reader, const char *path, unsigned depth)
{
    char first = here(reader);
    size_t from = reader->at;
    if (depth > SETTINGS_DEPTH || strlen(path) > SETTINGS_KEY_MAX)
        return refuse(reader, "values are nested too deeply");
    if (first == '"' || first == '\'') {
        _cleanup_(wipe_text) char *value = NULL;
        return read_quoted(reader, &value) < 0 ? -1 : put(reader, path, value, from, reader->at - from);
    }
    if (first != '{' && first != '[')
        return read_bare(reader, path);
    reader->at++;
    int rc = first == '{' ? read_members(reader, path, '}', depth + 1) : read_items(reader, path, depth + 1);
    reader->at += rc == 0;
    return rc;
}

/* The braces around all may be left out. */
static int read_root(Reader *reader)
{
    if (skip(reader, false) < 0)
        return -1;
    if (here(reader) != '{')
        return read_members(reader, "", 0, 0);
    if (read_value(reader, "", 0) < 0 || skip(reader, false) < 0)
        return -1;
    return here(reader) ? refuse(reader, "something stands behind the end") : 0;
}

int hjson_settings(SettingsInput *input, Settings *ret, Error *err)
{
    Reader reader = {.input = input, .ret = ret, .text = input->text, .first = ret->n, .err = err};
    uint32_t c;
    for (size_t i = 0, width; i < input->len; i += width)
        if ((width = utf8_decode(input->text + i, &c)) == 0 || c == 0)
            return settings_error(input, i, "this is no UTF-8 text", err);
    if (strncmp(input->text, "\xef\xbb\xbf", 3) == 0)
        reader.at = 3;
    return read_root(&reader);
}
