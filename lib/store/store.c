#include "kura/store.h"

#include <string.h>

#include "kura/mem.h"
#include "store_priv.h"

enum { KEY_MAX = 512 };

static const struct {
    const char *scheme;
    int (*open)(const char *rest, const StoreOptions *options, bool create, Store **ret, Error *err);
} kinds[] = {
    {"dir:", store_dir_open},
    {"mem:", store_mem_open},
    {"s3:", store_s3_open},
};

/* The length of "scheme:" at the start of a location, 0 for a plain path. A single letter is no scheme, and neither is
 * anything behind a '/'. */
static size_t scheme_length(const char *location)
{
    size_t len = strspn(location, "abcdefghijklmnopqrstuvwxyz0123456789+-");
    return len >= 2 && location[len] == ':' ? len + 1 : 0;
}

int store_open(const char *location, const StoreOptions *options, bool create, Store **ret, Error *err)
{
    size_t scheme = scheme_length(location);
    int (*open)(const char *, const StoreOptions *, bool, Store **, Error *) = scheme == 0 ? store_dir_open : NULL;
    for (size_t i = 0; i < ARRAY_SIZE(kinds) && open == NULL; i++)
        if (strlen(kinds[i].scheme) == scheme && strncmp(kinds[i].scheme, location, scheme) == 0)
            open = kinds[i].open;
    if (open == NULL) {
        error_set(err, ERR_UNSUPPORTED, "\"%s\" names an unknown kind of repository location", location);
        return error_hint(err, "Write dir:%s when a directory of that name is meant.", location);
    }
    if (location[scheme] == 0)
        return error_set(err, ERR_USAGE, "the repository location \"%s\" names nothing", location);
    if (open(location + scheme, options ? options : &(StoreOptions){0}, create, ret, err) < 0)
        return -1;
    (*ret)->name = xstrdup(location);
    return 0;
}

void store_close(Store *store)
{
    if (store == NULL)
        return;
    free(store->name);
    store->ops->close(store);
}

const char *store_name(const Store *store)
{
    return store->name;
}

bool store_is_remote(const Store *store)
{
    return store->remote;
}

static bool key_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
}

/* Checks "a/b/c" part by part. An unfinished last part (of a prefix) may be empty, "." or "..". */
static bool parts_valid(const char *text, bool unfinished)
{
    if (strlen(text) > KEY_MAX)
        return false;
    for (;;) {
        size_t len = 0;
        while (key_char(text[len]))
            len++;
        bool last = text[len] == 0;
        if (!last && text[len] != '/')
            return false;
        if (!(last && unfinished) && (len == 0 || (len <= 2 && strspn(text, ".") >= len)))
            return false;
        if (last)
            return true;
        text += len + 1;
    }
}

bool store_key_valid(const char *key)
{
    return parts_valid(key, false);
}

bool store_prefix_valid(const char *text)
{
    return parts_valid(text, true);
}

static int check_key(const char *key, Error *err)
{
    if (!store_key_valid(key))
        return error_set(err, ERR_CORRUPT, "\"%.600s\" is not a valid name of an object in a repository", key);
    return 0;
}

static int exists_error(const Store *store, const char *key, Error *err)
{
    return error_set(err, ERR_EXISTS, "object \"%s\" exists in \"%s\" already", key, store->name);
}

static int put_exclusive(Store *store, const char *key, const void *data, size_t len, Error *err)
{
    if (store->ops->put_new) {
        Error why = ERROR_INIT;
        if (store->ops->put_new(store, key, data, len, &why) == 0)
            return 0;
        if (why.code == ERR_EXISTS)
            return exists_error(store, key, err);
        if (why.code != ERR_UNSUPPORTED) {
            if (err)
                *err = why;
            return -1;
        }
    }
    uint64_t size;
    Error why = ERROR_INIT;
    if (store->ops->head(store, key, &size, &why) == 0)
        return exists_error(store, key, err);
    if (why.code != ERR_NOT_FOUND) {
        if (err)
            *err = why;
        return -1;
    }
    return store->ops->put(store, key, data, len, err);
}

int store_put(Store *store, const char *key, const void *data, size_t len, bool exclusive, Error *err)
{
    if (check_key(key, err) < 0)
        return -1;
    return exclusive ? put_exclusive(store, key, data, len, err) : store->ops->put(store, key, data, len, err);
}

int store_get(Store *store, const char *key, uint64_t offset, uint64_t length, Buf *out, Error *err)
{
    if (check_key(key, err) < 0)
        return -1;
    return store->ops->get(store, key, offset, length, out, err);
}

int store_head(Store *store, const char *key, uint64_t *ret_size, Error *err)
{
    if (check_key(key, err) < 0)
        return -1;
    return store->ops->head(store, key, ret_size, err);
}

int store_list_objects(Store *store, const char *prefix, StoreListFn fn, void *ctx, Error *err)
{
    if (!store_prefix_valid(prefix))
        return error_set(err, ERR_CORRUPT, "\"%.600s\" cannot begin the name of an object in a repository", prefix);
    return store->ops->list(store, prefix, fn, ctx, err);
}

typedef struct PlainListing {
    int (*fn)(void *ctx, const char *key, uint64_t size, Error *err);
    void *ctx;
} PlainListing;

static int show_plain(void *ctx, const StoreObject *object, Error *err)
{
    const PlainListing *listing = ctx;
    return listing->fn(listing->ctx, object->key, object->size, err);
}

int store_list(Store *store, const char *prefix, int (*fn)(void *ctx, const char *key, uint64_t size, Error *err),
               void *ctx, Error *err)
{
    PlainListing listing = {fn, ctx};
    return store_list_objects(store, prefix, show_plain, &listing, err);
}

int store_delete(Store *store, const char *key, Error *err)
{
    if (check_key(key, err) < 0)
        return -1;
    return store->ops->delete (store, key, err);
}

int store_delete_many(Store *store, const char *const *keys, size_t n, Error *err)
{
    for (size_t i = 0; i < n; i++)
        if (check_key(keys[i], err) < 0)
            return -1;
    if (store->ops->delete_many)
        return store->ops->delete_many(store, keys, n, err);
    for (size_t i = 0; i < n; i++)
        if (store->ops->delete (store, keys[i], err) < 0)
            return -1;
    return 0;
}

int store_settle(Store *store, const char *key, Error *err)
{
    if (check_key(key, err) < 0)
        return -1;
    return store->ops->settle ? store->ops->settle(store, key, err) : 0;
}

int store_leftovers(Store *store, int (*fn)(void *ctx, const StoreObject *object, Error *err), void *ctx, Error *err)
{
    return store->ops->leftovers ? store->ops->leftovers(store, fn, ctx, err) : 0;
}

int store_tidy(Store *store, Error *err)
{
    return store->ops->tidy ? store->ops->tidy(store, err) : 0;
}

int store_space(Store *store, uint64_t *ret_bytes, uint64_t *ret_objects, Error *err)
{
    *ret_bytes = *ret_objects = UINT64_MAX;
    return store->ops->space ? store->ops->space(store, ret_bytes, ret_objects, err) : 0;
}

int store_probe(Store *store, Findings *findings, Error *err)
{
    return store->ops->probe ? store->ops->probe(store, findings, err) : 0;
}
