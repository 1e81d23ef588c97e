#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "dir_priv.h"
#include "kura/mem.h"

/* No put takes that long: what is older was left by a process that was killed. */
enum { TEMP_MAX_AGE = 24 * 3600 };

typedef struct Entry {
    char *name; /* of a directory with '/' at its end, so that sorting gives the order of whole keys */
    uint64_t size;
    int64_t time;
} Entry;

typedef struct Entries {
    Entry *v;
    size_t n, cap;
} Entries;

/* What a walk does with the files it meets. path ends with '/' or is "". */
typedef struct Walk {
    int (*visit)(struct Walk *walk, int dir, const char *path, const Entry *entry, Error *err);
    bool (*wanted)(const struct Walk *walk, const char *name, const struct stat *st);
    time_t now; /* by the clock of the file system */
    StoreListFn fn;
    void *ctx;
} Walk;

static void entries_done(Entries *entries)
{
    for (size_t i = 0; i < entries->n; i++)
        free(entries->v[i].name);
    free(entries->v);
}

static void dir_close(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const Entry *)a)->name, ((const Entry *)b)->name);
}

static bool is_object(const Walk *walk, const char *name, const struct stat *st)
{
    return S_ISREG(st->st_mode) && store_key_valid(name);
}

static bool is_leftover(const Walk *walk, const char *name, const struct stat *st)
{
    size_t len = strlen(name), prefix = strlen(DIR_TEMP_PREFIX), mark = strlen(DIR_TEMP_MARK);
    return S_ISREG(st->st_mode) && len > prefix + mark && strncmp(name, DIR_TEMP_PREFIX, prefix) == 0 &&
           strcmp(name + len - mark, DIR_TEMP_MARK) == 0 && st->st_mtime < walk->now - TEMP_MAX_AGE;
}

static void add_entry(Entries *entries, const Walk *walk, const char *name, const struct stat *st)
{
    bool dir = S_ISDIR(st->st_mode) && store_key_valid(name);
    if (!dir && !walk->wanted(walk, name, st))
        return;
    xgrow(&entries->v, &entries->cap, entries->n);
    entries->v[entries->n++] = (Entry){
        .name = dir ? xasprintf("%s/", name) : xstrdup(name),
        .size = (uint64_t)st->st_size,
        .time = st->st_mtime,
    };
}

/* Reads the directory fd: what begins with name_prefix, sorted. */
static int read_entries(int fd, const Walk *walk, const char *path, const char *name_prefix, Entries *ret, Error *err)
{
    int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* fd's own position is shared among threads */
    _cleanup_(dir_close) DIR *dir = again < 0 ? NULL : fdopendir(again);
    if (dir == NULL)
        return error_errno(err, errno, "could not open directory \"%s\"", path);
    for (;;) {
        errno = 0;
        struct dirent *found = readdir(dir);
        if (found == NULL)
            break;
        struct stat st;
        if (strncmp(found->d_name, name_prefix, strlen(name_prefix)) != 0)
            continue;
        if (fstatat(fd, found->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
            add_entry(ret, walk, found->d_name, &st);
        else if (errno != ENOENT)
            return error_errno(err, errno, "could not look at \"%s%s\"", path, found->d_name);
    }
    if (errno != 0)
        return error_errno(err, errno, "could not read directory \"%s\"", path);
    if (ret->n)
        qsort(ret->v, ret->n, sizeof *ret->v, by_name);
    return 0;
}

static int walk_dir(Walk *walk, int fd, const char *path, const char *name_prefix, Error *err);

static int walk_subdir(Walk *walk, int parent, const char *path, const Entry *entry, Error *err)
{
    _cleanup_free_ char *below = xasprintf("%s%s", path, entry->name);
    if (!store_prefix_valid(below))
        return 0; /* deeper than any key */
    _cleanup_close_ int fd = openat(parent, entry->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT ? 0 : error_errno(err, errno, "could not open directory \"%s\"", below);
    return walk_dir(walk, fd, below, "", err);
}

static int walk_dir(Walk *walk, int fd, const char *path, const char *name_prefix, Error *err)
{
    _cleanup_(entries_done) Entries entries = {0};
    if (read_entries(fd, walk, path, name_prefix, &entries, err) < 0)
        return -1;
    for (size_t i = 0; i < entries.n; i++) {
        const Entry *entry = &entries.v[i];
        bool dir = entry->name[strlen(entry->name) - 1] == '/';
        if ((dir ? walk_subdir : walk->visit)(walk, fd, path, entry, err) < 0)
            return -1;
    }
    return 0;
}

/* Walks everything whose key starts with prefix: "blobs/a" is the directory "blobs" and names that start with "a". */
static int walk_prefix(DirTree *tree, Walk *walk, const char *prefix, Error *err)
{
    const char *slash = strrchr(prefix, '/');
    size_t len = slash ? (size_t)(slash - prefix) : 0;
    _cleanup_(dirref_done) DirRef dir = {.fd = -1};
    Error why = ERROR_INIT;
    if (dirtree_open(tree, prefix, len, DIR_LOOK, &dir, &why) < 0) {
        if (why.code == ERR_NOT_FOUND)
            return 0;
        if (err)
            *err = why;
        return -1;
    }
    _cleanup_free_ char *path = xstrndup(prefix, slash ? len + 1 : 0);
    return walk_dir(walk, dir.fd, path, slash ? slash + 1 : prefix, err);
}

static int list_visit(Walk *walk, int dir, const char *path, const Entry *entry, Error *err)
{
    (void)dir;
    _cleanup_free_ char *key = xasprintf("%s%s", path, entry->name);
    const StoreObject object = {.key = key, .size = entry->size, .time = entry->time};
    return store_key_valid(key) ? walk->fn(walk->ctx, &object, err) : 0;
}

int dirwalk_list(DirTree *tree, const char *prefix, StoreListFn fn, void *ctx, Error *err)
{
    Walk walk = {.visit = list_visit, .wanted = is_object, .fn = fn, .ctx = ctx};
    return walk_prefix(tree, &walk, prefix, err);
}

static int leftover_visit(Walk *walk, int dir, const char *path, const Entry *entry, Error *err)
{
    (void)dir;
    _cleanup_free_ char *name = xasprintf("%s%s", path, entry->name);
    const StoreObject object = {.key = name, .size = entry->size, .time = entry->time};
    return walk->fn(walk->ctx, &object, err);
}

int dirwalk_leftovers(DirTree *tree, time_t now, StoreListFn fn, void *ctx, Error *err)
{
    Walk walk = {.visit = leftover_visit, .wanted = is_leftover, .now = now, .fn = fn, .ctx = ctx};
    return walk_prefix(tree, &walk, "", err);
}

static int tidy_visit(Walk *walk, int dir, const char *path, const Entry *entry, Error *err)
{
    (void)walk;
    if (unlinkat(dir, entry->name, 0) < 0 && errno != ENOENT)
        return error_errno(err, errno, "could not remove \"%s%s\"", path, entry->name);
    return 0;
}

int dirwalk_tidy(DirTree *tree, time_t now, Error *err)
{
    Walk walk = {.visit = tidy_visit, .wanted = is_leftover, .now = now};
    return walk_prefix(tree, &walk, "", err);
}
