/* The directory store's insides: descriptors of its directories (dirtree.c), the walk (dirwalk.c). */
#ifndef KURA_STORE_DIR_PRIV_H
#define KURA_STORE_DIR_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <time.h>

#include "kura/error.h"
#include "store_priv.h"

/* Names of unfinished files: DIR_TEMP_MARK is no character of a key, so no such file can ever be an object. */
#define DIR_TEMP_PREFIX ".tmp-"
#define DIR_TEMP_MARK "~"

/* Directories below a root, opened part by part without following a link, so that nothing planted in a repository leads
 * out of it. Descriptors of the directories used are kept. Thread-safe. */
typedef struct DirTree DirTree;

typedef struct DirRef {
    int fd;
    bool borrowed; /* kept by the tree */
} DirRef;

DirTree *dirtree_new(const char *root);
void dirtree_free(DirTree *tree);
const char *dirtree_root(const DirTree *tree);
/* Makes the root, whose parent must exist; no error when it is there. */
int dirtree_create_root(DirTree *tree, Error *err);
/* To look into a directory; or so that its name, too, survives a crash, whoever made it; or the same for one that need
 * not exist. */
typedef enum DirUse { DIR_LOOK, DIR_ANCHOR, DIR_CREATE } DirUse;

/* Opens the directory path[0..len) below the root ("" is the root), which itself is never made. ERR_NOT_FOUND. */
int dirtree_open(DirTree *tree, const char *path, size_t len, DirUse use, DirRef *ret, Error *err);
void dirref_done(DirRef *ref);
/* The directory that holds one of this name; to be freed. */
char *dir_parent(const char *root);
/* fsync of a directory; file systems that have none are taken at their word. */
int dir_sync(int fd);

int dirwalk_list(DirTree *tree, const char *prefix, StoreListFn fn, void *ctx, Error *err);
/* store_probe for the directory of that name, which need not exist. */
int dirprobe_run(const char *root, Findings *findings, Error *err);
/* Calls fn for what dirwalk_tidy would remove at that time. */
int dirwalk_leftovers(DirTree *tree, time_t now, StoreListFn fn, void *ctx, Error *err);
/* Removes unfinished files that no living put can own any more, now being what the file system's own clock says. */
int dirwalk_tidy(DirTree *tree, time_t now, Error *err);

#endif
