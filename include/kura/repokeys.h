/* Encrypted repositories: making and opening them, and who can read them. Formats: kura-format(5).
 *
 * Three things open doors. An *identity* (a private key, kept away from the host) decrypts everything. The *naming key*
 * names blobs and vouches for manifests; it stands in kura.json, encrypted for the recipients. The *key file* of a host
 * holds the naming key and pins the recipients: with it, and without an identity, a host can back up and read nothing.
 */
#ifndef KURA_REPOKEYS_H
#define KURA_REPOKEYS_H

#include "kura/age.h"
#include "kura/findings.h"
#include "kura/progress.h"
#include "kura/repo.h"

enum { REPO_RECIPIENTS_MAX = AGE_RECIPIENTS_MAX - 1 }; /* a lock has one recipient more */

typedef enum RepoUse {
    REPO_LOOK,  /* id, parameters and recipients: needs no key */
    REPO_READ,  /* needs an identity for what is in backups; a key file is enough for locks and presence of blobs */
    REPO_WRITE, /* needs a key file, whose recipients must be the repository's */
} RepoUse;

typedef struct RepoAccess {
    RepoUse use;
    const AgeIdentities *identities; /* NULL: none; borrowed until repo_close */
    const char *key_file;            /* NULL: where this host keeps it; need not exist */
} RepoAccess;

/* As repo_create, encrypted for n recipients (1 to REPO_RECIPIENTS_MAX, none twice). Writes the host's key file first;
 * key_file NULL: where this host keeps it. On failure there is no key file either. ERR_EXISTS. */
int repo_create_encrypted(Store *store, const RepoParams *params, const AgeRecipient *recipients, size_t n,
                          const char *key_file, Error *err);
/* As repo_open, for repositories of both kinds. ERR_KEY: an encrypted one without a fitting key; recipients that are
 * not the pinned ones (REPO_WRITE); a key file of another repository; a plain repository where this host has a key file
 * for one, so that nothing is stored in the clear because somebody replaced kura.json. */
int repo_open_with(Store *store, const RepoAccess *access, Repo **ret, Error *err);

bool repo_is_encrypted(const Repo *repo);

/* Of an encrypted repository, what kura.json says. */
const AgeRecipient *repo_recipients(const Repo *repo, size_t *ret_n);
/* Where the host's key file is, or would be; NULL when the host has no place for it (no HOME). */
const char *repo_key_file(const Repo *repo);
typedef enum RepoPinning {
    REPO_PINNED_NONE,  /* there is no key file */
    REPO_PINNED_SAME,  /* it holds the recipients of kura.json */
    REPO_PINNED_OTHER, /* it holds others */
} RepoPinning;
RepoPinning repo_pinning(const Repo *repo);
/* Of an encrypted repository, what the host's key file says; none without one. */
const AgeRecipient *repo_pinned(const Repo *repo, size_t *ret_n);

bool recipients_contain(const AgeRecipient *list, size_t n, const AgeRecipient *recipient);

/* Writes the host's key file with the recipients as kura.json has them: from now on this host trusts them. Needs the
 * naming key, that is REPO_READ. */
int repo_pin(Repo *repo, Error *err);

typedef struct RewrapTotals {
    uint64_t objects;   /* blobs, manifests and rehearsals looked at */
    uint64_t rewritten; /* of these, given a new header */
    uint64_t failed;    /* of these, could not be: a finding tells each */
} RewrapTotals;

/* Lets one more recipient read everything, old backups included: kura.json, the host's key file if there is one, then
 * the header of every object. Needs an identity. Interrupted, it is completed by doing it again. ERR_KEY when the
 * host's key file pins other recipients than kura.json has. threads: how many objects at once. */
int repo_add_recipient(Repo *repo, const AgeRecipient *recipient, size_t threads, RewrapTotals *ret, Findings *findings,
                       Progress *progress, Error *err);

#endif
