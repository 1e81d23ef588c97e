/* INI files as Forgejo and Gitea read theirs: "#" and ";" begin a comment anywhere but in a quoted value. */
#include <string.h>

#include "kura/mem.h"
#include "settings.h"
#include "wipe.h"

typedef struct Reader {
    SettingsInput *input;
    Settings *ret;
    size_t first;
    char *section; /* "" before the first one */
    Error *err;
} Reader;

typedef struct Span {
    size_t from, to;
} Span;

static Span trimmed(const char *text, size_t from, size_t to)
{
    while (to > from && strchr(" \t\r\v\f", text[to - 1]))
        to--;
    while (from < to && strchr(" \t\r\v\f", text[from]))
        from++;
    return (Span){from, to};
}

static int read_section(Reader *reader, Span line)
{
    const char *text = reader->input->text, *close = memchr(text + line.from, ']', line.to - line.from);
    if (close == NULL)
        return settings_error(reader->input, line.from, "a section has no \"]\" at its end", reader->err);
    Span name = trimmed(text, line.from + 1, (size_t)(close - text));
    free(reader->section);
    reader->section = xstrndup(text + name.from, name.to - name.from);
    if (strcmp(reader->section, "DEFAULT") == 0)
        reader->section[0] = 0;
    return 0;
}

/* What is within quotes that a value begins with: """..""" or `..`, which keep everything, or the usual ones. */
static int unquote(Reader *reader, Span *value, char **ret)
{
    const char *text = reader->input->text + value->from, *end = reader->input->text + value->to;
    size_t quote = strncmp(text, "\"\"\"", 3) == 0 ? 3 : *text == '`';
    if (quote) {
        const char *close = end - quote;
        while (close >= text + quote && strncmp(close, text, quote) != 0)
            close--;
        if (close < text + quote)
            return settings_error(reader->input, value->from, "a quoted value does not end on its line", reader->err);
        value->to = (size_t)(close + quote - reader->input->text);
        *ret = xstrndup(text + quote, (size_t)(close - text) - quote);
        return 0;
    }
    size_t len = strcspn(text, "#;\n");
    *value = trimmed(reader->input->text, value->from, value->from + len < value->to ? value->from + len : value->to);
    len = value->to - value->from;
    bool quoted = len >= 2 && (*text == '"' || *text == '\'') && text[len - 1] == *text;
    *ret = xstrndup(text + quoted, len - 2 * quoted);
    return 0;
}

static int read_key(Reader *reader, Span line)
{
    const char *text = reader->input->text;
    size_t len = strcspn(text + line.from, "=:\n");
    if (line.from + len >= line.to)
        return settings_error(reader->input, line.from, "a line has no \"=\"", reader->err);
    Span name = trimmed(text, line.from, line.from + len), value = trimmed(text, line.from + len + 1, line.to);
    _cleanup_(wipe_text) char *unquoted = NULL;
    if (unquote(reader, &value, &unquoted) < 0)
        return -1;
    _cleanup_free_ char *key = xasprintf("%s%s%.*s", reader->section, *reader->section ? "." : "",
                                         (int)(name.to - name.from), text + name.from);
    return settings_put(reader->ret, reader->first, reader->input, key, unquoted, value.from, value.to - value.from,
                        reader->err);
}

static int read_line(Reader *reader, Span line)
{
    char first = reader->input->text[line.from];
    if (line.from == line.to || first == '#' || first == ';')
        return 0;
    return first == '[' ? read_section(reader, line) : read_key(reader, line);
}

int ini_settings(SettingsInput *input, Settings *ret, Error *err)
{
    Reader reader = {.input = input, .ret = ret, .first = ret->n, .section = xstrdup(""), .err = err};
    int rc = 0;
    if (strlen(input->text) != input->len)
        rc = settings_error(input, strlen(input->text), "this is no text: it holds a zero byte", err);
    size_t at = input->len >= 3 && memcmp(input->text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    while (rc == 0 && at < input->len) {
        size_t end = at + strcspn(input->text + at, "\n");
        rc = read_line(&reader, trimmed(input->text, at, end));
        at = end + 1;
    }
    free(reader.section);
    return rc;
}
