/* The parts of a repository's page. */
#ifndef KURA_REPORT_REPOSITORY_PAGE_H
#define KURA_REPORT_REPOSITORY_PAGE_H

#include "page.h"

/* The months of the last year as calendars, with what each day has. */
void calendar(Html *h, const RepositoryReport *report, const ReportApp *app);

#endif
