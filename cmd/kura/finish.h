/* The end of a run: findings, error, the JSON document, the exit status. */
#ifndef KURA_CMD_FINISH_H
#define KURA_CMD_FINISH_H

#include "screen.h"
#include "session.h"

/* The exit status of a run that ended so. */
int session_status(const Session *session, int rc, const Error *err);
/* rc and err are the command's. Writes what is still to be written and returns the exit status. */
int session_finish(Session *session, Screen *screen, int rc, const Error *err);
/* The same for a command line that could not be read: there is no session. */
int usage_finish(Screen *screen, FILE *out, const Error *err);
/* Flushes and closes standard output; the status, or 1 when what was written there is lost. */
int close_output(Screen *screen, FILE *out, int status);

#endif
