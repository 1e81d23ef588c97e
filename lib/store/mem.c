/* A store in memory, for tests. Named ones live until store_mem_forget, so that a test can close and open one again. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kura/mem.h"
#include "store_priv.h"

typedef struct Object {
    char *key;
    uint8_t *data;
    size_t len;
    int64_t time;
} Object;

/* The objects under one name. Counted: forgetting a name must not pull it away from an open handle. */
typedef struct Space {
    char *name;
    size_t refs; /* open handles, and one for the list of names */
    pthread_mutex_t mutex;
    Object *v; /* in order of the keys */
    size_t n, cap;
    struct Space *next;
} Space;

typedef struct MemStore {
    Store store;
    Space *space;
} MemStore;

static pthread_mutex_t names_mutex = PTHREAD_MUTEX_INITIALIZER;
static Space *names; /* guarded by names_mutex, and so are the refs */

static void object_done(Object *object)
{
    free(object->key);
    free(object->data);
}

static void space_unref(Space *space)
{
    if (--space->refs > 0)
        return;
    for (size_t i = 0; i < space->n; i++)
        object_done(&space->v[i]);
    free(space->v);
    free(space->name);
    pthread_mutex_destroy(&space->mutex);
    free(space);
}

static Space **find_name(const char *name)
{
    Space **at = &names;
    while (*at && strcmp((*at)->name, name) != 0)
        at = &(*at)->next;
    return at;
}

/* Where key is, or where it would have to be. */
static size_t position(const Space *space, const char *key, bool *ret_found)
{
    size_t low = 0, high = space->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(space->v[middle].key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_found = low < space->n && strcmp(space->v[low].key, key) == 0;
    return low;
}

static Space *space_of(Store *store)
{
    return ((MemStore *)store)->space;
}

static int missing(const char *key, Error *err)
{
    return error_set(err, ERR_NOT_FOUND, "object \"%s\" does not exist", key);
}

static int put(Store *store, const char *key, const void *data, size_t len, bool replace, Error *err)
{
    Space *space = space_of(store);
    uint8_t *copy = xmalloc(len);
    if (len)
        memcpy(copy, data, len);
    bool found;
    pthread_mutex_lock(&space->mutex);
    size_t at = position(space, key, &found);
    if (found && replace) {
        free(space->v[at].data);
    } else if (!found) {
        xgrow(&space->v, &space->cap, space->n);
        memmove(space->v + at + 1, space->v + at, (space->n - at) * sizeof *space->v);
        space->v[at].key = xstrdup(key);
        space->n++;
    }
    bool stored = !found || replace;
    if (stored) {
        space->v[at].data = copy;
        space->v[at].len = len;
        space->v[at].time = time(NULL);
    }
    pthread_mutex_unlock(&space->mutex);
    if (stored)
        return 0;
    free(copy);
    return error_set(err, ERR_EXISTS, "object \"%s\" exists already", key);
}

static int mem_put(Store *store, const char *key, const void *data, size_t len, Error *err)
{
    return put(store, key, data, len, true, err);
}

static int mem_put_new(Store *store, const char *key, const void *data, size_t len, Error *err)
{
    return put(store, key, data, len, false, err);
}

static int get_from(const Object *object, uint64_t offset, uint64_t length, Buf *out, Error *err)
{
    if (offset > object->len || (length != UINT64_MAX && length > object->len - offset))
        return error_set(err, ERR_TRUNCATED, "object \"%s\" has %zu bytes only", object->key, object->len);
    if (length == UINT64_MAX)
        length = object->len - offset;
    return buf_append(out, object->data + offset, (size_t)length, err);
}

static int mem_get(Store *store, const char *key, uint64_t offset, uint64_t length, Buf *out, Error *err)
{
    Space *space = space_of(store);
    bool found;
    pthread_mutex_lock(&space->mutex);
    size_t at = position(space, key, &found);
    int rc = found ? get_from(&space->v[at], offset, length, out, err) : missing(key, err);
    pthread_mutex_unlock(&space->mutex);
    return rc;
}

static int mem_head(Store *store, const char *key, uint64_t *ret_size, Error *err)
{
    Space *space = space_of(store);
    bool found;
    pthread_mutex_lock(&space->mutex);
    size_t at = position(space, key, &found);
    if (found)
        *ret_size = space->v[at].len;
    pthread_mutex_unlock(&space->mutex);
    return found ? 0 : missing(key, err);
}

/* A copy of the first object at or behind `from`, so that fn runs without the lock. */
static char *next_key(Space *space, const char *from, StoreObject *ret)
{
    bool found;
    char *key = NULL;
    pthread_mutex_lock(&space->mutex);
    size_t at = position(space, from, &found);
    if (at < space->n) {
        key = xstrdup(space->v[at].key);
        *ret = (StoreObject){.key = key, .size = space->v[at].len, .time = space->v[at].time};
    }
    pthread_mutex_unlock(&space->mutex);
    return key;
}

static int mem_list(Store *store, const char *prefix, StoreListFn fn, void *ctx, Error *err)
{
    Space *space = space_of(store);
    _cleanup_free_ char *from = xstrdup(prefix);
    for (;;) {
        StoreObject object;
        _cleanup_free_ char *key = next_key(space, from, &object);
        if (key == NULL || strncmp(key, prefix, strlen(prefix)) != 0)
            return 0;
        if (fn(ctx, &object, err) < 0)
            return -1;
        free(from);
        from = xasprintf("%s\x01", key); /* the least text behind key */
    }
}

static int mem_delete(Store *store, const char *key, Error *err)
{
    (void)err;
    Space *space = space_of(store);
    bool found;
    pthread_mutex_lock(&space->mutex);
    size_t at = position(space, key, &found);
    if (found) {
        object_done(&space->v[at]);
        space->n--;
        memmove(space->v + at, space->v + at + 1, (space->n - at) * sizeof *space->v);
    }
    pthread_mutex_unlock(&space->mutex);
    return 0;
}

static void mem_close(Store *store)
{
    pthread_mutex_lock(&names_mutex);
    space_unref(space_of(store));
    pthread_mutex_unlock(&names_mutex);
    free(store);
}

static const StoreOps ops = {
    .put = mem_put,
    .put_new = mem_put_new,
    .get = mem_get,
    .head = mem_head,
    .list = mem_list,
    .delete = mem_delete,
    .close = mem_close,
};

int store_mem_open(const char *rest, const StoreOptions *options, bool create, Store **ret, Error *err)
{
    (void)create;
    (void)err;
    MemStore *store = xcalloc(1, sizeof *store);
    store->store.ops = &ops;
    pthread_mutex_lock(&names_mutex);
    Space **at = find_name(rest);
    if (*at == NULL) {
        *at = xcalloc(1, sizeof **at);
        **at = (Space){.name = xstrdup(rest), .refs = 1, .mutex = PTHREAD_MUTEX_INITIALIZER};
    }
    store->space = *at;
    store->space->refs++;
    pthread_mutex_unlock(&names_mutex);
    *ret = &store->store;
    return 0;
}

void store_mem_forget(const char *name)
{
    pthread_mutex_lock(&names_mutex);
    Space **at = find_name(name);
    Space *space = *at;
    if (space) {
        *at = space->next;
        space_unref(space);
    }
    pthread_mutex_unlock(&names_mutex);
}
