/* kura move: the parts of the command. */
#ifndef KURA_CMD_MOVE_H
#define KURA_CMD_MOVE_H

#include "session.h"

int move_plan(Session *session, Error *err);
int move_config(Session *session, Error *err);
int move_ladder(Session *session, const char *profile, Error *err);

#endif
