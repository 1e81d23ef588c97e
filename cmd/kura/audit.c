#include "auditview.h"
#include "commands.h"

int command_audit(Session *session, Error *err)
{
    _cleanup_(audit_args_done) AuditArgs args;
    _cleanup_(audit_report_done) AuditReport report = {0};
    if (audit_args(session, &args, err) < 0 || audit_run(&args.options, &report, &session->findings, err) < 0)
        return -1;
    if (session->json)
        session_set(session, "audit", json_of_audit(&report));
    else
        print_audit(session->out, &report);
    audit_sum_up(session, &report.findings, NULL);
    return 0;
}
