/* kura copy: backups into another repository, which may have another key or none. */
#ifndef KURA_COPY_H
#define KURA_COPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kura/buf.h"
#include "kura/error.h"
#include "kura/findings.h"
#include "kura/progress.h"
#include "kura/repo.h"

typedef struct CopyOptions {
    const StrVec *ids;     /* full ids; NULL or empty: all backups */
    const char *app;       /* only those of this application; NULL: of any */
    const char *cache_dir; /* where it is kept how blobs are called that only their content can tell; NULL: nowhere */
    bool plan;             /* tell what would be copied, send nothing */
    bool verify;           /* read back what was sent before a copy is committed */
    bool decrypt;          /* an encrypted repository may be copied into a plain one */
} CopyOptions;

typedef enum CopyState {
    COPY_THERE,   /* the other repository had it */
    COPY_PLANNED, /* it would be copied */
    COPY_DONE,
    COPY_DAMAGED, /* it could not be read in full and was passed over: a finding tells */
} CopyState;

const char *copy_state_name(CopyState state); /* "there", "planned", "copied", "damaged" */

typedef struct CopyBackup {
    char *id;        /* in the repository it is copied from */
    char *target_id; /* in the other one: the application is called otherwise where it is encrypted; NULL: unknown */
    CopyState state;
    uint64_t blobs,
        bytes; /* that the other repository lacked; of a plan: that it lacks, or that must be read to know */
} CopyBackup;

typedef struct CopyReport {
    CopyBackup *backups; /* oldest first */
    size_t n_backups, cap_backups;
} CopyReport;

/* Copies what the other repository lacks, oldest backup first, each committed by itself: whatever happens, those that
 * were copied stay, and blobs that were sent are not sent again. Each blob is checked against its name when it is read.
 * Holds shared locks on both. `from` must be readable (ERR_KEY), `to` opened for writing; ERR_USAGE when decrypt is
 * needed and missing, or verify is asked for and nobody here can read `to`. On error *ret has what was done until then.
 *
 * Memory: 64 MiB read ahead, 48 MiB that wait to be sent, and for each blob of the larger repository some 50 bytes, 140
 * where its name has to be learned. */
int copy_run(Repo *from, Repo *to, const CopyOptions *options, CopyReport *ret, Findings *findings, Progress *progress,
             Error *err);
void copy_report_done(CopyReport *report);

#endif
