/* A pg_dump whose custom-format output is read from a pipe: header and TOC come first, before any data. */
#ifndef KURA_DUMPPIPE_H
#define KURA_DUMPPIPE_H

#include "kura/buf.h"
#include "kura/pg.h"
#include "kura/pgtools.h"
#include "kura/proc.h"
#include "kura/toc.h"

/* Starts pg_dump -Fc -Z0 on the server of conn; dbname NULL: conn's own database. extra: further arguments, may be
 * NULL. */
int dumppipe_open(PgConn *conn, const char *dbname, const PgTools *tools, const StrVec *extra, Proc **ret, Error *err);
/* Whether pg_dump ended because the server's lock table was full. The setting's name is in the server's message whatever
 * its language. */
bool dumppipe_lacked_locks(const Proc *dump);
/* Reads until the TOC is whole: *raw gets the bytes of header and TOC, *rest what was read behind them; both are made
 * here. When pg_dump ends too early the error is what it said. */
int dumppipe_read_toc(Proc *dump, Buf *raw, Buf *rest, Toc **ret, Error *err);

#endif
