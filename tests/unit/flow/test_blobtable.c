#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "blobtable.h"

enum { MANY = 20000 };

static BlobRef make_ref(unsigned number, BlobKind kind)
{
    BlobRef ref = {.kind = kind, .size = number};
    sha256_hex(&number, sizeof number, ref.hash);
    return ref;
}

static void test_each_blob_once(void **state)
{
    BlobTable table;
    blobtable_init(&table);
    BlobRef absent = make_ref(MANY, BLOB_TAR);
    assert_true(blobtable_find(&table, &absent) == SIZE_MAX);
    for (unsigned round = 0; round < 2; round++)
        for (unsigned i = 0; i < MANY; i++) {
            BlobRef ref = make_ref(i, BLOB_TAR);
            assert_int_equal(blobtable_add(&table, &ref), i);
        }
    assert_int_equal(table.n, MANY);
    for (unsigned i = 0; i < MANY; i++) {
        BlobRef ref = make_ref(i, BLOB_TAR), found = blobtable_ref(&table, i);
        assert_int_equal(blobtable_find(&table, &ref), i);
        assert_string_equal(found.hash, ref.hash);
        assert_int_equal(found.size, i);
        assert_int_equal(found.kind, BLOB_TAR);
    }
    assert_true(blobtable_find(&table, &absent) == SIZE_MAX);
    blobtable_done(&table);
}

static void test_kinds_are_different_blobs(void **state)
{
    BlobTable table;
    blobtable_init(&table);
    BlobRef tar = make_ref(1, BLOB_TAR), raw = make_ref(1, BLOB_RAW), again = tar;
    assert_int_equal(blobtable_add(&table, &tar), 0);
    assert_int_equal(blobtable_add(&table, &raw), 1);
    again.size = 99; /* the first size stays: the caller compares */
    assert_int_equal(blobtable_add(&table, &again), 0);
    assert_int_equal(table.v[0].size, 1);
    assert_true(table.v[0].segment == BLOBTABLE_NONE && table.v[0].index == BLOBTABLE_NONE);
    blobtable_done(&table);
}

/* Names made up so that they agree in all but a few bits still spread over the slots. */
static void test_made_up_names(void **state)
{
    BlobTable table;
    blobtable_init(&table);
    for (unsigned i = 0; i < MANY; i++) {
        BlobRef ref = {.kind = BLOB_ZSTD};
        snprintf(ref.hash, sizeof ref.hash, "%056d%08x", 0, i << 4);
        assert_int_equal(blobtable_add(&table, &ref), i);
    }
    size_t longest = 0, run = 0;
    for (size_t i = 0; i < table.n_slots; i++) {
        run = table.slots[i] ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    assert_true(longest < 1000);
    blobtable_done(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_blob_once),
        cmocka_unit_test(test_kinds_are_different_blobs),
        cmocka_unit_test(test_made_up_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
