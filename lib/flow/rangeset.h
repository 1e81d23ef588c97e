/* A set of places in blobs: what begins at an offset of the blob at some position of a list. 11 to 21 bytes a place. */
#ifndef KURA_RANGESET_H
#define KURA_RANGESET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct RangeSet {
    uint64_t *slots; /* the place + 1, or 0 */
    size_t n, n_slots;
} RangeSet;

/* Adds a place; false when it was there. offset below 2^27. */
bool rangeset_add(RangeSet *set, uint32_t blob, uint64_t offset);
void rangeset_done(RangeSet *set);

#endif
