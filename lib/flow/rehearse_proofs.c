/* What a rehearsal proves, in this order. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kura/mem.h"
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
    add(rehearse, name, title, unit)->skipped = xvasprintf(format, args);
    va_end(args);
}

static uint64_t count_findings(const Rehearse *rehearse, const char *prefix, Severity at_least)
{
    uint64_t n = 0;
    for (size_t i = 0; i < rehearse->findings.n; i++)
        n += rehearse->findings.v[i].severity >= at_least &&
             strncmp(rehearse->findings.v[i].code, prefix, strlen(prefix)) == 0;
    return n;
}

void rehearse_proofs_of_restore(Rehearse *rehearse)
{
    const RestoreReport *report = &rehearse->report;
    rehearse_proof(rehearse, "rows", "every row of every table, by count and digest", "tables", report->tables,
                   report->tables - report->tables_verified);
    rehearse_proof(rehearse, "schema", "every definition is the backup's", "definitions", rehearse->entries_compared,
                   rehearse->entries_wrong);
    rehearse_proof(rehearse, "owners", "every object belongs to its owner", "objects", report->owners_checked,
                   report->owners_wrong);
    rehearse_proof(rehearse, "grants", "every privilege is granted, and no other", "privileges",
                   report->grants_checked - report->defaults_checked, report->grants_wrong);
    rehearse_proof(rehearse, "default-privileges", "default privileges are the backup's", "privileges",
                   report->defaults_checked, report->defaults_wrong);
    _cleanup_free_ char *role =
        rehearse_old_names(rehearse, report->app_role ? report->app_role : "of the application");
    _cleanup_free_ char *reads = xasprintf("role %s can read what it has", role);
    if (report->app_role)
        rehearse_proof(rehearse, "probe", reads, "relations", report->relations_probed,
                       count_findings(rehearse, "probe-", FINDING_WARNING));
    else
        rehearse_skipped(rehearse, "probe", reads, "relations", "there is no table, so nobody's to read");
}

int rehearse_prove(void *ctx, Restore *restore, Error *err)
{
    return 0;
}
