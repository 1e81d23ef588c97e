/* The insides of a repository handle, and small things its parts share. */
#ifndef KURA_REPO_PRIV_H
#define KURA_REPO_PRIV_H

#include "jsonnode_priv.h"
#include "keyfile_priv.h"
#include "kura/repo.h"
#include "readshare_priv.h"

struct Repo {
    Store *store;
    char id[REPO_ID_SIZE];
    RepoParams params;
    struct RepoCrypt *crypt; /* crypt_priv.h; NULL in a plain repository */
    struct Cache *cache;
    ReadShare share;
    double lock_wait; /* seconds */
};

/* digits random characters out of alphabet, and a NUL. */
void random_text(const char *alphabet, size_t digits, char *ret);
#define HEX_DIGITS "0123456789abcdef"

/* A reference as two members of a JSON object, and a list of references. */
int jnode_blob(const JsonNode *object, BlobRef *ret, Error *err);
int jnode_blobs(const JsonNode *object, const char *key, BlobRef **ret, size_t *ret_n, Error *err);

#endif
