/* What this host remembers of a repository for one application: manifests and the index blobs of their filesets, in
 * DIR/<repository id>/<application>/. It spares a remote repository requests, and where the repository is encrypted and
 * this host cannot decrypt, it is the only way to know what the backup before had.
 *
 * It only ever saves work. What is read is checked; the repository's own listing says which backups there are; what is
 * lost, stale, damaged or foreign counts as absent. A table of contents, which can hold passwords, never gets into it.
 * Thread-safe. */
#ifndef KURA_CACHE_H
#define KURA_CACHE_H

#include "kura/buf.h"
#include "kura/manifest.h"
#include "kura/repo.h"

typedef struct Cache Cache;

/* Opens the cache below dir, making what is missing (mode 0700). -1 when it cannot be used, because it belongs to
 * somebody else or others may write to it for instance: no reason not to go on without. Borrows repo. */
int cache_open(const char *dir, const Repo *repo, const char *app, Cache **ret, Error *err);
void cache_close(Cache *cache); /* NULL-safe */

/* In all of these NULL is a cache that has nothing and keeps nothing. */

/* The manifest of this name (manifest.h), or NULL. That it still is in the repository is for the caller to know: a
 * revision that was replaced names blobs that are gone. */
Manifest *cache_load_manifest(const Cache *cache, const char *name);
/* Reads a whole blob into *out (cleared first) and checks it against its name; -1 when there is none that is right. */
int cache_get_blob(const Cache *cache, const BlobRef *ref, Buf *out);
/* Keeps a piece of an index. Should that fail, cache_commit tells. */
void cache_put_index(Cache *cache, const void *data, size_t len);
/* A file of the caller's own: keeps it, and reads it into *out (cleared first), -1 when there is none. Whoever reads it
 * checks it. */
void cache_put_file(Cache *cache, const char *name, const void *data, size_t len);
int cache_get_file(const Cache *cache, const char *name, Buf *out);
/* Keeps the manifest of a backup that was just made, and forgets what is of no use any more: of the manifests in names
 * (all that the repository has) those stay that are the newest to have a database, or a fileset of some name. -1 when
 * something since cache_open could not be written: again no reason to stop. */
int cache_commit(Cache *cache, const Manifest *manifest, const StrVec *names, Error *err);

#endif
