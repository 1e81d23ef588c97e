/* kura prune --old-databases. */
#include <stdlib.h>
#include <string.h>

#include "kept_priv.h"
#include "kura/mem.h"
#include "kura/stop.h"
#include "kura/words.h"
#include "loan.h"
#include "targetdb.h"

void kept_prune_report_done(KeptPruneReport *report)
{
    free(report->database);
    kept_databases_done(&report->databases);
    free(report->verdicts);
    *report = (KeptPruneReport){0};
}

/* rank: how many newer old ones there are. What a restore left unfinished is no old database: only its age counts. */
static KeptVerdict judge(const KeptDatabase *database, size_t rank, const KeptPruneOptions *options)
{
    bool too_young = options->older_than >= 0 && database->days < options->older_than;
    bool asked = options->older_than >= 0 || (options->keep > 0 && database->state == KEPT_OLD);
    if (!asked || too_young || (database->state == KEPT_OLD && rank < options->keep))
        return KEPT_STAYS;
    return database->sessions > 0 || database->holds.n > 0 ? KEPT_IN_USE : KEPT_TO_DROP;
}

static void tell_in_use(const KeptDatabase *database, Findings *findings)
{
    if (database->sessions > 0)
        findings_add(findings, FINDING_WARNING, "kept-in-use", "Stop what is connected to it, if it shall go.",
                     ngettext("database \"%s\" stays: it has %llu session",
                              "database \"%s\" stays: it has %llu sessions", database->sessions),
                     database->name, (unsigned long long)database->sessions);
    for (size_t i = 0; i < database->holds.n; i++)
        findings_add(findings, FINDING_WARNING, "kept-in-use",
                     "End or drop it from a session of that database, if the database shall go.",
                     "database \"%s\" stays: it holds %s", database->name, database->holds.v[i]);
}

/* It was looked at a moment ago: whatever happened since, only what still bears its mark is dropped, and only without
 * sessions, which the server itself makes sure of. */
static int drop(PgConn *admin, const KeptPruneOptions *options, KeptPruneReport *report, size_t i, Findings *findings,
                Error *err)
{
    KeptDatabases now;
    bool same = false;
    const KeptDatabase *database = &report->databases.v[i];
    if (stop_check(err) < 0 || kept_list(admin, report->database, &now, err) < 0)
        return -1;
    for (size_t j = 0; j < now.n; j++)
        same |= now.v[j].oid == database->oid && strcmp(now.v[j].name, database->name) == 0 &&
                strcmp(now.v[j].at, database->at) == 0 && now.v[j].holds.n == 0;
    kept_databases_done(&now);
    Error why = ERROR_INIT;
    if (same && targetdb_drop(admin, options->db, database->name, false, &why) == 0) {
        report->verdicts[i] = KEPT_DROPPED;
        return 0;
    }
    report->verdicts[i] = KEPT_IN_USE;
    if (why.code != ERR_NONE && why.code != ERR_SERVER) {
        *err = why;
        return -1;
    }
    findings_add(findings, FINDING_WARNING, "kept-in-use", why.hint[0] ? why.hint : NULL, "database \"%s\" stays: %s",
                 database->name, same ? why.message : _("somebody has changed it in the meantime"));
    return 0;
}

static int run(PgConn *admin, const KeptPruneOptions *options, KeptPruneReport *report, Findings *findings, Error *err)
{
    KeptDatabases *databases = &report->databases;
    LoanConns conns = {{admin}};
    if ((options->drop && targetdb_lock(admin, report->database, err) < 0) ||
        kept_list(admin, report->database, databases, err) < 0 ||
        loans_settle(databases, &conns, !options->drop, NULL, NULL, findings, err) < 0)
        return -1;
    report->verdicts = xcalloc(databases->n + 1, sizeof *report->verdicts);
    for (size_t i = 0, rank = 0; i < databases->n; i++) {
        report->verdicts[i] = judge(&databases->v[i], rank, options);
        rank += databases->v[i].state == KEPT_OLD;
        if (report->verdicts[i] == KEPT_IN_USE)
            tell_in_use(&databases->v[i], findings);
    }
    for (size_t i = databases->n; options->drop && i-- > 0;)
        if (report->verdicts[i] == KEPT_TO_DROP && drop(admin, options, report, i, findings, err) < 0)
            return -1;
    return 0;
}

int kept_prune(const KeptPruneOptions *options, KeptPruneReport *ret, Findings *findings, Error *err)
{
    *ret = (KeptPruneReport){0};
    PgConn *admin = NULL;
    if (targetdb_name(options->db, &ret->database, err) < 0 ||
        targetdb_connect_admin(options->db, ret->database, &admin, err) < 0)
        return -1;
    int rc = run(admin, options, ret, findings, err);
    pg_close(admin);
    return rc;
}
