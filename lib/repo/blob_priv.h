/* Insides of blobs. */
#ifndef KURA_BLOB_PRIV_H
#define KURA_BLOB_PRIV_H

#include "kura/repo.h"

/* The steps of blob_put, for the uploader: naming happens in the thread that submits, the others in another.
 * ret_content is the hash of the bytes, also where the name is another one. */
int blob_name(const Repo *repo, BlobKind kind, const void *data, size_t len, BlobRef *ret,
              char ret_content[SHA256_HEX_SIZE], Error *err);
/* Whether the blob has to be sent: it is not there, or with a wrong size. */
int blob_is_absent(Repo *repo, const BlobRef *ref, bool *ret, Error *err);
/* Makes sure that a blob which is there, stored by who knows whom, and its neighbours (of the same first two digits)
 * survive a crash. */
int blob_settle(Repo *repo, const BlobRef *ref, Error *err);
/* Makes the object of a blob's bytes, in their place and in their memory. */
int blob_seal(Repo *repo, Buf *data, Error *err);
int blob_send(Repo *repo, const BlobRef *ref, const Buf *object, Error *err);

/* Errors that name an object and the remedy. */
int blob_missing(Repo *repo, const char *key, Error *err);
int blob_damaged(Repo *repo, const char *key, const char *how, Error *err);
/* Gives errors of the store their blob's name and remedy. */
int blob_get_error(Repo *repo, const char *key, const Error *why, Error *err);

/* Of encrypted repositories. Appends the plaintext of a whole object, and of a part of a blob. */
int blob_get_sealed(Repo *repo, const char *key, Buf *out, Error *err);
int blob_get_sealed_range(Repo *repo, const BlobRef *ref, uint64_t offset, uint64_t length, Buf *out, Error *err);

#endif
