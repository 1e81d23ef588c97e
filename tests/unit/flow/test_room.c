#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kura/manifest.h"
#include "kura/mem.h"
#include "kura/rehearse.h"

enum { MIB = 1 << 20 };

static uint64_t estimate(size_t tables, uint64_t rows, uint64_t bytes, uint64_t source)
{
    Manifest *manifest = manifest_new();
    ManifestDatabase *database = &manifest->database;
    database->n_tables = tables;
    database->tables = xcalloc(tables ? tables : 1, sizeof *database->tables);
    for (size_t i = 0; i < tables; i++) {
        database->tables[i].digest.rows = rows;
        database->tables[i].digest.bytes = bytes;
    }
    database->facts.size_bytes = source;
    uint64_t estimated = restore_estimate(manifest);
    manifest_free(manifest);
    return estimated;
}

static void rows_are_counted(void **state)
{
    (void)state;
    assert_in_range(estimate(1, 1000000, 1000 * MIB, 0), 1000 * MIB, 2500ull * MIB);
}

/* Measured: 10,100 of them, nearly empty, took 496 MiB. */
static void a_table_takes_room_without_rows(void **state)
{
    (void)state;
    assert_in_range(estimate(10100, 1, 10, 0), 300 * MIB, 700 * MIB);
}

static void no_more_than_the_source(void **state)
{
    (void)state;
    assert_int_equal(estimate(10100, 1, 10, 100 * MIB), 100 * MIB);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_counted),
        cmocka_unit_test(a_table_takes_room_without_rows),
        cmocka_unit_test(no_more_than_the_source),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
