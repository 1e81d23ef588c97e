/* Which backups stay: pure rules over a list of them. Nothing here looks at a clock or at a repository. */
#ifndef KURA_RETENTION_H
#define KURA_RETENTION_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "kura/buf.h"

/* Spans of time of which the newest backup is kept. They are of UTC, as ids are: the same on every host, and no hour
 * comes twice. A week begins on Monday (ISO 8601). */
typedef enum RetentionSpan {
    RETAIN_HOURLY,
    RETAIN_DAILY,
    RETAIN_WEEKLY,
    RETAIN_MONTHLY,
    RETAIN_YEARLY,
    RETAIN_SPANS,
} RetentionSpan;

typedef struct RetentionPolicy {
    unsigned last;                /* the newest so many */
    unsigned spans[RETAIN_SPANS]; /* the newest of each of the newest so many hours, days .. that have a backup */
    double within;                /* seconds before the newest backup; 0: no such rule */
    const StrVec *tags;           /* all that bear one of these; NULL: no such rule */
} RetentionPolicy;

/* Whether there is any rule in it. */
bool retention_is_given(const RetentionPolicy *policy);

typedef struct RetentionItem {
    const char *id, *app;
    time_t moment; /* when it was begun */
    const StrVec *tags;
    bool pinned;
    bool good;      /* all that it refers to is there */
    bool rehearsed; /* its newest rehearsal passed */
    bool removed;   /* a person asked for its removal: no rule of the policy keeps it */
} RetentionItem;

/* Why a backup stays, or goes: twice the same list. */
typedef struct RetentionReasons {
    StrVec codes; /* for machines: "last", "daily 2026-11-22", "tag x", "pinned", "last good", "last rehearsed", "in the
                     future" .. */
    StrVec texts; /* in the user's language */
} RetentionReasons;

/* format: of a code in printf's way, with one text for %s at most, which may be NULL where there is none. Translated
 * here. */
void retention_tell(RetentionReasons *reasons, const char *format, const char *of);
void retention_reasons_done(RetentionReasons *reasons);

typedef struct RetentionVerdict {
    bool stays;
    bool by_policy;           /* a rule of the policy keeps it */
    bool ahead;               /* it is from the future, and no rule was asked */
    RetentionReasons reasons; /* all why it stays; or the one why it goes */
} RetentionVerdict;

/* Backups whose moment is further ahead than clocks may differ stay and take nobody's place. */
enum { RETENTION_AHEAD_MAX = 600 };

/* Judges n backups, in any order, each application for itself. ret has room for n verdicts; reasons are to be freed by
 * retention_done. */
void retention_judge(const RetentionPolicy *policy, const RetentionItem *items, size_t n, time_t now,
                     RetentionVerdict *ret);
void retention_done(RetentionVerdict *verdicts, size_t n);

#endif
