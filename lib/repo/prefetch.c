#include "kura/prefetch.h"

#include <string.h>

#include "kura/cond.h"
#include "kura/mem.h"
#include "kura/repokeys.h"
#include "kura/stop.h"
#include "readshare_priv.h"
#include "repo_priv.h"

enum {
    REQUESTS_MAX = 8,
    SLOTS = 64, /* items of one Prefetch that are fetched or wait at most */
    STOP_POLL_MS = 200,
};
#define BYTES_MAX (64ull * 1024 * 1024)

typedef struct Slot {
    Buf data;
    uint64_t bytes; /* of the share */
    bool ready;
    bool failed;
    Error why;
} Slot;

struct Prefetch {
    Repo *repo;
    ReadShare *share;
    size_t n;
    void (*item)(const void *list, size_t i, PrefetchItem *ret);
    const void *list;
    pthread_t threads[REQUESTS_MAX];
    size_t n_threads; /* 0: everything is read when it is asked for */
    size_t taken;     /* items given to the consumer */
    size_t begun;     /* items that a thread has fetched or is fetching */
    bool ended;       /* nothing more is begun: freed, stopped, or one has failed */
    Slot *slots;      /* of the items from taken to begun, each at its number modulo SLOTS */
};

void readshare_init(ReadShare *share)
{
    *share = (ReadShare){0};
    pthread_mutex_init(&share->mutex, NULL);
    cond_init(&share->changed);
}

void readshare_done(ReadShare *share)
{
    pthread_mutex_destroy(&share->mutex);
    pthread_cond_destroy(&share->changed);
}

static int fetch(Prefetch *prefetch, const PrefetchItem *item, Buf *out, Error *err)
{
    if (!item->part)
        return blob_get(prefetch->repo, &item->blob, out, err);
    buf_clear(out);
    return blob_get_range(prefetch->repo, &item->blob, item->offset, item->length, out, err);
}

static uint64_t bytes_of(const PrefetchItem *item)
{
    return item->part ? item->length : item->blob.size;
}

/* What an item takes while it is fetched: decrypting needs a second copy. */
static uint64_t bytes_fetching(const Prefetch *prefetch, uint64_t bytes)
{
    return repo_is_encrypted(prefetch->repo) ? 2 * bytes : bytes;
}

/* With the mutex held: whether the share allows one more. What the consumer needs next is always allowed. */
static bool may_begin(const Prefetch *prefetch, uint64_t bytes)
{
    const ReadShare *share = prefetch->share;
    if (prefetch->begun == prefetch->taken)
        return true;
    return prefetch->begun - prefetch->taken < SLOTS && share->requests < REQUESTS_MAX && bytes <= BYTES_MAX &&
           share->bytes <= BYTES_MAX - bytes;
}

/* With the mutex held: the slot of the next item, once it may be fetched; NULL when there is nothing more to do. */
static Slot *begin_next(Prefetch *prefetch, PrefetchItem *item)
{
    ReadShare *share = prefetch->share;
    for (;;) {
        if (prefetch->ended || prefetch->begun == prefetch->n)
            return NULL;
        prefetch->item(prefetch->list, prefetch->begun, item);
        if (may_begin(prefetch, bytes_fetching(prefetch, bytes_of(item))))
            break;
        pthread_cond_wait(&share->changed, &share->mutex);
    }
    Slot *slot = &prefetch->slots[prefetch->begun++ % SLOTS];
    *slot = (Slot){.data = BUF_INIT(BLOB_STORED_MAX), .bytes = bytes_of(item)};
    share->requests++;
    share->bytes += bytes_fetching(prefetch, slot->bytes);
    return slot;
}

static void *read_ahead(void *arg)
{
    Prefetch *prefetch = arg;
    ReadShare *share = prefetch->share;
    PrefetchItem item = {0};
    Slot *slot;
    pthread_mutex_lock(&share->mutex);
    while ((slot = begin_next(prefetch, &item))) {
        pthread_mutex_unlock(&share->mutex);
        int rc = fetch(prefetch, &item, &slot->data, &slot->why);
        pthread_mutex_lock(&share->mutex);
        share->requests--;
        share->bytes -= bytes_fetching(prefetch, slot->bytes) - slot->bytes;
        slot->ready = true;
        slot->failed = rc < 0;
        prefetch->ended |= rc < 0;
        pthread_cond_broadcast(&share->changed);
    }
    pthread_mutex_unlock(&share->mutex);
    return NULL;
}

Prefetch *prefetch_new(Repo *repo, size_t n, void (*item)(const void *list, size_t i, PrefetchItem *ret),
                       const void *list)
{
    Prefetch *prefetch = xcalloc(1, sizeof *prefetch);
    *prefetch = (Prefetch){.repo = repo, .share = &repo->share, .n = n, .item = item, .list = list};
    if (n < 2 || !store_is_remote(repo->store))
        return prefetch;
    prefetch->slots = xcalloc(SLOTS, sizeof *prefetch->slots);
    prefetch->n_threads = n < REQUESTS_MAX ? n : REQUESTS_MAX;
    for (size_t i = 0; i < prefetch->n_threads; i++)
        if (pthread_create(&prefetch->threads[i], NULL, read_ahead, prefetch) != 0)
            abort();
    return prefetch;
}

/* With the mutex held: gives back what the oldest slot holds. */
static Slot take_slot(Prefetch *prefetch)
{
    Slot *slot = &prefetch->slots[prefetch->taken++ % SLOTS], result = *slot;
    slot->data = BUF_INIT(0);
    prefetch->share->bytes -= slot->bytes;
    pthread_cond_broadcast(&prefetch->share->changed);
    return result;
}

/* With the mutex held. */
static bool is_ready(const Prefetch *prefetch)
{
    return prefetch->taken < prefetch->begun && prefetch->slots[prefetch->taken % SLOTS].ready;
}

static int take_next(Prefetch *prefetch, Slot *ret, Error *err)
{
    ReadShare *share = prefetch->share;
    int rc = 0;
    pthread_mutex_lock(&share->mutex);
    while (!is_ready(prefetch) && (rc = stop_check(err)) == 0)
        cond_wait_for(&share->changed, &share->mutex, STOP_POLL_MS); /* a signal wakes no thread */
    if (rc == 0)
        *ret = take_slot(prefetch);
    else
        prefetch->ended = true;
    pthread_mutex_unlock(&share->mutex);
    return rc;
}

int prefetch_next(Prefetch *prefetch, Buf *out, Error *err)
{
    if (prefetch->n_threads == 0) {
        PrefetchItem item = {0};
        prefetch->item(prefetch->list, prefetch->taken++, &item);
        return fetch(prefetch, &item, out, err);
    }
    Slot slot;
    if (take_next(prefetch, &slot, err) < 0)
        return -1;
    if (slot.failed) {
        buf_done(&slot.data);
        if (err)
            *err = slot.why;
        return -1;
    }
    buf_done(out);
    *out = slot.data;
    return 0;
}

void prefetch_free(Prefetch *prefetch)
{
    if (prefetch == NULL)
        return;
    ReadShare *share = prefetch->share;
    pthread_mutex_lock(&share->mutex);
    prefetch->ended = true;
    pthread_cond_broadcast(&share->changed);
    pthread_mutex_unlock(&share->mutex);
    for (size_t i = 0; i < prefetch->n_threads; i++)
        pthread_join(prefetch->threads[i], NULL);
    pthread_mutex_lock(&share->mutex);
    while (prefetch->taken < prefetch->begun) {
        Slot slot = take_slot(prefetch);
        buf_done(&slot.data);
    }
    pthread_mutex_unlock(&share->mutex);
    free(prefetch->slots);
    free(prefetch);
}
