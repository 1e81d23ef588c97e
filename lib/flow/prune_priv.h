/* The insides of prune: judging (prune.c), refusing (prune_refuse.c), marking what stays (prune_mark.c), removing
 * (prune_sweep.c), rewriting packs (prune_packs.c). */
#ifndef KURA_PRUNE_PRIV_H
#define KURA_PRUNE_PRIV_H

#include "blobtable.h"
#include "kura/fileset.h"
#include "kura/manifest.h"
#include "kura/prune.h"
#include "rangeset.h"

/* Flags of a blob's record. */
enum {
    BLOB_STAYS = 1,    /* a backup that stays names it */
    BLOB_YOUNG = 2,    /* within the grace period */
    BLOB_FOLLOWED = 4, /* .. and what it refers to, as a piece of an index, is marked too */
    BLOB_VICTIM = 8,   /* a pack that is to be rewritten; the record's index is its position among them */
    BLOB_TOUCHED = 16, /* a piece of an index that refers to a victim */
    BLOB_NEEDED = 32,  /* of these two: what it is rewritten to is the same blob, or another one's is */
};

/* One backup. */
typedef struct PruneEntry {
    char *name; /* of its manifest: with the revision */
    char *id, *app;
    char *started;
    StrVec tags;
    bool in_scope; /* of the application that is asked for */
    bool lost;     /* cannot be read, and somebody gives it up */
    bool removed;  /* somebody gives it up */
    bool rehearsed, goes;
} PruneEntry;

typedef struct Prune {
    Repo *repo;
    const PruneOptions *options;
    PruneReport *report;
    Findings *findings;
    Progress *progress;
    RepoLock *lock;
    PruneEntry *entries; /* oldest first */
    size_t n_entries, cap_entries;
    StrVec superseded; /* names of manifests with a higher revision beside them */
    StrVec pinned;     /* ids */
    int64_t now;       /* by the store's clock */
    BlobTable blobs;   /* all that the store has; a record's size is that of the object, of what stays the blob's */
    uint32_t *live;    /* of each: bytes of a pack that backups which stay need, at most its size */
    RangeSet counted;  /* files that live has */
    struct Victims *victims;
} Prune;

/* The entry of an id, or NULL. */
PruneEntry *prune_entry(const Prune *prune, const char *id);

/* What stands against removing anything. */
int prune_check_objects(const Prune *prune, Error *err);
int prune_read_rehearsals(Prune *prune, Error *err);
/* After prune_mark. */
int prune_check_verified(const Prune *prune, Error *err);

/* Lists the blobs, marks what the backups that stay refer to, and sums up. */
int prune_mark(Prune *prune, Error *err);
/* Calls fn for every part of a file that a piece of an index refers to. */
typedef int (*PrunePartFn)(Prune *prune, const IndexEntry *entry, const struct IndexPart *part, size_t blob, void *ctx,
                           Error *err);
int prune_each_part(Prune *prune, const BlobRef *piece, PrunePartFn fn, void *ctx, Error *err);

/* Removes manifests, then blobs. */
int prune_sweep(Prune *prune, Error *err);
/* Removes the blobs for which gone says so. */
int prune_remove_blobs(Prune *prune, bool (*gone)(const BlobRecord *record), Error *err);
/* Adds to the error of a removal what to do about it. */
int prune_not_removed(Error *err);

/* Chooses the packs to rewrite; then does it. */
void prune_choose_packs(Prune *prune);
int prune_rewrite_packs(Prune *prune, Error *err);
void prune_victims_free(struct Victims *victims);

#endif
