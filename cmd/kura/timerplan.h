/* What makes a host back up an application every night: drop-ins of systemd's units and the commands that enable them,
 * or lines for cron. Pure. */
#ifndef KURA_CMD_TIMERPLAN_H
#define KURA_CMD_TIMERPLAN_H

#include <stdbool.h>

#include "kura/buf.h"
#include "kura/error.h"

typedef struct TimerWants {
    const char *app;
    const char *calendar; /* NULL: the unit's own */
    const char *config;   /* the configuration file, absolute; NULL: the usual one */
    StrVec writable;      /* directories that the service must be able to write to; absolute */
    StrVec groups;        /* that the service must be in, to reach sockets */
    bool rehearse, prune; /* besides backup and verify */
    bool become;          /* the server may know the role by its system user alone */
} TimerWants;

typedef struct TimerPlan {
    StrVec paths, texts; /* files, and what is in them */
    StrVec units;        /* timers to enable */
} TimerPlan;

/* Adds what one application needs below unit_dir. ERR_USAGE for a name that cannot be a part of a unit's, and for a
 * path or calendar with control characters. */
int timerplan_add(TimerPlan *plan, const TimerWants *wants, const char *unit_dir, Error *err);
void timerplan_done(TimerPlan *plan);
/* Lines for a file in /etc/cron.d. */
int timerplan_cron(const TimerWants *wants, Buf *out, Error *err);
void timerwants_done(TimerWants *wants);

#endif
