/* The name of a blob is the hash of its content, in an encrypted repository keyed once more. */
#include <openssl/crypto.h>
#include <string.h>

#include "crypt_priv.h"

bool blob_names_shared(const Repo *a, const Repo *b)
{
    if (a->crypt == NULL || b->crypt == NULL)
        return a->crypt == b->crypt;
    return a->crypt->secrets && b->crypt->secrets &&
           CRYPTO_memcmp(a->crypt->secrets->naming, b->crypt->secrets->naming, NAMING_KEY_SIZE) == 0;
}

int blob_renamed(const Repo *from, const Repo *to, const BlobRef *ref, BlobRef *ret, Error *err)
{
    BlobRef renamed = *ref;
    bool shared = blob_names_shared(from, to);
    if (!shared && from->crypt)
        return 1;
    if (!shared && crypt_name(to, ref->hash, renamed.hash, err) < 0)
        return -1;
    *ret = renamed;
    return 0;
}
