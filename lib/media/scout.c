#include "scout.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "kura/mem.h"

enum {
    THREADS_MAX = 4,
    AHEAD_DIRS = 64,             /* each has a descriptor */
    AHEAD_ITEMS = 16 * 1024,     /* give or take a directory */
    STATS_MAX = AHEAD_ITEMS / 4, /* of one directory */
};

struct Scout {
    ScoutRules rules;
    bool (*wants)(const void *ctx, const char *path);
    const void *ctx;
    pthread_t threads[THREADS_MAX];
    size_t n_threads;
    pthread_mutex_t mutex;
    pthread_cond_t work, done;
    ScoutDir *queue;    /* directories with others below that were not begun, as the walk will come to them */
    size_t dirs, items; /* ahead of the walk */
    bool ended;
};

/* --- reading --- */

/* above: NULL for the top. */
static void read_dir(ScoutDir *dir, const ScoutDir *above)
{
    const ScoutRules *rules = &dir->scout->rules;
    if (fstat(dir->fd, &dir->st) < 0) {
        dir->error = errno;
        close_fd(&dir->fd);
        dir->fd = -1;
    } else if (above == NULL || !rules->one_file_system || dir->st.st_dev == above->st.st_dev) {
        dir->error = listing_read(&dir->listing, dir->fd, rules->exclude_caches);
    }
}

static void open_and_read(ScoutDir *dir, const ScoutDir *above)
{
    const char *name = listing_name(&above->listing, &above->listing.items[dir->item]);
    dir->fd = openat(above->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir->fd < 0)
        dir->error = errno;
    else
        read_dir(dir, above);
}

static void look_at_items(ScoutDir *dir)
{
    dir->n_stats = dir->listing.n < STATS_MAX ? dir->listing.n : STATS_MAX;
    dir->stats = xcalloc(dir->n_stats, sizeof *dir->stats);
    for (size_t i = 0; i < dir->n_stats; i++) {
        const ListingItem *item = &dir->listing.items[i];
        if (!item->below && fstatat(dir->fd, listing_name(&dir->listing, item), &dir->stats[i], AT_SYMLINK_NOFOLLOW))
            dir->stats[i].st_mode = 0;
    }
}

int scout_stat(const ScoutDir *dir, size_t item, struct stat *ret)
{
    if (item < dir->n_stats && dir->stats[item].st_mode) {
        *ret = dir->stats[item];
        return 0;
    }
    const char *name = listing_name(&dir->listing, &dir->listing.items[item]);
    return fstatat(dir->fd, name, ret, AT_SYMLINK_NOFOLLOW) == 0 ? 0 : errno;
}

static ScoutDir *dir_new(Scout *scout, char *path, size_t item)
{
    ScoutDir *dir = xcalloc(1, sizeof *dir);
    *dir = (ScoutDir){.fd = -1, .scout = scout, .path = path, .item = item};
    return dir;
}

static char *path_below(const ScoutDir *dir, size_t item)
{
    const char *name = listing_name(&dir->listing, &dir->listing.items[item]);
    return dir->path[0] ? xasprintf("%s/%s", dir->path, name) : xstrdup(name);
}

/* --- the queue; with the mutex held --- */

static void dequeue(ScoutDir *dir)
{
    if (!dir->queued)
        return;
    *(dir->queue_prev ? &dir->queue_prev->queue_next : &dir->scout->queue) = dir->queue_next;
    if (dir->queue_next)
        dir->queue_next->queue_prev = dir->queue_prev;
    dir->queued = false;
}

/* In front of another one, or of all: the walk goes through what is below a directory before it comes back to it. */
static void enqueue(ScoutDir *dir, ScoutDir *before)
{
    Scout *scout = dir->scout;
    if (scout->n_threads == 0 || dir->fd < 0)
        return;
    if (before == NULL || !before->queued)
        before = scout->queue;
    dir->queue_next = before;
    dir->queue_prev = before ? before->queue_prev : NULL;
    *(dir->queue_prev ? &dir->queue_prev->queue_next : &scout->queue) = dir;
    if (before)
        before->queue_prev = dir;
    dir->queued = true;
    pthread_cond_broadcast(&scout->work);
}

/* The next directory below that the walk will want; NULL when there is none. */
static ScoutDir *begin_child(ScoutDir *dir)
{
    while (dir->next_child < dir->listing.n) {
        size_t item = dir->next_child++;
        if (!dir->listing.items[item].below)
            continue;
        char *path = path_below(dir, item);
        if (!dir->scout->wants(dir->scout->ctx, path)) {
            free(path);
            continue;
        }
        ScoutDir *child = dir_new(dir->scout, path, item), **last = &dir->ahead;
        while (*last)
            last = &(*last)->next_ahead;
        *last = child;
        return child;
    }
    return NULL;
}

static ScoutDir *begin_next(Scout *scout, ScoutDir **ret_above)
{
    if (scout->dirs >= AHEAD_DIRS || scout->items >= AHEAD_ITEMS)
        return NULL;
    while (scout->queue) {
        ScoutDir *above = scout->queue, *child = begin_child(above);
        if (child) {
            *ret_above = above;
            return child;
        }
        dequeue(above);
    }
    return NULL;
}

static void read_ahead(Scout *scout, ScoutDir *dir, ScoutDir *above)
{
    dir->busy = true;
    above->busy_children++;
    scout->dirs++;
    pthread_mutex_unlock(&scout->mutex);
    open_and_read(dir, above);
    if (dir->fd >= 0)
        look_at_items(dir);
    pthread_mutex_lock(&scout->mutex);
    scout->items += dir->listing.n;
    dir->busy = false;
    above->busy_children--;
    enqueue(dir, above);
    pthread_cond_broadcast(&scout->done);
}

static void *run(void *arg)
{
    Scout *scout = arg;
    pthread_mutex_lock(&scout->mutex);
    while (!scout->ended) {
        ScoutDir *above, *dir = begin_next(scout, &above);
        if (dir)
            read_ahead(scout, dir, above);
        else
            pthread_cond_wait(&scout->work, &scout->mutex);
    }
    pthread_mutex_unlock(&scout->mutex);
    return NULL;
}

/* Takes the first of those ahead, once it is read. */
static ScoutDir *take_ahead(ScoutDir *above)
{
    Scout *scout = above->scout;
    ScoutDir *dir = above->ahead;
    while (dir->busy)
        pthread_cond_wait(&scout->done, &scout->mutex);
    above->ahead = dir->next_ahead;
    scout->dirs--;
    scout->items -= dir->listing.n;
    pthread_cond_broadcast(&scout->work);
    return dir;
}

/* --- for the walk --- */

Scout *scout_new(size_t threads, ScoutRules rules, bool (*wants)(const void *ctx, const char *path), const void *ctx)
{
    Scout *scout = xcalloc(1, sizeof *scout);
    *scout =
        (Scout){.rules = rules, .wants = wants, .ctx = ctx, .n_threads = threads < THREADS_MAX ? threads : THREADS_MAX};
    pthread_mutex_init(&scout->mutex, NULL);
    pthread_cond_init(&scout->work, NULL);
    pthread_cond_init(&scout->done, NULL);
    for (size_t i = 0; i < scout->n_threads; i++)
        if (pthread_create(&scout->threads[i], NULL, run, scout) != 0)
            abort();
    return scout;
}

void scout_free(Scout *scout)
{
    if (scout == NULL)
        return;
    pthread_mutex_lock(&scout->mutex);
    scout->ended = true;
    pthread_cond_broadcast(&scout->work);
    pthread_mutex_unlock(&scout->mutex);
    for (size_t i = 0; i < scout->n_threads; i++)
        pthread_join(scout->threads[i], NULL);
    pthread_cond_destroy(&scout->work);
    pthread_cond_destroy(&scout->done);
    pthread_mutex_destroy(&scout->mutex);
    free(scout);
}

static void queue_entered(ScoutDir *dir)
{
    pthread_mutex_lock(&dir->scout->mutex);
    enqueue(dir, NULL);
    pthread_mutex_unlock(&dir->scout->mutex);
}

ScoutDir *scout_top(Scout *scout, int fd)
{
    ScoutDir *dir = dir_new(scout, xstrdup(""), 0);
    dir->fd = fd;
    read_dir(dir, NULL);
    queue_entered(dir);
    return dir;
}

/* What was read ahead for this item, or NULL; nobody begins it any more then. */
static ScoutDir *find_ahead(ScoutDir *dir, size_t item)
{
    ScoutDir *found = NULL;
    pthread_mutex_lock(&dir->scout->mutex);
    while (dir->ahead && dir->ahead->item <= item && found == NULL) {
        ScoutDir *first = take_ahead(dir);
        if (first->item == item) {
            found = first;
            continue;
        }
        pthread_mutex_unlock(&dir->scout->mutex);
        scout_leave(first);
        pthread_mutex_lock(&dir->scout->mutex);
    }
    if (dir->next_child <= item)
        dir->next_child = item + 1;
    pthread_mutex_unlock(&dir->scout->mutex);
    return found;
}

ScoutDir *scout_enter(ScoutDir *dir, size_t item)
{
    ScoutDir *child = find_ahead(dir, item);
    if (child)
        return child;
    child = dir_new(dir->scout, path_below(dir, item), item);
    open_and_read(child, dir);
    queue_entered(child);
    return child;
}

void scout_close(ScoutDir *dir)
{
    pthread_mutex_lock(&dir->scout->mutex);
    dequeue(dir);
    while (dir->busy_children)
        pthread_cond_wait(&dir->scout->done, &dir->scout->mutex);
    close_fd(&dir->fd);
    dir->fd = -1;
    pthread_mutex_unlock(&dir->scout->mutex);
}

void scout_leave(ScoutDir *dir)
{
    Scout *scout = dir->scout;
    pthread_mutex_lock(&scout->mutex);
    dequeue(dir);
    while (dir->ahead) {
        ScoutDir *first = take_ahead(dir);
        pthread_mutex_unlock(&scout->mutex);
        scout_leave(first);
        pthread_mutex_lock(&scout->mutex);
    }
    pthread_mutex_unlock(&scout->mutex);
    close_fd(&dir->fd);
    listing_done(&dir->listing);
    free(dir->stats);
    free(dir->path);
    free(dir);
}
