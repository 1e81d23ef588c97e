/* Rehearsals and repositories as a report may be asked about, for the tests and for a look with a browser. */
#ifndef KURA_TEST_REPORT_FIXTURE_H
#define KURA_TEST_REPORT_FIXTURE_H

#include "kura/mem.h"
#include "kura/report.h"

#define FIXTURE_NOW 1795330800 /* 2026-11-22T07:00:00Z, a Sunday */

DEFINE_CLEANUP(Rehearsal, rehearsal_free)

/* A rehearsal of a site of ordinary size that passed `night` nights after the first one. */
Rehearsal *ordinary(int night);
/* The same with warnings; with proofs that failed; ended early; with a migration that ran, and with one that did not.
 */
Rehearsal *with_findings(int night);
Rehearsal *with_failures(int night);
Rehearsal *ended_early(int night);
Rehearsal *migrated(int night);
Rehearsal *migration_failed(int night);
/* Nothing in it that could be left out. */
Rehearsal *bare(void);
/* Every text of it wants to be markup, to move the cursor, or to be endless. */
Rehearsal *hostile(void);
/* Of 10,000 tables and as many findings and changes. */
Rehearsal *huge(void);

/* 60 days of one application, with days missing and rehearsals of every verdict; a weekly one beside it. */
void sample_repository(RepositoryReport *report);
/* Backups of one application without any rehearsal, the last one too old. */
void neglected_repository(RepositoryReport *report);

/* Makes a finding, a proof, .. more. */
void add_finding(Rehearsal *rehearsal, Severity severity, const char *code, const char *message, const char *hint);
RehearsalProof *proof_of(Rehearsal *rehearsal, const char *name);

#endif
