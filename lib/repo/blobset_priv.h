/* A set of names of blobs, small enough for a million of them: some 45 MB. Not thread-safe. */
#ifndef KURA_BLOBSET_PRIV_H
#define KURA_BLOBSET_PRIV_H

#include <stdbool.h>

#include "kura/repo.h"

enum { BLOBSET_SHARDS = 256 };

typedef struct BlobSet {
    struct BlobShard {
        uint8_t (*names)[SHA256_SIZE]; /* open addressing; a free slot is all zeros */
        size_t n, slots;
    } shards[BLOBSET_SHARDS];
} BlobSet;

/* Adds a name, that is hash and kind; false when it was there. */
bool blobset_add(BlobSet *set, const BlobRef *ref);
bool blobset_has(const BlobSet *set, const BlobRef *ref);
/* Empties the set. NULL-safe. */
void blobset_done(BlobSet *set);

#endif
