/* How applications stand, for people, programs and monitors. */
#ifndef KURA_CMD_STATUSVIEW_H
#define KURA_CMD_STATUSVIEW_H

#include <jansson.h>
#include <stdio.h>

#include "kura/standing.h"
#include "options.h"

/* How old things may be, by --max-age and its kin. */
StandingLimits standing_limits(const Options *options);

enum { NAGIOS_OK, NAGIOS_WARNING, NAGIOS_CRITICAL, NAGIOS_UNKNOWN };

void print_standing(FILE *out, const Standing *standing, time_t now);
json_t *json_of_standing(const Standing *standing, time_t now);

/* "KURA OK - ..", with performance data; the exit status. limits: one for each standing. */
int print_nagios(FILE *out, const Standing *standings, const StandingLimits *limits, size_t n, const Findings *findings,
                 time_t now);
void print_nagios_unknown(FILE *out, const Error *err);

#endif
