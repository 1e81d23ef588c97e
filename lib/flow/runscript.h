/* Runs a plan of ownership statements. */
#ifndef KURA_RUNSCRIPT_H
#define KURA_RUNSCRIPT_H

#include "kura/ownplan.h"
#include "kura/pg.h"

/* Transaction by transaction. One that waits for a lock longer than the script allows is rolled back and tried again;
 * each such time a line about who held the lock goes into waited. *ret_retries counts them, *ret_committed the
 * transactions that are done. */
int runscript(PgConn *conn, const OwnStatements *script, StrVec *waited, size_t *ret_retries, size_t *ret_committed,
              Error *err);

#endif
