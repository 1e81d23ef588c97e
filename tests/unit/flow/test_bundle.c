/* Bundles: runs of tables that depend on names alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bundle.h"
#include "kura/mem.h"

enum { TABLES = 5000 };

static ManifestTable *tables_from(size_t first, size_t n)
{
    ManifestTable *tables = xcalloc(n, sizeof *tables);
    for (size_t i = 0; i < n; i++) {
        tables[i].schema = xasprintf("schema_%zu", (first + i) / 1000);
        tables[i].name = xasprintf("table_%zu", first + i);
    }
    return tables;
}

static void tables_free(ManifestTable *tables, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(tables[i].schema);
        free(tables[i].name);
    }
    free(tables);
}

/* The number of tables in the longest run; *ret_runs is the number of runs. */
static size_t longest(const BundlePlace *places, size_t n, size_t *ret_runs)
{
    size_t most = 0, here = 0;
    for (size_t i = 0; i < n; i++) {
        here = i > 0 && places[i].run == places[i - 1].run ? here + 1 : 1;
        most = here > most ? here : most;
        assert_true(i == 0 || places[i].run == places[i - 1].run || places[i].run == places[i - 1].run + 1);
    }
    *ret_runs = places[n - 1].run + 1;
    return most;
}

static void test_runs_have_some_tables(void **state)
{
    size_t runs;
    ManifestTable *tables = tables_from(0, TABLES);
    BundlePlace *places = bundle_places(tables, TABLES);
    assert_true(longest(places, TABLES, &runs) <= BUNDLE_MOST);
    assert_in_range(runs, TABLES / BUNDLE_MEAN * 3 / 4, TABLES / BUNDLE_MEAN * 5 / 4);
    free(places);
    tables_free(tables, TABLES);
}

static void test_equal_names_end_in_bounded_runs(void **state)
{
    static char schema[] = "s", name[] = "a";
    ManifestTable *tables = xcalloc(TABLES, sizeof *tables);
    for (size_t i = 0; i < TABLES; i++)
        tables[i] = (ManifestTable){.schema = schema, .name = name};
    size_t runs;
    BundlePlace *places = bundle_places(tables, TABLES);
    assert_true(longest(places, TABLES, &runs) <= BUNDLE_MOST);
    free(places);
    free(tables);
}

/* How many tables of the first are in a run with another neighbour behind them than in the second. */
static size_t torn(const ManifestTable *tables, const BundlePlace *a, const BundlePlace *b, size_t n, size_t extra)
{
    size_t count = 0;
    for (size_t i = 0, j = 0; i + 1 < n; i++, j++) {
        if (b[j].table == extra)
            j++;
        assert_string_equal(tables[a[i].table].name, tables[b[j].table].name);
        count += (a[i].run == a[i + 1].run) != (b[j].run == b[j + 1 + (b[j + 1].table == extra)].run);
    }
    return count;
}

static void test_a_new_table_changes_one_run(void **state)
{
    size_t torn_in_all = 0;
    ManifestTable *tables = tables_from(0, TABLES);
    BundlePlace *before = bundle_places(tables, TABLES - 1);
    for (int i = 0; i < 20; i++) {
        free(tables[TABLES - 1].name);
        tables[TABLES - 1].name = xasprintf("table_%dx", 4000 + i * 37);
        BundlePlace *after = bundle_places(tables, TABLES);
        torn_in_all += torn(tables, before, after, TABLES - 1, TABLES - 1);
        free(after);
    }
    assert_true(torn_in_all <= 2 * 20); /* a cut where there was none, or one that moved */
    free(before);
    tables_free(tables, TABLES);
}

static void test_no_tables(void **state)
{
    BundlePlace *places = bundle_places(NULL, 0);
    free(places);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_runs_have_some_tables),
        cmocka_unit_test(test_equal_names_end_in_bounded_runs),
        cmocka_unit_test(test_a_new_table_changes_one_run),
        cmocka_unit_test(test_no_tables),
    };
    return cmocka_run_group_tests_name("bundle", tests, NULL, NULL);
}
