/* The command of --run: tomorrow's migrations on tonight's data. */
#include "rehearse_run.h"

#include <string.h>

#include "kura/clock.h"
#include "kura/mem.h"
#include "kura/proc.h"
#include "kura/schemastate.h"
#include "kura/sqllex.h"
#include "kura/words.h"

/* ---- its output ---- */

typedef struct Output {
    Buf text; /* the end of it */
    bool truncated;
    const StrVec *secrets;
} Output;

/* From the thread that reads the pipe. */
static void on_line(void *ctx, const char *line)
{
    Output *output = ctx;
    _cleanup_free_ char *text = xasprintf("%s\n", line);
    runenv_hide(output->secrets, text);
    size_t len = strlen(text);
    if (output->text.len + len > REHEARSAL_OUTPUT_MAX) {
        size_t over = output->text.len + len - REHEARSAL_OUTPUT_MAX;
        const char *end = memchr(output->text.data + over - 1, '\n', output->text.len - over + 1);
        buf_consume(&output->text, end ? (size_t)((const uint8_t *)end + 1 - output->text.data) : output->text.len);
        output->truncated = true;
    }
    buf_append(&output->text, text, len, NULL);
}

/* ---- the run ---- */

static int run_child(const RehearseOptions *options, const StrVec *env, Output *output, RehearsalRun *run, Error *err)
{
    const char *argv[] = {"/bin/sh", "-c", options->run, NULL};
    const ProcSpec spec = {.argv = argv, .env = (const char *const *)env->v, .on_stderr = on_line, .ctx = output};
    Proc *proc;
    double began = clock_monotonic();
    if (proc_start(&spec, &proc, err) < 0)
        return -1;
    int rc = proc_wait_group(proc, options->run_timeout, &run->status, &run->timed_out, err);
    proc_free(proc);
    run->seconds = clock_monotonic() - began;
    return rc;
}

static int run_watched(Rehearse *rehearse, Restore *restore, PgConn *conn, Error *err)
{
    RehearsalRun *run = &rehearse->result->run;
    const char *role = rehearse->report.app_role;
    _cleanup_free_ char *old_role = role ? rehearse_old_names(rehearse, role) : NULL;
    _cleanup_(strvec_done) StrVec env = {0};
    _cleanup_(strvec_done) StrVec secrets = {0};
    runenv_make(conn, rehearse->name, role, &rehearse->manifest->database.facts, old_role, &env, &secrets);
    Output output = {.text = BUF_INIT(2 * REHEARSAL_OUTPUT_MAX), .secrets = &secrets};
    LockWatch *watch = lockwatch_start(restore);
    int rc = run_child(rehearse->options, &env, &output, run, err);
    lockwatch_stop(watch, run);
    run->output = rehearse_old_names(rehearse, buf_str(&output.text));
    run->truncated = output.truncated;
    buf_done(&output.text);
    return rc;
}

static void judge(Rehearse *rehearse)
{
    const RehearsalRun *run = &rehearse->result->run;
    static const char *const hint =
        N_("Its output tells why; --keep-on-failure leaves the database for a look, and \"kura check\" "
           "finds the rows that a new constraint would not accept.");
    if (run->timed_out)
        findings_add(&rehearse->findings, FINDING_ERROR, "run-timed-out", hint, "the command did not end within %g s",
                     rehearse->options->run_timeout);
    else if (run->status != 0)
        findings_add(&rehearse->findings, FINDING_ERROR, "run-failed", hint, "the command failed with status %d",
                     run->status);
    rehearse_proof(rehearse, "run", "the command succeeds", "runs", 1, run->timed_out || run->status != 0);
}

static int look_at_changes(Rehearse *rehearse, Restore *restore, PgConn *conn, const PGresult *before, Error *err)
{
    PGresult *after;
    rehearse_phase(rehearse, "changes");
    if (catalog_schema_state(conn, &after, err) < 0)
        return -1;
    rehearse_compare_states(rehearse, before, after);
    PQclear(after);
    return rehearse_compare_rows(rehearse, restore, err);
}

int rehearse_command(Rehearse *rehearse, Restore *restore, Error *err)
{
    PgConn *conn;
    PGresult *before;
    rehearse->result->has_run = true;
    rehearse->result->run.command = xstrdup(rehearse->options->run);
    if (target_connect(restore, NULL, &conn, err) < 0)
        return -1;
    int rc = catalog_schema_state(conn, &before, err);
    if (rc == 0) {
        rehearse_phase(rehearse, "command");
        rc = run_watched(rehearse, restore, conn, err);
        if (rc == 0) {
            judge(rehearse);
            rc = look_at_changes(rehearse, restore, conn, before, err);
        }
        PQclear(before);
    }
    rehearse_phase(rehearse, NULL);
    pg_close(conn);
    return rc;
}
