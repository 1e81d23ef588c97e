/* TypeORM: a migration is a class, known by its member "name" or else by its own name, which ends with the thirteen
 * digits of a moment; the name of the file says nothing. */
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "kura/mem.h"
#include "schema_priv.h"

enum { MOMENT_DIGITS = 13 };
#define WORD "[A-Za-z0-9_$]"
#define CLASS_PATTERN "(^|[^A-Za-z0-9_$.])class[[:space:]]+([A-Za-z_$]" WORD "*)"
#define NAME_PATTERN                                                                                                   \
    "(^|[^A-Za-z0-9_$])name[[:space:]]*(:[[:space:]]*string[[:space:]]*)?=[[:space:]]*['\"`](" WORD "*[0-9]{13})['\"`" \
                                                                                                    "]"

typedef struct Patterns {
    regex_t class, name;
} Patterns;

static bool has_moment(const char *name)
{
    size_t len = strlen(name), digits = 0;
    while (digits < len && name[len - 1 - digits] >= '0' && name[len - 1 - digits] <= '9')
        digits++;
    return digits >= MOMENT_DIGITS;
}

static char *matched(const char *text, const regmatch_t *match)
{
    return xstrndup(text + match->rm_so, (size_t)(match->rm_eo - match->rm_so));
}

/* A class of this name, whose text goes on until `len`. */
static void add_class(const Patterns *patterns, const char *class, const char *text, size_t len, SchemaHistory *ret)
{
    regmatch_t match[4];
    _cleanup_free_ char *body = xstrndup(text, len), *name = NULL;
    if (regexec(&patterns->name, body, ARRAY_SIZE(match), match, 0) == 0)
        name = matched(body, &match[3]);
    const char *id = name ? name : class;
    if (has_moment(id))
        schema_history_add(ret, id, NULL);
}

static void add_classes(const Patterns *patterns, const char *text, SchemaHistory *ret)
{
    regmatch_t match[3];
    _cleanup_free_ char *class = NULL;
    while (regexec(&patterns->class, text, ARRAY_SIZE(match), match, 0) == 0) {
        if (class)
            add_class(patterns, class, text, (size_t)match[0].rm_so, ret);
        free(class);
        class = matched(text, &match[2]);
        text += match[0].rm_eo;
    }
    if (class)
        add_class(patterns, class, text, strlen(text), ret);
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
    Patterns patterns;
    int rc = 0;
    if (regcomp(&patterns.class, CLASS_PATTERN, REG_EXTENDED) != 0 ||
        regcomp(&patterns.name, NAME_PATTERN, REG_EXTENDED) != 0)
        abort();
    for (size_t i = 0; rc == 0 && i < dir->files.n; i++) {
        _cleanup_(buf_done) Buf text = BUF_INIT(2 * SCHEMA_FILE_MAX);
        if (!is_script(dir->files.v[i]))
            continue;
        rc = schema_read_file(dir->dir, dir->files.v[i], &text, err);
        if (rc == 0)
            add_classes(&patterns, buf_str(&text), ret);
    }
    regfree(&patterns.class);
    regfree(&patterns.name);
    return rc;
}
