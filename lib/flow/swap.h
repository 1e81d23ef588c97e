/* Databases change their names together: all of them or none, whenever kura or the server is killed. */
#ifndef KURA_SWAP_H
#define KURA_SWAP_H

#include "kura/databases.h"
#include "kura/findings.h"
#include "kura/kept.h"

typedef struct SwapMove {
    uint32_t oid;
    const char *from, *to;
    const char *comment; /* it has afterwards; NULL: none */
    bool evict;          /* its sessions are ended; else whoever is in it is waited for */
} SwapMove;

typedef struct Swap {
    const char *conninfo; /* any database of the server */
    const char *name;     /* the one that this is about */
    SwapMove moves[2];    /* in this order */
    size_t n_moves;
    void (*also)(PgConn *conn, void *ctx); /* what else the transaction does, behind the moves; NULL: nothing */
    void *ctx;
    StrVec ended; /* result: the role of each session that was ended */
    bool unknown; /* result: the connection broke while committing, and the server cannot be asked what became of it */
} Swap;

/* Renames, in one transaction that new sessions wait for. *admin is a connection to another database, replaced when it
 * was lost. Fails with ERR_SERVER, sqlstate 55006, naming whoever is still there when patience ends, and then nothing
 * has changed. */
int swap_run(PgConn **admin, Swap *swap, Error *err);
void swap_done(Swap *swap);
/* Adds a note about sessions that were ended. */
void swap_tell(const Swap *swap, Findings *findings);

/* Tells what goes along with a database that gets the name `to`: replication slots and subscriptions know it by its
 * OID, not by its name. */
int swap_check_holds(PgConn *admin, uint32_t oid, const char *name, const char *to, Findings *findings, Error *err);
/* Finds out early what swap_run() would fail of: no right to rename, sessions that may not be ended (errors), prepared
 * transactions, sessions (notes). becomes: the roles that it will be able to act as by then; NULL: no more than now. */
int swap_check(PgConn *admin, uint32_t oid, const char *name, bool evict, const StrVec *becomes, Findings *findings,
               Error *err);

/* The server's time as marks have it. */
int swap_now(PgConn *admin, char text[KEPT_AT_SIZE], Error *err);

#endif
