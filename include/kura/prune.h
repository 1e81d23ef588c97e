/* kura prune: which backups go, what that frees, and its removal. */
#ifndef KURA_PRUNE_H
#define KURA_PRUNE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kura/buf.h"
#include "kura/error.h"
#include "kura/findings.h"
#include "kura/progress.h"
#include "kura/repo.h"
#include "kura/retention.h"

typedef struct PruneOptions {
    RetentionPolicy policy;
    const char *app;      /* only backups of this application may go; NULL: of any */
    const StrVec *remove; /* ids of backups that a person gives up, whatever the policy says; may be NULL */
    double grace;         /* seconds, by the store's own clock, that a blob which no backup names is left alone */
    double max_unused; /* packs are rewritten when they hold more dead bytes than this share of all, in per cent; 100:
                          never */
    bool plan;         /* tell, change nothing */
} PruneOptions;

typedef struct PruneBackup {
    char *id, *app; /* app NULL: the manifest cannot be read, and somebody gives it up */
    char *started;  /* clock_format_utc; NULL likewise */
    bool stays;
    RetentionReasons reasons;
} PruneBackup;

typedef struct PruneReport {
    PruneBackup *backups; /* oldest first; those of --app alone */
    size_t n_backups, n_going;
    uint64_t kept_blobs, kept_bytes;   /* that backups which stay name */
    uint64_t freed_blobs, freed_bytes; /* that none of them names: removed, or with plan to be removed */
    uint64_t young_blobs, young_bytes; /* the same, but within their grace */
    uint64_t dead_bytes;               /* within packs that stay, of files that no such backup has */
    uint64_t packs;                    /* rewritten, or with plan to be rewritten */
    uint64_t packs_bytes, packs_freed; /* their bytes, and how many of them that saves */
    uint64_t rehearsals;               /* old ones of backups that are gone, removed */
} PruneReport;

/* Judges all backups under an exclusive lock and removes, unless it is but a plan, what goes: manifests first, then
 * blobs, so that a kill at any instant leaves blobs without a backup, and never a backup without its blobs. In that
 * case, and on any error, running it again goes on.
 *
 * Refused, before anything is changed: a policy without rules or one that keeps no backup of some application; while a
 * manifest or an index cannot be read, or blobs of a backup that stays are missing (ERR_CORRUPT, ERR_UNSUPPORTED,
 * ERR_KEY); after failures (ERR_FAILED). The hint names the remedy. */
int prune_run(Repo *repo, const PruneOptions *options, PruneReport *ret, Findings *findings, Progress *progress,
              Error *err);
void prune_report_done(PruneReport *report);

#endif
