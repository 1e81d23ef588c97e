#include "kura/clock.h"

#include <stdio.h>
#include <string.h>

double clock_monotonic(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void clock_format_utc(time_t moment, char *text, size_t size)
{
    struct tm tm;
    gmtime_r(&moment, &tm);
    if (strftime(text, size, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        text[0] = 0;
}

time_t clock_parse_utc(const char *text)
{
    struct tm tm = {0};
    if (strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm) == NULL)
        return -1;
    time_t moment = timegm(&tm);
    char again[21]; /* strptime takes blanks for digits, and timegm a 31st of February */
    clock_format_utc(moment, again, sizeof again);
    return strcmp(text, again) == 0 ? moment : -1;
}
