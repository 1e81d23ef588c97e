/* The dumps of Redis servers as a fileset. */
#ifndef KURA_FLOW_REDISDUMP_H
#define KURA_FLOW_REDISDUMP_H

#include "kura/backup.h"

#define REDIS_FILESET "redis"

/* Adds the fileset to the manifest, which has room for it: one file a server, streamed from its socket into the
 * repository. A server that gives no dump is a warning, for a database must not go without its backup for the sake of
 * queues; when none gives one, there is no fileset. -1 only for faults of the repository, or a stop. */
int redis_backup(Repo *repo, Uploader *uploader, const BackupOptions *options, Manifest *manifest, Findings *findings,
                 Progress *progress, Error *err);

/* Says, after a restore of such a fileset, what is still to be done by hand. Silent for any other fileset. */
void redis_tell_place(const ManifestFileset *fileset, const char *dir, Findings *findings);

#endif
