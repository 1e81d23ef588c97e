/* kura restore: a backup or a foreign archive back into a database, under a role map. */
#ifndef KURA_RESTORE_H
#define KURA_RESTORE_H

#include "kura/app.h"
#include "kura/buf.h"
#include "kura/error.h"
#include "kura/fileset.h"
#include "kura/findings.h"
#include "kura/manifest.h"
#include "kura/progress.h"
#include "kura/repo.h"
#include "kura/rolemap.h"
#include "kura/standbys.h"

typedef struct RestoreOptions {
    const char *db; /* conninfo; its database is the one that will exist afterwards. NULL: files only */
    const char
        *admin_db; /* conninfo of an administrator on the same server, for what the role of db may not; or NULL */
    const char *pg_bindir;
    RoleMap *map;         /* a rule for the bootstrap superuser may be added */
    const char *app_role; /* for the probe; NULL: the role that owns most tables after the map */
    bool create_roles;
    /* The password of a role that is created and may log in; NULL: none. To be freed, it is wiped. May be NULL. The
     * server gets a SCRAM verifier of it. */
    char *(*password)(void *ctx, const char *role);
    void *password_ctx;
    bool swap;
    bool verify; /* row counts and digests read back */
    bool allow_downgrade;
    const AppSite *site;     /* whose code is to use the database; NULL: not known */
    bool allow_newer_schema; /* .. also when the backup has migrations that it does not have */
    struct RestoreFiles {
        const char *name, *dir;
        bool only_empty; /* a problem if files are in it already: nobody asked for this directory by name */
        bool no_links;   /* links on the way to it are not followed: somebody else may have put them there */
    } * files;
    size_t n_files;
    size_t n_files_first; /* the first so many of them come before the database */
    FilesetPaths *paths;  /* only these of the filesets; NULL: everything. One that finds nothing is an error. */
    bool quick_check;     /* files there of the right size and time are right, and are not read */
    double wait_standbys; /* until they have replayed it, so many seconds at most; 0: not */
    size_t jobs;
    bool low_cost;                    /* pauses while rows are loaded and read back */
    const struct RestoreTrial *trial; /* of a rehearsal (lib/flow/trial.h); else NULL */
} RestoreOptions;

typedef struct RestoreReport {
    char *database; /* name, NULL without one */
    char *replaced; /* where --swap kept the old one, else NULL */
    RoleUses roles; /* before and after */
    uint64_t tables, rows, bytes;
    uint64_t tables_verified; /* count and digest read back and equal */
    uint64_t owners_checked, grants_checked;
    uint64_t defaults_checked;                           /* default privileges, which are among the grants */
    uint64_t owners_wrong, grants_wrong, defaults_wrong; /* only a trial goes on with any */
    uint64_t relations_probed;
    char *app_role;
    StandbysReport standbys;    /* where they were waited for */
    FilesetRestoreStats *files; /* one for each of options->files */
    size_t n_files;
    struct RestorePhase {
        const char *name;
        double start, seconds; /* clock_monotonic() */
    } phases[16];
    size_t n_phases;
} RestoreReport;

void restore_report_done(RestoreReport *report);

/* Finds all problems and says what would be done; connects, changes nothing. Problems are findings of severity error.
 */
int restore_plan(Repo *repo, const Manifest *manifest, const RestoreOptions *options, RestoreReport *ret,
                 Findings *findings, Error *err);
/* restore_plan, and when that found no error, does it. */
int restore_run(Repo *repo, const Manifest *manifest, const RestoreOptions *options, RestoreReport *ret,
                Findings *findings, Progress *progress, Error *err);
/* The same for a pg_dump archive, custom or directory format, made by anyone. */
int restore_archive_plan(const char *path, const RestoreOptions *options, RestoreReport *ret, Findings *findings,
                         Error *err);
int restore_archive_run(const char *path, const RestoreOptions *options, RestoreReport *ret, Findings *findings,
                        Progress *progress, Error *err);

#endif
