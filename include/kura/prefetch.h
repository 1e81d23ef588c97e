/* Reading ahead: blobs, or parts of blobs, in an order known beforehand. Threads fetch the next ones while the consumer
 * works on this one, so that it does not wait a round trip for each. All that read ahead from one repository at the
 * same time share what requests and memory there may be: 8 requests, 64 MiB; but each may always fetch the one it needs
 * next. A local store is read when it is asked for: threads would only cost there. */
#ifndef KURA_PREFETCH_H
#define KURA_PREFETCH_H

#include "kura/repo.h"

typedef struct Prefetch Prefetch;

typedef struct PrefetchItem {
    BlobRef blob;
    bool part; /* only `length` bytes from `offset`, unchecked as blob_get_range gives them; else as blob_get */
    uint64_t offset, length;
} PrefetchItem;

/* Reads n items. item(list, i, &..) tells the i-th; any thread may call it, until prefetch_free. */
Prefetch *prefetch_new(Repo *repo, size_t n, void (*item)(const void *list, size_t i, PrefetchItem *ret),
                       const void *list);
/* The next item's bytes into *out (what it had is dropped). At most n times, and not after an error. Errors as blob_get
 * and blob_get_range, each at the place of its item; ERR_INTERRUPTED. */
int prefetch_next(Prefetch *prefetch, Buf *out, Error *err);
/* Drops what was read ahead, waits for the requests under way. NULL-safe. */
void prefetch_free(Prefetch *prefetch);

#endif
