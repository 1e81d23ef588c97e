/* What the flows share: the TOC as blobs, tables matched with TOC entries. */
#ifndef KURA_FLOW_PRIV_H
#define KURA_FLOW_PRIV_H

#include "kura/manifest.h"
#include "kura/repo.h"
#include "kura/toc.h"

/* Raw bytes of a stored TOC are cut into pieces of this size, one zstd blob each. */
enum { FLOW_TOC_PIECE = 16 * 1024 * 1024 };

/* Stores header and TOC as pg_dump wrote them into database->toc. */
int flow_store_toc(Repo *repo, Uploader *uploader, const Buf *raw, ManifestDatabase *database, Error *err);
/* flow_load_toc() of export.h reads and parses it again. */

/* Commits the manifest of a backup whose blobs are all there, in its first revision, and takes it back when the lock
 * was lost meanwhile: then some of them may be gone. An error tells when the backup may be there all the same. */
int flow_commit(Repo *repo, RepoLock *lock, const Manifest *manifest, Error *err);

/* Creates path (which must not exist) with these bytes, mode 0600. */
int flow_write_file(const char *path, const Buf *content, Error *err);

/* What verification found missing or damaged in the repository is stored again when it is submitted, whoever knows it.
 * Before anything is. */
int flow_doubt_damages(Repo *repo, Uploader *uploader, Error *err);

/* The workers to use: asked, or the number of cores, at most 4. */
size_t flow_jobs(size_t asked);
/* The same for loading a database, and one more by default: a server that writes waits for its disk. */
size_t flow_load_jobs(size_t asked);

#endif
