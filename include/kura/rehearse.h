/* kura rehearse: proves that a backup would come back, in a scratch database with scratch roles. */
#ifndef KURA_REHEARSE_H
#define KURA_REHEARSE_H

#include "kura/app.h"
#include "kura/manifest.h"
#include "kura/pg.h"
#include "kura/progress.h"
#include "kura/rehearsal.h"
#include "kura/rolemap.h"

/* A query on the restored database that gives paths of files of a fileset, one a row. */
typedef struct MediaReference {
    const char *fileset, *query;
} MediaReference;

typedef struct RehearseOptions {
    const char *server;   /* conninfo; whatever database it names is only connected to, never changed */
    const char *admin_db; /* as for a restore; or NULL */
    const char *pg_bindir;
    RoleMap *map; /* each role that no rule names becomes a role of this rehearsal, which nobody can log in as; rules
                     for these are added */
    const char *app_role; /* of the backup; NULL: who owns most tables */
    uint64_t max_size;    /* bytes of disk that it may take; 0: any */
    size_t jobs;
    int nice;      /* of kura and its children, 0 to 19 */
    bool low_cost; /* pauses between rows, so that a busy server hardly notices */
    double sample; /* percentage of the files that is read back and hashed */
    const MediaReference *references;
    size_t n_references;
    const char *run;    /* a command for /bin/sh; or NULL */
    double run_timeout; /* seconds; 0: none */
    bool keep_on_failure;
    const AppSite *site; /* as for a restore; or NULL */
} RehearseOptions;

/* Restores into a scratch database, proves, runs, measures, and drops database and roles on every way out; what killed
 * rehearsals left is found and dropped first. *ret is set whenever the rehearsal began, also when it failed: then its
 * error says why, and the function succeeds. It fails, before anything was made, where it cannot begin: bad options, no
 * connection, not enough room (with figures). An interrupted one fails too, after its clean-up. What it found is added
 * to findings in any case. */
int rehearse_run(Repo *repo, const Manifest *manifest, const RehearseOptions *options, Rehearsal **ret,
                 Findings *findings, Progress *progress, Error *err);

/* How much disk the database of a backup takes once it is restored, at most: a restored one has no dead rows. */
uint64_t restore_estimate(const Manifest *manifest);

typedef struct RestoreRoom {
    uint64_t left;    /* bytes on the file system of the server's data directory */
    uint64_t reserve; /* of these, what should stay free */
} RestoreRoom;

/* false where it cannot be looked at. */
bool restore_room_in(const char *data_dir, RestoreRoom *ret);
/* The same of the server's own data directory; false where we cannot know: the server is elsewhere, or does not tell
 * where it keeps its data. */
bool restore_room(PgConn *conn, RestoreRoom *ret);

#endif
