/* What the files of the proofs share. */
#ifndef KURA_PROOFS_PRIV_H
#define KURA_PROOFS_PRIV_H

#include "kura/proofs.h"

enum { PROOF_FINDINGS_MAX = 20 };

typedef struct Proofs {
    PgConn *conn;
    Findings *findings;
} Proofs;

/* Adds a finding, the number-th of its kind: beyond PROOF_FINDINGS_MAX there is one that says so. */
void proof_tell(const Proofs *proofs, Severity severity, const char *code, const char *hint, uint64_t number,
                const char *format, ...) __attribute__((format(printf, 6, 7)));

#endif
