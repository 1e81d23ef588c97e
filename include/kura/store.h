/* Object stores behind one small interface: a directory, memory (for tests), S3. A key is a relative path of segments
 * [A-Za-z0-9._-]+ joined by '/', none of them "." or "..", at most 512 bytes. Objects are immutable by convention.
 * Thread-safe. */
#ifndef KURA_STORE_H
#define KURA_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "kura/buf.h"
#include "kura/error.h"
#include "kura/findings.h"

typedef struct Store Store;

/* How to reach a store. All strings are borrowed for the call; NULL and 0 mean the default. */
typedef struct StoreOptions {
    const char *s3_endpoint;   /* "https://host[:port]"; default: AWS's of the region */
    const char *s3_region;     /* default: environment, profile, else us-east-1; a server that wants another one is
                                  believed once */
    const char *s3_profile;    /* of the shared credentials file */
    const char *s3_ca;         /* file of CA certificates (PEM) instead of the system's */
    const char *s3_access_key; /* before all other sources of credentials, together with the secret key */
    const char *s3_secret_key;
    const char *s3_session_token;
    enum StorePathStyle { S3_PATH_STYLE_AUTO, S3_PATH_STYLE_YES, S3_PATH_STYLE_NO } s3_path_style;
    bool s3_allow_http;             /* to other hosts than this one */
    bool s3_checksum;               /* send x-amz-checksum-sha256 */
    uint64_t limit_upload;          /* bytes a second, over all connections; 0: none */
    const struct StoreTimes *times; /* NULL: the usual ones */
} StoreOptions;

/* Patience with a remote store, in milliseconds. 0 means the usual: 10 s, 30 s, 5 min, 5 min. */
typedef struct StoreTimes {
    unsigned connect; /* until a connection stands */
    unsigned stall;   /* without a byte in either direction */
    unsigned total;   /* one attempt of one request, plus a second for each 16 KiB of its body */
    unsigned retry;   /* from the first failure of a request until it is given up */
} StoreTimes;

/* Opens by location: "mem:NAME" (stays alive in this process until store_mem_forget), "dir:PATH" or a path,
 * "s3://BUCKET[/PREFIX]". A directory need not exist until something is put; with create it is made (mode 0700, parents
 * must exist). A bucket must exist; no request is made before the first operation. options may be NULL. */
int store_open(const char *location, const StoreOptions *options, bool create, Store **ret, Error *err);
/* Frees the handle. NULL-safe. */
void store_close(Store *store);
/* What a person calls this store: its location, without secrets. */
const char *store_name(const Store *store);

/* Whether every operation costs a round trip over a network. */
bool store_is_remote(const Store *store);

/* Writes a whole object durably: after 0 it survives a crash, after -1 it is not there or is as it was. With exclusive
 * an object that is there already is left alone and the call fails with ERR_EXISTS; else it is replaced in one step. */
int store_put(Store *store, const char *key, const void *data, size_t len, bool exclusive, Error *err);
/* Appends `length` bytes from `offset` (all that is there for UINT64_MAX) to *out. ERR_NOT_FOUND; ERR_TRUNCATED when
 * the object ends before offset + length; the object's size is checked against out->max before anything is read. */
int store_get(Store *store, const char *key, uint64_t offset, uint64_t length, Buf *out, Error *err);
/* Its size in bytes; ERR_NOT_FOUND. */
int store_head(Store *store, const char *key, uint64_t *ret_size, Error *err);
/* An object as a listing shows it; valid during the call. */
typedef struct StoreObject {
    const char *key;
    uint64_t size;
    int64_t time; /* seconds since 1970 by the store's own clock when it was put last; INT64_MIN: it does not tell */
} StoreObject;

/* Calls fn for every object whose key starts with prefix, in byte order of the keys. fn returns 0 to go on, -1 to end
 * with its error. */
int store_list_objects(Store *store, const char *prefix, int (*fn)(void *ctx, const StoreObject *object, Error *err),
                       void *ctx, Error *err);
/* The same for who needs no more than key and size. */
int store_list(Store *store, const char *prefix, int (*fn)(void *ctx, const char *key, uint64_t size, Error *err),
               void *ctx, Error *err);
/* Removes an object; one that is not there is no error. */
int store_delete(Store *store, const char *key, Error *err);
/* Removes n objects, in any order, with as few requests as the store can. After a failure some of them are gone. */
int store_delete_many(Store *store, const char *const *keys, size_t n, Error *err);

/* Makes durable what somebody else did to an object: that one is seen under this name, or none, survives a crash from now
 * on, and so for its neighbours, whose keys differ only behind the last '/'. What this handle put or removed is durable
 * anyhow. Somebody else may have been killed in between: settle before relying on what they did. */
int store_settle(Store *store, const char *key, Error *err);

/* Calls fn for what store_tidy would remove; its names are no keys. */
int store_leftovers(Store *store, int (*fn)(void *ctx, const StoreObject *object, Error *err), void *ctx, Error *err);
/* Removes what interrupted puts left behind out of sight of store_list, once no living put can own it any more. */
int store_tidy(Store *store, Error *err);

/* Learns what the store really does by trying it on objects under "probe/<random>/", which are removed again, and tells
 * each trait as a finding: a note when it is as it should be, a warning or an error with what it means for backups when
 * it is not. -1 only when nothing could be learned. */
int store_probe(Store *store, Findings *findings, Error *err);

/* How many bytes and objects may still be put, as far as the store can tell; UINT64_MAX where it cannot. ERR_NOT_FOUND
 * for a directory that does not exist. */
int store_space(Store *store, uint64_t *ret_bytes, uint64_t *ret_objects, Error *err);

/* Frees everything under "mem:NAME", given NAME; open handles keep what they have. */
void store_mem_forget(const char *name);
/* Whether key is of the allowed form. */
bool store_key_valid(const char *key);

#endif
