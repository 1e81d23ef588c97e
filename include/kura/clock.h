/* Time. */
#ifndef KURA_CLOCK_H
#define KURA_CLOCK_H

#include <stddef.h>
#include <time.h>

/* Seconds on a clock that never goes back; only differences mean something. */
double clock_monotonic(void);
/* "2026-11-22T03:15:00Z" for a moment in UTC; text holds at least 21 bytes. */
void clock_format_utc(time_t moment, char *text, size_t size);
/* The opposite; -1 when text is not of exactly that form. */
time_t clock_parse_utc(const char *text);

#endif
