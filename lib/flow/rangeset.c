#include "rangeset.h"

#include "kura/mem.h"
#include "kura/repo.h"

enum { FIRST_SLOTS = 1024, OFFSET_BITS = 27 };
_Static_assert(BLOB_STORED_MAX < 1u << OFFSET_BITS, "an offset does not fit");

/* A finalizer as of MurmurHash: neighbours must not fall on neighbours. */
static size_t mix(uint64_t key)
{
    key ^= key >> 33;
    key *= 0xff51afd7ed558ccdull;
    key ^= key >> 33;
    key *= 0xc4ceb9fe1a85ec53ull;
    return (size_t)(key ^ key >> 33);
}

static uint64_t *find(const RangeSet *set, uint64_t key)
{
    for (size_t at = mix(key) & (set->n_slots - 1);; at = (at + 1) & (set->n_slots - 1))
        if (set->slots[at] == 0 || set->slots[at] == key)
            return &set->slots[at];
}

static void grow(RangeSet *set)
{
    RangeSet larger = {.n = set->n, .n_slots = set->n_slots ? set->n_slots * 2 : FIRST_SLOTS};
    larger.slots = xcalloc(larger.n_slots, sizeof *larger.slots);
    for (size_t i = 0; i < set->n_slots; i++)
        if (set->slots[i])
            *find(&larger, set->slots[i]) = set->slots[i];
    free(set->slots);
    *set = larger;
}

bool rangeset_add(RangeSet *set, uint32_t blob, uint64_t offset)
{
    if (set->n >= set->n_slots / 4 * 3)
        grow(set);
    uint64_t key = ((uint64_t)blob << OFFSET_BITS | offset) + 1;
    uint64_t *slot = find(set, key);
    if (*slot)
        return false;
    *slot = key;
    set->n++;
    return true;
}

void rangeset_done(RangeSet *set)
{
    free(set->slots);
    *set = (RangeSet){0};
}
