/* Names are kept in binary, in shards by their first byte. Each shard grows by itself, by half, so that growing never
 * needs more than a shard's memory twice. */
#include "blobset_priv.h"

#include <string.h>

#include "kura/mem.h"

enum { FIRST_SLOTS = 8 };

static uint8_t digit(char c)
{
    return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* The kind goes into the last byte: that two hashes differ in that byte alone does not happen. */
static void pack_name(const BlobRef *ref, uint8_t ret[SHA256_SIZE])
{
    for (size_t i = 0; i < SHA256_SIZE; i++)
        ret[i] = (uint8_t)(digit(ref->hash[2 * i]) << 4 | digit(ref->hash[2 * i + 1]));
    ret[SHA256_SIZE - 1] ^= (uint8_t)ref->kind;
}

static bool is_free(const uint8_t *slot)
{
    static const uint8_t zeros[SHA256_SIZE];
    return memcmp(slot, zeros, sizeof zeros) == 0;
}

/* Where name is, or the free slot where it belongs. Bytes of a SHA-256 are as even as a hash can be. */
static uint8_t *find(const struct BlobShard *shard, const uint8_t *name)
{
    uint64_t hash;
    memcpy(&hash, name + 1, sizeof hash);
    for (size_t at = hash % shard->slots;; at = at + 1 == shard->slots ? 0 : at + 1)
        if (is_free(shard->names[at]) || memcmp(shard->names[at], name, SHA256_SIZE) == 0)
            return shard->names[at];
}

static void grow(struct BlobShard *shard)
{
    struct BlobShard larger = {.n = shard->n, .slots = shard->slots ? shard->slots + shard->slots / 2 : FIRST_SLOTS};
    larger.names = xcalloc(larger.slots, sizeof *larger.names);
    for (size_t i = 0; i < shard->slots; i++)
        if (!is_free(shard->names[i]))
            memcpy(find(&larger, shard->names[i]), shard->names[i], SHA256_SIZE);
    free(shard->names);
    *shard = larger;
}

bool blobset_add(BlobSet *set, const BlobRef *ref)
{
    uint8_t name[SHA256_SIZE];
    pack_name(ref, name);
    if (is_free(name))
        return true; /* the name of no content: it cannot be kept, and need not be */
    struct BlobShard *shard = &set->shards[name[0]];
    if (shard->n * 8 >= shard->slots * 7)
        grow(shard);
    uint8_t *slot = find(shard, name);
    if (!is_free(slot))
        return false;
    memcpy(slot, name, sizeof name);
    shard->n++;
    return true;
}

bool blobset_has(const BlobSet *set, const BlobRef *ref)
{
    uint8_t name[SHA256_SIZE];
    pack_name(ref, name);
    const struct BlobShard *shard = &set->shards[name[0]];
    return shard->slots > 0 && !is_free(name) && !is_free(find(shard, name));
}

void blobset_done(BlobSet *set)
{
    if (set == NULL)
        return;
    for (size_t i = 0; i < BLOBSET_SHARDS; i++)
        free(set->shards[i].names);
    *set = (BlobSet){0};
}
