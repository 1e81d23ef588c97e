/* What surrounds a run that nobody watches: hooks, pings, what the host remembers of it, metrics, notifications. */
#ifndef KURA_CMD_NIGHT_H
#define KURA_CMD_NIGHT_H

#include "session.h"

/* Before the command, once the configuration is known. -1: the run fails, because a hook did or is no good; then
 * night_end() is called nevertheless. */
int night_begin(Session *session, Error *err);
/* After the command; rc and err are its. Adds to the session's findings where a hook fails. */
void night_end(Session *session, int rc, const Error *err);

#endif
