/* Reading encrypted blobs, whole and in parts. Opened headers are kept for a while: a pack is read in many parts, and
 * opening costs a request and a key agreement. */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "blob_priv.h"
#include "crypt_priv.h"
#include "kura/mem.h"

enum {
    HEADERS_MAX = 64,
    PREFIX_SIZE = AGE_HEADER_MAX + 16, /* what age_open wants to see */
    WHOLE_MAX = AGE_CHUNK,             /* shorter blobs are read in one go; longer ones have PREFIX_SIZE bytes */
};

/* ---- opened headers ---- */

typedef struct Opened {
    BlobRef ref;
    AgeFile *file;
    atomic_uint holders; /* the cache, and who reads with it */
} Opened;

typedef struct RangeCache {
    pthread_mutex_t mutex;
    Opened *recent[HEADERS_MAX]; /* the one used last comes first; NULL behind the last one */
} RangeCache;

static void opened_release(Opened *opened)
{
    if (opened == NULL || atomic_fetch_sub(&opened->holders, 1) > 1)
        return;
    age_close(opened->file);
    free(opened);
}

DEFINE_CLEANUP(Opened, opened_release)

RangeCache *range_cache_new(void)
{
    RangeCache *cache = xcalloc(1, sizeof *cache);
    pthread_mutex_init(&cache->mutex, NULL);
    return cache;
}

void range_cache_free(RangeCache *cache)
{
    if (cache == NULL)
        return;
    for (size_t i = 0; i < HEADERS_MAX; i++)
        opened_release(cache->recent[i]);
    pthread_mutex_destroy(&cache->mutex);
    free(cache);
}

/* With the mutex held: takes the blob's header out of the list; NULL when it is not there. */
static Opened *unlist(RangeCache *cache, const BlobRef *ref)
{
    for (size_t i = 0; i < HEADERS_MAX && cache->recent[i]; i++) {
        Opened *opened = cache->recent[i];
        if (opened->ref.kind != ref->kind || strcmp(opened->ref.hash, ref->hash) != 0)
            continue;
        memmove(&cache->recent[i], &cache->recent[i + 1], (HEADERS_MAX - 1 - i) * sizeof *cache->recent);
        cache->recent[HEADERS_MAX - 1] = NULL;
        return opened;
    }
    return NULL;
}

/* With the mutex held: puts it first; the last one goes. */
static void list_first(RangeCache *cache, Opened *opened)
{
    opened_release(cache->recent[HEADERS_MAX - 1]);
    memmove(&cache->recent[1], &cache->recent[0], (HEADERS_MAX - 1) * sizeof *cache->recent);
    cache->recent[0] = opened;
}

/* The blob's header, to be released, or NULL. */
static Opened *cache_get(RangeCache *cache, const BlobRef *ref)
{
    pthread_mutex_lock(&cache->mutex);
    Opened *opened = unlist(cache, ref);
    if (opened) {
        list_first(cache, opened);
        atomic_fetch_add(&opened->holders, 1);
    }
    pthread_mutex_unlock(&cache->mutex);
    return opened;
}

static void cache_add(RangeCache *cache, Opened *opened)
{
    atomic_fetch_add(&opened->holders, 1);
    pthread_mutex_lock(&cache->mutex);
    opened_release(unlist(cache, &opened->ref)); /* another thread was faster */
    list_first(cache, opened);
    pthread_mutex_unlock(&cache->mutex);
}

static void cache_drop(RangeCache *cache, const BlobRef *ref)
{
    pthread_mutex_lock(&cache->mutex);
    Opened *opened = unlist(cache, ref);
    pthread_mutex_unlock(&cache->mutex);
    opened_release(opened);
}

/* ---- reading ---- */

static int open_error(Repo *repo, const char *key, const Error *why, Error *err)
{
    if (why->code == ERR_CORRUPT || why->code == ERR_TRUNCATED)
        return blob_damaged(repo, key, why->message, err);
    if (why->code == ERR_KEY && repo->crypt->identities) {
        error_set(err, ERR_KEY, "\"%s\" in the repository \"%s\" is encrypted for none of the identities given", key,
                  store_name(repo->store));
        return error_hint(err,
                          "Give the identity of another recipient, or let it finish \"kura key add\" for this one.");
    }
    if (err)
        *err = *why;
    return why->code == ERR_KEY ? -1 : error_wrap(err, "decrypting \"%s\"", key);
}

int blob_get_sealed(Repo *repo, const char *key, Buf *out, Error *err)
{
    Error why = ERROR_INIT;
    _cleanup_(buf_done) Buf sealed = BUF_INIT(BLOB_STORED_MAX + SEALED_EXTRA_MAX);
    if (crypt_identities(repo, err) == NULL) /* before anything is fetched */
        return -1;
    if (store_get(repo->store, key, 0, UINT64_MAX, &sealed, &why) < 0)
        return blob_get_error(repo, key, &why, err);
    if (crypt_open(repo, sealed.data, sealed.len, out, &why) < 0)
        return open_error(repo, key, &why, err);
    return 0;
}

static int get_whole(Repo *repo, const BlobRef *ref, uint64_t offset, uint64_t length, Buf *out, Error *err)
{
    char key[BLOB_KEY_SIZE];
    _cleanup_(buf_done) Buf whole = BUF_INIT((size_t)ref->size);
    blob_key(repo, ref, key);
    if (blob_get_sealed(repo, key, &whole, err) < 0)
        return -1;
    if (whole.len != ref->size)
        return blob_damaged(repo, key, "it is too short", err);
    return buf_append(out, whole.data + offset, (size_t)length, err);
}

/* To be released. */
static Opened *open_header(Repo *repo, const BlobRef *ref, Error *err)
{
    char key[BLOB_KEY_SIZE];
    Error why = ERROR_INIT;
    AgeFile *file;
    _cleanup_(buf_done) Buf prefix = BUF_INIT(PREFIX_SIZE);
    const AgeIdentities *identities = crypt_identities(repo, err);
    if (identities == NULL)
        return NULL;
    blob_key(repo, ref, key);
    if (store_get(repo->store, key, 0, PREFIX_SIZE, &prefix, &why) < 0) {
        blob_get_error(repo, key, &why, err);
        return NULL;
    }
    if (age_open(identities, prefix.data, prefix.len, &file, &why) < 0) {
        open_error(repo, key, &why, err);
        return NULL;
    }
    Opened *opened = xcalloc(1, sizeof *opened);
    opened->ref = *ref;
    opened->file = file;
    opened->holders = 1;
    cache_add(repo->crypt->ranges, opened);
    return opened;
}

/* Errors are those of the store and of age. */
static int get_pieces(Repo *repo, const Opened *opened, uint64_t offset, uint64_t length, Buf *out, Error *err)
{
    char key[BLOB_KEY_SIZE];
    uint64_t from, size, total = opened->ref.size;
    blob_key(repo, &opened->ref, key);
    age_range(opened->file, total, offset, length, &from, &size);
    _cleanup_(buf_done) Buf pieces = BUF_INIT((size_t)size);
    if (store_get(repo->store, key, from, size, &pieces, err) < 0)
        return -1;
    return age_decrypt_range(opened->file, total, offset, length, pieces.data, pieces.len, out, err);
}

static bool may_be_rewrapped(ErrorCode code)
{
    return code == ERR_CORRUPT || code == ERR_TRUNCATED;
}

/* Between the reading of the header and that of a piece somebody may have given the object another header (key add),
 * and all pieces have moved: then once more from the start. */
static int get_range(Repo *repo, const BlobRef *ref, uint64_t offset, uint64_t length, Buf *out, Error *err)
{
    char key[BLOB_KEY_SIZE];
    Error why = ERROR_INIT;
    blob_key(repo, ref, key);
    for (int attempt = 0; attempt < 2; attempt++) {
        _cleanup_(opened_release_cleanup) Opened *opened = cache_get(repo->crypt->ranges, ref);
        if (opened == NULL && (opened = open_header(repo, ref, err)) == NULL)
            return -1;
        if (get_pieces(repo, opened, offset, length, out, &why) == 0)
            return 0;
        if (!may_be_rewrapped(why.code))
            return blob_get_error(repo, key, &why, err);
        cache_drop(repo->crypt->ranges, ref);
    }
    return open_error(repo, key, &why, err);
}

int blob_get_sealed_range(Repo *repo, const BlobRef *ref, uint64_t offset, uint64_t length, Buf *out, Error *err)
{
    if (offset > ref->size || length > ref->size - offset) {
        char key[BLOB_KEY_SIZE];
        blob_key(repo, ref, key);
        return blob_damaged(repo, key, "it is too short", err);
    }
    if (ref->size <= WHOLE_MAX || length == ref->size)
        return get_whole(repo, ref, offset, length, out, err);
    return get_range(repo, ref, offset, length, out, err);
}
