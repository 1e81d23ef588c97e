#include <time.h>
#include <unistd.h>

#include "auditview.h"
#include "commands.h"
#include "kura/words.h"
#include "screen.h"
#include "text.h"

#define LOCK_TIMEOUT_DEFAULT 2.0 /* seconds */

static void print_done(FILE *out, const char *what, size_t statements, size_t transactions)
{
    char n_statements[TEXT_SIZE], n_transactions[TEXT_SIZE];
    text_count(statements, n_statements);
    text_count(transactions, n_transactions);
    if (statements == 1)
        fprintf(out, _("%s: %s statement in %s transaction\n"), what, n_statements, n_transactions);
    else
        fprintf(
            out,
            ngettext("%s: %s statements in %s transaction\n", "%s: %s statements in %s transactions\n", transactions),
            what, n_statements, n_transactions);
}

static void print_sql(FILE *out, const char *script)
{
    _cleanup_free_ char *text = text_sql(script);
    fputs(text, out);
}

/* ---- undo ---- */

/* Each was told when it happened. */
static void tell_waits(Session *session, const StrVec *waited)
{
    if (waited->n == 1)
        findings_add(&session->findings, FINDING_NOTE, "lock-waited", NULL, "a lock was in the way of %s",
                     waited->v[0]);
    else if (waited->n > 1)
        findings_add(&session->findings, FINDING_NOTE, "lock-waited", NULL,
                     "a lock was in the way %zu times, the last time of %s", waited->n, waited->v[waited->n - 1]);
}

static int run_undo(Session *session, const char *file, Error *err)
{
    const Options *options = session->options;
    _cleanup_(repair_undo_report_done) RepairUndoReport report = {0};
    bool apply = options_flag(options, OPT_APPLY);
    if (apply && !options_given(options, OPT_DB))
        return error_set(err, ERR_USAGE, "--undo --apply needs --db");
    if (repair_undo(options_text(options, OPT_DB), file, apply, &report, err) < 0)
        return -1;
    tell_waits(session, &report.waited);
    if (session->json)
        session_set(session, "undo",
                    json_pack("{s:b, s:I, s:I, s:I, s:o}", "applied", report.applied, "statements",
                              (json_int_t)report.statements, "transactions", (json_int_t)report.transactions, "retries",
                              (json_int_t)report.retries, "script", json_text(report.script)));
    else if (apply)
        print_done(session->out, _("undone"), report.statements, report.transactions);
    else
        print_sql(session->out, report.script);
    return 0;
}

/* ---- repair ---- */

static void print_repair(const Session *session, const RepairReport *report, const char *undo_file)
{
    FILE *out = session->out;
    if (!report->applied) {
        if (report->plan)
            print_sql(out, report->plan);
        else
            print_audit(out, &report->audit);
        return;
    }
    _cleanup_free_ char *command = repair_command(options_text(session->options, OPT_DB)), *shown = text_escaped(command);
    _cleanup_free_ char *file = text_escaped(undo_file);
    print_done(out, _("repaired"), report->statements, report->transactions);
    fprintf(out, _("  to go back: %s --undo %s --apply\n"), shown, file);
    fputs(_("after it\n"), out);
    print_own_findings(out, &report->left);
    if (own_findings_count(&report->left, OWN_WARNING) == 0)
        fputs(_("  owners and grants are as they should be\n"), out);
}

static json_t *json_of_repair(const RepairReport *report, const char *undo_file)
{
    return json_pack("{s:b, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "applied", report->applied, "statements",
                     (json_int_t)report->statements, "transactions", (json_int_t)report->transactions, "retries",
                     (json_int_t)report->retries, "plan", json_text(report->plan), "undo", json_text(report->undo),
                     "undo_file", json_text(report->applied ? undo_file : NULL), "impossible",
                     json_texts(&report->impossible), "before", json_of_audit(&report->audit), "after",
                     report->applied ? json_of_own_findings(&report->left) : json_null());
}

static void tell_plan(Session *session, const RepairReport *report)
{
    for (size_t i = 0; i < report->impossible.n; i++)
        findings_add(&session->findings, FINDING_WARNING, "repair-impossible", NULL, "%s", report->impossible.v[i]);
    if (report->transactions > 1)
        findings_add(&session->findings, FINDING_NOTE, "repair-transactions",
                     "Set max_locks_per_transaction higher and restart the server to have it in one.",
                     report->applied
                         ? N_("the server's lock table has no room for all objects: %zu transactions are made")
                         : N_("the server's lock table has no room for all objects: %zu transactions are needed"),
                     report->transactions);
}

static int run_repair(Session *session, const char *undo_file, Error *err)
{
    const Options *options = session->options;
    _cleanup_(audit_args_done) AuditArgs args;
    _cleanup_(repair_report_done) RepairReport report = {0};
    if (audit_args(session, &args, err) < 0)
        return -1;
    RepairOptions repair = {
        .audit = args.options,
        .lock_timeout = options_number(options, OPT_LOCK_TIMEOUT, LOCK_TIMEOUT_DEFAULT),
        .undo_file = undo_file,
        .apply = options_flag(options, OPT_APPLY),
    };
    if (repair_run(&repair, &report, &session->findings, err) < 0)
        return -1;
    tell_waits(session, &report.waited);
    tell_plan(session, &report);
    if (session->json)
        session_set(session, "repair", json_of_repair(&report, undo_file));
    else
        print_repair(session, &report, undo_file);
    audit_sum_up(session, report.applied ? &report.left : &report.audit.findings,
                 report.plan && !repair.apply ? N_("Nothing was changed; --apply runs the plan.") : NULL);
    return 0;
}

/* The moment is enough but for two within a second. */
static char *default_undo_file(void)
{
    enum { MOMENT_SIZE = 32 };
    char moment[MOMENT_SIZE];
    time_t now = time(NULL);
    strftime(moment, sizeof moment, "%Y%m%dT%H%M%SZ", gmtime(&now));
    char *name = xasprintf("kura-undo-%s.sql", moment);
    for (unsigned n = 2; access(name, F_OK) == 0; n++) {
        free(name);
        name = xasprintf("kura-undo-%s-%u.sql", moment, n);
    }
    return name;
}

int command_repair(Session *session, Error *err)
{
    const Options *options = session->options;
    const char *undo = options_text(options, OPT_UNDO), *undo_file = options_text(options, OPT_UNDO_FILE);
    if (undo)
        return run_undo(session, undo, err);
    _cleanup_free_ char *name = undo_file ? xstrdup(undo_file) : default_undo_file();
    return run_repair(session, name, err);
}
