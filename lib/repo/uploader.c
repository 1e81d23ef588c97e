#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "blob_priv.h"
#include "blobset_priv.h"
#include "kura/cond.h"
#include "kura/mem.h"
#include "kura/stop.h"

/* How long anybody sleeps without looking whether a stop was asked for: a signal sets a flag and wakes no thread. */
enum { STOP_POLL_MS = 200 };
/* More names than this are not learned from a listing: some 90 MB. */
enum { LISTED_MAX = 2 * 1000 * 1000 };

typedef struct Item {
    BlobRef ref;
    Buf data;
    bool again; /* stored whatever the repository has */
    struct Item *next;
} Item;

struct Uploader {
    Repo *repo;
    uint64_t max_bytes;
    pthread_t *threads;
    size_t n_threads;      /* 0 once joined */
    pthread_mutex_t mutex; /* guards all below */
    pthread_cond_t work, room;
    Item *first, **last;
    uint64_t held;      /* bytes waiting and in flight */
    bool closing;       /* nothing more will be submitted */
    bool trusting;      /* what is said to be in the repository is believed */
    bool knows_all;     /* and what is not in `known` is not in the repository */
    BlobSet known;      /* queued, in flight, stored, or said to be there: neither asked for nor sent again */
    BlobRef found[256]; /* blobs that were there already, one for each first two digits; "" where there was none */
    BlobSet referred;   /* counted in totals.all_bytes */
    BlobSet doubted;    /* not known, whoever says so */
    BlobSet damaged;    /* of these, what is there is not what it should be */
    bool failed;
    Error why;
    UploadTotals totals;
};

static void item_free(Item *item)
{
    buf_done(&item->data);
    free(item);
}

/* With the mutex held: the first failure stays, everybody wakes up. */
static void fail(Uploader *uploader, const Error *why)
{
    if (!uploader->failed)
        uploader->why = *why;
    uploader->failed = true;
    pthread_cond_broadcast(&uploader->work);
    pthread_cond_broadcast(&uploader->room);
}

static int report_failure(const Uploader *uploader, Error *err)
{
    if (err)
        *err = uploader->why;
    return -1;
}

/* With the mutex held: the next blob, or NULL when this thread should end. */
static Item *next_item(Uploader *uploader)
{
    Error why = ERROR_INIT;
    while (!uploader->failed && uploader->first == NULL && !uploader->closing)
        pthread_cond_wait(&uploader->work, &uploader->mutex);
    if (!uploader->failed && uploader->first && stop_check(&why) < 0)
        fail(uploader, &why);
    if (uploader->failed || uploader->first == NULL)
        return NULL;
    Item *item = uploader->first;
    uploader->first = item->next;
    if (uploader->first == NULL)
        uploader->last = &uploader->first;
    return item;
}

/* *ret_new: it was sent. */
static int store_item(Uploader *uploader, Item *item, bool ask, bool *ret_new, Error *err)
{
    *ret_new = true;
    if (ask && !item->again && blob_is_absent(uploader->repo, &item->ref, ret_new, err) < 0)
        return -1;
    if (!*ret_new)
        return 0;
    return blob_seal(uploader->repo, &item->data, err) < 0 ? -1
                                                           : blob_send(uploader->repo, &item->ref, &item->data, err);
}

/* With the mutex held: remembers a blob that was there already. */
static void note_found(Uploader *uploader, const BlobRef *ref)
{
    unsigned char directory;
    if (sscanf(ref->hash, "%2hhx", &directory) == 1)
        uploader->found[directory] = *ref;
}

/* Once nothing is under way. What was there may be all that a killed run came to: it must survive a crash before a
 * manifest names it. Blobs of earlier backups do. */
static int settle_found(Uploader *uploader, Error *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(uploader->found); i++) {
        if (uploader->found[i].hash[0] && blob_settle(uploader->repo, &uploader->found[i], err) < 0)
            return -1;
        uploader->found[i].hash[0] = 0;
    }
    return 0;
}

static void *upload(void *arg)
{
    Uploader *uploader = arg;
    Item *item;
    pthread_mutex_lock(&uploader->mutex);
    while ((item = next_item(uploader))) {
        bool ask = !uploader->knows_all;
        pthread_mutex_unlock(&uploader->mutex);
        Error why = ERROR_INIT;
        bool is_new = false;
        int rc = store_item(uploader, item, ask, &is_new, &why);
        BlobRef ref = item->ref;
        item_free(item);
        pthread_mutex_lock(&uploader->mutex);
        uploader->held -= ref.size;
        pthread_cond_broadcast(&uploader->room);
        if (rc < 0) {
            fail(uploader, &why);
        } else if (is_new) {
            uploader->totals.new_blobs++;
            uploader->totals.new_bytes += ref.size;
        } else {
            note_found(uploader, &ref);
        }
    }
    pthread_mutex_unlock(&uploader->mutex);
    return NULL;
}

Uploader *uploader_new(Repo *repo, size_t threads, uint64_t max_bytes)
{
    Uploader *uploader = xcalloc(1, sizeof *uploader);
    *uploader = (Uploader){.repo = repo,
                           .max_bytes = max_bytes,
                           .n_threads = threads ? threads : 1,
                           .trusting = store_is_remote(repo_store(repo))};
    uploader->last = &uploader->first;
    pthread_mutex_init(&uploader->mutex, NULL);
    cond_init(&uploader->work);
    cond_init(&uploader->room);
    uploader->threads = xcalloc(uploader->n_threads, sizeof *uploader->threads);
    for (size_t i = 0; i < uploader->n_threads; i++)
        if (pthread_create(&uploader->threads[i], NULL, upload, uploader) != 0)
            abort();
    return uploader;
}

void uploader_distrust(Uploader *uploader)
{
    uploader->trusting = false;
}

void uploader_know(Uploader *uploader, const BlobRef *ref)
{
    if (!uploader->trusting)
        return;
    pthread_mutex_lock(&uploader->mutex);
    if (!blobset_has(&uploader->doubted, ref))
        blobset_add(&uploader->known, ref);
    pthread_mutex_unlock(&uploader->mutex);
}

void uploader_doubt(Uploader *uploader, const BlobRef *ref, bool damaged)
{
    pthread_mutex_lock(&uploader->mutex);
    blobset_add(&uploader->doubted, ref);
    if (damaged)
        blobset_add(&uploader->damaged, ref);
    pthread_mutex_unlock(&uploader->mutex);
}

/* With the mutex held: whether the repository has a blob, as far as that is known without asking. */
typedef enum Knowledge { IS_THERE, IS_ABSENT, ASK } Knowledge;

static Knowledge look_up(const Uploader *uploader, const BlobRef *ref)
{
    if (blobset_has(&uploader->known, ref))
        return IS_THERE;
    if (blobset_has(&uploader->damaged, ref))
        return IS_ABSENT;
    if (blobset_has(&uploader->doubted, ref))
        return ASK;
    if (uploader->knows_all)
        return IS_ABSENT;
    return uploader->trusting ? IS_THERE : ASK;
}

int uploader_has(Uploader *uploader, const BlobRef *ref, bool *ret, Error *err)
{
    bool absent;
    pthread_mutex_lock(&uploader->mutex);
    Knowledge knowledge = look_up(uploader, ref);
    pthread_mutex_unlock(&uploader->mutex);
    if (knowledge != ASK) {
        *ret = knowledge == IS_THERE;
        return 0;
    }
    if (blob_is_absent(uploader->repo, ref, &absent, err) < 0)
        return -1;
    if (!absent) {
        pthread_mutex_lock(&uploader->mutex);
        blobset_add(&uploader->known, ref);
        pthread_mutex_unlock(&uploader->mutex);
    }
    *ret = !absent;
    return 0;
}

void uploader_rely(Uploader *uploader, const BlobRef *ref)
{
    pthread_mutex_lock(&uploader->mutex);
    note_found(uploader, ref);
    pthread_mutex_unlock(&uploader->mutex);
}

typedef struct Listing {
    Uploader *uploader;
    size_t n;
} Listing;

static int add_listed(void *ctx, const char *key, uint64_t size, Error *err)
{
    (void)size;
    Listing *listing = ctx;
    BlobRef ref;
    if (stop_check(err) < 0)
        return -1;
    if (blob_ref_from_key(listing->uploader->repo, key, &ref) < 0)
        return 0;
    if (++listing->n > LISTED_MAX)
        return error_set(err, ERR_UNSUPPORTED, "there are too many blobs to know all of them");
    uploader_know(listing->uploader, &ref);
    return 0;
}

int uploader_know_all(Uploader *uploader, Error *err)
{
    if (!uploader->trusting)
        return 0;
    Error why = ERROR_INIT;
    Listing listing = {.uploader = uploader};
    if (store_list(repo_store(uploader->repo), "blobs/", add_listed, &listing, &why) == 0) {
        uploader->knows_all = true;
        return 0;
    }
    if (listing.n > LISTED_MAX) {
        uploader->trusting = false;
        return 0;
    }
    if (err)
        *err = why;
    return error_wrap(err, "listing the blobs of the repository");
}

/* With the mutex held: waits until len more bytes may be held. */
static int wait_for_room(Uploader *uploader, size_t len, Error *err)
{
    while (!uploader->failed && uploader->held > 0 &&
           (len > uploader->max_bytes || uploader->held > uploader->max_bytes - len)) {
        if (stop_check(err) < 0)
            return -1;
        cond_wait_for(&uploader->room, &uploader->mutex, STOP_POLL_MS);
    }
    return uploader->failed ? report_failure(uploader, err) : 0;
}

/* With the mutex held. */
static void enqueue(Uploader *uploader, const BlobRef *ref, Buf *data)
{
    Item *item = xmalloc(sizeof *item);
    *item = (Item){.ref = *ref, .data = *data, .again = blobset_has(&uploader->damaged, ref)};
    *data = BUF_INIT(data->max);
    *uploader->last = item;
    uploader->last = &item->next;
    uploader->held += ref->size;
    pthread_cond_signal(&uploader->work);
}

/* With the mutex held. */
static void refer(Uploader *uploader, const BlobRef *ref)
{
    if (blobset_add(&uploader->referred, ref))
        uploader->totals.all_bytes += ref->size;
}

void uploader_refer(Uploader *uploader, const BlobRef *ref)
{
    pthread_mutex_lock(&uploader->mutex);
    refer(uploader, ref);
    pthread_mutex_unlock(&uploader->mutex);
}

static int submit_named(Uploader *uploader, const BlobRef *ref, Buf *data, Error *err)
{
    if (wait_for_room(uploader, data->len, err) < 0)
        return -1;
    uploader->totals.blobs++;
    uploader->totals.bytes += ref->size;
    refer(uploader, ref);
    if (blobset_add(&uploader->known, ref))
        enqueue(uploader, ref, data);
    else
        buf_clear(data);
    return 0;
}

int uploader_submit(Uploader *uploader, BlobKind kind, Buf *data, BlobRef *ret, Error *err)
{
    char content[SHA256_HEX_SIZE];
    return uploader_submit_hashed(uploader, kind, data, ret, content, err);
}

int uploader_submit_hashed(Uploader *uploader, BlobKind kind, Buf *data, BlobRef *ret,
                           char ret_content[SHA256_HEX_SIZE], Error *err)
{
    BlobRef ref;
    if (stop_check(err) < 0 || blob_name(uploader->repo, kind, data->data, data->len, &ref, ret_content, err) < 0)
        return -1;
    pthread_mutex_lock(&uploader->mutex);
    int rc = submit_named(uploader, &ref, data, err);
    pthread_mutex_unlock(&uploader->mutex);
    if (rc == 0)
        *ret = ref;
    return rc;
}

int uploader_drain(Uploader *uploader, Error *err)
{
    pthread_mutex_lock(&uploader->mutex);
    int rc = 0;
    while (rc == 0 && !uploader->failed && uploader->held > 0) {
        rc = stop_check(err);
        cond_wait_for(&uploader->room, &uploader->mutex, STOP_POLL_MS);
    }
    if (rc == 0 && uploader->failed)
        rc = report_failure(uploader, err);
    pthread_mutex_unlock(&uploader->mutex);
    return rc < 0 ? -1 : settle_found(uploader, err);
}

/* Ends the threads: when they have stored everything, or, after a failure, what they are at. */
static void join(Uploader *uploader)
{
    pthread_mutex_lock(&uploader->mutex);
    uploader->closing = true;
    pthread_cond_broadcast(&uploader->work);
    pthread_mutex_unlock(&uploader->mutex);
    for (size_t i = 0; i < uploader->n_threads; i++)
        pthread_join(uploader->threads[i], NULL);
    uploader->n_threads = 0;
}

int uploader_finish(Uploader *uploader, UploadTotals *totals, Error *err)
{
    join(uploader);
    if (totals)
        *totals = uploader->totals;
    return uploader->failed ? report_failure(uploader, err) : settle_found(uploader, err);
}

void uploader_free(Uploader *uploader)
{
    if (uploader == NULL)
        return;
    const Error dropped = {.code = ERR_FAILED, .message = "the upload was given up"};
    pthread_mutex_lock(&uploader->mutex);
    fail(uploader, &dropped);
    pthread_mutex_unlock(&uploader->mutex);
    join(uploader);
    while (uploader->first) {
        Item *item = uploader->first;
        uploader->first = item->next;
        item_free(item);
    }
    blobset_done(&uploader->known);
    blobset_done(&uploader->referred);
    blobset_done(&uploader->doubted);
    blobset_done(&uploader->damaged);
    free(uploader->threads);
    pthread_cond_destroy(&uploader->work);
    pthread_cond_destroy(&uploader->room);
    pthread_mutex_destroy(&uploader->mutex);
    free(uploader);
}

UploadTotals uploader_totals(Uploader *uploader)
{
    pthread_mutex_lock(&uploader->mutex);
    UploadTotals totals = uploader->totals;
    pthread_mutex_unlock(&uploader->mutex);
    return totals;
}
