/* kura audit and kura repair: a live database against what its owners and grants should be. */
#ifndef KURA_AUDIT_H
#define KURA_AUDIT_H

#include "kura/buf.h"
#include "kura/dbfacts.h"
#include "kura/error.h"
#include "kura/findings.h"
#include "kura/ownplan.h"
#include "kura/rolemap.h"
#include "kura/toc.h"

/* What is wanted: that of toc or of like (under the map), else that one role owns all, else the map alone. */
typedef struct AuditOptions {
    const char *db;
    Toc *toc;             /* of a backup or an archive; changed by the map */
    const DbFacts *facts; /* of that backup, or NULL */
    const char *like;     /* conninfo of another database */
    RoleMap *map;         /* may be empty; a rule for the bootstrap superuser may be added */
    const char *app_role;
    const char *backup_role;  /* whose backups must not fail; NULL: the session's */
    const char *cure_command; /* what repairs, for the findings */
} AuditOptions;

typedef struct AuditReport {
    char *database, *where, *app_role; /* app_role NULL: nobody owns tables */
    size_t objects, grants;            /* looked at */
    OwnFindings findings;
    StrVec missing; /* objects of the backup or of the other database that are not here */
} AuditReport;

void audit_report_done(AuditReport *report);

/* Connects, looks, changes nothing. findings: what is wrong with the map. */
int audit_run(const AuditOptions *options, AuditReport *ret, Findings *findings, Error *err);

typedef struct RepairOptions {
    AuditOptions audit;
    double lock_timeout;   /* seconds; 0: wait for ever */
    const char *undo_file; /* NULL: none is written */
    bool apply;
} RepairOptions;

typedef struct RepairReport {
    AuditReport audit; /* before */
    OwnFindings left;  /* after, when applied */
    char *plan, *undo; /* SQL; NULL when nothing is to be done */
    size_t statements, transactions, retries;
    StrVec impossible; /* what the plan cannot bring about */
    StrVec waited;     /* locks that were in the way */
    bool applied;
} RepairReport;

void repair_report_done(RepairReport *report);

/* Audits, plans, writes the undo file (it must not exist; mode 0600), applies and audits again. A transaction that
 * cannot get a lock in time is rolled back and tried again, some times. When it fails for good, what was committed
 * before stays, and the undo file takes it back. */
int repair_run(const RepairOptions *options, RepairReport *ret, Findings *findings, Error *err);

typedef struct RepairUndoReport {
    char *script;
    size_t statements, transactions, retries;
    StrVec waited;
    bool applied;
} RepairUndoReport;

void repair_undo_report_done(RepairUndoReport *report);

/* Runs an undo file (or a plan), or only reads it. It must be for the database it is run in. */
int repair_undo(const char *db, const char *file, bool apply, RepairUndoReport *ret, Error *err);

#endif
