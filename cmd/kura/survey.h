/* What a repository holds, document by document: for lists and pages. */
#ifndef KURA_CMD_SURVEY_H
#define KURA_CMD_SURVEY_H

#include "kura/report.h"
#include "session.h"

/* A document that cannot be read hides none of the others: it becomes a finding. -1 is for what concerns all of them: no
 * connection, no identity. The repository is open; with --app only what is that application's is taken. */

/* Reads a backup; *ret is NULL where that was a finding, or it is another application's. */
int survey_backup(Session *session, const char *id, Manifest **ret, Error *err);
/* Reads the rehearsals into report. */
int survey_rehearsals(Session *session, RepositoryReport *report, Error *err);

/* null for NULL. */
json_t *json_of_rehearsal_brief(const RehearsalBrief *rehearsal, time_t now);

static inline void report_done_cleanup(RepositoryReport *report)
{
    report_done(report);
}

#endif
