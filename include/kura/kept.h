/* The databases that kura keeps beside the one an application uses: the old one after `restore --swap` or `undo`, and
 * what an interrupted restore left. */
#ifndef KURA_KEPT_H
#define KURA_KEPT_H

#include <stdbool.h>
#include <stdint.h>

#include "kura/buf.h"
#include "kura/error.h"
#include "kura/findings.h"

enum { KEPT_AT_SIZE = 32 };

typedef enum KeptState {
    KEPT_BUILDING,  /* a restore was, or is, filling it */
    KEPT_DIFFERS,   /* restored, but not what was asked for: for a look */
    KEPT_COMPLETE,  /* restored and proven, but not put in place */
    KEPT_OLD,       /* an application's database until another took its name */
    KEPT_REHEARSAL, /* a rehearsal's, which drops it */
    KEPT_REHEARSED, /* .. and was told to leave it for a look */
} KeptState;

const char *kept_state_name(KeptState state); /* "building", "differs", "complete", "kept", "rehearsal", "rehearsed" */

/* A membership that a restore without superuser borrowed, as its mark tells: who finds it there gives it back. */
typedef struct Loan {
    char *role, *member;
    char *grantor;          /* in whose name; NULL: before 16 */
    char *stamp;            /* the transaction that granted it: whatever another one made of it is not ours */
    bool changed;           /* the grant was there and got other options .. */
    bool inherits, becomes; /* .. than these */
} Loan;

typedef struct Loans {
    Loan *v;
    size_t n, cap;
} Loans;

typedef struct KeptDatabase {
    char *name;
    uint32_t oid;
    KeptState state;
    char at[KEPT_AT_SIZE]; /* since when, in UTC: "2026-11-22T03:15:00.123456Z" */
    char *by;              /* the backup's id, "archive", or "undo": what it was made from, or replaced by */
    char *comment;         /* its own; NULL: none */
    double days;           /* since `at`, by the server's clock */
    uint64_t bytes;        /* 0 when it may not be read */
    uint64_t sessions;
    StrVec holds;          /* what forbids to drop it: prepared transactions, replication slots, subscriptions */
    Loans loans;           /* what the restore borrowed that made or replaced it */
    char *stale_collation; /* "2.31, now 2.36" where the library that sorts its text has changed; else NULL */
} KeptDatabase;

typedef struct KeptDatabases {
    KeptDatabase *v; /* the newest first */
    size_t n;
} KeptDatabases;

void kept_databases_done(KeptDatabases *databases); /* NULL-safe */

typedef struct UndoOptions {
    const char *db;   /* conninfo; its database is the name whose former holder comes back */
    const char *kept; /* which one; NULL: the one kept last */
    bool plan;        /* tell, change nothing */
} UndoOptions;

typedef struct UndoReport {
    char *database; /* the name */
    KeptDatabase restored;
    char *replaced; /* what the database that had the name until now is called; NULL: there was none */
    uint64_t sessions_ended;
} UndoReport;

/* Swaps a kept database back into its place, in one transaction: killed at any instant, all or nothing has happened.
 * What it replaces is kept in turn, so that an undo can be undone. */
int undo_run(const UndoOptions *options, UndoReport *ret, Findings *findings, Error *err);
void undo_report_done(UndoReport *report);

typedef struct KeptPruneOptions {
    const char *db;    /* conninfo; only databases that stand for its database are looked at */
    double older_than; /* days; < 0: any age */
    size_t keep;       /* the newest of these stay, whatever their age */
    bool drop;         /* false: list only */
} KeptPruneOptions;

typedef enum KeptVerdict {
    KEPT_STAYS,   /* too young, or among the newest */
    KEPT_IN_USE,  /* has sessions, or holds something that would be lost silently */
    KEPT_TO_DROP, /* would be dropped */
    KEPT_DROPPED,
} KeptVerdict;

typedef struct KeptPruneReport {
    char *database;
    KeptDatabases databases;
    KeptVerdict *verdicts; /* one for each */
} KeptPruneReport;

/* Lists the databases that kura keeps for a name and drops, if told to, those that the options do not spare. Never one
 * that kura did not mark, that a person has renamed since, or that has sessions. */
int kept_prune(const KeptPruneOptions *options, KeptPruneReport *ret, Findings *findings, Error *err);
void kept_prune_report_done(KeptPruneReport *report);

#endif
