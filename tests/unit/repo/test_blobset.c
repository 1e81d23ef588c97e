#include "fixture.h"

#include <stdio.h>

#include "blobset_priv.h"

/* Names that differ and are as even as hashes. */
static BlobRef numbered(uint64_t number, BlobKind kind)
{
    BlobRef ref = {.kind = kind};
    for (size_t i = 0; i < 4; i++) {
        uint64_t x = (number * 4 + i + 1) * 0x9e3779b97f4a7c15u;
        x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
        x = (x ^ x >> 27) * 0x94d049bb133111ebu;
        snprintf(ref.hash + 16 * i, 17, "%016jx", (uintmax_t)(x ^ x >> 31));
    }
    return ref;
}

static void a_name_is_new_once(void **state)
{
    (void)state;
    BlobSet set = {0};
    for (int round = 0; round < 2; round++)
        for (unsigned i = 0; i < 10000; i++) {
            BlobRef ref = numbered(i, BLOB_RAW);
            assert_int_equal(blobset_has(&set, &ref), round == 1);
            assert_int_equal(blobset_add(&set, &ref), round == 0);
        }
    blobset_done(&set);
    BlobRef again = numbered(1, BLOB_RAW);
    assert_true(blobset_add(&set, &again));
    blobset_done(&set);
    blobset_done(NULL);
}

static void the_kind_is_a_part_of_the_name(void **state)
{
    (void)state;
    BlobSet set = {0};
    const BlobKind kinds[] = {BLOB_ZSTD, BLOB_TAR, BLOB_RAW};
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        BlobRef ref = numbered(7, kinds[i]);
        assert_true(blobset_add(&set, &ref));
        assert_false(blobset_add(&set, &ref));
    }
    blobset_done(&set);
}

/* Nobody has content with such a hash, but a forged manifest may name it. */
static void zeros_are_always_new(void **state)
{
    (void)state;
    BlobSet set = {0};
    BlobRef ref = {.kind = BLOB_ZSTD};
    memset(ref.hash, '0', SHA256_HEX_SIZE - 1);
    assert_true(blobset_add(&set, &ref));
    assert_true(blobset_add(&set, &ref));
    blobset_done(&set);
}

/* All in one shard, one behind the other. */
static void names_that_begin_alike_are_kept_apart(void **state)
{
    (void)state;
    BlobSet set = {0};
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 1000; i++) {
            BlobRef ref = {.kind = BLOB_RAW};
            snprintf(ref.hash, sizeof ref.hash, "%060d%04x", 0, i + 16);
            assert_int_equal(blobset_add(&set, &ref), round == 0);
        }
    blobset_done(&set);
}

static void a_million_names_take_little_memory(void **state)
{
    (void)state;
    BlobSet set = {0};
    for (unsigned i = 0; i < 1000 * 1000; i++) {
        BlobRef ref = numbered(i, BLOB_TAR);
        assert_true(blobset_add(&set, &ref));
    }
    size_t bytes = sizeof set;
    for (size_t i = 0; i < BLOBSET_SHARDS; i++)
        bytes += set.shards[i].slots * sizeof *set.shards[i].names;
    assert_in_range(bytes, 32 * 1000 * 1000, 48 * 1000 * 1000);
    blobset_done(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_is_new_once),
        cmocka_unit_test(the_kind_is_a_part_of_the_name),
        cmocka_unit_test(zeros_are_always_new),
        cmocka_unit_test(names_that_begin_alike_are_kept_apart),
        cmocka_unit_test(a_million_names_take_little_memory),
    };
    return cmocka_run_group_tests_name("blobset", tests, NULL, NULL);
}
