/* Elixir's configuration files, as far as they are data: `config :app, Key, name: value, ..` with texts, numbers, atoms
 * and lists of names and values. What is computed is passed over: no code is run. */
#include <ctype.h>
#include <string.h>

#include "kura/mem.h"
#include "settings.h"
#include "wipe.h"

typedef struct Reader {
    SettingsInput *input;
    Settings *ret;
    const char *text;
    size_t at, first;
    Error *err;
} Reader;

static char here(const Reader *reader)
{
    return reader->text[reader->at];
}

static bool begins(const Reader *reader, const char *text)
{
    return strncmp(reader->text + reader->at, text, strlen(text)) == 0;
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '?' || c == '!' || c == '@';
}

static void skip_comment(Reader *reader)
{
    reader->at += strcspn(reader->text + reader->at, "\n");
}

/* White space and comments; lines only where what is read may go on over them. */
static void skip(Reader *reader, bool lines)
{
    for (;;) {
        reader->at += strspn(reader->text + reader->at, lines ? " \t\r\n" : " \t\r");
        if (here(reader) != '#')
            return;
        skip_comment(reader);
    }
}

/* ---- texts ---- */

/* Behind a text in quotes, or at the end of the file. */
static void skip_quoted(Reader *reader)
{
    static const char *const heredocs[] = {"\"\"\"", "'''"};
    char quote = here(reader);
    for (size_t i = 0; i < ARRAY_SIZE(heredocs); i++)
        if (begins(reader, heredocs[i])) {
            const char *end = strstr(reader->text + reader->at + 3, heredocs[i]);
            reader->at = end ? (size_t)(end - reader->text) + 3 : reader->at + strlen(reader->text + reader->at);
            return;
        }
    for (reader->at++; here(reader) && here(reader) != quote; reader->at++)
        reader->at += here(reader) == '\\' && reader->text[reader->at + 1];
    reader->at += here(reader) == quote;
}

/* The content of a text; NULL where something is computed in it, or an escape is not known. */
static char *unquoted(const char *text, size_t len)
{
    static const char from[] = "ntrs0aebfdv", to[] = "\n\t\r \0\a\033\b\f\177\v";
    if (len < 2 || text[len - 1] != text[0] || (len >= 6 && text[1] == text[0]))
        return NULL;
    char *ret = xmalloc(len), *out = ret;
    for (size_t i = 1; i < len - 1; i++) {
        char c = text[i];
        if (c == '#' && text[i + 1] == '{')
            break;
        if (c == '\\') {
            const char *which = strchr(from, text[++i]);
            if (text[i] == 'x' || text[i] == 'u' || text[i] == '0' || i >= len - 1)
                break;
            c = which ? to[which - from] : text[i];
        }
        *out++ = c;
        if (i == len - 2) {
            *out = 0;
            return ret;
        }
    }
    *out = 0;
    if (len == 2)
        return ret;
    wipe_text(&ret);
    return NULL;
}

/* ---- values ---- */

static int read_pairs(Reader *reader, const char *path, char end, unsigned depth);

/* Passes over an expression: to a comma, a closing bracket, or the end of a line on which it can end. */
static void skip_expression(Reader *reader)
{
    int depth = 0;
    char last = 0;
    for (char c; (c = here(reader)); reader->at++) {
        if (c == '"' || (c == '\'' && !is_word(last))) {
            skip_quoted(reader);
            reader->at--;
        } else if (c == '#') {
            skip_comment(reader);
            reader->at--;
        } else if (strchr("([{", c)) {
            depth++;
        } else if (strchr(")]}", c)) {
            if (depth-- == 0)
                return;
        } else if (depth == 0 && (c == ',' || (c == '\n' && (last == 0 || !strchr("|<>=+&.-*/", last))))) {
            return;
        }
        if (here(reader) == 0)
            return;
        if (!isspace((unsigned char)c))
            last = c;
    }
}

static int put(Reader *reader, const char *path, const char *value, size_t from, size_t to)
{
    return settings_put(reader->ret, reader->first, reader->input, path, value, from, to - from, reader->err);
}

/* Passes over a value that is no data. */
static int skip_value(Reader *reader, const char *path)
{
    if (begins(reader, "System."))
        findings_add(reader->input->findings, FINDING_NOTE, "app-value",
                     "Where a backup must know it, say it in the configuration of kura.",
                     "%s:%u: \"%s\" is taken from the application's environment, which kura does not know",
                     reader->input->file, settings_line(reader->input, reader->at), path);
    skip_expression(reader);
    return 0;
}

/* Whether a value ends here, so that what was read is all of it. */
static bool is_end(const Reader *reader)
{
    size_t at = reader->at + strspn(reader->text + reader->at, " \t\r");
    return strchr(",])}\n#", reader->text[at]) != NULL; /* or the file's */
}

static int read_text(Reader *reader, const char *path)
{
    size_t from = reader->at;
    skip_quoted(reader);
    _cleanup_(wipe_text) char *value = unquoted(reader->text + from, reader->at - from);
    if (value && is_end(reader))
        return put(reader, path, value, from, reader->at);
    skip_expression(reader);
    return 0;
}

/* Numbers, atoms, names of modules. */
static int read_word(Reader *reader, const char *path)
{
    size_t from = reader->at, colon = here(reader) == ':';
    reader->at += colon;
    while (is_word(here(reader)) || (here(reader) == '.' && is_word(reader->text[reader->at + 1])))
        reader->at++;
    size_t len = reader->at - from - colon;
    _cleanup_free_ char *word = xstrndup(reader->text + from + colon, len);
    if (len == 0 || !is_end(reader) || (islower((unsigned char)*word) && strchr(word, '.'))) {
        reader->at = from;
        return skip_value(reader, path);
    }
    if (isdigit((unsigned char)*word)) { /* 5_432 is 5432 */
        char *to = word;
        for (const char *c = word; *c; c++)
            if (*c != '_')
                *to++ = *c;
        *to = 0;
    }
    return strcmp(word, "nil") == 0 ? 0 : put(reader, path, word, from, reader->at);
}

/* Whether "name: " stands here; its length then. */
static size_t name_length(const Reader *reader)
{
    size_t len = 0;
    while (is_word(reader->text[reader->at + len]))
        len++;
    return len && reader->text[reader->at + len] == ':' && isspace((unsigned char)reader->text[reader->at + len + 1])
               ? len
               : 0;
}

static int read_list(Reader *reader, const char *path, unsigned depth)
{
    size_t from = reader->at++;
    skip(reader, true);
    if (name_length(reader) && depth < SETTINGS_DEPTH) {
        if (read_pairs(reader, path, ']', depth + 1) < 0)
            return -1;
        reader->at += here(reader) == ']';
        return 0;
    }
    reader->at = from;
    skip_expression(reader);
    return 0;
}

static int read_value(Reader *reader, const char *path, unsigned depth)
{
    if (here(reader) == '"' || here(reader) == '\'')
        return read_text(reader, path);
    if (here(reader) == '[')
        return read_list(reader, path, depth);
    return read_word(reader, path);
}

/* "name: value, name: value"; ends at `end`, or where no name follows. */
static int read_pairs(Reader *reader, const char *path, char end, unsigned depth)
{
    for (size_t len; (len = name_length(reader)) > 0;) {
        _cleanup_free_ char *below = xasprintf("%s.%.*s", path, (int)len, reader->text + reader->at);
        reader->at += len + 1;
        skip(reader, true);
        if (read_value(reader, below, depth) < 0)
            return -1;
        skip(reader, end != 0);
        if (here(reader) != ',')
            return 0;
        reader->at++;
        skip(reader, true);
    }
    return 0;
}

/* ---- statements ---- */

/* ":app" or "Some.Module" and the comma behind it; false: something else stands there. */
static bool read_target(Reader *reader, Buf *path)
{
    size_t from = reader->at + (here(reader) == ':'), to = from;
    while (is_word(reader->text[to]) || (reader->text[to] == '.' && is_word(reader->text[to + 1])))
        to++;
    size_t behind = to + strspn(reader->text + to, " \t");
    if (to == from || name_length(reader) || reader->text[behind] != ',')
        return false;
    buf_printf(path, NULL, "%s%.*s", path->len ? "." : "", (int)(to - from), reader->text + from);
    reader->at = behind + 1;
    skip(reader, true);
    return true;
}

static int read_config(Reader *reader)
{
    Buf path = BUF_INIT(SIZE_MAX / 2);
    bool parenthesis = here(reader) == '(';
    reader->at += parenthesis;
    skip(reader, parenthesis);
    int rc = 0;
    if (read_target(reader, &path)) {
        read_target(reader, &path);
        rc = here(reader) == '[' ? read_list(reader, buf_str(&path), 0)
                                 : read_pairs(reader, buf_str(&path), parenthesis ? ')' : 0, 0);
    }
    buf_done(&path);
    return rc;
}

int elixir_settings(SettingsInput *input, Settings *ret, Error *err)
{
    Reader reader = {.input = input, .ret = ret, .text = input->text, .first = ret->n, .err = err};
    if (strlen(input->text) != input->len)
        return settings_error(input, strlen(input->text), "this is no text: it holds a zero byte", err);
    while (here(&reader)) {
        skip(&reader, true);
        bool statement = begins(&reader, "config") && strchr(" \t(", reader.text[reader.at + 6]);
        if (statement && here(&reader)) {
            reader.at += strlen("config");
            reader.at += strspn(reader.text + reader.at, " \t");
            if (read_config(&reader) < 0)
                return -1;
        }
        size_t before = reader.at;
        skip_expression(&reader);
        reader.at += reader.at == before && here(&reader);
    }
    return 0;
}
