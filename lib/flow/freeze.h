/* The frozen database: a leader that holds locks and snapshot, and the TOC that the real pg_dump wrote under it. */
#ifndef KURA_FREEZE_H
#define KURA_FREEZE_H

#include "kura/backup.h"
#include "kura/catalog.h"
#include "kura/pg.h"
#include "kura/pgtools.h"
#include "kura/proc.h"
#include "kura/toc.h"

typedef struct Freeze {
    PgConn *leader; /* in its transaction until freeze_end */
    PgTools tools;
    char *snapshot;       /* name of the exported snapshot */
    CatalogTables tables; /* in the snapshot */
    DbFacts facts;
    Buf toc_raw; /* header and TOC as pg_dump wrote them */
    Toc *toc;
    Proc *dump;    /* alive only with options->pg_dump_stream */
    Buf dump_rest; /* then: what was read behind the TOC */
} Freeze;

/* Connects, checks, locks, exports the snapshot, reads the TOC. On failure *freeze is to be freed too. */
int freeze_begin(const BackupOptions *options, Freeze *freeze, Findings *findings, Error *err);
/* Proves that the leader still holds its transaction, and ends it. */
int freeze_end(Freeze *freeze, Error *err);
void freeze_done(Freeze *freeze);
/* A further connection under the same snapshot. */
int freeze_join(const Freeze *freeze, const BackupOptions *options, const atomic_bool *give_up, PgConn **ret,
                Error *err);

#endif
