/* Where a restore goes: what the command line names, an application there, or else what the backup itself tells, so
 * that a bare host needs to know nothing but the repository. */
#ifndef KURA_CMD_GOAL_H
#define KURA_CMD_GOAL_H

#include "kura/restore.h"
#include "session.h"

/* What is an application's configuration, or a picture of a running service, is never restored over what may be there,
 * but into a directory beside it, of this ending. */
#define BESIDE ".kura-new"
#define BESIDE_REDIS ".kura-redis"

/* The choices of --only. */
enum { ONLY_DB, ONLY_FILES, EVERYTHING };

typedef struct RestoreGoal {
    char *db; /* conninfo; NULL: no database */
    struct RestoreFiles *files;
    size_t n_files, n_first; /* as in RestoreOptions */
    char *config_dir;        /* where the configuration will be, beside its place; NULL: nowhere */
    bool inferred;           /* from the backup */
} RestoreGoal;

/* manifest: NULL for an archive, which tells nothing. */
int restore_goal(Session *session, const Manifest *manifest, RestoreGoal *ret, Error *err);
/* Everything where it was, as a backup of a bare host tells it. */
void restore_goal_infer(const Manifest *manifest, RestoreGoal *ret, Findings *findings);
void restore_goal_done(RestoreGoal *goal);

/* A connection string for a database of that name, wherever libpq finds its server; where root runs this and the
 * environment names no other role, as postgres. To be freed. */
char *conninfo_of(const char *database);

#endif
