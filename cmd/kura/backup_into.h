/* A backup of what the options say, in one repository or in several. */
#ifndef KURA_CMD_BACKUP_INTO_H
#define KURA_CMD_BACKUP_INTO_H

#include "session.h"

/* Into one that is open. */
int backup_into(Session *session, const FileArgs *files, Repo *repo, Manifest **ret, Error *err);

/* Into each that --repo names, and tells the result. The first that takes it gets the backup; the others get a copy of
 * it where this host can read what it stored, else a backup of their own. One that cannot have it does not keep the
 * others from it: a finding tells what is missing where. -1 when none of them has it, and at once when the backup would
 * fail in any other. */
int backup_into_all(Session *session, const FileArgs *files, Error *err);

#endif
