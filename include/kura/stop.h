/* A cooperative stop. Signals only set a flag; whoever waits or loops looks at it and cleans up on the way out. */
#ifndef KURA_STOP_H
#define KURA_STOP_H

#include <stdbool.h>

#include "kura/error.h"

/* Catches SIGINT, SIGTERM and SIGHUP, ignores SIGPIPE. Once, at the start of the program. A second SIGINT or SIGTERM
 * changes nothing: the clean stop is short. */
void stop_install(void);
/* The signal that asked for a stop, or 0. */
int stop_signal(void);
/* 0, or -1 with ERR_INTERRUPTED once a stop was asked for. */
int stop_check(Error *err);
/* A descriptor that becomes readable when a stop was asked for (for poll; never read it), or -1 without stop_install.
 */
int stop_fd(void);
/* For cleaning up: while held, stop_check() and stop_fd() report nothing in the calling thread. Calls nest. */
void stop_hold(void);
void stop_release(void);

#endif
