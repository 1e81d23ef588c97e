/* A restore reads the index twice. The first pass makes directories, links and fifos as they come, and collects files
 * into windows: within one, workers take all files of a pack together, so that the pack is read once. The second pass
 * is for what must come last: further names of files, and what directories look like from outside. Twice, because the
 * directories of a large fileset (an application may keep one for every file) do not fit into memory. */
#include "kura/fileset.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "index_io.h"
#include "kura/mem.h"
#include "kura/pool.h"
#include "pattern.h"
#include "place.h"

enum {
    WINDOW_WEIGHT = 32 * 1024, /* entries and parts in a window */
    RANGES_MAX = 8,            /* so many files out of one pack may be fetched by themselves, */
    RANGES_SHARE = 4,          /* if together they are less than a quarter of it */
    REMOTE_JOBS = 4,           /* from a remote store at least, because workers wait; each holds a pack or a chunk */
};

/* Files of one blob, or one file of several (or none). */
typedef struct Group {
    IndexEntry **files;
    size_t n;
} Group;

typedef struct Restore {
    Repo *repo;
    const ManifestFileset *fileset;
    Progress *progress;
    Notices notices;
    PatternSet *include;
    int root;
    Placer *placers; /* one a worker; the first serves the passes too */
    size_t jobs;
    StrVec made; /* directories that had to be made before, or without, their own entry; sorted for the second pass */

    IndexEntry *window;
    size_t n_window, cap_window, weight;
    IndexEntry **order;
    Group *groups;
    size_t n_groups;
    atomic_size_t next_group;
} Restore;

/* --- windows --- */

static int compare_files(const void *a, const void *b)
{
    IndexEntry *const *left = a, *const *right = b;
    bool left_shares = (*left)->n_parts == 1, right_shares = (*right)->n_parts == 1;
    int order = (int)left_shares - (int)right_shares;
    if (order == 0 && left_shares)
        order = strcmp((*left)->parts[0].blob.hash, (*right)->parts[0].blob.hash);
    return order ? order : (*left > *right) - (*left < *right); /* both in one array: its order is the index's */
}

static int compare_groups(const void *a, const void *b)
{
    const Group *left = a, *right = b;
    return (left->files[0] > right->files[0]) - (left->files[0] < right->files[0]);
}

static bool same_blob(const IndexEntry *a, const IndexEntry *b)
{
    return a->n_parts == 1 && b->n_parts == 1 && strcmp(a->parts[0].blob.hash, b->parts[0].blob.hash) == 0 &&
           a->parts[0].blob.kind == b->parts[0].blob.kind && a->parts[0].blob.size == b->parts[0].blob.size;
}

/* Sorts the window's files into groups, which keep the order of the index as far as possible. */
static void make_groups(Restore *restore)
{
    restore->order = xreallocarray(restore->order, restore->n_window, sizeof *restore->order);
    restore->groups = xreallocarray(restore->groups, restore->n_window, sizeof *restore->groups);
    restore->n_groups = 0;
    for (size_t i = 0; i < restore->n_window; i++)
        restore->order[i] = &restore->window[i];
    qsort(restore->order, restore->n_window, sizeof *restore->order, compare_files);
    for (size_t i = 0; i < restore->n_window; i++) {
        Group *last = restore->n_groups ? &restore->groups[restore->n_groups - 1] : NULL;
        if (last && same_blob(last->files[0], restore->order[i]))
            last->n++;
        else
            restore->groups[restore->n_groups++] = (Group){.files = &restore->order[i], .n = 1};
    }
    qsort(restore->groups, restore->n_groups, sizeof *restore->groups, compare_groups);
    restore->next_group = 0;
}

/* --- workers --- */

/* Sorts out what is right already; the files that are needed then stand first. */
static int keep_right_ones(Restore *restore, Pool *pool, Placer *placer, Group *group, size_t *ret_needed, Error *err)
{
    *ret_needed = 0;
    for (size_t i = 0; i < group->n; i++) {
        if (pool_check(pool, err) < 0)
            return -1;
        IndexEntry *file = group->files[i];
        switch (place_check_file(placer, file, err)) {
        case PLACE_FATAL:
            return -1;
        case PLACE_NEEDED:
            group->files[(*ret_needed)++] = file;
            break;
        default:
            progress_add(restore->progress, file->size, 1);
            break;
        }
    }
    return 0;
}

static bool worth_whole_blob(const Group *group, size_t n)
{
    uint64_t wanted = 0;
    for (size_t i = 0; i < n; i++)
        wanted += group->files[i]->parts[0].length;
    return n > RANGES_MAX || wanted > group->files[0]->parts[0].blob.size / RANGES_SHARE;
}

/* Not blob_get(): each file is checked against its own hash, so that a damaged pack still gives what is whole. */
static int fetch_blob(Placer *placer, const BlobRef *ref, Buf *out, Error *cause)
{
    return blob_get_range(placer->repo, ref, 0, ref->size, out, cause);
}

static int write_files(Restore *restore, Pool *pool, Placer *placer, Group *group, size_t n, Error *err)
{
    _cleanup_(buf_done) Buf blob = BUF_INIT(BLOB_STORED_MAX);
    Error cause = ERROR_INIT;
    bool whole = n > 1 && worth_whole_blob(group, n);
    bool fetched = whole && fetch_blob(placer, &group->files[0]->parts[0].blob, &blob, &cause) == 0;
    if (whole && !fetched && cause.code == ERR_CORRUPT) /* cut off, or encrypted and damaged: parts may be whole */
        whole = false;
    for (size_t i = 0; i < n; i++) {
        if (pool_check(pool, err) < 0)
            return -1;
        Placed placed = whole && !fetched ? place_content_missing(placer, group->files[i], &cause, err)
                                          : place_file(placer, group->files[i], whole ? &blob : NULL, err);
        if (placed == PLACE_FATAL)
            return -1;
        progress_add(restore->progress, group->files[i]->size, 1);
    }
    return 0;
}

static int restore_groups(void *ctx, Pool *pool, size_t worker, Error *err)
{
    Restore *restore = ctx;
    Placer *placer = &restore->placers[worker];
    for (;;) {
        size_t number = atomic_fetch_add(&restore->next_group, 1), needed;
        if (number >= restore->n_groups)
            return 0;
        Group *group = &restore->groups[number];
        progress_item(restore->progress, group->files[0]->path);
        if (keep_right_ones(restore, pool, placer, group, &needed, err) < 0)
            return -1;
        if (needed && write_files(restore, pool, placer, group, needed, err) < 0)
            return -1;
    }
}

static void clear_window(Restore *restore)
{
    for (size_t i = 0; i < restore->n_window; i++)
        index_entry_done(&restore->window[i]);
    restore->n_window = restore->weight = 0;
}

static int restore_window(Restore *restore, Error *err)
{
    if (restore->n_window == 0)
        return 0;
    make_groups(restore);
    int rc = pool_run(restore->jobs, restore_groups, restore, err);
    clear_window(restore);
    return rc;
}

/* --- the first pass --- */

static Placed collect_file(Restore *restore, const IndexEntry *entry, Error *err)
{
    Placed placed = place_parents(&restore->placers[0], entry, &restore->made, err);
    if (placed != PLACED)
        return placed;
    xgrow(&restore->window, &restore->cap_window, restore->n_window);
    index_entry_copy(entry, &restore->window[restore->n_window++]);
    restore->weight += 1 + entry->n_parts;
    return restore->weight >= WINDOW_WEIGHT && restore_window(restore, err) < 0 ? PLACE_FATAL : PLACED;
}

static Placed first_pass_entry(Restore *restore, const IndexEntry *entry, Error *err)
{
    Placer *placer = &restore->placers[0];
    if (!pattern_set_selects(restore->include, entry->path, entry->type == 'd'))
        return PLACED;
    if (entry->type == 'f')
        return collect_file(restore, entry, err);
    if (entry->type == 'd')
        return place_dir(placer, entry, &restore->made, err);
    Placed placed = place_parents(placer, entry, &restore->made, err);
    if (placed != PLACED || entry->type == 'h')
        return placed;
    return entry->type == 'l' ? place_symlink(placer, entry, err) : place_fifo(placer, entry, err);
}

static int first_pass(Restore *restore, IndexReader *reader, Error *err)
{
    const IndexEntry *entry;
    int rc;
    while ((rc = index_reader_next(reader, &entry, err)) > 0)
        if (first_pass_entry(restore, entry, err) == PLACE_FATAL)
            return -1;
    return rc < 0 ? -1 : restore_window(restore, err);
}

/* --- the second pass --- */

/* Directories that entries may still go into. In byte order "a" is followed by "a.b", and only then by "a/b"; still
 * what belongs to them nests like brackets, so that a stack is enough. */
typedef struct OpenDirs {
    IndexEntry *v;
    size_t n, cap;
} OpenDirs;

/* Whether path comes behind everything that is below dir. */
static bool is_past(const char *path, const char *dir)
{
    size_t len = strlen(dir);
    int order = strncmp(path, dir, len);
    return order > 0 || (order == 0 && (unsigned char)path[len] > '/');
}

/* Finishes the directories that path (NULL: the end) is past. */
static int finish_dirs(Restore *restore, OpenDirs *open, const char *path, Error *err)
{
    while (open->n && (path == NULL || is_past(path, open->v[open->n - 1].path))) {
        IndexEntry *dir = &open->v[open->n - 1];
        if (place_dir_finish(&restore->placers[0], dir, err) == PLACE_FATAL)
            return -1;
        index_entry_done(dir);
        open->n--;
    }
    return 0;
}

static int compare_strings(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool was_made(const Restore *restore, const char *path)
{
    return restore->made.n &&
           bsearch(&path, restore->made.v, restore->made.n, sizeof *restore->made.v, compare_strings);
}

static int second_pass_entry(Restore *restore, OpenDirs *open, const IndexEntry *entry, Error *err)
{
    bool selected = pattern_set_selects(restore->include, entry->path, entry->type == 'd');
    if (finish_dirs(restore, open, entry->path, err) < 0)
        return -1;
    if (entry->type == 'd' && (selected || was_made(restore, entry->path))) {
        xgrow(&open->v, &open->cap, open->n);
        index_entry_copy(entry, &open->v[open->n++]);
    } else if (entry->type == 'h' && selected) {
        return place_hard_link(&restore->placers[0], entry, err) == PLACE_FATAL ? -1 : 0;
    }
    return 0;
}

static int second_pass_entries(Restore *restore, IndexReader *reader, OpenDirs *open, Error *err)
{
    const IndexEntry *entry;
    int rc;
    while ((rc = index_reader_next(reader, &entry, err)) > 0)
        if (second_pass_entry(restore, open, entry, err) < 0)
            return -1;
    return rc < 0 ? -1 : finish_dirs(restore, open, NULL, err);
}

static int second_pass(Restore *restore, IndexReader *reader, Error *err)
{
    OpenDirs open = {0};
    if (restore->made.n)
        qsort(restore->made.v, restore->made.n, sizeof *restore->made.v, compare_strings);
    int rc = second_pass_entries(restore, reader, &open, err);
    while (open.n)
        index_entry_done(&open.v[--open.n]);
    free(open.v);
    return rc;
}

/* --- the whole --- */

static int run_pass(Restore *restore, int (*pass)(Restore *, IndexReader *, Error *), Error *err)
{
    IndexReader *reader = index_reader_new(restore->repo, restore->fileset);
    int rc = pass(restore, reader, err);
    index_reader_free(reader);
    return rc;
}

/* Makes dir and what is missing above it. This part of the path is the caller's: links in it are followed. */
static int open_root(const char *dir, int *ret, Error *err)
{
    _cleanup_free_ char *path = xstrdup(dir);
    for (char *slash = path; *slash && (slash = strchr(slash + 1, '/'));) {
        *slash = 0;
        mkdir(path, 0755);
        *slash = '/';
    }
    if (mkdir(path, 0755) < 0 && errno != EEXIST)
        return error_errno(err, errno, "could not make directory \"%s\"", dir);
    *ret = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return *ret < 0 ? error_errno(err, errno, "could not open directory \"%s\"", dir) : 0;
}

/* One call for the whole file system instead of an fsync a file: a restore that is cut short is simply run again. */
static int run(Restore *restore, Error *err)
{
    int rc = run_pass(restore, first_pass, err);
    if (rc == 0)
        rc = run_pass(restore, second_pass, err);
    if (rc == 0 && syncfs(restore->root) < 0)
        rc = error_errno(err, errno, "could not write the restored files to disk");
    notices_finish(&restore->notices);
    return rc;
}

static void restore_done(Restore *restore)
{
    for (size_t i = 0; i < restore->jobs; i++)
        placer_done(&restore->placers[i]);
    free(restore->placers);
    clear_window(restore);
    free(restore->window);
    free(restore->order);
    free(restore->groups);
    strvec_done(&restore->made);
    pattern_set_free(restore->include);
    close_fd(&restore->root);
}

int fileset_restore(Repo *repo, const ManifestFileset *fileset, const char *dir, const FilesetRestoreOptions *options,
                    FilesetRestoreStats *ret, Findings *findings, Progress *progress, Error *err)
{
    size_t least = store_is_remote(repo_store(repo)) ? REMOTE_JOBS : 1;
    Restore restore = {.repo = repo,
                       .fileset = fileset,
                       .progress = progress,
                       .notices = NOTICES_INIT(findings),
                       .jobs = options->jobs > least ? options->jobs : least};
    if (open_root(dir, &restore.root, err) < 0)
        return -1;
    restore.include = pattern_set_new(options->include);
    restore.placers = xcalloc(restore.jobs, sizeof *restore.placers);
    for (size_t i = 0; i < restore.jobs; i++)
        placer_init(&restore.placers[i], repo, restore.root, options->owners, &restore.notices);
    int rc = run(&restore, err);
    FilesetRestoreStats stats = {0};
    for (size_t i = 0; i < restore.jobs; i++) {
        stats.written += restore.placers[i].stats.written;
        stats.written_bytes += restore.placers[i].stats.written_bytes;
        stats.kept += restore.placers[i].stats.kept;
    }
    restore_done(&restore);
    if (rc == 0)
        *ret = stats;
    return rc;
}
