/* The thread that shows progress: a status line on a terminal, a log line every ten seconds elsewhere, events with
 * JSON. */
#ifndef KURA_CMD_TICKER_H
#define KURA_CMD_TICKER_H

#include "kura/progress.h"
#include "screen.h"

typedef struct Ticker Ticker;

/* Borrows both, and is told the ends of the phases from now on. */
Ticker *ticker_start(Progress *progress, Screen *screen);
/* Shows the end of the last phase, takes the status line away, ends the thread. NULL-safe. */
void ticker_stop(Ticker *ticker);

/* "rows  42%  1.2 GiB of 2.9 GiB  3,400,123 rows  120.0 MiB/s  14.2 s left  public.note" for a phase that has run for
 * `elapsed` seconds. Pure; to be freed. */
char *ticker_line(const ProgressSnapshot *snapshot, double elapsed);
/* "rows: 2.9 GiB, 8,123,456 rows in 24.0 s" */
char *ticker_summary(const ProgressSnapshot *snapshot, double elapsed);

#endif
