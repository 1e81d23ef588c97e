/* The two halves of blob_put, for the uploader: naming happens in the thread that submits, storing in another. */
#ifndef KURA_BLOB_PRIV_H
#define KURA_BLOB_PRIV_H

#include "kura/repo.h"

int blob_name(BlobKind kind, const void *data, size_t len, BlobRef *ret, Error *err);
/* ask: whether the store may have it already. */
int blob_store(Repo *repo, const BlobRef *ref, const void *data, bool ask, bool *ret_new, Error *err);

#endif
