/* The insides of the cache: opening, reading and writing (cache.c), forgetting (cache_forget.c). */
#ifndef KURA_CACHE_PRIV_H
#define KURA_CACHE_PRIV_H

#include <stdatomic.h>

#include "kura/cache.h"

#define CACHE_TEMP_PREFIX ".tmp-"
#define CACHE_MANIFEST_SUFFIX ".json"
enum { CACHE_NAME_SIZE = 160 };

struct Cache {
    const Repo *repo;
    char *path, *app;
    int fd;           /* of the directory; holds a shared flock() on it */
    atomic_int error; /* errno of the first write that failed: then there are no more */
};

/* What the files of a blob and of a backup's manifest are called. */
void cache_blob_file(const BlobRef *ref, char name[CACHE_NAME_SIZE]);
void cache_manifest_file(const char *name, char file[CACHE_NAME_SIZE]);

/* Removes all that is of no use any more (cache_commit tells what that is); `newest` was just made, names are those of
 * the others. */
void cache_forget(const Cache *cache, const char *newest, const StrVec *names);

#endif
