/* The way of an application from one host to another, as commands in their order. */
#ifndef KURA_CMD_MOVESTEPS_H
#define KURA_CMD_MOVESTEPS_H

#include <jansson.h>
#include <stdio.h>

#include "session.h"

typedef struct MoveStep {
    bool on_new;   /* on the new host */
    char *command; /* as a shell takes it */
    const char *why;
} MoveStep;

typedef struct MoveSteps {
    MoveStep *v;
    size_t n, cap;
} MoveSteps;

/* What is known of the application and of where it goes. */
typedef struct MoveRoute {
    const Session *session;
    bool from_old;                    /* it is planned on the old host */
    const char *app, *dir;            /* NULL: not known */
    const char *database;             /* its name; NULL: there is none */
    const StrVec *services;           /* to stop and start */
    const StrVec *afterwards;         /* commands on the new host; NULL: none are known */
    const Manifest *manifest;         /* the newest backup; NULL: there is none yet */
    const struct RestoreFiles *files; /* where filesets go */
    size_t n_files;
} MoveRoute;

void move_steps(const MoveRoute *route, MoveSteps *ret);
void move_steps_done(MoveSteps *steps);
json_t *json_of_move_steps(const MoveSteps *steps);
void print_move_steps(FILE *out, const MoveSteps *steps);

#endif
