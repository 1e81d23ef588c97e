/* The blobs that backups name, each once, in the order in which they were met: 48 bytes a blob and 4 to 8 for finding
 * it again, so that a million takes little memory. */
#ifndef KURA_BLOBSET_H
#define KURA_BLOBSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kura/repo.h"

enum { BLOBSET_NONE = UINT32_MAX };

typedef struct BlobRecord {
    uint8_t hash[SHA256_SIZE];
    uint32_t size;
    uint8_t kind;
    uint8_t state;    /* the caller's flags */
    uint32_t segment; /* the caller's positions in lists of its own; BLOBSET_NONE at first */
    uint32_t index;
} BlobRecord;

typedef struct BlobSet {
    BlobRecord *v;
    size_t n, cap;
    uint32_t *slots; /* position + 1, or 0 */
    size_t n_slots;  /* a power of two */
    unsigned shift;  /* 64 less its logarithm */
    uint64_t salt[4];
} BlobSet;

void blobset_init(BlobSet *set);
void blobset_done(BlobSet *set);
/* The position of a blob, which is added when it is new; the size of one that is there stays as it was. Aborts past
 * four thousand million blobs. */
size_t blobset_add(BlobSet *set, const BlobRef *ref);
/* Its position, or SIZE_MAX. */
size_t blobset_find(const BlobSet *set, const BlobRef *ref);
BlobRef blobset_ref(const BlobSet *set, size_t position);

/* The first n bytes that hexadecimal digits stand for; the text has been checked. */
void hex_bytes(const char *hex, uint8_t *ret, size_t n);

#endif
