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
    strftime(text, size, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

time_t clock_parse_utc(const char *text)
{
    struct tm tm = {0};
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    if (end == NULL || *end != 0 || strlen(text) != 20)
        return -1;
    return timegm(&tm);
}
