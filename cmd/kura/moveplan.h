/* kura move plan: its two sides, and what they share. */
#ifndef KURA_CMD_MOVEPLAN_H
#define KURA_CMD_MOVEPLAN_H

#include "movesteps.h"

/* The way as far as application and backup tell it; newest may be NULL. Where files go is for the side to say. */
MoveRoute move_route(const Session *session, const Manifest *newest);
/* Prints all findings of the session, what is wrong first. */
void move_print_findings(Session *session);

int move_plan_old(Session *session, const Manifest *newest, Error *err);
int move_plan_new(Session *session, const Manifest *newest, Error *err);

#endif
