#include "pattern.h"

#include <fnmatch.h>
#include <locale.h>
#include <string.h>

#include "kura/mem.h"

typedef struct Parts {
    char *text; /* owned, each '/' replaced by NUL */
    char **v;
    size_t n;
} Parts;

typedef struct Pattern {
    Parts parts;
    bool taken_back; /* began with '!' */
    bool dir_only;
} Pattern;

struct PatternSet {
    Pattern *v;
    size_t n, cap;
    locale_t bytes; /* what matches must not depend on who runs this: bytes are compared, as git does */
};

static Parts split(const char *text, size_t len)
{
    Parts parts = {.text = xstrndup(text, len)};
    size_t cap = 0;
    for (char *rest = parts.text, *part; (part = strsep(&rest, "/"));) {
        xgrow(&parts.v, &cap, parts.n);
        parts.v[parts.n++] = part;
    }
    return parts;
}

static void parts_done(Parts *parts)
{
    free(parts->v);
    free(parts->text);
}

/* A pattern without a '/' but at its end matches at any depth, as if it began with "**" and a slash. */
static Pattern parse(const char *text)
{
    Pattern pattern = {0};
    if (*text == '!') {
        pattern.taken_back = true;
        text++;
    }
    size_t len = strlen(text);
    while (len && text[len - 1] == '/') {
        pattern.dir_only = true;
        len--;
    }
    bool anchored = memchr(text, '/', len) != NULL;
    while (len && *text == '/') {
        text++;
        len--;
    }
    if (anchored) {
        pattern.parts = split(text, len);
        return pattern;
    }
    _cleanup_free_ char *anywhere = xasprintf("**/%.*s", (int)len, text);
    pattern.parts = split(anywhere, strlen(anywhere));
    return pattern;
}

PatternSet *pattern_set_new(const StrVec *texts)
{
    PatternSet *set = xcalloc(1, sizeof *set);
    set->bytes = newlocale(LC_ALL_MASK, "C", 0);
    if (set->bytes == (locale_t)0)
        abort(); /* no memory */
    for (size_t i = 0; texts && i < texts->n; i++) {
        if (texts->v[i][strspn(texts->v[i], "!/")] == 0)
            continue;
        xgrow(&set->v, &set->cap, set->n);
        set->v[set->n++] = parse(texts->v[i]);
    }
    if (set->n)
        return set;
    pattern_set_free(set);
    return NULL;
}

void pattern_set_free(PatternSet *set)
{
    if (set == NULL)
        return;
    for (size_t i = 0; i < set->n; i++)
        parts_done(&set->v[i].parts);
    freelocale(set->bytes);
    free(set->v);
    free(set);
}

static bool is_any_depth(const char *part)
{
    return strcmp(part, "**") == 0;
}

static bool part_matches(const char *pattern, const char *part)
{
    return fnmatch(pattern, part, 0) == 0;
}

/* As for `*` within a string: after the last `**` seen, try ever longer stretches for it. Quadratic at worst, since an
 * earlier `**` never needs to be tried again. At the end of a pattern `**` stands for at least one part. */
static bool parts_match(const Parts *pattern, char *const *path, size_t n_path)
{
    size_t p = 0, s = 0, star = SIZE_MAX, star_s = 0;
    while (s < n_path) {
        if (p < pattern->n && is_any_depth(pattern->v[p])) {
            if (++p == pattern->n)
                return true;
            star = p;
            star_s = s;
        } else if (p < pattern->n && part_matches(pattern->v[p], path[s])) {
            p++;
            s++;
        } else if (star != SIZE_MAX) {
            p = star;
            s = ++star_s;
        } else {
            return false;
        }
    }
    return p == pattern->n;
}

static PatternVerdict verdict_in_bytes(const PatternSet *set, const Parts *path, size_t n_parts, bool is_dir)
{
    for (size_t i = set->n; i-- > 0;) {
        const Pattern *pattern = &set->v[i];
        if (pattern->dir_only && !is_dir)
            continue;
        if (parts_match(&pattern->parts, path->v, n_parts))
            return pattern->taken_back ? PATTERN_TAKEN_BACK : PATTERN_MATCH;
    }
    return PATTERN_NONE;
}

static PatternVerdict verdict(const PatternSet *set, const Parts *path, size_t n_parts, bool is_dir)
{
    locale_t old = uselocale(set->bytes);
    PatternVerdict result = verdict_in_bytes(set, path, n_parts, is_dir);
    uselocale(old);
    return result;
}

PatternVerdict pattern_set_match(const PatternSet *set, const char *path, bool is_dir)
{
    if (set == NULL)
        return PATTERN_NONE;
    _cleanup_(parts_done) Parts parts = split(path, strlen(path));
    return verdict(set, &parts, parts.n, is_dir);
}

bool pattern_set_selects(const PatternSet *set, const char *path, bool is_dir)
{
    if (set == NULL)
        return true;
    _cleanup_(parts_done) Parts parts = split(path, strlen(path));
    for (size_t n = parts.n; n > 0; n--) {
        PatternVerdict result = verdict(set, &parts, n, n < parts.n || is_dir);
        if (result != PATTERN_NONE)
            return result == PATTERN_MATCH;
    }
    return false;
}

static bool reaches_below(const Pattern *pattern, const Parts *dir)
{
    for (size_t i = 0; i < dir->n; i++) {
        if (i == pattern->parts.n)
            return false;
        if (is_any_depth(pattern->parts.v[i]))
            return true;
        if (!part_matches(pattern->parts.v[i], dir->v[i]))
            return false;
    }
    return pattern->parts.n > dir->n;
}

bool pattern_set_reaches_below(const PatternSet *set, const char *dir)
{
    if (set == NULL)
        return true;
    _cleanup_(parts_done) Parts parts = split(dir, strlen(dir));
    locale_t old = uselocale(set->bytes);
    bool reaches = false;
    for (size_t i = 0; i < set->n && !reaches; i++)
        reaches = !set->v[i].taken_back && reaches_below(&set->v[i], &parts);
    uselocale(old);
    return reaches;
}
