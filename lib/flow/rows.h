/* The rows of a backup: COPY workers under the leader's snapshot, or pg_dump's own stream. */
#ifndef KURA_ROWS_H
#define KURA_ROWS_H

#include "freeze.h"
#include "kura/manifest.h"

/* Fills database->tables: one for each TABLE DATA entry of the TOC, in its order, without rows yet. */
int rows_list(const Freeze *freeze, ManifestDatabase *database, Error *err);
/* Copies all rows and large objects with `jobs` connections. */
int rows_copy(Freeze *freeze, const BackupOptions *options, size_t jobs, Repo *repo, Uploader *uploader,
              ManifestDatabase *database, Progress *progress, Error *err);
/* Takes the rows from the pg_dump that freeze left running. */
int rows_from_stream(Freeze *freeze, Repo *repo, Uploader *uploader, ManifestDatabase *database, Progress *progress,
                     Error *err);

/* Stores all large objects of the snapshot as database->large_objects; conn is under the snapshot. */
int largeobjects_copy(PgConn *conn, Repo *repo, Uploader *uploader, ManifestDatabase *database, Progress *progress,
                      Error *err);

#endif
