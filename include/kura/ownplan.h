/* What takes one ownership state to another: as differences by cause, and as SQL. Pure. Both states are position by
 * position the same objects (owned.h). */
#ifndef KURA_OWNPLAN_H
#define KURA_OWNPLAN_H

#include "kura/buf.h"
#include "kura/owned.h"

/* The statements about one object, which belong into one transaction. */
typedef struct OwnStep {
    char *sql; /* each statement ends with ";\n" */
    size_t statements;
    unsigned locks; /* entries of the server's lock table, at least */
} OwnStep;

typedef struct OwnPlan {
    OwnStep *v;
    size_t n, cap;
    size_t statements, locks;
    StrVec impossible; /* what SQL cannot bring about, as sentences without a period */
} OwnPlan;

/* Per object: ALTER .. OWNER (never for what has its parent's owner), then REVOKE and GRANT, by whoever granted them;
 * schemas come first. *ret_final (may be NULL) is the state there will be, so that the way back is
 * own_plan(final, from). Nothing is planned for what is equal. */
void own_plan(const OwnState *from, const OwnState *to, OwnPlan *ret, OwnState *ret_final);
void own_plan_done(OwnPlan *plan);

typedef struct OwnScript {
    const char *title; /* "repair" or "undo" */
    const char *database;
    const char *where, *when; /* for the reader */
    const char *encoding;     /* of the names: client_encoding */
    size_t max_locks;         /* of one transaction; 0: one for all */
    unsigned lock_timeout_ms; /* 0: wait for ever */
} OwnScript;

/* How many transactions a plan makes. */
size_t own_plan_transactions(const OwnPlan *plan, size_t max_locks);
/* Appends the plan as SQL for psql, in as many transactions as the locks ask for. */
int own_plan_format(const OwnPlan *plan, const OwnScript *script, Buf *out, Error *err);

/* The way back from text: transactions of statements. Refused is what own_plan_format() would not have written: it is a
 * script of kura's, for this database, and its statements are of the kinds a plan has. */
typedef struct OwnStatements {
    StrVec *v; /* a transaction each, without BEGIN and COMMIT */
    size_t n, cap;
    size_t changes; /* statements that are no settings */
    char *database;
    char *set_encoding; /* the statement that names the file's own; NULL: it has none */
} OwnStatements;
int own_script_parse(const char *text, size_t len, OwnStatements *ret, Error *err);
/* Whether it was written for a database of this name. */
bool own_script_is_for(const OwnStatements *statements, const char *database);
void own_statements_done(OwnStatements *statements);

/* ---- differences ---- */

typedef enum OwnSeverity { OWN_NOTE, OWN_WARNING, OWN_ERROR } OwnSeverity;

/* Differences of one cause. */
typedef struct OwnFinding {
    OwnSeverity severity;
    const char *code;  /* stable, for machines */
    char *message;     /* "113 objects belong to superuser "postgres", expected "misskey"" */
    char *consequence; /* for the application, or NULL */
    char *cure;        /* a command or a statement, or NULL */
    StrVec objects;    /* "TABLE public.note", each once */
} OwnFinding;

typedef struct OwnFindings {
    OwnFinding *v;
    size_t n, cap;
} OwnFindings;

/* A finding of these words; its list of objects is to be filled. */
OwnFinding *own_finding_add(OwnFindings *findings, OwnSeverity severity, const char *code);
void own_findings_done(OwnFindings *findings);
size_t own_findings_count(const OwnFindings *findings, OwnSeverity at_least);

/* How `have` differs from `want`, by cause: who owns what and should not, grants that are missing or too many, default
 * privileges, policies. cure_command: "kura repair --db .. --app-role ..", the remedy of all of these. */
void own_compare(const OwnState *have, const OwnState *want, const char *cure_command, OwnFindings *findings);
/* What is wrong with a state by itself: functions that give everybody a superuser's rights, grants to roles that are
 * gone, sequences that belong to somebody else than the table they fill. What is wrong in `want`, too, has a cure of
 * its own. */
void own_inspect(const OwnState *have, const OwnState *want, const char *cure_command, OwnFindings *findings);

#endif
