/* Ends the sessions of databases that another connection is about to rename, from a thread of its own. */
#ifndef KURA_EVICT_H
#define KURA_EVICT_H

#include "kura/buf.h"
#include "kura/pg.h"

typedef struct Evictor Evictor;

/* Begins. It waits until the server process `renamer` has asked for the lock on one of the databases, which holds off
 * whoever connects; only then sessions are ended, again and again. conn is its own from now on until evictor_end(). */
Evictor *evictor_begin(PgConn *conn, int renamer, const uint32_t *oids, size_t n_oids);
/* Ends it. Adds the role of every session that was ended to *roles. */
void evictor_end(Evictor *evictor, StrVec *roles);

#endif
