/* What this host remembers of its own runs: for each application one JSON document in a state directory, written after
 * every run, also one that failed. Monitors, metrics and prune read it; it works without the repository. No secrets. */
#ifndef KURA_RUNSTATE_H
#define KURA_RUNSTATE_H

#include <stdbool.h>
#include <stdint.h>

#include "kura/buf.h"
#include "kura/error.h"

typedef enum RunKind { RUN_BACKUP, RUN_REHEARSE, RUN_VERIFY, RUN_PRUNE, RUN_COPY, RUN_KINDS } RunKind;

const char *run_kind_name(RunKind kind); /* "backup", "rehearse", .. */

/* One run. Figures that a kind of run does not have are 0. */
typedef struct RunRecord {
    char *started;  /* clock_format_utc */
    char *finished; /* NULL: it still runs, or was killed */
    double seconds;
    int64_t pid;
    int status;                 /* the exit status */
    char *error;                /* why it failed, else NULL */
    char *repository;           /* its location as it was named; NULL: none was */
    char *backup;               /* id: the backup made, rehearsed; NULL: none */
    char *verdict;              /* of a rehearsal: verdict_name(); else NULL */
    uint64_t warnings;          /* findings that need a person */
    uint64_t rows, row_bytes;   /* read from the database */
    uint64_t files, file_bytes; /* in the filesets */
    uint64_t new_bytes;         /* stored because the repository did not have them; of a prune: freed */
    uint64_t backup_bytes;      /* stored bytes of all that the backup refers to */
    uint64_t repository_bytes;  /* of all blobs, where the run has looked at all of them */
} RunRecord;

void run_record_done(RunRecord *record); /* NULL-safe */
/* Whether a run of this kind did what it is for: a backup with warnings was made, but a verify that found something
 * proves nothing. False while it runs. */
bool run_record_good(RunKind kind, const RunRecord *record);
/* Whether it has not ended and its process is gone. */
bool run_record_killed(const RunRecord *record);

typedef struct RunHistory {
    bool has_last, has_good;
    RunRecord last; /* the newest run */
    RunRecord good; /* the newest good one; the same when that one was good */
} RunHistory;

typedef struct RunState {
    char *app; /* "": runs for no application */
    RunHistory runs[RUN_KINDS];
} RunState;

void runstate_free(RunState *state); /* NULL-safe */

/* Where it is kept: /var/lib/kura for root, else kura in $XDG_STATE_HOME or ~/.local/state; NULL when neither is set.
 * To be freed. */
char *runstate_default_dir(void);

/* app NULL or "": the runs for no application. ERR_NOT_FOUND: there was none. What is in the file is checked. */
int runstate_load(const char *dir, const char *app, RunState **ret, Error *err);
/* All of a directory, by name; those that cannot be read are left out and counted in *ret_bad. A directory that does
 * not exist has none. To be freed with runstates_free. */
int runstate_load_all(const char *dir, RunState ***ret, size_t *ret_n, size_t *ret_bad, Error *err);
void runstates_free(RunState **states, size_t n);

/* Puts a run in the place of the one of its kind before it, in one step and durably; directory (0750) and file (0640)
 * are made where missing. Two processes may do so at once. A document that is damaged is begun anew. */
int runstate_record(const char *dir, const char *app, RunKind kind, const RunRecord *record, Error *err);

/* The document, and the way back; strict. */
int runstate_format(const RunState *state, Buf *out, Error *err);
int runstate_parse(const void *text, size_t len, RunState **ret, Error *err);

#endif
