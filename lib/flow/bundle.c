#include "bundle.h"

#include <stdlib.h>
#include <string.h>

#include "kura/mem.h"

static int by_name(const void *a, const void *b, void *ctx)
{
    const ManifestTable *tables = ctx;
    const ManifestTable *x = &tables[((const BundlePlace *)a)->table], *y = &tables[((const BundlePlace *)b)->table];
    int order = strcmp(x->schema, y->schema);
    return order ? order : strcmp(x->name, y->name);
}

/* Whether a run ends behind this name. */
static bool ends_run(const ManifestTable *table)
{
    _cleanup_free_ char *name = xasprintf("%s.%s", table->schema, table->name);
    RowDigest digest = {0};
    return rowdigest_add(&digest, name, strlen(name)) % BUNDLE_MEAN == 0;
}

BundlePlace *bundle_places(const ManifestTable *tables, size_t n)
{
    BundlePlace *places = xcalloc(n, sizeof *places);
    for (size_t i = 0; i < n; i++)
        places[i].table = i;
    qsort_r(places, n, sizeof *places, by_name, (void *)tables);
    size_t run = 0, members = 0;
    for (size_t i = 0; i < n; i++) {
        places[i].run = run;
        if (++members == BUNDLE_MOST || ends_run(&tables[places[i].table])) {
            run++;
            members = 0;
        }
    }
    return places;
}
