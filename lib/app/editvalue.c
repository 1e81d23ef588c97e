#include "editvalue.h"

#include <string.h>

#include "kura/mem.h"
#include "yamlscalar.h"

#define WORD "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), len = strlen(end);
    return n >= len && strcmp(text + n - len, end) == 0;
}

FileFormat format_of(const char *file)
{
    if (ends_with(file, ".yml") || ends_with(file, ".yaml"))
        return FORMAT_YAML;
    if (ends_with(file, ".ini") || ends_with(file, ".conf"))
        return FORMAT_INI;
    if (ends_with(file, ".hjson") || ends_with(file, ".json"))
        return FORMAT_HJSON;
    return ends_with(file, ".exs") ? FORMAT_ELIXIR : FORMAT_ENV;
}

static bool all_of(const char *value, const char *characters)
{
    return *value && strspn(value, characters) == strlen(value);
}

static bool is_number(const char *value)
{
    return all_of(value, "0123456789") && (*value != '0' || value[1] == 0);
}

/* Whether it is read back as it stands, without quotes. */
static bool is_plain(FileFormat format, const char *value)
{
    bool same = false;
    char *read = NULL;
    switch (format) {
    case FORMAT_YAML:
        if (!all_of(value, WORD "./@+-") || strchr("-@.+", *value) || yaml_plain_js(value, &read) != YAML_TEXT)
            return false;
        same = strcmp(read, value) == 0;
        free(read);
        return same;
    case FORMAT_ENV:
        return all_of(value, WORD "./:@%+,=?&-");
    case FORMAT_INI:
        return !strpbrk(value, ";#`\"") && *value && !strchr(" \t", *value) && !ends_with(value, " ");
    default:
        return is_number(value);
    }
}

/* Between double quotes; what has a meaning there is escaped. */
static int write_double(FileFormat format, const char *value, Buf *out, Error *err)
{
    if (format == FORMAT_INI && strpbrk(value, "\"\\"))
        return error_set(err, ERR_USAGE, "a value with quotes or backslashes cannot be written here");
    if (buf_append_str(out, "\"", err) < 0)
        return -1;
    for (; *value; value++) {
        bool escaped = strchr("\"\\", *value) || (format == FORMAT_ENV && *value == '$') ||
                       (format == FORMAT_ELIXIR && *value == '#');
        if ((escaped && buf_append_str(out, "\\", err) < 0) || buf_append(out, value, 1, err) < 0)
            return -1;
    }
    return buf_append_str(out, "\"", err);
}

/* Between single quotes, where only YAML has a way to write one. */
static int write_single(FileFormat format, const char *value, Buf *out, Error *err)
{
    if (format != FORMAT_YAML && strchr(value, '\''))
        return write_double(format, value, out, err);
    if (buf_append_str(out, "'", err) < 0)
        return -1;
    for (; *value; value++)
        if (buf_append(out, "''", *value == '\'' ? 2 : 0, err) < 0 ||
            (*value != '\'' && buf_append(out, value, 1, err) < 0))
            return -1;
    return buf_append_str(out, "'", err);
}

int value_write(FileFormat format, const char *was, size_t was_len, const char *value, Buf *out, Error *err)
{
    char quote = was_len > 1 && was[0] == was[was_len - 1] ? was[0] : 0;
    for (const char *at = value; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            return error_set(err, ERR_USAGE, "a value holds control characters");
    if (quote == '"')
        return write_double(format, value, out, err);
    if (quote == '\'' && (format == FORMAT_YAML || format == FORMAT_ENV))
        return write_single(format, value, out, err);
    if (is_plain(format, value))
        return buf_append_str(out, value, err);
    bool single = format == FORMAT_YAML || format == FORMAT_ENV;
    return single ? write_single(format, value, out, err) : write_double(format, value, out, err);
}

int value_write_line(FileFormat format, const char *key, const char *value, Buf *out, Error *err)
{
    static const char *const between[] = {
        [FORMAT_ENV] = "=", [FORMAT_YAML] = ": ", [FORMAT_INI] = " = ", [FORMAT_HJSON] = ": ", [FORMAT_ELIXIR] = ": "};
    const char *last = strrchr(key, '.');
    if (buf_append_str(out, last ? last + 1 : key, err) < 0 || buf_append_str(out, between[format], err) < 0 ||
        value_write(format, "", 0, value, out, err) < 0)
        return -1;
    return format == FORMAT_ELIXIR ? buf_append_str(out, ",", err) : 0;
}
