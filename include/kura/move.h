/* kura move: whether another host has what the backup of an application wants. */
#ifndef KURA_MOVE_H
#define KURA_MOVE_H

#include "kura/app.h"
#include "kura/findings.h"
#include "kura/hostfacts.h"
#include "kura/manifest.h"
#include "kura/pg.h"
#include "kura/restore.h"

/* A place that a restore fills. */
typedef struct MoveRoom {
    char *what; /* "database", or a fileset's name */
    char *path; /* where it will be; NULL: on the server's own disk, of which only the server knows */
    uint64_t needed, left;
    bool known;       /* left was found out */
    uint64_t device;  /* what is on one file system must fit together */
    uint64_t reserve; /* of left, what must stay free */
} MoveRoom;

typedef struct MoveHost {
    const char *root;    /* a directory that stands for "/" (tests); NULL */
    bool has_server;     /* a server was asked already: what only it can tell is not guessed from packages */
    const AppSite *site; /* the application here; NULL: it is not here */
    const struct RestoreFiles *files; /* where filesets will be */
    size_t n_files;
    PgConn *conn; /* to the server; NULL: none */

    HostFacts facts; /* found out */
    MoveRoom *rooms;
    size_t n_rooms;
} MoveHost;

/* Looks at this host and compares it with the one that the backup was made on; everything that is wrong, and what is
 * different and does no harm, becomes a finding with its remedy. */
void move_compare(const Manifest *manifest, MoveHost *host, Findings *findings);
void move_host_done(MoveHost *host); /* what was found out */

#endif
