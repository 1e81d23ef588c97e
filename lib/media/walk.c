#include "walk.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "kura/mem.h"
#include "kura/stop.h"
#include "path.h"
#include "pattern.h"
#include "scout.h"

/* Levels further up are closed, and opened again by ".." on the way back. */
enum { OPEN_LEVELS_MAX = 100 };

typedef struct Level {
    ScoutDir *dir;
    size_t path_len; /* of its path with the slash behind it; 0: the root */
    bool selected;   /* by an include pattern, itself or through a directory above */
    size_t next;
} Level;

struct Walker {
    PatternSet *include, *exclude, *refetchable; /* exclude holds the latter, too */
    bool one_file_system;
    Notices *notices;
    Scout *scout;
    int root;
    dev_t device; /* of the root */
    Level *levels;
    size_t n_levels, cap_levels;
    Buf path;
    uint64_t vanished;
    LeftOut left_out;
};

static Level *top(Walker *walker)
{
    return &walker->levels[walker->n_levels - 1];
}

/* Something below the root could not be looked at. What is gone was there a moment ago: no fault, but it is said. */
static void note_failure(Walker *walker, const char *path, int error)
{
    if (error == ENOENT || error == ENOTDIR || error == ELOOP) {
        walker->vanished++;
        notices_add(walker->notices, FINDING_WARNING, "file-vanished", NULL, path, "vanished while the backup ran",
                    NULL);
        return;
    }
    notices_add(walker->notices, FINDING_WARNING, "file-unreadable",
                "The backup does not have it. Give the user that runs the backup the right to read it, or exclude it.",
                path, "could not be read", strerror(error));
}

static void set_path(Walker *walker, const Level *level, const char *name)
{
    walker->path.len = level->path_len;
    if (buf_append_str(&walker->path, name, NULL) < 0)
        abort(); /* push() and walker_next() keep paths far below the buffer's limit */
}

/* Enters a directory whose path (without a slash at its end) is walker->path. Takes it. */
static void push(Walker *walker, ScoutDir *dir, bool selected)
{
    if (dir->error)
        note_failure(walker, walker->path.len ? buf_str(&walker->path) : ".", dir->error);
    if (dir->fd < 0 || (walker->one_file_system && walker->n_levels && dir->st.st_dev != walker->device)) {
        scout_leave(dir);
        return;
    }
    if (walker->n_levels == 0)
        walker->device = dir->st.st_dev;
    xgrow(&walker->levels, &walker->cap_levels, walker->n_levels);
    walker->levels[walker->n_levels++] =
        (Level){.dir = dir, .path_len = walker->path.len ? walker->path.len + 1 : 0, .selected = selected};
    if (walker->path.len && buf_append_str(&walker->path, "/", NULL) < 0)
        abort();
    if (walker->n_levels > OPEN_LEVELS_MAX)
        scout_close(walker->levels[walker->n_levels - 1 - OPEN_LEVELS_MAX].dir);
}

/* Opens a closed level again from the one below it. Its ".." is believed only if it is the very same directory: one
 * that was moved meanwhile would lead out of the tree. */
static bool reopen(ScoutDir *dir, const ScoutDir *below)
{
    int fd = below->fd < 0 ? -1 : openat(below->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stat st;
    if (fd < 0)
        return false;
    if (fstat(fd, &st) < 0 || st.st_dev != dir->st.st_dev || st.st_ino != dir->st.st_ino) {
        close(fd);
        return false;
    }
    dir->fd = fd;
    return true;
}

static void pop(Walker *walker)
{
    Level *done = top(walker);
    Level *above = walker->n_levels > 1 ? done - 1 : NULL;
    if (above && above->dir->fd < 0 && !reopen(above->dir, done->dir) && above->next < above->dir->listing.n) {
        _cleanup_free_ char *path =
            above->path_len ? xstrndup(buf_str(&walker->path), above->path_len - 1) : xstrdup(".");
        note_failure(walker, path, ENOENT);
        above->next = above->dir->listing.n;
    }
    scout_leave(done->dir);
    walker->n_levels--;
}

static bool selects(const Walker *walker, const Level *level, const char *path, bool is_dir)
{
    PatternVerdict verdict = pattern_set_match(walker->include, path, is_dir);
    return verdict == PATTERN_NONE ? level->selected : verdict == PATTERN_MATCH;
}

static bool excluded(const Walker *walker, const char *path, bool is_dir)
{
    return pattern_set_match(walker->exclude, path, is_dir) == PATTERN_MATCH;
}

static bool counts(const Walker *walker, const char *path, bool is_dir)
{
    return walker->refetchable && pattern_set_match(walker->refetchable, path, is_dir) == PATTERN_MATCH &&
           excluded(walker, path, is_dir);
}

static bool wanted(const Walker *walker, const Level *level, const char *path, bool is_dir)
{
    if (excluded(walker, path, is_dir))
        return false;
    return selects(walker, level, path, is_dir) || (is_dir && pattern_set_reaches_below(walker->include, path));
}

/* For the scout, which knows paths alone. */
static bool wants_dir(const void *ctx, const char *path)
{
    const Walker *walker = ctx;
    return strlen(path) <= FILESET_PATH_MAX && !excluded(walker, path, true) &&
           (pattern_set_selects(walker->include, path, true) || pattern_set_reaches_below(walker->include, path));
}

static int enter(Walker *walker, size_t item, Error *err)
{
    Level *level = top(walker);
    const char *path = buf_str(&walker->path);
    const Listing *listing = &level->dir->listing;
    if (wanted(walker, level, path, true))
        push(walker, scout_enter(level->dir, item), selects(walker, level, path, true));
    else if (counts(walker, path, true))
        return left_out_below(&walker->left_out, level->dir->fd, listing_name(listing, &listing->items[item]), err);
    return 0;
}

/* Looks at the item whose path is set: 1 with *ret, 0 when it is not wanted or not there. */
static int look(Walker *walker, const Level *level, size_t item, WalkEntry *ret)
{
    struct stat st;
    const ScoutDir *dir = level->dir;
    int error = scout_stat(dir, item, &st);
    if (error) {
        note_failure(walker, buf_str(&walker->path), error);
        return 0;
    }
    if (!wanted(walker, level, buf_str(&walker->path), S_ISDIR(st.st_mode))) {
        if (counts(walker, buf_str(&walker->path), S_ISDIR(st.st_mode)))
            left_out_add(&walker->left_out, &st);
        return 0;
    }
    *ret = (WalkEntry){.path = buf_str(&walker->path),
                       .dir_fd = dir->fd,
                       .name = listing_name(&dir->listing, &dir->listing.items[item]),
                       .st = st};
    return 1;
}

int walker_next(Walker *walker, WalkEntry *ret, Error *err)
{
    while (walker->n_levels) {
        if (stop_check(err) < 0)
            return -1;
        Level *level = top(walker);
        if (level->next == level->dir->listing.n) {
            pop(walker);
            continue;
        }
        size_t number = level->next++;
        const ListingItem *item = &level->dir->listing.items[number];
        set_path(walker, level, listing_name(&level->dir->listing, item));
        if (walker->path.len > FILESET_PATH_MAX) {
            note_failure(walker, buf_str(&walker->path), ENAMETOOLONG);
        } else if (item->below) {
            if (enter(walker, number, err) < 0)
                return -1;
        } else if (look(walker, level, number, ret)) {
            return 1;
        }
    }
    return 0;
}

/* The last pattern that matches wins: what somebody excludes, or takes back, goes before what can be fetched again. */
static PatternSet *new_exclude(const FilesetSpec *spec)
{
    _cleanup_(strvec_done) StrVec all = {0};
    for (size_t i = 0; spec->refetchable && i < spec->refetchable->n; i++)
        strvec_push(&all, spec->refetchable->v[i]);
    for (size_t i = 0; spec->exclude && i < spec->exclude->n; i++)
        strvec_push(&all, spec->exclude->v[i]);
    return pattern_set_new(&all);
}

int walker_new(const FilesetSpec *spec, size_t scouts, Notices *notices, Walker **ret, Error *err)
{
    int root = open(spec->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return error_errno(err, errno, "could not open directory \"%s\"", spec->dir);
    int copy = fcntl(root, F_DUPFD_CLOEXEC, 0);
    if (copy < 0) {
        error_errno(err, errno, "could not open directory \"%s\"", spec->dir);
        close(root);
        return -1;
    }
    Walker *walker = xcalloc(1, sizeof *walker);
    *walker = (Walker){.notices = notices,
                       .root = root,
                       .include = pattern_set_new(spec->include),
                       .exclude = new_exclude(spec),
                       .refetchable = pattern_set_new(spec->refetchable),
                       .one_file_system = spec->one_file_system,
                       .path = BUF_INIT(2 * FILESET_PATH_MAX)};
    const ScoutRules rules = {.exclude_caches = spec->exclude_caches, .one_file_system = spec->one_file_system};
    walker->scout = scout_new(scouts, rules, wants_dir, walker);
    push(walker, scout_top(walker->scout, copy), walker->include == NULL);
    *ret = walker;
    return 0;
}

int walker_root(const Walker *walker)
{
    return walker->root;
}

uint64_t walker_vanished(const Walker *walker)
{
    return walker->vanished;
}

LeftOut walker_left_out(const Walker *walker)
{
    return walker->left_out;
}

void walker_free(Walker *walker)
{
    if (walker == NULL)
        return;
    while (walker->n_levels)
        scout_leave(walker->levels[--walker->n_levels].dir);
    scout_free(walker->scout);
    free(walker->levels);
    pattern_set_free(walker->include);
    pattern_set_free(walker->exclude);
    pattern_set_free(walker->refetchable);
    buf_done(&walker->path);
    close(walker->root);
    free(walker);
}
