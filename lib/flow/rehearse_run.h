/* What a rehearsal does with a command: before, while it runs, and after. */
#ifndef KURA_REHEARSE_RUN_H
#define KURA_REHEARSE_RUN_H

#include "rehearse_priv.h"

/* runenv.c: the variables that lead a program to the scratch database, "NAME=value"; also every secret that is in them,
 * so that no output shows it. conn is a connection to that database; role (may be NULL) is whom the program acts as. */
void runenv_make(PgConn *conn, const char *database, const char *role, const DbFacts *facts, const char *old_role,
                 StrVec *ret_env, StrVec *ret_secrets);
/* Replaces every occurrence of a secret in text, in place, by asterisks. */
void runenv_hide(const StrVec *secrets, char *text);

/* rehearse_locks.c: watches who holds which locks, in a thread of its own. */
typedef struct LockWatch LockWatch;
LockWatch *lockwatch_start(Restore *restore);
/* Ends it, fills the run's list, and frees. */
void lockwatch_stop(LockWatch *watch, RehearsalRun *run);

/* rehearse_changes.c */
/* Adds what is different in `after`, by catalog_schema_state(). */
void rehearse_compare_states(Rehearse *rehearse, const PGresult *before, const PGresult *after);
/* Reads every table of the backup once more, and counts the rows of those that are new; the schema was compared before.
 */
int rehearse_compare_rows(Rehearse *rehearse, Restore *restore, Error *err);

/* rehearse_run.c: runs options->run, and tells what it did. Only a server that fails is an error. */
int rehearse_command(Rehearse *rehearse, Restore *restore, Error *err);

#endif
