/* The sections of a rehearsal's page, each a file of its own; one that has nothing to tell writes nothing. */
#ifndef KURA_REPORT_REHEARSAL_PAGE_H
#define KURA_REPORT_REHEARSAL_PAGE_H

#include "page.h"

typedef struct RehearsalPage {
    const Rehearsal *rehearsal;
    const Rehearsal *const *earlier; /* oldest first */
    size_t n_earlier;
} RehearsalPage;

void rehearsal_figures(Html *h, const RehearsalPage *page);
void rehearsal_findings(Html *h, const RehearsalPage *page);
void rehearsal_timeline(Html *h, const RehearsalPage *page);
void rehearsal_proofs(Html *h, const RehearsalPage *page);
void rehearsal_run(Html *h, const RehearsalPage *page);
void rehearsal_sizes(Html *h, const RehearsalPage *page);
void rehearsal_history(Html *h, const RehearsalPage *page);

/* Proofs that were made, and those of them that failed. */
size_t proofs_made(const Rehearsal *rehearsal);
size_t proofs_failed(const Rehearsal *rehearsal);
/* Findings of at least this severity. */
size_t findings_from(const Rehearsal *rehearsal, Severity severity);
bool run_failed(const Rehearsal *rehearsal);

#endif
