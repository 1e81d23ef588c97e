/* How much of the machine this process may claim while others want it. */
#ifndef KURA_PRIORITY_H
#define KURA_PRIORITY_H

#include "kura/error.h"

/* ERR_USAGE for a priority out of range. Lowers the calling thread, and all threads and children that it starts from
 * then on, to this priority (1 to 19, the lowest); one that is lower already stays. */
int priority_nice(int nice, Error *err);
/* The same for the disk: "idle", "best-effort" or "realtime", the latter two with ":0" (first) to ":7" behind them or
 * without. ERR_USAGE for anything else. */
int priority_ionice(const char *text, Error *err);

#endif
