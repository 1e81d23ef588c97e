/* Pages for people: what a rehearsal found, and what a repository holds. Each is one HTML document that needs nothing
 * else: no script, no request. Every text in it is taken as hostile. */
#ifndef KURA_REPORT_H
#define KURA_REPORT_H

#include <time.h>

#include "kura/buf.h"
#include "kura/error.h"
#include "kura/manifest.h"
#include "kura/rehearsal.h"

#define REPORT_MAX ((size_t)64 * 1024 * 1024) /* what a page may take: more than any does */
enum { REPORT_EARLIER_MAX = 60 };             /* rehearsals before this one that a page has use for */

/* The verdict in one sentence: "This backup would come back." To be freed. */
char *report_verdict(const Rehearsal *rehearsal);

/* Appends the page of one rehearsal. earlier: those of the same application before it, oldest first; may be none. */
int report_rehearsal_html(const Rehearsal *rehearsal, const Rehearsal *const *earlier, size_t n, Buf *out, Error *err);

/* What is told of a backup and of a rehearsal among many. */
typedef struct BackupBrief {
    char *id, *app;
    time_t started, finished;
    uint64_t rows, row_bytes;   /* with large objects */
    uint64_t files, file_bytes; /* of all filesets */
    uint64_t stored_new;
    size_t warnings;
} BackupBrief;

typedef struct RehearsalBrief {
    char *id, *backup, *app;
    time_t started;
    Verdict verdict;
    double seconds, restore_seconds;
    size_t findings; /* warnings and errors */
} RehearsalBrief;

typedef struct RepositoryReport {
    const char *repository; /* borrowed */
    time_t now;
    BackupBrief *backups; /* oldest first */
    size_t n_backups;
    RehearsalBrief *rehearsals; /* oldest first */
    size_t n_rehearsals;
} RepositoryReport;

void report_add_backup(RepositoryReport *report, const Manifest *manifest);
void report_add_rehearsal(RepositoryReport *report, const Rehearsal *rehearsal);
void report_done(RepositoryReport *report);
/* The last rehearsal of a backup, or NULL. */
const RehearsalBrief *report_last_rehearsal(const RepositoryReport *report, const char *backup);

/* Days on which a backup was to be expected, and none was made. */
typedef struct ReportGap {
    time_t from, until; /* midnights in UTC, both days included */
} ReportGap;

/* How one application stands. */
typedef struct ReportApp {
    const char *app; /* borrowed from the report, as all below */
    const BackupBrief **backups;
    size_t n_backups;
    const RehearsalBrief **rehearsals;
    size_t n_rehearsals;
    const RehearsalBrief *last_passed; /* NULL: none ever did */
    size_t never_rehearsed;            /* backups */
    unsigned interval;                 /* days from a backup to the next, as a rule; 1 where nothing tells */
    bool overdue;                      /* the next one should be there by now */
    ReportGap *gaps;                   /* of the last year, oldest first */
    size_t n_gaps;
    bool missed_lately;    /* one of them reaches into the last 30 days */
    unsigned days_missing; /* in all of them */
} ReportApp;

/* By name. To be freed with report_apps_free. */
ReportApp *report_apps(const RepositoryReport *report, size_t *ret_n);
void report_apps_free(ReportApp *apps, size_t n);

/* How the repository stands, in one sentence. To be freed. */
char *report_repository_verdict(const RepositoryReport *report);
/* Appends the page of a repository. */
int report_repository_html(const RepositoryReport *report, Buf *out, Error *err);

#endif
