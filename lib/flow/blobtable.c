#include "blobtable.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "kura/mem.h"

enum { SLOT_BITS = 10 }; /* at first */

void blobtable_init(BlobTable *table)
{
    *table = (BlobTable){0};
    if (getrandom(table->salt, sizeof table->salt, 0) != (ssize_t)sizeof table->salt)
        abort(); /* so few bytes are always given at once */
}

void blobtable_done(BlobTable *table)
{
    free(table->v);
    free(table->slots);
    *table = (BlobTable){0};
}

static uint8_t digit(char c)
{
    return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

void hex_bytes(const char *hex, uint8_t *ret, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ret[i] = (uint8_t)(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
}

/* A name is a hash already, but one that somebody may have made up: salted, names that all fall into one slot cannot be
 * made. */
static size_t slot_of(const BlobTable *table, const uint8_t hash[SHA256_SIZE])
{
    uint64_t words[4], sum = 0;
    memcpy(words, hash, sizeof words);
    for (size_t i = 0; i < 4; i++)
        sum += words[i] * (table->salt[i] | 1);
    return (size_t)(sum >> table->shift); /* the upper bits depend on all bits of the words */
}

/* The slot where a blob is, or where it belongs. */
static uint32_t *find_slot(const BlobTable *table, const uint8_t hash[SHA256_SIZE], BlobKind kind)
{
    for (size_t i = slot_of(table, hash);; i = (i + 1) & (table->n_slots - 1)) {
        if (table->slots[i] == 0)
            return &table->slots[i];
        const BlobRecord *record = &table->v[table->slots[i] - 1];
        if (record->kind == kind && memcmp(record->hash, hash, SHA256_SIZE) == 0)
            return &table->slots[i];
    }
}

/* At most three quarters of the slots are taken. */
static void make_room(BlobTable *table)
{
    if (table->n_slots > 0 && table->n < table->n_slots / 4 * 3)
        return;
    free(table->slots);
    table->shift = table->n_slots ? table->shift - 1 : 64 - SLOT_BITS;
    table->n_slots = table->n_slots ? table->n_slots * 2 : 1u << SLOT_BITS;
    table->slots = xcalloc(table->n_slots, sizeof *table->slots);
    for (size_t i = 0; i < table->n; i++)
        *find_slot(table, table->v[i].hash, table->v[i].kind) = (uint32_t)i + 1;
}

size_t blobtable_add(BlobTable *table, const BlobRef *ref)
{
    BlobRecord record = {
        .size = (uint32_t)ref->size, .kind = (uint8_t)ref->kind, .segment = BLOBTABLE_NONE, .index = BLOBTABLE_NONE};
    hex_bytes(ref->hash, record.hash, sizeof record.hash);
    make_room(table);
    uint32_t *slot = find_slot(table, record.hash, ref->kind);
    if (*slot != 0)
        return *slot - 1;
    if (table->n == BLOBTABLE_NONE - 1)
        abort();
    xgrow(&table->v, &table->cap, table->n);
    table->v[table->n++] = record;
    *slot = (uint32_t)table->n;
    return table->n - 1;
}

size_t blobtable_find(const BlobTable *table, const BlobRef *ref)
{
    uint8_t hash[SHA256_SIZE];
    if (table->n_slots == 0)
        return SIZE_MAX;
    hex_bytes(ref->hash, hash, sizeof hash);
    uint32_t slot = *find_slot(table, hash, ref->kind);
    return slot ? slot - 1 : SIZE_MAX;
}

BlobRef blobtable_ref(const BlobTable *table, size_t position)
{
    const BlobRecord *record = &table->v[position];
    BlobRef ref = {.kind = (BlobKind)record->kind, .size = record->size};
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < SHA256_SIZE; i++) {
        ref.hash[2 * i] = digits[record->hash[i] >> 4];
        ref.hash[2 * i + 1] = digits[record->hash[i] & 15];
    }
    return ref;
}
