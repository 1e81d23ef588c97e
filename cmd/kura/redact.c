#include "redact.h"

#include <libpq-fe.h>
#include <string.h>

#define BLANK "****"

static bool is_secret(const PQconninfoOption *option)
{
    return option->dispchar[0] == '*' || strncmp(option->keyword, "scram_", 6) == 0 ||
           strstr(option->keyword, "secret") != NULL;
}

static void append_value(Buf *out, const char *value)
{
    if (value[0] != 0 && strpbrk(value, " '\\\t\n") == NULL) {
        buf_append_str(out, value, NULL);
        return;
    }
    buf_append(out, "'", 1, NULL);
    for (const char *p = value; *p; p++) {
        if (*p == '\'' || *p == '\\')
            buf_append(out, "\\", 1, NULL);
        buf_append(out, p, 1, NULL);
    }
    buf_append(out, "'", 1, NULL);
}

static PQconninfoOption *parse(const char *conninfo)
{
    char *message = NULL;
    PQconninfoOption *options = PQconninfoParse(conninfo, &message);
    PQfreemem(message);
    return options;
}

/* libpq takes a string without '=' and without a URI's scheme for a database name. */
static bool is_dbname(const char *conninfo)
{
    return strchr(conninfo, '=') == NULL && strstr(conninfo, "://") == NULL;
}

/* A URL that is not libpq's. */
static bool foreign_url(const char *text)
{
    return strncmp(text, "redis://", 8) == 0 || strncmp(text, "rediss://", 9) == 0 || strncmp(text, "unix://", 7) == 0;
}

char *redact_conninfo(const char *conninfo)
{
    if (is_dbname(conninfo) || (foreign_url(conninfo) && !conninfo_has_secret(conninfo)))
        return xstrdup(conninfo);
    PQconninfoOption *options = parse(conninfo);
    if (options == NULL)
        return xstrdup(BLANK);
    _cleanup_(buf_done) Buf out = BUF_INIT(1024 * 1024);
    for (const PQconninfoOption *option = options; option->keyword != NULL; option++) {
        if (option->val == NULL)
            continue;
        buf_printf(&out, NULL, "%s%s=", out.len ? " " : "", option->keyword);
        append_value(&out, is_secret(option) ? BLANK : option->val);
    }
    PQconninfoFree(options);
    return xstrdup(buf_str(&out));
}

bool conninfo_has_secret(const char *conninfo)
{
    if (is_dbname(conninfo))
        return false;
    if (foreign_url(conninfo))
        return strpbrk(conninfo, "@?") != NULL;
    PQconninfoOption *options = parse(conninfo);
    bool found = options == NULL;
    for (const PQconninfoOption *option = options; option != NULL && option->keyword != NULL; option++)
        found = found || (option->val != NULL && option->val[0] != 0 && is_secret(option));
    PQconninfoFree(options);
    return found;
}

static void append_word(Buf *out, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+./:,@%=*";
    buf_append_str(out, out->len ? " " : "", NULL);
    if (word[0] != 0 && word[strspn(word, plain)] == 0) {
        buf_append_str(out, word, NULL);
        return;
    }
    buf_append(out, "'", 1, NULL);
    for (const char *p = word; *p; p++)
        buf_append_str(out, *p == '\'' ? "'\\''" : (char[]){*p, 0}, NULL);
    buf_append(out, "'", 1, NULL);
}

/* The secret option that a word is, or NULL; *ret_value is what stands behind its '=', or NULL when the next word is
 * it. */
static const OptionSpec *find_secret(const char *word, const char **ret_value)
{
    for (size_t i = 0; i < OPT_COUNT; i++) {
        size_t len = strlen(option_specs[i].name);
        bool may_be_secret = option_specs[i].secret || i == OPT_SET; /* any setting of an application */
        if (!may_be_secret || strncmp(word, "--", 2) != 0 || strncmp(word + 2, option_specs[i].name, len) != 0)
            continue;
        *ret_value = word[2 + len] == '=' ? word + 3 + len : NULL;
        if (*ret_value != NULL || word[2 + len] == 0)
            return &option_specs[i];
    }
    return NULL;
}

static char *blank_value(const OptionSpec *spec, const char *value)
{
    return spec->type == OPTION_CONNINFO ? redact_conninfo(value) : xstrdup(BLANK);
}

char *redact_command_line(int argc, const char *const argv[])
{
    _cleanup_(buf_done) Buf out = BUF_INIT(4 * 1024 * 1024);
    for (int i = 0; i < argc; i++) {
        const char *value;
        const OptionSpec *secret = i > 0 ? find_secret(argv[i], &value) : NULL;
        if (secret == NULL) {
            append_word(&out, argv[i]);
            continue;
        }
        if (value == NULL) {
            append_word(&out, argv[i]);
            value = i + 1 < argc ? argv[++i] : "";
            _cleanup_free_ char *blanked = blank_value(secret, value);
            append_word(&out, blanked);
            continue;
        }
        _cleanup_free_ char *blanked = blank_value(secret, value);
        _cleanup_free_ char *word = xasprintf("%.*s%s", (int)(value - argv[i]), argv[i], blanked);
        append_word(&out, word);
    }
    return xstrdup(buf_str(&out));
}
