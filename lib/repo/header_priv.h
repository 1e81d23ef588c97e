/* kura.json: what a repository says of itself to everybody who can read it. */
#ifndef KURA_HEADER_PRIV_H
#define KURA_HEADER_PRIV_H

#include "jsonnode_priv.h"
#include "keyfile_priv.h"

typedef struct RepoHeader {
    char id[REPO_ID_SIZE];
    RepoParams params;
    bool encrypted; /* the rest is of encrypted ones only */
    AgeRecipient recipients[REPO_RECIPIENTS_MAX];
    size_t n_recipients;
    Buf naming_key;   /* as an age file for the recipients */
    json_t *document; /* what was read, with members that this kura does not know */
} RepoHeader;

#define REPO_HEADER_INIT                                                                                               \
    {                                                                                                                  \
        .naming_key = BUF_INIT(HEADER_NAMING_KEY_MAX)                                                                  \
    }
enum { HEADER_NAMING_KEY_MAX = AGE_HEADER_MAX + 1024 };

/* A header with a fresh id, without recipients. params NULL: defaults. ERR_USAGE when they are out of range. */
int header_init(const RepoParams *params, RepoHeader *ret, Error *err);
/* Makes it one of an encrypted repository, or changes whom it is encrypted for. */
int header_encrypt(RepoHeader *header, const AgeRecipient *recipients, size_t n,
                   const uint8_t naming_key[NAMING_KEY_SIZE], Error *err);
void header_done(RepoHeader *header);

/* Reads and checks that of a repository. ERR_NO_REPOSITORY, ERR_UNSUPPORTED, ERR_CORRUPT. */
int header_read(Store *store, RepoHeader *ret, Error *err);
/* Writes that of a new repository; ERR_EXISTS. */
int header_create(Store *store, const RepoHeader *header, Error *err);
/* Writes one that was read again, with its recipients and naming key as they are now. */
int header_update(Store *store, const RepoHeader *header, Error *err);

/* Whether two lists hold the same recipients, in any order; neither holds one twice. */
bool recipients_equal(const AgeRecipient *a, size_t n_a, const AgeRecipient *b, size_t n_b);
/* "age1.., age1.. and 3 more", for messages. To be freed. */
char *recipients_text(const AgeRecipient *list, size_t n);

#endif
