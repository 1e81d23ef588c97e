#include "paths.h"

#include <string.h>

#include "kura/mem.h"
#include "path.h"
#include "pattern.h"

/* All that a path can select begins with `begin`, in bytes. What is literal selects that very path and what is below:
 * up to `end`, which has a slash behind it. */
typedef struct Wanted {
    char *text;
    char *begin, *end;
    PatternSet *pattern;
    bool found;
} Wanted;

struct FilesetPaths {
    Wanted *v;
    size_t n;
};

void fileset_paths_free(FilesetPaths *paths)
{
    if (paths == NULL)
        return;
    for (size_t i = 0; i < paths->n; i++) {
        free(paths->v[i].text);
        free(paths->v[i].begin);
        free(paths->v[i].end);
        pattern_set_free(paths->v[i].pattern);
    }
    free(paths->v);
    free(paths);
}

/* What stands in front of the first wildcard; *ret_literal when there is none. To be freed. */
static char *fixed_beginning(const char *text, bool *ret_literal)
{
    char *begin = xstrdup(text), *out = begin;
    while (*text && strchr("*?[", *text) == NULL) {
        if (*text == '\\' && text[1])
            text++;
        *out++ = *text++;
    }
    *ret_literal = *text == 0;
    while (*ret_literal && out > begin && out[-1] == '/')
        out--;
    *out = 0;
    return begin;
}

static PatternSet *tied_to_the_top(const char *text)
{
    _cleanup_(strvec_done) StrVec one = {0};
    strvec_pushf(&one, "/%s", text);
    return pattern_set_new(&one);
}

static int wanted_init(Wanted *wanted, const char *given, Error *err)
{
    bool literal;
    const char *text = given + strspn(given, "/");
    wanted->text = xstrdup(given);
    wanted->begin = fixed_beginning(text, &literal);
    wanted->end = literal ? xasprintf("%s/", wanted->begin) : xstrdup(wanted->begin);
    wanted->pattern = tied_to_the_top(text);
    if (wanted->pattern && (!literal || path_is_safe(wanted->begin)))
        return 0;
    error_set(err, ERR_USAGE, "\"%s\" is no path within a fileset", given);
    return error_hint(err, "Give it as kura show --files does: relative to the fileset's directory, without \".\" and "
                           "\"..\".");
}

int fileset_paths_new(const StrVec *texts, FilesetPaths **ret, Error *err)
{
    FilesetPaths *paths = xcalloc(1, sizeof *paths);
    paths->v = xcalloc(texts->n, sizeof *paths->v);
    for (size_t i = 0; i < texts->n; i++) {
        paths->n++;
        if (wanted_init(&paths->v[i], texts->v[i], err) < 0) {
            fileset_paths_free(paths);
            return -1;
        }
    }
    *ret = paths;
    return 0;
}

int fileset_paths_check(const FilesetPaths *paths, Error *err)
{
    for (size_t i = 0; paths && i < paths->n; i++) {
        if (paths->v[i].found)
            continue;
        _cleanup_free_ char *name = path_display(paths->v[i].text);
        error_set(err, ERR_NOT_FOUND, "the backup has nothing at \"%s\"", name);
        return error_hint(err, "kura show --files lists what it has.");
    }
    return 0;
}

bool fileset_paths_select(FilesetPaths *paths, const char *path, bool is_dir)
{
    bool selected = paths == NULL;
    for (size_t i = 0; paths && i < paths->n; i++) {
        Wanted *wanted = &paths->v[i];
        if (strncmp(path, wanted->begin, strlen(wanted->begin)) != 0 ||
            !pattern_set_selects(wanted->pattern, path, is_dir))
            continue;
        wanted->found = true;
        selected = true;
    }
    return selected;
}

/* Where a piece begins, and where the one behind it does; NULL: nobody knows. */
static const char *begin_of(const ManifestFileset *fileset, size_t piece)
{
    return fileset->index_first && piece < fileset->n_index ? fileset->index_first[piece] : NULL;
}

/* A piece ends before the next one begins. */
static bool may_hold(const ManifestFileset *fileset, size_t piece, const Wanted *wanted)
{
    const char *first = begin_of(fileset, piece), *next = begin_of(fileset, piece + 1);
    return (first == NULL || strncmp(first, wanted->end, strlen(wanted->end)) <= 0) &&
           (next == NULL || strcmp(next, wanted->begin) > 0);
}

bool fileset_piece_may_hold(const ManifestFileset *fileset, size_t piece, const char *path)
{
    const char *first = begin_of(fileset, piece), *next = begin_of(fileset, piece + 1);
    return (first == NULL || strcmp(first, path) <= 0) && (next == NULL || strcmp(next, path) > 0);
}

size_t fileset_paths_pieces(const FilesetPaths *paths, const ManifestFileset *fileset, size_t **ret)
{
    size_t n = 0;
    *ret = xcalloc(fileset->n_index, sizeof **ret);
    for (size_t piece = 0; piece < fileset->n_index; piece++) {
        bool needed = paths == NULL;
        for (size_t i = 0; paths && i < paths->n && !needed; i++)
            needed = may_hold(fileset, piece, &paths->v[i]);
        if (needed)
            (*ret)[n++] = piece;
    }
    return n;
}
