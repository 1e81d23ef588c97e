/* What an audit found, for people and machines; used by audit and repair. */
#ifndef KURA_CMD_AUDITVIEW_H
#define KURA_CMD_AUDITVIEW_H

#include "kura/audit.h"
#include "session.h"

/* What both commands are told, ready for the flow. */
typedef struct AuditArgs {
    AuditOptions options;
    Toc *toc;
    Manifest *manifest;
    RoleMap *map;
    char *cure;
} AuditArgs;
int audit_args(Session *session, AuditArgs *ret, Error *err);
/* "kura repair --db .." as a shell takes it, with the connection string unless that holds a password. To be freed. */
char *repair_command(const char *db);
void audit_args_done(AuditArgs *args);

json_t *json_of_audit(const AuditReport *report);
json_t *json_of_own_findings(const OwnFindings *findings);
void print_own_findings(FILE *out, const OwnFindings *findings);
void print_audit(FILE *out, const AuditReport *report);

/* One finding for the exit status: how many there are above the level of a note. */
void audit_sum_up(Session *session, const OwnFindings *findings, const char *hint);

#endif
