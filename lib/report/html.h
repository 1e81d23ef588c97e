/* Writing HTML so that nothing can get into it unescaped: markup comes from literals in the program alone, everything
 * else through a placeholder. */
#ifndef KURA_REPORT_HTML_H
#define KURA_REPORT_HTML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "kura/buf.h"
#include "kura/error.h"
#include "kura/text.h"

enum { HTML_SLOTS = 32, HTML_SLOT_SIZE = 512 };

/* Remembers the first failure; what is written after it goes nowhere. */
typedef struct Html {
    Buf *out;
    Error *err;
    bool failed;
    char slots[HTML_SLOTS][HTML_SLOT_SIZE]; /* of html_bytes() and the like, in turn */
    unsigned slot;
} Html;

/* Appends markup. "{}" stands for the next value, as text; "{=}" for one within an attribute; "{|}" for a text of
 * several lines. What could deceive a reader stands there as text_escape() writes it. */
#define html(h, markup, ...)                                                                                           \
    html_fill(h, "" markup "", (const char *const[]){NULL, ##__VA_ARGS__},                                             \
              sizeof((const char *const[]){NULL, ##__VA_ARGS__}) / sizeof(char *) - 1)
void html_fill(Html *h, const char *markup, const char *const *values, size_t n);

/* Quantities, for placeholders; they live until HTML_SLOTS others were asked for. */
const char *html_bytes(Html *h, uint64_t bytes);
const char *html_count(Html *h, uint64_t count);
const char *html_seconds(Html *h, double seconds);
/* How long ago: as html_seconds() below two days, "3 days" above. */
const char *html_age(Html *h, double seconds);
/* At most three decimals, for coordinates. */
const char *html_number(Html *h, double number);
/* "3 tables"; the format, of one "%s", comes from ngettext(). */
const char *html_counted(Html *h, uint64_t count, const char *format);
/* A short text of several values, which must be none that may be long. */
const char *html_words(Html *h, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A copy of a short text. */
const char *html_copy(Html *h, const char *text);
/* "22 Nov 2026", "22 November 2026", "22 November 2026, 04:15 UTC", "November 2026", "2026-11-22",
 * "2026-11-22T04:15:00Z". */
const char *html_short_day(Html *h, time_t moment);
const char *html_day(Html *h, time_t moment);
const char *html_minute(Html *h, time_t moment);
const char *html_month(Html *h, time_t moment);
const char *html_date(Html *h, time_t moment);
const char *html_stamp(Html *h, time_t moment);
/* A moment as clock_format_utc() writes it, as an element. */
void html_time(Html *h, const char *utc);

/* 0, or -1 with the first failure. */
int html_end(const Html *h);

#endif
