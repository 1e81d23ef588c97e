/* The two halves of blob_put, for the uploader: naming happens in the thread that submits, storing in another. */
#ifndef KURA_BLOB_PRIV_H
#define KURA_BLOB_PRIV_H

#include "kura/repo.h"

int blob_name(BlobKind kind, const void *data, size_t len, BlobRef *ret, Error *err);
/* ask: whether the store may have it already. */
int blob_store(Repo *repo, const BlobRef *ref, const void *data, bool ask, bool *ret_new, Error *err);

/* The reference of a key of a listing, without its size; -1 when that is no blob's. */
int blob_ref_from_key(const char *key, BlobRef *ret);

#endif
