/* kura backup: one committed set. */
#ifndef KURA_BACKUP_H
#define KURA_BACKUP_H

#include "kura/app.h"
#include "kura/buf.h"
#include "kura/error.h"
#include "kura/findings.h"
#include "kura/manifest.h"
#include "kura/progress.h"
#include "kura/repo.h"

typedef struct BackupOptions {
    const char *app;     /* part of the id; NULL: the database's name, else the first fileset's */
    const char *db;      /* conninfo; NULL: no database */
    const AppSite *site; /* the application whose backup it is, for the record; or NULL */
    const char *role;    /* SET ROLE on every connection, pg_dump --role */
    const char *pg_bindir;
    struct BackupFiles {
        const char *name, *dir;
        const StrVec *only;        /* patterns of what alone is taken, instead of `include`; NULL: none */
        const StrVec *refetchable; /* patterns of what is left out and counted; NULL: none */
    } * files;
    size_t n_files;
    const AppServer *redis; /* their dumps become the fileset "redis"; several entries may mean one server */
    size_t n_redis;
    StrVec exclude, include; /* patterns for all filesets */
    bool exclude_caches, one_file_system;
    StrVec exclude_table_data; /* pg_dump's patterns */
    StrVec tags;
    size_t jobs;              /* 0: number of cores, at most 4 */
    double max_lag;           /* seconds; < 0: any */
    unsigned lock_timeout_ms; /* 0: wait */
    const char *cache_dir;    /* see cache.h; NULL: none */
    bool ask_always;          /* a remote repository too is asked for every blob: brings back what it has lost */
    bool split_tables;
    bool pg_dump_stream; /* rows from pg_dump's own stream instead of kura's workers */
    /* For tests that provoke races: called at "listed" (before the locks) and "snapshot" (before newcomers are locked).
     * May be NULL. */
    void (*at_step)(void *ctx, const char *step);
    void *at_step_ctx;
} BackupOptions;

/* Makes a backup. Warnings (vanished files, ..) go to findings and into the manifest. *ret is the committed manifest.
 */
int backup_run(Repo *repo, const BackupOptions *options, Manifest **ret, Findings *findings, Progress *progress,
               Error *err);

#endif
