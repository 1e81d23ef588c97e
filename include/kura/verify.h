/* kura verify: whether backups could be restored. */
#ifndef KURA_VERIFY_H
#define KURA_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "kura/buf.h"
#include "kura/error.h"
#include "kura/findings.h"
#include "kura/progress.h"
#include "kura/repo.h"

typedef struct VerifyOptions {
    const StrVec *ids; /* full ids; NULL or empty: all backups */
    const char *app;   /* of all backups only those of this application; NULL: of any */
    double percent; /* of the bytes to read, going on where the last run stopped: 0 none, 100 all; not a share of ids */
    size_t jobs;    /* readers; 0: as many as suit the store */
    bool list_orphans; /* by name, in the report */
} VerifyOptions;

/* Names, each once, the first of them kept. */
typedef struct VerifyNames {
    StrVec kept;
    bool more; /* there are others */
} VerifyNames;

/* A blob that is missing or damaged, or holds files that are not those of the index. */
typedef struct VerifyDamage {
    size_t blob;      /* for the flow itself */
    const char *code; /* "blob-missing", "blob-damaged", "files-damaged" */
    char *message;    /* names the blob */
    char *hint;
    time_t since; /* when it was found first */
    VerifyNames backups;
    VerifyNames affected; /* "table public.note", "file media/a/b.png", "index of fileset media" */
    uint32_t *indexes;    /* for the flow itself: index blobs that lead to it */
    size_t n_indexes, cap_indexes;
} VerifyDamage;

typedef struct VerifyBackup {
    char *id;
    bool unreadable;        /* the manifest is damaged or of another version */
    bool damaged;           /* something is wrong, be it one of the following or not */
    uint64_t tables, files; /* that cannot be restored as they were; files not counting those of a damaged index */
} VerifyBackup;

/* A blob that no backup names. */
typedef struct VerifyOrphan {
    char *key;
    uint64_t size; /* of the object */
    int64_t time;  /* when it was stored; INT64_MIN: the store does not tell */
} VerifyOrphan;

enum { VERIFY_DAMAGES_MAX = 100, VERIFY_ORPHANS_MAX = 100 * 1000 };

typedef struct VerifyReport {
    VerifyBackup *backups;
    size_t n_backups, cap_backups;
    uint64_t blobs, bytes;           /* that the backups name */
    uint64_t missing, damaged;       /* of these */
    uint64_t read_blobs, read_bytes; /* that were read and are good */
    uint64_t files_read;             /* files in packs whose hash was compared */
    uint64_t tables, tables_proven;  /* by rows and digest, counted for each backup; 0 when nothing was read */
    bool orphans_known;              /* all backups were looked at and could be read */
    uint64_t orphans, orphan_bytes;  /* blobs that no backup names */
    VerifyOrphan *orphan_list;       /* the first VERIFY_ORPHANS_MAX of them, if they were wanted */
    size_t n_orphans, cap_orphans;
    VerifyDamage *damages; /* the first VERIFY_DAMAGES_MAX of them */
    size_t n_damages;
    uint64_t leftovers, leftover_bytes; /* unfinished files of killed writers */
    double cycle_share;                 /* of the reading of everything that is under way: what is done, 0 to 1 */
    time_t cycle_started;               /* 0: none is */
    time_t cycle_completed;             /* the last one; 0: never */
} VerifyReport;

/* Checks manifests and indexes, that each blob they name is there with the right size, and what is in the blobs as far
 * as options say. Holds a shared lock meanwhile. Damages are error findings, and no error of the function: it fails
 * when the store does (ERR_CONNECTION, ERR_PERMISSION ..), without a key (ERR_KEY), and for an id that does not exist.
 * A table is proven by its digest when all of its segments were read. What was found, and how far a share of all
 * backups was read, is left in the repository (verifystate.h) for the next run, for backups and for others; what was
 * damaged before is read again each time.
 *
 * Memory: about 90 bytes a blob, 60 MB for lists of files in packs, and 128 MB for blobs being read. */
int verify_run(Repo *repo, const VerifyOptions *options, VerifyReport *ret, Findings *findings, Progress *progress,
               Error *err);
void verify_report_done(VerifyReport *report);

#endif
