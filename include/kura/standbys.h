/* Waiting until the standbys of a server have replayed what was just written there. */
#ifndef KURA_STANDBYS_H
#define KURA_STANDBYS_H

#include <stdbool.h>
#include <stddef.h>

#include "kura/app.h"
#include "kura/error.h"
#include "kura/findings.h"
#include "kura/pg.h"

typedef struct StandbysReport {
    size_t n;      /* most that were there at a time */
    size_t behind; /* that have not replayed all, or went away before they had */
    double seconds;
} StandbysReport;

/* Whether the connection's role can see the standbys: an error "standbys-unseen" where it cannot. */
int standbys_check(PgConn *conn, Findings *findings, Error *err);

/* Waits for those that replay (replication.h), so many seconds at most. site may be NULL. Warnings: "no-standbys",
 * "standby-behind"; "standby-asynchronous" where the site reads from replicas what it has just written. */
int standbys_wait(PgConn *conn, double seconds, const AppSite *site, StandbysReport *ret, Findings *findings,
                  Error *err);

#endif
