/* Another system user in root's place, for a server that tells its callers apart by their system user, as PostgreSQL
 * does on its socket by "peer". */
#ifndef KURA_BECOME_H
#define KURA_BECOME_H

#include <stdbool.h>
#include <sys/types.h>

typedef struct SystemUser {
    uid_t uid;
    gid_t gid;
} SystemUser;

/* The system user of this name. false: there is none, it is root, or this process is not root and may not act as it. */
bool become_find(const char *name, SystemUser *ret);

/* Until become_end() the calling thread, and no other one, has the effective id of that user: who accepts a connection
 * on a socket sees it. false: the system does not allow it, and nothing has changed. */
bool become_begin(const SystemUser *user);
void become_end(void);

/* For a child, before it runs its program: it is that user for good, and may read whatever root may read. 0, or errno.
 */
int become_for_good(const SystemUser *user);

#endif
