/* The parts of a repository's page. */
#ifndef KURA_REPORT_REPOSITORY_PAGE_H
#define KURA_REPORT_REPOSITORY_PAGE_H

#include "page.h"

/* One application; for ids of elements its name cannot serve, so that it has a number. */
typedef struct AppPage {
    const RepositoryReport *report;
    const ReportApp *app;
    size_t number;
} AppPage;

void app_section(Html *h, const AppPage *page);
/* The months of the last year as calendars, with what each day has. */
void calendar(Html *h, const RepositoryReport *report, const ReportApp *app);

/* What is wrong with an application, from little to much. */
typedef enum Trouble { NO_TROUBLE, DAYS_MISSING, FINDINGS, NEVER_PROVEN, REHEARSAL_FAILED, OVERDUE } Trouble;
Trouble trouble_of(const ReportApp *app);
Tone trouble_tone(Trouble trouble);
const char *trouble_sentence(Trouble trouble);
/* All of them in one sentence, to be freed; *ret_worst is what it is about. */
char *trouble_verdict(const ReportApp *apps, size_t n, Trouble *ret_worst);

/* NULL: none. */
const RehearsalBrief *last_rehearsal(const ReportApp *app);

#endif
