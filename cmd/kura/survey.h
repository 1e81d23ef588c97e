/* What a repository holds, document by document: for lists and pages. */
#ifndef KURA_CMD_SURVEY_H
#define KURA_CMD_SURVEY_H

#include "kura/report.h"
#include "session.h"

/* A document that cannot be read hides none of the others: becomes a finding with that code. -1, with *err, for what
 * concerns all of them: no connection, no identity. */
int survey_unreadable(Session *session, const char *code, const Error *why, Error *err);

/* Reads the rehearsals into report; with --app those of that application. The repository is open. */
int survey_rehearsals(Session *session, RepositoryReport *report, Error *err);

/* null for NULL. */
json_t *json_of_rehearsal_brief(const RehearsalBrief *rehearsal, time_t now);

static inline void report_done_cleanup(RepositoryReport *report)
{
    report_done(report);
}

#endif
