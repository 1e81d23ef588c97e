#include "blobset.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "kura/mem.h"

enum { SLOT_BITS = 10 }; /* at first */

void blobset_init(BlobSet *set)
{
    *set = (BlobSet){0};
    if (getrandom(set->salt, sizeof set->salt, 0) != (ssize_t)sizeof set->salt)
        abort(); /* so few bytes are always given at once */
}

void blobset_done(BlobSet *set)
{
    free(set->v);
    free(set->slots);
    *set = (BlobSet){0};
}

void hex_bytes(const char *hex, uint8_t *ret, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++)
        ret[i] = (uint8_t)((strchr(digits, hex[2 * i]) - digits) << 4 | (strchr(digits, hex[2 * i + 1]) - digits));
}

/* A name is a hash already, but one that somebody may have made up: salted, names that all fall into one slot cannot be
 * made. */
static size_t slot_of(const BlobSet *set, const uint8_t hash[SHA256_SIZE])
{
    uint64_t words[4], sum = 0;
    memcpy(words, hash, sizeof words);
    for (size_t i = 0; i < 4; i++)
        sum += words[i] * (set->salt[i] | 1);
    return (size_t)(sum >> set->shift); /* the upper bits depend on all bits of the words */
}

/* The slot where a blob is, or where it belongs. */
static uint32_t *find_slot(const BlobSet *set, const uint8_t hash[SHA256_SIZE], BlobKind kind)
{
    for (size_t i = slot_of(set, hash);; i = (i + 1) & (set->n_slots - 1)) {
        if (set->slots[i] == 0)
            return &set->slots[i];
        const BlobRecord *record = &set->v[set->slots[i] - 1];
        if (record->kind == kind && memcmp(record->hash, hash, SHA256_SIZE) == 0)
            return &set->slots[i];
    }
}

/* At most three quarters of the slots are taken. */
static void make_room(BlobSet *set)
{
    if (set->n_slots > 0 && set->n < set->n_slots / 4 * 3)
        return;
    free(set->slots);
    set->shift = set->n_slots ? set->shift - 1 : 64 - SLOT_BITS;
    set->n_slots = set->n_slots ? set->n_slots * 2 : 1u << SLOT_BITS;
    set->slots = xcalloc(set->n_slots, sizeof *set->slots);
    for (size_t i = 0; i < set->n; i++)
        *find_slot(set, set->v[i].hash, set->v[i].kind) = (uint32_t)i + 1;
}

size_t blobset_add(BlobSet *set, const BlobRef *ref)
{
    BlobRecord record = {
        .size = (uint32_t)ref->size, .kind = (uint8_t)ref->kind, .segment = BLOBSET_NONE, .index = BLOBSET_NONE};
    hex_bytes(ref->hash, record.hash, sizeof record.hash);
    make_room(set);
    uint32_t *slot = find_slot(set, record.hash, ref->kind);
    if (*slot != 0)
        return *slot - 1;
    if (set->n == BLOBSET_NONE - 1)
        abort();
    xgrow(&set->v, &set->cap, set->n);
    set->v[set->n++] = record;
    *slot = (uint32_t)set->n;
    return set->n - 1;
}

size_t blobset_find(const BlobSet *set, const BlobRef *ref)
{
    uint8_t hash[SHA256_SIZE];
    if (set->n_slots == 0)
        return SIZE_MAX;
    hex_bytes(ref->hash, hash, sizeof hash);
    uint32_t slot = *find_slot(set, hash, ref->kind);
    return slot ? slot - 1 : SIZE_MAX;
}

BlobRef blobset_ref(const BlobSet *set, size_t position)
{
    const BlobRecord *record = &set->v[position];
    BlobRef ref = {.kind = (BlobKind)record->kind, .size = record->size};
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < SHA256_SIZE; i++) {
        ref.hash[2 * i] = digits[record->hash[i] >> 4];
        ref.hash[2 * i + 1] = digits[record->hash[i] & 15];
    }
    return ref;
}
