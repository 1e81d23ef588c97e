/* The inside of a restore: one struct that its steps share, and the steps. */
#ifndef KURA_RESTORE_PRIV_H
#define KURA_RESTORE_PRIV_H

#include <pthread.h>

#include "kura/catalog.h"
#include "kura/kept.h"
#include "kura/pg.h"
#include "kura/pgtools.h"
#include "kura/restore.h"
#include "kura/toc.h"
#include "loan.h"
#include "restoremsg.h"
#include "rights.h"
#include "trial.h"

typedef struct Restore {
    const RestoreOptions *options;
    RestoreReport *report;
    Findings *findings;
    Progress *progress;
    bool plan; /* changes nothing */

    /* the source: a backup, or an archive made by somebody else */
    Repo *repo;
    const Manifest *manifest; /* NULL for an archive */
    const char *archive;      /* NULL for a backup */
    size_t archive_head;      /* bytes of header and TOC in a custom archive */
    Toc *toc;                 /* under the role map once restore_check() was here */

    /* the target */
    PgConn *admin; /* to a maintenance database */
    CatalogTarget target;
    PgTools tools;       /* whose pg_restore replays the TOC */
    char *database;      /* the name that will exist afterwards */
    char *scratch;       /* the name until then */
    char *admin_session; /* targetdb_identity() of admin, once it holds the lock */
    uint32_t scratch_oid;
    char *comment;       /* the database's, from the source; NULL: none */
    char *kept;          /* what an existing database will be renamed to; NULL: there is none */
    char *owner;         /* of the database, under the map; NULL: unknown */
    bool no_tablespaces; /* one of the source's does not exist */
    bool no_provider;    /* CREATE DATABASE of the target has no LOCALE_PROVIDER */
    bool merges;         /* two old roles map to one */
    bool scratch_exists;
    bool differs; /* complete, but not what was asked for: kept under its scratch name for a look */
    StrVec created_roles;
    char *workdir; /* holds the mapped toc.dat */
    int *built;    /* dump ids of post-data entries built while rows were loading */
    size_t n_built, cap_built;

    /* without superuser */
    bool limited;                      /* the restoring role is none: all below counts */
    PgConn *helper;                    /* of --admin-db, to a maintenance database; NULL without */
    CatalogRights self, aid;           /* of the restoring role, of the helper's */
    StrVec becomes;                    /* roles it can act as, once it has borrowed .. */
    StrVec borrow_self, borrow_helper; /* .. these, through its own connection or the helper's */
    StrVec still_lent;                 /* roles it has only because a restore that was killed borrowed them */
    Loans loans;
    char *ledger; /* an empty database whose mark tells them, too; NULL: none */
    RightsPlan rights;

    /* what pg_restore could not do and the restore went on without */
    pthread_mutex_t failed_mutex;
    int *failed; /* dump ids */
    size_t n_failed, cap_failed;
} Restore;

/* Ends the running phase of the report and begins another; NULL only ends. */
void restore_phase(Restore *restore, const char *name);

/* restore_check.c: connects and finds all problems; maps the TOC. Changes nothing. */
int restore_check(Restore *restore, Error *err);
/* restore_schema.c: whether the application's code fits what will be restored. */
void restore_check_schema(Restore *restore);
/* Warns of secrets that are others than when the backup was made, so that what they closed stays closed. */
void restore_check_secrets(Restore *restore);
/* A name that no database has, made of the target's; to be freed. */
char *target_free_name(const Restore *restore, const char *middle);

/* restore_versions.c: what another major or operating system makes of it. */
/* What an older server does not have: errors. After the map. */
int check_downgrade(Restore *restore, Error *err);
/* Settings of pg_restore that the server does not know. After the tools were found. */
void check_preamble(Restore *restore);
/* Whether the target has the database's locale, and sorts by it as the source did. */
int check_locale(Restore *restore, Error *err);

/* restore_roles.c */
int target_create_roles(Restore *restore, Error *err);
/* The connection that makes and drops roles. */
PgConn **role_conn(Restore *restore);
/* Whether what a role has in the archive needs it to exist: mentions in strings do not. */
bool role_is_needed(const RoleUse *use);

/* restore_rights.c: who can do what. restore_loans.c: what is borrowed for it. */
/* Connects the helper, where one is given and the restoring role is no superuser. */
int rights_connect(Restore *restore, Error *err);
/* Before anything is done: plans, and tells what nobody can do. Does nothing for a superuser. */
int rights_check(Restore *restore, Error *err);
/* Gives back what restores into this name borrowed that were killed; when planning, tells. */
int rights_settle(Restore *restore, Error *err);
/* Makes sure that what the plan counts on can be borrowed. */
int rights_try_borrow(Restore *restore, Error *err);
/* Borrows it, for the time from here to the name: it is in the scratch database's mark before it is in force. */
int rights_borrow(Restore *restore, Error *err);
/* Gives them back. */
void rights_return(Restore *restore);
void rights_done(Restore *restore);
/* Connects the helper: to a maintenance database, whatever --admin-db names. */
int target_connect_helper(Restore *restore, Error *err);
/* That connection idles, too: makes sure that it still lives. */
int target_helper(Restore *restore, Error *err);
/* The place of an entry in the TOC. */
size_t entry_place(const Restore *restore, const TocEntry *entry);
/* Who makes an entry (or fills it). */
Doer entry_doer(const Restore *restore, const TocEntry *entry);

/* restore_handover.c */
/* Gives everything to its owner, then restores grants and policies, fills materialized views and analyzes. Does nothing
 * for a superuser, whose pg_restore did all that. */
int restore_hand_over(Restore *restore, Error *err);
/* The text of an ACL with SET ROLE where it sets the session's authorization; to be freed. */
char *as_role(const char *sql);

/* restore_target.c: what happens to the server as a whole. */
/* Connects to a maintenance database, which is never the target. */
int target_connect_admin(Restore *restore, Error *err);
/* That connection idles while rows load: makes sure that it still lives and holds the lock. */
int target_admin(Restore *restore, Error *err);
/* The connection for what concerns the database as a whole once it may belong to somebody else: a superuser's if there
 * is one. Makes sure that it lives. */
int target_closing(Restore *restore, PgConn **ret, Error *err);
/* Where it is kept, and what connects like it. */
PgConn **target_closing_slot(Restore *restore);
const char *target_closing_conninfo(const Restore *restore);
/* Makes this the only restore that is at work on the target's name. */
int target_lock(Restore *restore, Error *err);
int target_create_database(Restore *restore, Error *err);
/* Owner and ACL of the database: opens it to those who may connect. */
int target_owner(Restore *restore, Error *err);
/* Its settings: the last thing before the name, because they may keep out others, kura too. Its comment waits for the
 * name: until then the mark is there. */
int target_properties(Restore *restore, Error *err);
/* From now on the scratch database and the created roles stay. */
void target_keep(Restore *restore);
/* Drops what this restore made: on the way out of a failure. */
void target_undo(Restore *restore);
/* restore_swap.c: how the database gets its name. */
/* Tells what earlier restores into this name left. */
int target_check_leftovers(Restore *restore, Error *err);
/* Looks at the database that has the name now: whether it can be renamed in the end. After rights_check(). */
int target_check_swap(Restore *restore, Error *err);
/* Writes into the comment of the scratch database what it is. */
int target_mark(Restore *restore, KeptState state, Error *err);
/* The same for one that is being filled. */
int target_mark_building(Restore *restore, Error *err);
/* Drops the database that tells what is borrowed, if there is one: all of it is given back. */
void target_close_ledger(Restore *restore);
/* Drops the unfinished databases of restores that were killed, those that it now has the right to. */
int target_drop_leftovers(Restore *restore, Error *err);
/* Renames it into place (and an existing one out of it), in one transaction. When that is not possible it stays,
 * complete and marked as such, and the error tells how to go on. */
int target_rename(Restore *restore, Error *err);

/* A connection to the scratch database. */
int target_connect(const Restore *restore, const atomic_bool *give_up, PgConn **ret, Error *err);
/* The same as the helper. */
int target_connect_helped(const Restore *restore, PgConn **ret, Error *err);
/* The same as the helper where that is a superuser: of what needs everybody's objects. */
int target_connect_strongest(const Restore *restore, const atomic_bool *give_up, PgConn **ret, Error *err);
/* The same of who does entry. */
int target_connect_for(const Restore *restore, const TocEntry *entry, PgConn **ret, Error *err);

/* pgrestore.c: the real pg_restore over the work directory. */
typedef enum PgRestoreStage {
    STAGE_BUILD, /* definitions and data; the only one for a superuser */
    STAGE_OWNERS,
    STAGE_SCHEMA_OWNERS,
    STAGE_GRANTS,
    STAGE_CONTENTS, /* of materialized views */
} PgRestoreStage;

typedef struct PgRestoreRun {
    PgRestoreStage stage;
    const char *section; /* "pre-data", "data", "post-data"; NULL: all */
    const int *only;     /* dump ids, in the order of the TOC; NULL: all */
    size_t n_only;
    size_t jobs;
    bool busy; /* other work fills the other cores meanwhile */
    int (*feed)(void *ctx, int fd,
                Error *err); /* writes an archive into pg_restore's standard input; NULL: the work directory */
    void *ctx;
} PgRestoreRun;
int pgrestore_workdir(Restore *restore, Error *err);
void pgrestore_workdir_remove(Restore *restore);
/* Every message becomes a finding with its class (classify.h). Fails with ERR_TOOL when rows are lost by one; less than
 * that is recorded as failed. Thread-safe. */
int pgrestore_run(Restore *restore, const PgRestoreRun *run, Error *err);
/* restore_trouble.c */
/* Learns the SQLSTATE of each error, classifies it and tells it. doer is who met it. */
int trouble_report(Restore *restore, RestoreMessages *messages, Doer doer, Error *err);
/* A statement of kura's own that the server refused, and that the restore can go on without. */
typedef struct OwnTrouble {
    const char *desc;      /* the type of its TOC entry, or of a step that has none (classify.h) */
    const char *object;    /* what it was about */
    const char *statement; /* as it can be repeated in the end; NULL: not by itself */
    const TocEntry *entry; /* NULL: none */
    bool is_lack;          /* without it the database is not what was asked for, and takes nobody's place */
} OwnTrouble;
/* Classifies it as pg_restore's are, and tells it. Fails with what was refused where data is lost by it, or where the
 * server did not refuse, but was gone or interrupted. */
int trouble_own(Restore *restore, const OwnTrouble *own, const Error *refused, Error *err);
/* Gives an error that ends the restore the remedy of its SQLSTATE, where the server named none. */
void trouble_remedy(Error *err);
/* Whether the restored database lacks an entry, and that was told. */
bool trouble_lacks(Restore *restore, const TocEntry *entry);
/* The ids of all entries for which keep() is true, in TOC order; to be freed. */
int *toc_ids(const Toc *toc, bool (*keep)(const void *ctx, const TocEntry *entry), const void *ctx, size_t *ret_n);

/* restore.c: what of post-data is not built yet, then ANALYZE. */
int restore_finish(Restore *restore, Error *err);
/* load.c: rows, everything built on them (restore_finish), and their verification. */
int load_backup(Restore *restore, Error *err);
/* restore_archive.c: the data of a foreign archive, through pg_restore. */
int load_archive(Restore *restore, Error *err);
/* analyze.c */
int analyze_target(Restore *restore, Error *err);
/* ownership.c: dumps the scratch database's schema and compares every owner and grant with the mapped TOC. */
int check_ownership(Restore *restore, Error *err);
/* How many locks it takes at a time: pg_dump's, on every table. */
size_t check_ownership_locks(const Restore *restore);

#endif
