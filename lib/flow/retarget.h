/* What an archive says about its database, for a database of another name. Pure. */
#ifndef KURA_RETARGET_H
#define KURA_RETARGET_H

#include "kura/buf.h"
#include "kura/error.h"

/* Clauses of CREATE DATABASE that the target has no use for. */
enum { DROP_NOTHING = 0, DROP_TABLESPACE = 1, DROP_PROVIDER = 2 };

/* Copies SQL with the name behind every word DATABASE replaced, one statement after the other into *ret, without the
 * clauses to drop. */
int retarget(const char *sql, const char *name, int drop, StrVec *ret, Error *err);
/* These statements run in the maintenance database, where an archive has no business: only the forms that pg_dump
 * writes about a database pass. desc is the type of the entry they came from. */
int retarget_check(const StrVec *statements, const char *desc, Error *err);

#endif
