/* The inside of a rehearsal: a restore that ends before the rename (trial.h), with proofs at its end. */
#ifndef KURA_REHEARSE_PRIV_H
#define KURA_REHEARSE_PRIV_H

#include "kura/rehearse.h"
#include "restore_priv.h"

enum { REHEARSE_NAME_SIZE = sizeof "kura_rehearsal_0123abcd", REHEARSE_FINDINGS_MAX = 20 };

typedef struct Rehearse {
    Repo *repo;
    const Manifest *manifest;
    const RehearseOptions *options;
    Progress *progress;
    Findings findings;
    Rehearsal *result;
    char name[REHEARSE_NAME_SIZE]; /* of the scratch database */
    char *db;                      /* how to connect to it */
    char *role_mark;
    StrVec roles, made; /* of the backup, and what each is called on the server; the latter is in the map */
    double began;       /* clock_monotonic() */
    RestoreReport report;
    size_t cap_phases, cap_proofs, cap_tables, cap_filesets;
    uint64_t entries_compared, entries_wrong; /* of the schema */
    bool settled;                             /* all proofs were made, whatever they found */
} Rehearse;

/* rehearse_result.c */
/* Ends the running phase and begins another; NULL only ends. */
void rehearse_phase(Rehearse *rehearse, const char *name);
/* Fills in what is known before it begins. */
void rehearse_describe(Rehearse *rehearse);
/* Whether something was found by which it has failed, not only what a person should look at. */
bool rehearse_has_failed(const Rehearse *rehearse);
/* Whether a finding tells only what is so in every rehearsal: no proof fails by it. */
bool rehearse_expects(const Finding *finding);
/* Ends it with its verdict. rc and why are the restore's, its proofs included. */
void rehearse_settle(Rehearse *rehearse, int rc, const Error *why);
/* Moves the findings into the result, and adds them to others. */
void rehearse_take_findings(Rehearse *rehearse, Findings *also);

/* Adds what was proven, or why it was not. */
void rehearse_proof(Rehearse *rehearse, const char *name, const char *title, const char *unit, uint64_t checked,
                    uint64_t failed);
void rehearse_skipped(Rehearse *rehearse, const char *name, const char *title, const char *unit, const char *format,
                      ...) __attribute__((format(printf, 5, 6)));

/* rehearse_leftovers.c: what dead rehearsals left on the server is dropped; what the living have, and what was left for
 * a look, is not touched. */
int rehearse_drop_leftovers(PgConn *admin, const char *conninfo, Findings *findings, Error *err);
/* The comment on the roles of a rehearsal; to be freed. */
char *rehearse_role_mark(const char *name);

/* rehearse_roles.c: adds rules to the map, so that nothing belongs to a role that somebody uses. as_superuser: who
 * restores may give objects to the target's own. */
int rehearse_map_roles(Rehearse *rehearse, const CatalogTarget *target, bool as_superuser, Error *err);
/* A text in which the roles of this rehearsal have the names of the backup's; to be freed. */
char *rehearse_old_names(const Rehearse *rehearse, const char *text);

/* rehearse_room.c: fails, with figures, when the disk cannot hold it. */
int rehearse_check_room(Rehearse *rehearse, PgConn *admin, Error *err);

/* rehearse_schema.c: a hook of the trial. */
int rehearse_compare_schema(void *ctx, Restore *restore, const Toc *actual, bool same, bool whole, Error *err);

/* rehearse_proofs.c: another hook. What a restore proves itself is added by rehearse_proofs_of_restore(), once;
 * reached: it has come to the end. */
int rehearse_prove(void *ctx, Restore *restore, Error *err);
void rehearse_proofs_of_restore(Rehearse *rehearse, bool reached);

/* rehearse_files.c: whether all blobs of the backup are there, and a sample of its files. No database is needed. */
int rehearse_prove_files(Rehearse *rehearse, Error *err);

/* rehearse_media.c: the files that rows refer to, against the files that there are. */
int rehearse_prove_references(Rehearse *rehearse, Restore *restore, Error *err);

#endif
