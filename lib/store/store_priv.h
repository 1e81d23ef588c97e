/* What a kind of store provides. The dispatcher (store.c) has checked every key and prefix before an operation sees it;
 * operations run in several threads at once. */
#ifndef KURA_STORE_PRIV_H
#define KURA_STORE_PRIV_H

#include "kura/store.h"

typedef int (*StoreListFn)(void *ctx, const StoreObject *object, Error *err);

typedef struct StoreOps {
    /* Required. Writes a whole object durably, replacing one that is there in one step: a reader sees the old bytes or
     * the new ones, never a part, and after a failure the old ones. Two puts of one key at once both succeed. */
    int (*put)(Store *store, const char *key, const void *data, size_t len, Error *err);

    /* Optional. As put, but ERR_EXISTS when the key is taken, decided by the store itself in one step. ERR_UNSUPPORTED
     * (and nothing written) when this server cannot. Where it is missing or unsupported the dispatcher looks first and
     * then puts: that closes every window but a simultaneous put of the same key, and keys that are put exclusively
     * hold random characters. */
    int (*put_new)(Store *store, const char *key, const void *data, size_t len, Error *err);

    /* Required. Appends `length` bytes from `offset`, or all from `offset` for UINT64_MAX. ERR_NOT_FOUND;
     * ERR_TRUNCATED when the object ends before offset + length, or before offset. Learns the object's size before it
     * reads and lets buf_reserve refuse what out may not hold. On failure out->len is as it was. */
    int (*get)(Store *store, const char *key, uint64_t offset, uint64_t length, Buf *out, Error *err);

    /* Required. The object's size without reading it; ERR_NOT_FOUND. */
    int (*head)(Store *store, const char *key, uint64_t *ret_size, Error *err);

    /* Required. Calls fn for every object whose key starts with prefix, in byte order of the whole keys; what is not a
     * valid key is no object. Holds no lock while fn runs: fn may use the store. Objects that come or go meanwhile may
     * be seen or not. */
    int (*list)(Store *store, const char *prefix, StoreListFn fn, void *ctx, Error *err);

    /* Required. Removes an object; 0 too when there is none. */
    int (*delete)(Store *store, const char *key, Error *err);

    /* Optional: removes n objects, as delete does each of them, with fewer requests. In any order; after a failure some
     * are gone. */
    int (*delete_many)(Store *store, const char *const *keys, size_t n, Error *err);

    /* Optional: see store_settle. Missing where what can be seen is durable. */
    int (*settle)(Store *store, const char *key, Error *err);

    /* Optional: calls fn for what tidy would remove, in no order. Missing where tidy is. */
    int (*leftovers)(Store *store, StoreListFn fn, void *ctx, Error *err);

    /* Optional: removes what killed puts left behind, out of sight of list. Missing where a put leaves nothing. */
    int (*tidy)(Store *store, Error *err);

    /* Optional: see store_probe. Missing where there is nothing to doubt. */
    int (*probe)(Store *store, Findings *findings, Error *err);

    /* Optional: see store_space. Missing where nobody can tell. */
    int (*space)(Store *store, uint64_t *ret_bytes, uint64_t *ret_objects, Error *err);

    /* Required. Frees the whole handle, as the open function below allocated it. */
    void (*close)(Store *store);
} StoreOps;

/* The beginning of every kind's own struct. */
struct Store {
    const StoreOps *ops;
    char *name;  /* what store_name gives; freed by the dispatcher */
    bool remote; /* what store_is_remote gives; false unless the open function says so */
};

/* The kinds' open functions. rest is the location without its "mem:", "dir:" or "s3:". They set ops, not name. options
 * is never NULL. */
int store_dir_open(const char *rest, const StoreOptions *options, bool create, Store **ret, Error *err);
int store_mem_open(const char *rest, const StoreOptions *options, bool create, Store **ret, Error *err);
int store_s3_open(const char *rest, const StoreOptions *options, bool create, Store **ret, Error *err);

/* Whether text could begin a key: "", "blobs/", "blobs/ab/12". */
bool store_prefix_valid(const char *text);

#endif
