/* What an encrypted repository does with bytes: names, seals, vouches. */
#ifndef KURA_CRYPT_PRIV_H
#define KURA_CRYPT_PRIV_H

#include "header_priv.h"
#include "kura/hash.h"
#include "repo_priv.h"

#define SEALED_SUFFIX ".age"
/* By how much sealing makes an object larger at most: BLOB_STORED_MAX of it, by whatever program. */
enum { SEALED_EXTRA_MAX = AGE_HEADER_MAX + 64 * 1024 };

/* In memory of secret_new. */
typedef struct RepoSecrets {
    uint8_t naming[NAMING_KEY_SIZE];
    uint8_t manifest[SHA256_SIZE]; /* derived: vouches for manifests */
    uint8_t app[SHA256_SIZE];      /* derived: hides the application in a backup's id */
} RepoSecrets;

typedef struct RepoCrypt {
    RepoHeader header;
    RepoSecrets *secrets;            /* NULL: opened without keys (REPO_LOOK) */
    AgeIdentities *own;              /* derived from the naming key: locks; NULL without it */
    const AgeIdentities *identities; /* NULL: nothing of backups can be read */
    const AgeRecipient *recipients;  /* whom objects are sealed for: the pinned ones, where there are pinned ones */
    size_t n_recipients;
    char *key_file_path;       /* may be NULL */
    KeyFile *key_file;         /* NULL: there is none */
    struct RangeCache *ranges; /* blob_range.c */
} RepoCrypt;

/* Makes repo->crypt for an encrypted repository out of its header, which is taken over, and the keys that access leads
 * to. ERR_KEY as repo_open_with. */
int crypt_unlock(Repo *repo, RepoHeader *header, const RepoAccess *access, Error *err);
/* ERR_KEY when this host has a key file for this repository, which is a plain one. */
int crypt_expect_plain(const Repo *repo, const RepoAccess *access, Error *err);
void crypt_free(RepoCrypt *crypt); /* NULL-safe */

/* The functions below are for encrypted repositories. ERR_KEY without the naming key, where they can fail. */

/* The name of a blob whose bytes have this hash. */
int crypt_name(const Repo *repo, const char content[SHA256_HEX_SIZE], char ret[SHA256_HEX_SIZE], Error *err);
/* Eight digits that stand for an application in ids. Without the naming key: "_". */
void crypt_app(const Repo *repo, const char *app, char ret[9]);
/* In hex, under the key for manifests. */
int crypt_manifest_mac(const Repo *repo, const void *data, size_t len, char ret[SHA256_HEX_SIZE], Error *err);

/* Encrypts what *data holds for the recipients, in the same memory; raises its maximum by what that takes. */
int crypt_seal_in_place(const Repo *repo, Buf *data, Error *err);
/* Appends data encrypted for the recipients; for locks also for everybody with the naming key. */
int crypt_seal(const Repo *repo, const void *data, size_t len, Buf *out, Error *err);
int crypt_seal_lock(const Repo *repo, const void *data, size_t len, Buf *out, Error *err);
/* Appends what was encrypted. ERR_KEY: no identity, or none that fits; otherwise as age_decrypt. */
int crypt_open(const Repo *repo, const void *data, size_t len, Buf *out, Error *err);
int crypt_open_lock(const Repo *repo, const void *data, size_t len, Buf *out, Error *err);
/* The identities, or NULL with ERR_KEY. */
const AgeIdentities *crypt_identities(const Repo *repo, Error *err);

/* The last step of repo_add_recipient: every object gets a header for the recipients of repo. */
int crypt_rewrap(Repo *repo, size_t threads, RewrapTotals *ret, Findings *findings, Progress *progress, Error *err);

struct RangeCache *range_cache_new(void);
void range_cache_free(struct RangeCache *cache); /* NULL-safe */

#endif
