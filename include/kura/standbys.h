/* Waiting until the standbys of a server have replayed what was just written there. */
#ifndef KURA_STANDBYS_H
#define KURA_STANDBYS_H

#include <stdbool.h>
#include <stddef.h>

#include "kura/error.h"
#include "kura/findings.h"
#include "kura/pg.h"

typedef struct StandbysOptions {
    double seconds;           /* how long to wait at most */
    const char *reads_by;     /* an application that reads from them what it has just written: "Misskey"; NULL: none */
    const char *reads_remedy; /* .. and what to do where they are asynchronous: full sentences */
} StandbysOptions;

typedef struct StandbysReport {
    size_t n;      /* most that were there at a time */
    size_t behind; /* that have not replayed all, or went away before they had */
    double seconds;
} StandbysReport;

/* Whether the connection's role can see the standbys: an error "standbys-unseen" where it cannot. */
int standbys_check(PgConn *conn, Findings *findings, Error *err);

/* Waits for those that replay (replication.h). Warnings: "no-standbys", "standby-behind", "standby-asynchronous". */
int standbys_wait(PgConn *conn, const StandbysOptions *options, StandbysReport *ret, Findings *findings, Error *err);

#endif
