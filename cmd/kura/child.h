/* One command as a part of another: what is configured for it counts, and what was said on the command line. */
#ifndef KURA_CMD_CHILD_H
#define KURA_CMD_CHILD_H

#include "session.h"

/* Runs the command with that argument (NULL: none) and, where given, this tag, with all that surrounds it. Its output
 * goes where that of the parent goes; with --json its document becomes the member `member` of the parent's. Findings
 * join the parent's. *ret_run (run_record_done) is what it says of itself. */
int child_run(Session *parent, CommandId id, const char *arg, const char *tag, const char *member, RunRecord *ret_run,
              Error *err);

/* Runs the command of a session as if it were the only one, with all that surrounds it (night.h), and adds what it
 * found to the parent's findings. */
int child_night(Session *parent, Session *child, Error *err);

#endif
