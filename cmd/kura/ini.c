/* Written out rather than taken from a library: the usual one tells no line numbers, cuts section names at 50 bytes and
 * lines at 200 without a word, and a connection string is longer than that easily. */
#include "ini.h"

#include <string.h>

#include "kura/mem.h"
#include "kura/words.h"

static char *trim(char *text)
{
    text += strspn(text, " \t");
    size_t len = strlen(text);
    while (len > 0 && strchr(" \t\r", text[len - 1]) != NULL)
        len--;
    text[len] = 0;
    return text;
}

static int syntax_error(const char *file, unsigned line, const char *what, Error *err)
{
    error_set(err, ERR_USAGE, "%s:%u: %s", file, line, what);
    return error_hint(err, "A line is \"[section]\", \"key = value\" or a comment that begins with '#'.");
}

static int read_line(char *line, unsigned number, const char *file, char **section, IniHandler handler, void *ctx,
                     Error *err)
{
    char *text = trim(line);
    if (*text == 0 || *text == '#' || *text == ';')
        return 0;
    if (*text == '[') {
        size_t len = strlen(text);
        if (text[len - 1] != ']')
            return syntax_error(file, number, _("section without \"]\" at its end"), err);
        text[len - 1] = 0;
        free(*section);
        *section = xstrdup(trim(text + 1));
        return handler(ctx, number, *section, NULL, NULL, err);
    }
    char *equals = strchr(text, '=');
    if (equals == NULL || equals == text)
        return syntax_error(file, number, _("line without a key and \"=\""), err);
    *equals = 0;
    return handler(ctx, number, *section, trim(text), trim(equals + 1), err);
}

int ini_read(const char *text, size_t len, const char *file, IniHandler handler, void *ctx, Error *err)
{
    _cleanup_free_ char *section = NULL;
    unsigned number = 0;
    if (memchr(text, 0, len) != NULL)
        return error_set(err, ERR_USAGE, "%s: this is no text file: it holds a zero byte", file);
    for (const char *p = text, *end = text + len; p < end;) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        size_t line_len = (size_t)((newline ? newline : end) - p);
        _cleanup_free_ char *line = xstrndup(p, line_len);
        if (read_line(line, ++number, file, &section, handler, ctx, err) < 0)
            return -1;
        p += line_len + 1;
    }
    return 0;
}
