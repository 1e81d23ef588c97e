/* The programs that the configuration names. */
#ifndef KURA_CMD_HOOKS_H
#define KURA_CMD_HOOKS_H

#include "session.h"

/* Whether what the configuration says to run may be run. */
int hooks_check(const Session *session, Error *err);
/* Runs those before the command, up to the first that fails. */
int hooks_before(const Session *session, Error *err);
/* Runs all of those after it; one that fails is a finding. run: how the command has ended. */
void hooks_after(Session *session, const RunRecord *run);
/* Runs the notifiers, with the text on their standard input, and the mailer. What fails is told in the log. */
void hooks_notify(const Session *session, const RunRecord *run);

#endif
