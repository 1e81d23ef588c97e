/* What blobs of one repository are called in another. Names of an encrypted repository tell nothing about the content:
 * such a blob's name in another one is learned when it is read, and remembered in the cache, so that the next copy need
 * not read it again. Not thread-safe. */
#ifndef KURA_COPY_NAMES_H
#define KURA_COPY_NAMES_H

#include "blobtable.h"
#include "kura/cache.h"

typedef struct CopyNames {
    Repo *from, *to;
    bool learned;                    /* otherwise they can be computed */
    Cache *cache;                    /* NULL: nothing is remembered */
    BlobTable known;                 /* by their names in `from` */
    uint8_t (*renamed)[SHA256_SIZE]; /* of each of them, in `to` */
    size_t cap;
    size_t n_kept; /* of them in the cache */
} CopyNames;

/* Takes what the cache has. cache_dir may be NULL. */
void copynames_init(CopyNames *names, Repo *from, Repo *to, const char *cache_dir);
/* Writes what was learned into the cache; that it cannot is no error. */
void copynames_save(CopyNames *names);
void copynames_done(CopyNames *names);

/* 1 when it is not known. */
int copynames_find(const CopyNames *names, const BlobRef *ref, BlobRef *ret, Error *err);
/* What a blob that was read turned out to be called. */
void copynames_learn(CopyNames *names, const BlobRef *ref, const BlobRef *renamed);

#endif
