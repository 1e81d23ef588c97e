/* From options to the keys of a repository, and what is shown of them. */
#ifndef KURA_CMD_UNLOCK_H
#define KURA_CMD_UNLOCK_H

#include "session.h"

/* Reads --identity into *identities, unless they are there, which the repository borrows, and opens the repository in
 * the store. */
int unlock_repo(const Options *options, Store *store, RepoUse use, AgeIdentities **identities, Repo **ret, Error *err);
/* The same for the repository in session->store. */
int session_unlock(Session *session, RepoUse use, Error *err);

/* The recipients of an encrypted repository. */
json_t *json_of_recipients(const Repo *repo);

#endif
