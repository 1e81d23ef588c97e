/* Files of variables as Ruby's dotenv reads them. Its grammar is one regular expression that is tried at the beginning
 * of every line; what follows says the same without a backtracking engine: a value in quotes may go over lines, and
 * where nothing sensible stands behind its end, all of the line is a value without quotes. */
#include <ctype.h>
#include <string.h>

#include "dotenvline.h"
#include "kura/mem.h"
#include "kura/text.h"
#include "settings.h"
#include "wipe.h"

enum { DOTENV_MAX = 64 << 10, UNENDED_MAX = 100 };

/* What differs between versions. */
typedef struct Dialect {
    bool unescape_bare;   /* "\x" is x in values without quotes too: since 2.8 */
    bool expand_newlines; /* "\n" in double quotes is a line break: before 3.0 */
    bool outer_first;     /* ${X} is what an earlier file says rather than this one: before 3.0 */
    bool lone_names;      /* a name alone on its line is an empty variable: since 3.1.5 */
    bool compose;         /* Docker Compose's: "#" begins a comment behind white space only, "$$" is a dollar sign, and
                             ${X:-else} has a default */
} Dialect;

typedef struct Reader {
    SettingsInput *input;
    Settings *ret;
    const Dialect *dialect;
    size_t first;    /* of the settings of this file */
    char *text;      /* with \n at the end of every line */
    size_t *origins; /* where each byte of it stands in the file */
    Error *err;
} Reader;

/* ---- its value ---- */

static const AppSetting *setting_between(const Settings *settings, size_t from, size_t to, const char *prefix,
                                         const char *name, size_t len)
{
    size_t prefix_len = strlen(prefix);
    for (size_t i = from; i < to; i++) {
        const char *key = settings->v[i].key;
        if (strncmp(key, prefix, prefix_len) == 0 && strncmp(key + prefix_len, name, len) == 0 &&
            key[prefix_len + len] == 0)
            return &settings->v[i];
    }
    return NULL;
}

static const char *variable(const Reader *reader, const char *name, size_t len)
{
    const Settings *all = reader->ret;
    const char *prefix = reader->input->prefix;
    const AppSetting *here = setting_between(all, reader->first, all->n, prefix, name, len);
    const AppSetting *earlier = setting_between(all, 0, reader->first, prefix, name, len);
    const AppSetting *found = reader->dialect->outer_first ? (earlier ? earlier : here) : (here ? here : earlier);
    return found ? found->value : "";
}

/* In place: \n and \r become line breaks, or escape themselves where versions leave them as they are. */
static char *expand_newlines(const char *value, bool expand)
{
    char *ret = xmalloc(2 * strlen(value) + 1), *to = ret;
    for (; *value; value++) {
        if (value[0] != '\\' || (value[1] != 'n' && value[1] != 'r')) {
            *to++ = *value;
            continue;
        }
        char which = *++value;
        if (expand) {
            *to++ = which == 'n' ? '\n' : '\r';
        } else {
            *to++ = '\\';
            *to++ = '\\';
            *to++ = which;
        }
    }
    *to = 0;
    return ret;
}

/* "\x" becomes x; "\$" stays for the next step. */
static void unescape(char *value)
{
    char *to = value;
    for (; *value; value++) {
        if (value[0] == '\\' && value[1] && value[1] != '$')
            value++;
        *to++ = *value;
    }
    *to = 0;
}

/* "${NAME:-else}" or "${NAME-else}" from behind the name on, where the variable is empty. true: it was one. */
static bool substitute_default(const char **at, const char *value, Buf *out)
{
    const char *otherwise = *at + (**at == ':') + 1, *close = strchr(*at, '}');
    if (close == NULL || otherwise[-1] != '-' || otherwise > close)
        return false;
    if (value[0])
        buf_append_str(out, value, NULL);
    else
        buf_append(out, otherwise, (size_t)(close - otherwise), NULL);
    *at = close + 1;
    return true;
}

/* One "$NAME" or "${NAME}" at *at; what it stands for goes to out. */
static void substitute(const Reader *reader, const char **at, bool escaped, Buf *out)
{
    const char *start = *at, *name = start + 1 + (start[1] == '{'), *end = name;
    while (isalnum((unsigned char)*end) || *end == '_')
        end++;
    *at = end;
    const char *value = variable(reader, name, (size_t)(end - name));
    if (reader->dialect->compose && start[1] == '{' && end > name && substitute_default(at, value, out))
        return;
    *at += *end == '}';
    if (escaped || end == name)
        buf_append(out, start, (size_t)(*at - start), NULL);
    else
        buf_append_str(out, value, NULL);
}

static char *with_variables(const Reader *reader, const char *value)
{
    Buf out = BUF_INIT(SIZE_MAX / 2);
    while (*value) {
        bool escaped = value[0] == '\\' && value[1] == '$' && value[2] != '(';
        bool dollar = reader->dialect->compose && value[0] == '$' && value[1] == '$';
        value += escaped || dollar;
        if (dollar) {
            buf_append(&out, value++, 1, NULL);
            continue;
        }
        if (value[0] == '$' && value[1] != '(')
            substitute(reader, &value, escaped, &out);
        else
            buf_append(&out, value++, 1, NULL);
        if (out.len > DOTENV_MAX)
            break; /* variables of variables grow without end: settings_add is told by the length */
    }
    char *ret = xstrdup(buf_str(&out));
    secret_buf_done(&out);
    return ret;
}

/* The end of "(...)" with something in it and its parentheses in pairs; NULL: it is none. */
static const char *command_end(const char *at)
{
    int depth = 0;
    const char *start = at;
    for (; *at; at++) {
        if (*at == '(')
            depth++;
        else if (*at == ')' && at[-1] == '(')
            return NULL;
        else if (*at == ')' && --depth == 0)
            return at + 1 > start + 2 ? at + 1 : NULL;
    }
    return NULL;
}

/* What dotenv would run is never run: it stays as it is written, and is told. -1: there are too many that do not end,
 * for each of which the rest of the value is looked through. */
static int without_commands(char *value, bool *ret_command)
{
    bool command = false;
    unsigned unended = 0;
    char *to = value;
    while (*value) {
        bool escaped = value[0] == '\\' && value[1] == '$' && value[2] == '(';
        bool begins = value[escaped] == '$' && value[escaped + 1] == '(';
        const char *end = begins ? command_end(value + escaped + 1) : NULL;
        unended += begins && end == NULL;
        if (unended > UNENDED_MAX)
            return -1;
        if (end == NULL) {
            *to++ = *value++;
            continue;
        }
        command |= !escaped;
        size_t len = (size_t)(end - value) - escaped;
        memmove(to, value + escaped, len);
        to += len;
        value += escaped + len;
    }
    *to = 0;
    *ret_command = command;
    return 0;
}

static char *stripped(const char *value, size_t len)
{
    while (len && dotenv_is_space(value[len - 1]))
        len--;
    while (len && dotenv_is_space(*value)) {
        value++;
        len--;
    }
    return xstrndup(value, len);
}

/* Takes surrounding quotes off; gives which they were, or 0. */
static char unquote(char *value)
{
    size_t len = strlen(value);
    char quote = value[0];
    if (len < 2 || (quote != '"' && quote != '\'') || value[len - 1] != quote)
        return 0;
    memmove(value, value + 1, len - 2);
    value[len - 2] = 0;
    return quote;
}

static bool expands_newlines(const Reader *reader)
{
    static const char mode[] = "DOTENV_LINEBREAK_MODE";
    return reader->dialect->expand_newlines || strcmp(variable(reader, mode, strlen(mode)), "legacy") == 0;
}

/* NULL: it cannot be read. */
static char *read_value(const Reader *reader, const DotenvLine *line, bool *ret_command)
{
    _cleanup_(wipe_text) char *value = stripped(reader->text + line->value, line->value_len);
    char quote = unquote(value);
    *ret_command = false;
    if (quote == '\'')
        return steal(value);
    if (quote == '"') {
        char *expanded = expand_newlines(value, expands_newlines(reader));
        wipe_text(&value);
        value = expanded;
    }
    if (quote == '"' || reader->dialect->unescape_bare)
        unescape(value);
    char *ret = with_variables(reader, value);
    if (without_commands(ret, ret_command) < 0)
        wipe_text(&ret);
    return ret;
}

/* ---- the file ---- */

static size_t origin(const Reader *reader, size_t at)
{
    return reader->origins[at];
}

/* Of equal keys the last one counts. */
static int put(Reader *reader, const DotenvLine *line, const char *value)
{
    size_t from = line->value, len = line->value_len;
    while (len && dotenv_is_space(reader->text[from + len - 1]))
        len--;
    while (len && dotenv_is_space(reader->text[from])) {
        from++;
        len--;
    }
    size_t offset = origin(reader, from);
    _cleanup_free_ char *key = xstrndup(reader->text + line->key, line->key_len);
    return settings_put(reader->ret, reader->first, reader->input, key, value, offset,
                        origin(reader, from + len) - offset, reader->err);
}

static int refuse_export(Reader *reader, size_t at)
{
    return settings_error(reader->input, origin(reader, at), "a variable is exported that has no value", reader->err);
}

static bool is_set(const Reader *reader, size_t name, size_t len)
{
    return setting_between(reader->ret, reader->first, reader->ret->n, reader->input->prefix, reader->text + name,
                           len) != NULL;
}

static int read_assignment(Reader *reader, const DotenvLine *line)
{
    if (reader->dialect->lone_names && line->exported && line->value_len == 0)
        return is_set(reader, line->key, line->key_len) ? 0 : refuse_export(reader, line->key);
    bool command;
    _cleanup_(wipe_text) char *value = read_value(reader, line, &command);
    if (value == NULL)
        return settings_error(reader->input, origin(reader, line->key), "too many commands of a value do not end",
                              reader->err);
    if (strlen(value) > DOTENV_MAX)
        return settings_error(reader->input, origin(reader, line->key), "a value is too long", reader->err);
    if (command)
        findings_add(reader->input->findings, FINDING_WARNING, "app-command",
                     "Write the value itself, where a backup must know it.",
                     "%s:%u: the application would run a command for the value of \"%.*s\"; kura does not",
                     reader->input->file, settings_line(reader->input, origin(reader, line->key)), (int)line->key_len,
                     reader->text + line->key);
    return put(reader, line, value);
}

/* "export NAME.." without a value is right only where all these are set, before or behind it. */
static int check_export(Reader *reader, size_t at, size_t end)
{
    bool first = true;
    while ((at = dotenv_skip_space(reader->text, at)) < end) {
        size_t len = 0;
        while (at + len < end && !dotenv_is_space(reader->text[at + len]))
            len++;
        if (first && (len != 6 || strncmp(reader->text + at, "export", 6) != 0))
            return 0;
        if (!first && !is_set(reader, at, len))
            return refuse_export(reader, at);
        first = false;
        at += len;
    }
    return 0;
}

/* Every assignment, and then, as those are all known, the lines that are none. */
static int read_lines(Reader *reader, bool exports)
{
    const char *text = reader->text;
    DotenvLine line;
    for (size_t at = 0; text[at];) {
        if (dotenv_assignment(text, at, reader->dialect->lone_names, reader->dialect->compose, &line)) {
            if (!exports && read_assignment(reader, &line) < 0)
                return -1;
            at = line.end;
        } else if (exports && check_export(reader, at, dotenv_skip_line(text, at)) < 0) {
            return -1;
        }
        at = dotenv_skip_line(text, at);
        at += text[at] == '\n';
    }
    return 0;
}

static int normalize(Reader *reader)
{
    const char *from = reader->input->text;
    size_t len = reader->input->len, n = 0, width;
    uint32_t c;
    reader->text = xmalloc(len + 1);
    reader->origins = xreallocarray(NULL, len + 1, sizeof *reader->origins);
    reader->text[0] = 0;
    for (size_t i = len >= 3 && memcmp(from, "\xef\xbb\xbf", 3) == 0 ? 3 : 0; i < len; i += width) {
        width = utf8_decode(from + i, &c);
        if (width == 0 || c == 0)
            return settings_error(reader->input, i, "this is no UTF-8 text", reader->err);
        for (size_t k = 0; k < width; k++, n++) {
            reader->text[n] = from[i + k];
            reader->text[n + 1] = 0;
            reader->origins[n] = i + k;
        }
        if (c == '\r') {
            reader->text[n - 1] = '\n';
            width += from[i + 1] == '\n';
        }
    }
    reader->origins[n] = len;
    return 0;
}

static int read_dotenv(SettingsInput *input, const Dialect *dialect, Settings *ret, Error *err)
{
    Reader reader = {.input = input, .ret = ret, .dialect = dialect, .first = ret->n, .err = err};
    if (input->len > DOTENV_MAX)
        return settings_error(input, 0, "this is too large for a file of variables", err);
    int rc = normalize(&reader);
    if (rc == 0)
        rc = read_lines(&reader, false);
    if (rc == 0 && !dialect->lone_names)
        rc = read_lines(&reader, true);
    wipe_text(&reader.text);
    free(reader.origins);
    return rc;
}

int dotenv_settings(SettingsInput *input, Settings *ret, Error *err)
{
    static const Dialect dialect = {.unescape_bare = true, .lone_names = true};
    return read_dotenv(input, &dialect, ret, err);
}

int dotenv28_settings(SettingsInput *input, Settings *ret, Error *err)
{
    static const Dialect dialect = {.unescape_bare = true, .expand_newlines = true, .outer_first = true};
    return read_dotenv(input, &dialect, ret, err);
}

int dotenv2_settings(SettingsInput *input, Settings *ret, Error *err)
{
    static const Dialect dialect = {.expand_newlines = true, .outer_first = true};
    return read_dotenv(input, &dialect, ret, err);
}

int compose_settings(SettingsInput *input, Settings *ret, Error *err)
{
    static const Dialect dialect = {.expand_newlines = true, .lone_names = true, .compose = true};
    return read_dotenv(input, &dialect, ret, err);
}

int envfile_settings(SettingsInput *input, Settings *ret, Error *err)
{
    for (size_t at = 0; at < input->len;) {
        size_t end = at + strcspn(input->text + at, "\r\n"), key = at;
        while (key < end && dotenv_is_space(input->text[key]))
            key++;
        const char *equals = memchr(input->text + key, '=', end - key);
        if (equals && input->text[key] != '#') {
            size_t value = (size_t)(equals - input->text) + 1;
            _cleanup_free_ char *name = stripped(input->text + key, value - 1 - key);
            _cleanup_(wipe_text) char *text = xstrndup(input->text + value, end - value);
            if (settings_add(ret, input, name, text, value, end - value, err) < 0)
                return -1;
        }
        at = end + 1;
    }
    return 0;
}
