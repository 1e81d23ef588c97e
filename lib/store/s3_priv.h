/* The S3 store's insides: what its operations share. */
#ifndef KURA_S3_PRIV_H
#define KURA_S3_PRIV_H

#include "s3request.h"
#include "store_priv.h"

typedef struct S3 {
    Store store;
    S3Location location;
    S3Client client;
    bool checksum;              /* send x-amz-checksum-sha256 */
    atomic_bool no_conditional; /* the server said that it knows no If-None-Match */
    atomic_bool no_batch;       /* the server said that it knows no DeleteObjects */
    atomic_bool bucket_seen;    /* the bucket exists: a bare 404 is about an object */
} S3;

static inline S3 *s3_of(Store *store)
{
    return (S3 *)store;
}

/* As s3request, and notes what it tells about the bucket. */
int s3_request(S3 *s3, const S3Call *call, S3Outcome *ret, Error *err);

/* A PUT, conditional ("If-None-Match: *") or not, with the patience of every request and no more. */
int s3_put_once(S3 *s3, const char *key, const void *data, size_t len, bool conditional, S3Outcome *ret, Error *err);

/* The operations, as store_priv.h has them. */
int s3_put(Store *store, const char *key, const void *data, size_t len, Error *err);
int s3_put_new(Store *store, const char *key, const void *data, size_t len, Error *err);
int s3_get(Store *store, const char *key, uint64_t offset, uint64_t length, Buf *out, Error *err);
int s3_head(Store *store, const char *key, uint64_t *ret_size, Error *err);
int s3_list(Store *store, const char *prefix, StoreListFn fn, void *ctx, Error *err);
int s3_delete(Store *store, const char *key, Error *err);
int s3_delete_many(Store *store, const char *const *keys, size_t n, Error *err);
int s3_probe(Store *store, Findings *findings, Error *err);

#endif
