/* TypeORM: a migration is a class, known by its member "name" or else by its own name, which ends with the thirteen
 * digits of a moment; the name of the file says nothing. */
#include <ctype.h>
#include <string.h>

#include "kura/mem.h"
#include "schema_priv.h"

enum { MOMENT_DIGITS = 13 };

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '$';
}

static const char *skip_space(const char *at)
{
    return at + strspn(at, " \t\r\n\f\v");
}

static size_t word_length(const char *at)
{
    size_t len = 0;
    while (is_word(at[len]))
        len++;
    return len;
}

static bool has_moment(const char *name, size_t len)
{
    size_t digits = 0;
    while (digits < len && isdigit((unsigned char)name[len - 1 - digits]))
        digits++;
    return digits >= MOMENT_DIGITS;
}

/* The next place before `end` where the word stands by itself; NULL: none. */
static const char *find_word(const char *text, const char *end, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = text; (at = memmem(at, (size_t)(end - at), word, len)) != NULL; at += len)
        if ((at == text || !is_word(at[-1])) && !is_word(at[len]))
            return at;
    return NULL;
}

/* What `name` is set to here if that ends with a moment; NULL: it is something else. */
static const char *set_name(const char *at, size_t *ret_len)
{
    at = skip_space(at + strlen("name"));
    if (*at == ':') {
        at = skip_space(at + 1);
        at = skip_space(at + word_length(at));
    }
    if (*at != '=')
        return NULL;
    at = skip_space(at + 1);
    if (*at == 0 || strchr("'\"`", *at) == NULL)
        return NULL;
    *ret_len = word_length(at + 1);
    return at[1 + *ret_len] == *at && has_moment(at + 1, *ret_len) ? at + 1 : NULL;
}

/* A class whose text ends before `end`. */
static void add_class(const char *name, const char *end, SchemaHistory *ret)
{
    size_t len = word_length(name), set_len;
    for (const char *at = name + len; (at = find_word(at, end, "name")) != NULL; at++) {
        const char *set = set_name(at, &set_len);
        if (set == NULL)
            continue;
        name = set;
        len = set_len;
        break;
    }
    _cleanup_free_ char *id = xstrndup(name, len);
    if (has_moment(id, len))
        schema_history_add(ret, id, NULL);
}

/* The name of the next class; NULL: there is none. */
static const char *next_class(const char *at, const char *end)
{
    while ((at = find_word(at, end, "class")) != NULL) {
        at += strlen("class");
        const char *name = skip_space(at);
        if (name > at && word_length(name) > 0)
            return name;
    }
    return NULL;
}

void schema_typeorm_classes(const char *text, SchemaHistory *ret)
{
    const char *end = text + strlen(text);
    for (const char *name = next_class(text, end), *next; name != NULL; name = next) {
        next = next_class(name, end);
        add_class(name, next ? next : end, ret);
    }
}

static bool is_script(const char *name)
{
    static const char *const ends[] = {".js", ".cjs", ".mjs", ".ts", ".cts", ".mts"};
    const char *dot = strrchr(name, '.');
    size_t len = strlen(name);
    if (dot == NULL || (len > 5 && strcmp(name + len - 5, ".d.ts") == 0))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
        if (strcmp(dot, ends[i]) == 0)
            return true;
    return false;
}

int schema_read_typeorm(const SchemaDir *dir, SchemaHistory *ret, Error *err)
{
    for (size_t i = 0; i < dir->files.n; i++) {
        _cleanup_(buf_done) Buf text = BUF_INIT(2 * SCHEMA_FILE_MAX);
        if (!is_script(dir->files.v[i]))
            continue;
        if (schema_read_file(dir->dir, dir->files.v[i], &text, err) < 0)
            return -1;
        schema_typeorm_classes(buf_str(&text), ret);
    }
    return 0;
}
