#include "keyfile_priv.h"

#include <stdio.h>
#include <string.h>

#include "kura/hash.h"
#include "kura/secret.h"

KeyFile *keyfile_new(void)
{
    return secret_new(sizeof(KeyFile));
}

void keyfile_free(KeyFile *file)
{
    secret_free(file, sizeof *file);
}

static int parse_naming_key(const char *value, KeyFile *file)
{
    static const uint8_t none[NAMING_KEY_SIZE];
    if (memcmp(file->naming_key, none, sizeof none) != 0)
        return -1;
    return hex_parse(value, file->naming_key, sizeof file->naming_key);
}

static int parse_recipient(const char *value, KeyFile *file)
{
    if (file->n_recipients == REPO_RECIPIENTS_MAX ||
        age_recipient_parse(value, &file->recipients[file->n_recipients], NULL) < 0)
        return -1;
    file->n_recipients++;
    return 0;
}

static int parse_repository(const char *value, KeyFile *file)
{
    uint8_t bytes[(REPO_ID_SIZE - 1) / 2];
    if (file->repository[0] || hex_parse(value, bytes, sizeof bytes) < 0)
        return -1;
    memcpy(file->repository, value, REPO_ID_SIZE);
    return 0;
}

static int parse_location(const char *value, KeyFile *file)
{
    size_t len = strlen(value);
    if (file->location[0] || len == 0 || len >= LOCATION_SIZE)
        return -1;
    memcpy(file->location, value, len + 1);
    return 0;
}

static const struct {
    const char *keyword;
    int (*parse)(const char *value, KeyFile *file);
} keywords[] = {
    {"repository ", parse_repository},
    {"location ", parse_location},
    {"naming-key ", parse_naming_key},
    {"recipient ", parse_recipient},
};

static int parse_line(const char *line, KeyFile *file)
{
    if (line[0] == 0 || line[0] == '#')
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(keywords); i++) {
        size_t len = strlen(keywords[i].keyword);
        if (strncmp(line, keywords[i].keyword, len) == 0)
            return keywords[i].parse(line + len, file);
    }
    return -1;
}

/* Copies one line into line, which is as large as any text. */
static size_t take_line(const char *text, size_t len, char *line)
{
    const char *end = memchr(text, '\n', len);
    size_t n = end ? (size_t)(end - text) : len;
    memcpy(line, text, n);
    line[n] = 0;
    return n + (end != NULL);
}

static int parse_lines(const char *text, size_t len, char *line, KeyFile *file, Error *err)
{
    size_t at = 0;
    for (unsigned number = 1; at < len; number++) {
        at += take_line(text + at, len - at, line);
        if (parse_line(line, file) < 0)
            return error_set(err, ERR_KEY, "line %u of the key file is malformed", number);
    }
    static const uint8_t none[NAMING_KEY_SIZE];
    if (file->repository[0] == 0 || file->n_recipients == 0 || memcmp(file->naming_key, none, sizeof none) == 0)
        return error_set(err, ERR_KEY, "the key file is incomplete");
    return 0;
}

int keyfile_parse(const char *text, size_t len, KeyFile **ret, Error *err)
{
    _cleanup_(keyfile_free_cleanup) KeyFile *file = keyfile_new();
    _cleanup_(secret_buf_done) Buf line = BUF_INIT(KEYFILE_MAX);
    if (buf_reserve(&line, len, err) < 0 || parse_lines(text, len, (char *)line.data, file, err) < 0)
        return -1;
    *ret = steal(file);
    return 0;
}

int keyfile_format(const KeyFile *file, Buf *out, Error *err)
{
    char hex[2 * NAMING_KEY_SIZE + 1], recipient[AGE_RECIPIENT_SIZE];
    if (buf_reserve(out, KEYFILE_MAX / 2, err) < 0 ||
        buf_append_str(out,
                       "# Key file of a kura repository: with it this host makes backups that it cannot read.\n"
                       "# Keep it here, readable by nobody else; see kura-format(5).\n",
                       err) < 0 ||
        buf_printf(out, err, "repository %s\n", file->repository) < 0 ||
        (file->location[0] && buf_printf(out, err, "location %s\n", file->location) < 0) ||
        buf_append_str(out, "naming-key ", err) < 0)
        return -1;
    hex_format(file->naming_key, sizeof file->naming_key, hex);
    int rc = buf_append_str(out, hex, err); /* not through buf_printf, which would leave a copy behind */
    secret_wipe(hex, sizeof hex);
    if (rc < 0 || buf_append_str(out, "\n", err) < 0)
        return -1;
    for (size_t i = 0; i < file->n_recipients; i++) {
        age_recipient_format(&file->recipients[i], recipient);
        if (buf_printf(out, err, "recipient %s\n", recipient) < 0)
            return -1;
    }
    return 0;
}

int keyfile_read(const char *path, KeyFile **ret, Error *err)
{
    _cleanup_(secret_buf_done) Buf text = BUF_INIT(KEYFILE_MAX);
    if (secret_file_read(path, &text, err) < 0)
        return -1;
    if (keyfile_parse(buf_str(&text), text.len, ret, err) < 0)
        return error_wrap(err, "reading \"%s\"", path);
    return 0;
}
