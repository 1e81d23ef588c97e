/* What is proven about a restored database by asking it, each with figures. What does not hold becomes findings, at
 * most twenty of a kind. */
#ifndef KURA_PROOFS_H
#define KURA_PROOFS_H

#include <stdbool.h>
#include <stdint.h>

#include "kura/error.h"
#include "kura/findings.h"
#include "kura/pg.h"

typedef struct ProofCount {
    uint64_t checked, failed;
} ProofCount;

/* Constraints: what NOT VALID ones say of the rows, counted and with a sample ("constraint-violated", a warning: the
 * source has them too). One that holds is a note. The rows are read as the owner of the table. */
int proof_constraints(PgConn *conn, ProofCount *ret, Findings *findings, Error *err);
/* Triggers that are disabled ("trigger-disabled", a warning). */
int proof_triggers(PgConn *conn, ProofCount *ret, Findings *findings, Error *err);
/* Indexes that are not valid ("index-invalid", an error: a restore makes none). */
int proof_indexes(PgConn *conn, ProofCount *ret, Findings *findings, Error *err);
/* B-tree indexes whose inside is not as it should be, by the extension amcheck, which is created for that and dropped
 * again ("index-corrupt", an error). Where the extension cannot be had *ret_skipped tells why (to be freed). */
int proof_amcheck(PgConn *conn, ProofCount *ret, char **ret_skipped, Findings *findings, Error *err);
/* Sequences behind the rows of their columns ("sequence-behind", a warning: the source has it too). */
int proof_sequences(PgConn *conn, ProofCount *ret, Findings *findings, Error *err);
/* Materialized views without contents ("matview-empty", a note: whether they had some is the schema's matter). */
int proof_matviews(PgConn *conn, ProofCount *ret, Findings *findings, Error *err);
/* Collations whose recorded version is another one than the library's ("collation-stale", a warning). */
int proof_collations(PgConn *conn, ProofCount *ret, Findings *findings, Error *err);
/* Writes as role to each table it may write to, in a transaction that is rolled back: a row into itself, so that
 * triggers run ("probe-write", a warning: the source has it too). */
int proof_writes(PgConn *conn, const char *role, ProofCount *ret, Findings *findings, Error *err);

/* The newest moment up to `before` ("2026-11-22T03:15:00Z") that a column with an index, or of a small table, holds:
 * *ret_epoch, and where (to be freed). Looks for at most so many seconds. *ret_where is NULL when there is none. */
int proof_newest_row(PgConn *conn, const char *before, double seconds, double *ret_epoch, char **ret_where, Error *err);

#endif
