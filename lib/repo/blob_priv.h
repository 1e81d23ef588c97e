/* Insides of blobs. */
#ifndef KURA_BLOB_PRIV_H
#define KURA_BLOB_PRIV_H

#include "kura/repo.h"

/* The two halves of blob_put, for the uploader: naming happens in the thread that submits, storing, with encryption, in
 * another. ret_content is the hash of the bytes, also where the name is another one. */
int blob_name(const Repo *repo, BlobKind kind, const void *data, size_t len, BlobRef *ret,
              char ret_content[SHA256_HEX_SIZE], Error *err);
/* Uses *data up: it is encrypted where it is. ask: whether the store may have it already. */
int blob_store(Repo *repo, const BlobRef *ref, Buf *data, bool ask, bool *ret_new, Error *err);

/* Errors that name an object and the remedy. */
int blob_missing(Repo *repo, const char *key, Error *err);
int blob_damaged(Repo *repo, const char *key, const char *how, Error *err);
/* Gives errors of the store their blob's name and remedy. */
int blob_get_error(Repo *repo, const char *key, const Error *why, Error *err);

/* Of encrypted repositories. Appends the plaintext of a whole object, and of a part of a blob. */
int blob_get_sealed(Repo *repo, const char *key, Buf *out, Error *err);
int blob_get_sealed_range(Repo *repo, const BlobRef *ref, uint64_t offset, uint64_t length, Buf *out, Error *err);

#endif
