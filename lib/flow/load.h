/* The inside of loading a backup: tables, their parts, what is done with them. */
#ifndef KURA_LOAD_H
#define KURA_LOAD_H

#include <pthread.h>

#include "copystmt.h"
#include "kura/pool.h"
#include "restore_priv.h"

typedef struct LoadPart {
    size_t first, end; /* segments of the table */
} LoadPart;

typedef struct LoadTable {
    const ManifestTable *source;
    const TocEntry *entry; /* TABLE DATA */
    CopyStmt stmt;
    LoadPart *parts;
    size_t n_parts;
    size_t next_part, parts_left;
    bool bundled;             /* its one part is loaded with others of the same blob */
    const TocEntry **indexes; /* to be built as soon as all parts are in */
    size_t n_indexes, cap_indexes;
    size_t next_index;
    size_t shared;  /* tasks under way that others may join */
    bool exclusive; /* one under way that locks the table for itself */
    bool verifying;
    RowDigest found; /* read back */
} LoadTable;

typedef struct LoadTask {
    enum { LOAD_PART, LOAD_BUNDLE, LOAD_INDEX, LOAD_FINISH, LOAD_VERIFY, LOAD_LARGE_OBJECTS } kind;
    LoadTable *table;
    size_t part;
    LoadTable **bundle; /* n_bundle tables */
    size_t n_bundle;
    const TocEntry *entry;
} LoadTask;

typedef struct Load {
    Restore *restore;
    size_t jobs;
    LoadTable *tables; /* largest first */
    size_t n_tables;
    size_t n_big;        /* the first ones, whose indexes are built early */
    LoadTable **bundled; /* by their place in the repository */
    size_t n_bundled;
    pthread_mutex_t mutex; /* guards all below and the tables' states */
    pthread_cond_t changed;
    size_t first_open;   /* no table before it has parts to hand out */
    size_t first_unread; /* no table before it is to be read back */
    size_t next_bundled;
    size_t parts_left; /* of all tables */
    size_t running;
    size_t building; /* of these, all but reading back */
    bool large_objects_left;
    bool finishing; /* the rest of post-data is under way, or done */
} Load;

/* load_plan.c: tables, parts, bundles and early indexes, from restore and jobs. load_plan_done also after a failure. */
int load_plan(Load *load, Error *err);
void load_plan_done(Load *load);

/* load_rows.c: segments into COPY. */
int load_part(Load *load, PgConn *conn, const LoadTable *table, const LoadPart *part, Error *err);
/* Small tables whose rows are in one blob: it is read once, and they are loaded in one transaction. */
int load_bundle(Load *load, PgConn *conn, LoadTable *const *tables, size_t n, Error *err);
/* The configuration tables of extensions: few rows, in the order of the TOC, because foreign keys may be there already.
 */
int load_config_tables(Restore *restore, Error *err);
/* Whether entry is the data of such a table: the archive does not create the table, its extension does. */
bool load_is_config(const Restore *restore, const TocEntry *entry);
int load_large_objects(Restore *restore, PgConn *conn, Error *err);

/* load_verify.c: the digest of what a table holds now; all tables against the manifest (partitions by their root). */
int load_read_back(Restore *restore, PgConn *conn, const ManifestTable *source, const TocEntry *entry, RowDigest *ret,
                   Error *err);
int load_compare(Load *load, Error *err);

#endif
