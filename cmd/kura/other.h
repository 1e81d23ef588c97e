/* A second repository, beside the one of the session: where copies go. */
#ifndef KURA_CMD_OTHER_H
#define KURA_CMD_OTHER_H

#include "session.h"

typedef struct Other {
    Options options; /* as they hold for it */
    Store *store;
    AgeIdentities *identities;
    Repo *repo;
} Other;

/* Opens the repository at a location, or that of a section. An identity that was not given for it alone is left out
 * when it does not fit. other_close for *ret, in any case. */
int other_open(const Session *session, const char *name, RepoUse use, Other *ret, Error *err);
void other_close(Other *other);

#endif
