/* What a rehearsal proves, in this order. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kura/clock.h"
#include "kura/mem.h"
#include "kura/proofs.h"
#include "kura/stop.h"
#include "kura/words.h"
#include "rehearse_priv.h"

static RehearsalProof *add(Rehearse *rehearse, const char *name, const char *title, const char *unit)
{
    Rehearsal *result = rehearse->result;
    xgrow(&result->proofs, &rehearse->cap_proofs, result->n_proofs);
    RehearsalProof *proof = &result->proofs[result->n_proofs++];
    *proof = (RehearsalProof){.name = xstrdup(name), .title = xstrdup(title), .unit = xstrdup(unit)};
    return proof;
}

void rehearse_proof(Rehearse *rehearse, const char *name, const char *title, const char *unit, uint64_t checked,
                    uint64_t failed)
{
    RehearsalProof *proof = add(rehearse, name, title, unit);
    proof->checked = checked;
    proof->failed = failed;
}

void rehearse_skipped(Rehearse *rehearse, const char *name, const char *title, const char *unit, const char *format,
                      ...)
{
    va_list args;
    va_start(args, format);
    add(rehearse, name, title, unit)->skipped = xvasprintf(words_get(format), args);
    va_end(args);
}

static uint64_t count_findings(const Rehearse *rehearse, const char *prefix, Severity at_least)
{
    uint64_t n = 0;
    for (size_t i = 0; i < rehearse->findings.n; i++)
        n += rehearse->findings.v[i].severity >= at_least && !rehearse_expects(&rehearse->findings.v[i]) &&
             strncmp(rehearse->findings.v[i].code, prefix, strlen(prefix)) == 0;
    return n;
}

/* One that was not come to was not proven. */
static void add_reached(Rehearse *rehearse, bool reached, const char *name, const char *title, const char *unit,
                        uint64_t checked, uint64_t failed)
{
    if (reached)
        rehearse_proof(rehearse, name, title, unit, checked, failed);
    else
        rehearse_skipped(rehearse, name, title, unit, "the restore ended before");
}

static void add_probe(Rehearse *rehearse, bool reached)
{
    const RestoreReport *report = &rehearse->report;
    if (report->app_role == NULL) {
        rehearse_skipped(rehearse, "probe", "the application can read what it has", "relations",
                         reached ? N_("there is no table, so nobody's to read") : N_("the restore ended before"));
        return;
    }
    _cleanup_free_ char *role = rehearse_old_names(rehearse, report->app_role);
    _cleanup_free_ char *title = xasprintf(_("role %s can read what it has"), role);
    add_reached(rehearse, reached, "probe", title, "relations", report->relations_probed,
                count_findings(rehearse, "probe-", FINDING_WARNING));
}

void rehearse_proofs_of_restore(Rehearse *rehearse, bool reached)
{
    const RestoreReport *report = &rehearse->report;
    if (rehearse->result->n_proofs > 0)
        return;
    rehearse_proof(rehearse, "rows", "every row of every table, by count and digest", "tables", report->tables,
                   report->tables - report->tables_verified);
    add_reached(rehearse, reached, "schema", "every definition is the backup's", "definitions",
                rehearse->entries_compared, rehearse->entries_wrong);
    add_reached(rehearse, reached, "owners", "every object belongs to its owner", "objects", report->owners_checked,
                report->owners_wrong);
    add_reached(rehearse, reached, "grants", "every privilege is granted, and no other", "privileges",
                report->grants_checked - report->defaults_checked, report->grants_wrong);
    add_reached(rehearse, reached, "default-privileges", "default privileges are the backup's", "privileges",
                report->defaults_checked, report->defaults_wrong);
    add_probe(rehearse, reached);
}

/* ---- what is asked of the restored database ---- */

static int prove_amcheck(Rehearse *rehearse, PgConn *conn, Error *err)
{
    static const char name[] = "amcheck", title[] = N_("the inside of every B-tree index (amcheck)"),
                      unit[] = N_("indexes");
    ProofCount count = {0};
    _cleanup_free_ char *why = NULL;
    if (proof_amcheck(conn, &count, &why, &rehearse->findings, err) < 0)
        return -1;
    if (why)
        rehearse_skipped(rehearse, name, title, unit, "%s", why);
    else
        rehearse_proof(rehearse, name, title, unit, count.checked, count.failed);
    return 0;
}

static int prove_writes(Rehearse *rehearse, PgConn *conn, Error *err)
{
    ProofCount count = {0};
    const char *role = rehearse->report.app_role;
    if (role == NULL)
        return 0;
    if (proof_writes(conn, role, &count, &rehearse->findings, err) < 0)
        return -1;
    _cleanup_free_ char *name = rehearse_old_names(rehearse, role);
    _cleanup_free_ char *title = xasprintf(_("role %s can write to its tables (rolled back)"), name);
    rehearse_proof(rehearse, "write-probe", title, "tables", count.checked, count.failed);
    return 0;
}

static int find_newest_row(Rehearse *rehearse, PgConn *conn, Error *err)
{
    enum { SECONDS = 10 };
    Rehearsal *result = rehearse->result;
    double epoch;
    if (proof_newest_row(conn, rehearse->manifest->started, SECONDS, &epoch, &result->newest_row_where, err) < 0)
        return -1;
    if (result->newest_row_where) {
        double age = (double)clock_parse_utc(rehearse->manifest->started) - epoch;
        result->newest_row_age = age > 0 ? age : 0;
    }
    return 0;
}

typedef struct Question {
    const char *name, *title, *unit;
    const char *phase; /* that begins with it; NULL: none does */
    int (*count)(PgConn *conn, ProofCount *ret, Findings *findings, Error *err); /* a proof of the catalogue .. */
    int (*prove)(Rehearse *rehearse, PgConn *conn, Error *err);                  /* .. or one that is more than that */
} Question;

static const Question questions[] = {
    {.name = "write-probe",
     .title = N_("the application can write"),
     .unit = N_("tables"),
     .phase = N_("proofs"),
     .prove = prove_writes},
    {.name = "constraints",
     .title = N_("every constraint holds"),
     .unit = N_("constraints"),
     .count = proof_constraints},
    {.name = "triggers", .title = N_("every trigger is enabled"), .unit = N_("triggers"), .count = proof_triggers},
    {.name = "indexes", .title = N_("every index is valid"), .unit = N_("indexes"), .count = proof_indexes},
    {.name = "sequences",
     .title = N_("no sequence is behind its column"),
     .unit = N_("sequences"),
     .count = proof_sequences},
    {.name = "matviews", .title = N_("materialized views are populated"), .unit = N_("views"), .count = proof_matviews},
    {.name = "collations",
     .title = N_("collations have their versions"),
     .unit = N_("collations"),
     .count = proof_collations},
    {.name = "newest-row", .title = N_("the newest row"), .unit = N_("rows"), .prove = find_newest_row},
    {.name = "amcheck",
     .title = N_("the inside of every index"),
     .unit = N_("indexes"),
     .phase = N_("amcheck"),
     .prove = prove_amcheck},
};

/* A question that the server refuses to answer keeps nobody from the next one. */
static int ask(Rehearse *rehearse, const Question *question, PgConn *conn, Error *err)
{
    ProofCount count = {0};
    Error refused = ERROR_INIT;
    if (question->phase)
        rehearse_phase(rehearse, question->phase);
    int rc = question->prove ? question->prove(rehearse, conn, &refused)
                             : question->count(conn, &count, &rehearse->findings, &refused);
    if (rc == 0 && question->count)
        rehearse_proof(rehearse, question->name, question->title, question->unit, count.checked, count.failed);
    if (rc == 0)
        return 0;
    if (refused.code != ERR_SERVER || stop_signal() != 0) {
        *err = refused;
        return -1;
    }
    findings_add(&rehearse->findings, FINDING_WARNING, "proof-refused", refused.hint[0] ? refused.hint : NULL,
                 "\"%s\" could not be proven: %s", question->title, refused.message);
    rehearse_skipped(rehearse, question->name, question->title, question->unit, "%s", refused.message);
    return pg_exec(conn, "ROLLBACK", err);
}

int rehearse_prove(void *ctx, Restore *restore, Error *err)
{
    Rehearse *rehearse = ctx;
    PgConn *conn;
    rehearse_proofs_of_restore(rehearse, true);
    int rc =
        restore->aid.superuser ? target_connect_helped(restore, &conn, err) : target_connect(restore, NULL, &conn, err);
    if (rc < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_SIZE(questions) && rc == 0; i++)
        rc = ask(rehearse, &questions[i], conn, err);
    pg_close(conn);
    if (rc == 0)
        rc = rehearse_prove_references(rehearse, restore, err);
    rehearse_phase(rehearse, NULL);
    return rc;
}
