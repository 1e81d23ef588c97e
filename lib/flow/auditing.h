/* An audit under way: what repair needs of it. */
#ifndef KURA_AUDITING_H
#define KURA_AUDITING_H

#include "kura/audit.h"
#include "kura/pg.h"

typedef struct Auditing {
    const AuditOptions *options;
    PgConn *conn;
    OwnNames *names;
    OwnState have, want;
    StrVec missing;
    const char *app_role; /* of the pool; NULL: nobody */
} Auditing;

/* Connects and makes both states. */
int auditing_begin(Auditing *auditing, const AuditOptions *options, Findings *findings, Error *err);
/* Everything that differs and all that is wrong by itself. */
int auditing_findings(const Auditing *auditing, OwnFindings *ret, Error *err);
/* Reads the live state again; wanted stays what it was, object by object. */
int auditing_again(const Auditing *auditing, OwnFindings *ret, Error *err);
void auditing_report(const Auditing *auditing, AuditReport *ret);
void auditing_done(Auditing *auditing);

#endif
