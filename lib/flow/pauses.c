#include "pauses.h"

#include <time.h>

#include "kura/clock.h"

#define WORK_SECONDS 0.02
#define PAUSE_MAX 0.2 /* a stop has to wait for it */

void pauses_take(Pauses *pauses)
{
    if (!pauses->wanted)
        return;
    double now = clock_monotonic();
    if (pauses->since == 0)
        pauses->since = now;
    double worked = now - pauses->since;
    if (worked < WORK_SECONDS)
        return;
    double pause = worked < PAUSE_MAX ? worked : PAUSE_MAX;
    nanosleep(&(struct timespec){.tv_nsec = (long)(pause * 1e9)}, NULL);
    pauses->since = clock_monotonic();
}
