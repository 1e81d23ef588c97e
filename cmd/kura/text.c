#include "text.h"

#include <string.h>
#include <wchar.h>

#include "kura/mem.h"

char *text_message(const char *text)
{
    _cleanup_(buf_done) Buf out = BUF_INIT(strlen(text) * 5 + 1); /* a newline takes most */
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
