/* What other files take from the audit. */
#ifndef KURA_AUDIT_PRIV_H
#define KURA_AUDIT_PRIV_H

#include "kura/catalog.h"

/* Sequences behind the rows of their columns, as one finding that lists them; *ret_n is how many were compared. */
int audit_sequences(PgConn *conn, size_t *ret_n, OwnFindings *findings, Error *err);

#endif
