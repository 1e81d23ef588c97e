#include "window.h"

#include <stdatomic.h>
#include <string.h>

#include "index_io.h"
#include "kura/mem.h"

enum {
    WINDOW_WEIGHT = 32 * 1024, /* entries and parts in a window */
    /* So much between two files of a pack is fetched too, rather than asking once more. */
    GAP_LOCAL = 64 * 1024,
    GAP_REMOTE = 512 * 1024,
};

/* Files of one blob, or one file of several (or none). */
typedef struct Group {
    IndexEntry **files;
    size_t n;
} Group;

struct Window {
    Repo *repo;
    Placer *placers;
    size_t jobs;
    Progress *progress;
    uint64_t gap;
    IndexEntry *files;
    size_t n, cap, weight;
    IndexEntry **order;
    Group *groups;
    size_t n_groups;
    atomic_size_t next_group;
};

Window *window_new(Repo *repo, Placer *placers, size_t jobs, Progress *progress)
{
    Window *window = xcalloc(1, sizeof *window);
    window->repo = repo;
    window->placers = placers;
    window->jobs = jobs;
    window->progress = progress;
    window->gap = store_is_remote(repo_store(repo)) ? GAP_REMOTE : GAP_LOCAL;
    return window;
}

static void clear(Window *window)
{
    for (size_t i = 0; i < window->n; i++)
        index_entry_done(&window->files[i]);
    window->n = window->weight = 0;
}

void window_free(Window *window)
{
    if (window == NULL)
        return;
    clear(window);
    free(window->files);
    free(window->order);
    free(window->groups);
    free(window);
}

/* --- groups --- */

static bool has_one_blob(const IndexEntry *file)
{
    return file->n_parts == 1;
}

/* By blob, and within it by place. */
static int compare_files(const void *a, const void *b)
{
    IndexEntry *const *left = a, *const *right = b;
    bool left_shares = has_one_blob(*left), right_shares = has_one_blob(*right);
    int order = (int)left_shares - (int)right_shares;
    if (order == 0 && left_shares) {
        const struct IndexPart *l = (*left)->parts, *r = (*right)->parts;
        order = strcmp(l->blob.hash, r->blob.hash);
        if (order == 0)
            order = (l->offset > r->offset) - (l->offset < r->offset);
    }
    return order ? order : (*left > *right) - (*left < *right); /* both in one array: its order is the index's */
}

static int compare_groups(const void *a, const void *b)
{
    const Group *left = a, *right = b;
    return (left->files[0] > right->files[0]) - (left->files[0] < right->files[0]);
}

static bool same_blob(const IndexEntry *a, const IndexEntry *b)
{
    return has_one_blob(a) && has_one_blob(b) && strcmp(a->parts[0].blob.hash, b->parts[0].blob.hash) == 0 &&
           a->parts[0].blob.kind == b->parts[0].blob.kind && a->parts[0].blob.size == b->parts[0].blob.size;
}

/* Sorts the files into groups, which keep the order of the index as far as possible. */
static void make_groups(Window *window)
{
    window->order = xreallocarray(window->order, window->n, sizeof *window->order);
    window->groups = xreallocarray(window->groups, window->n, sizeof *window->groups);
    window->n_groups = 0;
    for (size_t i = 0; i < window->n; i++)
        window->order[i] = &window->files[i];
    qsort(window->order, window->n, sizeof *window->order, compare_files);
    for (size_t i = 0; i < window->n; i++) {
        Group *last = window->n_groups ? &window->groups[window->n_groups - 1] : NULL;
        if (last && same_blob(last->files[0], window->order[i]))
            last->n++;
        else
            window->groups[window->n_groups++] = (Group){.files = &window->order[i], .n = 1};
    }
    qsort(window->groups, window->n_groups, sizeof *window->groups, compare_groups);
    window->next_group = 0;
}

/* --- workers --- */

/* Sorts out what is right already; the files that are needed then stand first, in their order. */
static int keep_right_ones(Window *window, Pool *pool, Placer *placer, Group *group, size_t *ret_needed, Error *err)
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
            progress_add(window->progress, file->size, 1);
            break;
        }
    }
    return 0;
}

static int write_file(Window *window, Pool *pool, Placer *placer, const IndexEntry *file, const uint8_t *content,
                      Error *err)
{
    if (pool_check(pool, err) < 0 || place_file(placer, file, content, err) == PLACE_FATAL)
        return -1;
    progress_add(window->progress, file->size, 1);
    return 0;
}

static uint64_t end_of(const IndexEntry *file)
{
    return file->parts[0].offset + file->parts[0].length;
}

/* How many of the files, from the first on, stand so near to each other that they are fetched together; *ret_end is
 * where the last of them ends. */
static size_t run_length(const Window *window, IndexEntry *const *files, size_t n, uint64_t *ret_end)
{
    uint64_t end = end_of(files[0]);
    size_t length = 1;
    for (; length < n; length++) {
        if (files[length]->parts[0].offset > end && files[length]->parts[0].offset - end > window->gap)
            break;
        if (end_of(files[length]) > end)
            end = end_of(files[length]);
    }
    *ret_end = end;
    return length;
}

/* Fetches a stretch of a pack and writes the files in it. Each file is checked against its own hash, so that a damaged
 * pack still gives what is whole. */
static int write_run(Window *window, Pool *pool, Placer *placer, IndexEntry *const *files, size_t n, uint64_t end,
                     Buf *run, Error *err)
{
    Error cause = ERROR_INIT;
    uint64_t begin = files[0]->parts[0].offset;
    buf_clear(run);
    int rc = blob_get_range(window->repo, &files[0]->parts[0].blob, begin, end - begin, run, &cause);
    /* Cut off, or encrypted and damaged: single files may be whole. */
    bool apart = rc < 0 && cause.code == ERR_CORRUPT;
    for (size_t i = 0; i < n; i++) {
        if (rc < 0 && !apart) {
            if (place_content_missing(placer, files[i], &cause, err) == PLACE_FATAL)
                return -1;
            progress_add(window->progress, files[i]->size, 1);
            continue;
        }
        const uint8_t *content = apart ? NULL : run->data + (files[i]->parts[0].offset - begin);
        if (write_file(window, pool, placer, files[i], content, err) < 0)
            return -1;
    }
    return 0;
}

static int write_files(Window *window, Pool *pool, Placer *placer, IndexEntry *const *files, size_t n, Error *err)
{
    _cleanup_(buf_done) Buf run = BUF_INIT(BLOB_STORED_MAX);
    uint64_t end;
    for (size_t done = 0, length; done < n; done += length) {
        int rc;
        length = has_one_blob(files[done]) ? run_length(window, files + done, n - done, &end) : 1;
        if (length == 1)
            rc = write_file(window, pool, placer, files[done], NULL, err);
        else
            rc = write_run(window, pool, placer, files + done, length, end, &run, err);
        if (rc < 0)
            return -1;
    }
    return 0;
}

static int restore_groups(void *ctx, Pool *pool, size_t worker, Error *err)
{
    Window *window = ctx;
    Placer *placer = &window->placers[worker];
    for (;;) {
        size_t number = atomic_fetch_add(&window->next_group, 1), needed;
        if (number >= window->n_groups)
            return 0;
        Group *group = &window->groups[number];
        progress_item(window->progress, group->files[0]->path);
        if (keep_right_ones(window, pool, placer, group, &needed, err) < 0 ||
            write_files(window, pool, placer, group->files, needed, err) < 0)
            return -1;
    }
}

/* --- windows --- */

int window_flush(Window *window, Error *err)
{
    if (window->n == 0)
        return 0;
    make_groups(window);
    int rc = pool_run(window->jobs, restore_groups, window, err);
    clear(window);
    return rc;
}

int window_add(Window *window, const IndexEntry *entry, Error *err)
{
    xgrow(&window->files, &window->cap, window->n);
    index_entry_copy(entry, &window->files[window->n++]);
    window->weight += 1 + entry->n_parts;
    return window->weight >= WINDOW_WEIGHT ? window_flush(window, err) : 0;
}
