/* The blobs that backups name, each once, in the order in which they were met: 48 bytes a blob and 4 to 8 for finding
 * it again, so that a million takes little memory. */
#ifndef KURA_BLOBTABLE_H
#define KURA_BLOBTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kura/repo.h"

#define BLOBTABLE_NONE UINT32_MAX

typedef struct BlobRecord {
    uint8_t hash[SHA256_SIZE];
    uint32_t size;
    uint8_t kind;
    uint8_t state;    /* the caller's flags */
    uint32_t segment; /* the caller's positions in lists of its own; BLOBTABLE_NONE at first */
    uint32_t index;
} BlobRecord;

typedef struct BlobTable {
    BlobRecord *v;
    size_t n, cap;
    uint32_t *slots; /* position + 1, or 0 */
    size_t n_slots;  /* a power of two */
    unsigned shift;  /* 64 less its logarithm */
    uint64_t salt[4];
} BlobTable;

void blobtable_init(BlobTable *table);
void blobtable_done(BlobTable *table);
/* The position of a blob, which is added when it is new; the size of one that is there stays as it was. Aborts past
 * four thousand million blobs. */
size_t blobtable_add(BlobTable *table, const BlobRef *ref);
/* Its position, or SIZE_MAX. */
size_t blobtable_find(const BlobTable *table, const BlobRef *ref);
BlobRef blobtable_ref(const BlobTable *table, size_t position);

/* The first n bytes that hexadecimal digits stand for; the text has been checked. */
void hex_bytes(const char *hex, uint8_t *ret, size_t n);

#endif
