/* What a backup takes over from the ones before it: indexes to compare files with, and names of blobs that need not be
 * sent because the repository has them. A blob that a manifest refers to is there as long as the manifest is, since
 * whatever removes blobs starts with the manifest and waits for the lock that a backup holds. */
#ifndef KURA_PREVIOUS_H
#define KURA_PREVIOUS_H

#include "kura/backup.h"

typedef struct Previous {
    StrVec names;              /* of all manifests in the repository */
    ManifestFileset *filesets; /* the newest of each name, as far as there are some */
    size_t n_filesets;
} Previous;

/* Finds the newest backups of the application that have what this one will have: in the cache of the repository, else
 * in the repository itself. Tells the uploader what is known to be there. A backup that cannot be read is passed over.
 */
int previous_find(Repo *repo, Uploader *uploader, const char *app, const BackupOptions *options, Previous *ret,
                  Findings *findings, Error *err);
/* NULL when there is none. */
const ManifestFileset *previous_fileset(const Previous *previous, const char *name);
void previous_done(Previous *previous);

#endif
