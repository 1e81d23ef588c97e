/* Which small tables share a blob, so that hundreds of tiny tables do not cost as many objects. kura-format(5)
 * describes the rule. */
#ifndef KURA_BUNDLE_H
#define KURA_BUNDLE_H

#include "kura/manifest.h"

/* On average, and at most, tables of a run. */
enum { BUNDLE_MEAN = 32, BUNDLE_MOST = 128 };

typedef struct BundlePlace {
    size_t table; /* index into the tables given */
    size_t run;   /* number of the run it is in, from 0 on */
} BundlePlace;

/* Sorts the tables by their names and cuts them into runs, behind names whose hash says so. Runs depend on names alone:
 * whatever a table holds, its neighbours stay the same, and a new table changes one run. n places, to be freed. */
BundlePlace *bundle_places(const ManifestTable *tables, size_t n);

#endif
