#include "kura/standbys.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kura/clock.h"
#include "kura/mem.h"
#include "kura/replication.h"
#include "kura/stop.h"
#include "kura/text.h"
#include "kura/words.h"

enum { POLL_NS = 50000000 };

int standbys_check(PgConn *conn, Findings *findings, Error *err)
{
    _cleanup_(replication_standbys_done) ReplStandbys standbys = {0};
    if (replication_standbys(conn, NULL, &standbys, err) < 0)
        return -1;
    if (!standbys.seen)
        findings_add(
            findings, FINDING_ERROR, "standbys-unseen",
            "GRANT pg_monitor to that role, name an administrator with --admin-db, or leave --wait-standbys out.",
            "role \"%s\" may not see how far the standbys are", pg_user(conn));
    return 0;
}

/* The end of what the server has written until now, all of it flushed. */
static int position(PgConn *conn, char **ret, Error *err)
{
    if (pg_exec(conn,
                "BEGIN; SET LOCAL synchronous_commit = local; "
                "SELECT pg_catalog.pg_logical_emit_message(true, 'kura', 'restored'); COMMIT",
                err) < 0)
        return -1;
    return pg_query_value(conn, "SELECT pg_catalog.pg_current_wal_flush_lsn()", 0, NULL, ret, err);
}

static size_t count_behind(const ReplStandbys *standbys)
{
    size_t n = 0;
    for (size_t i = 0; i < standbys->n; i++)
        n += standbys->v[i].behind > 0;
    return n;
}

/* One that goes away is missed until it is back. */
static int wait_replayed(PgConn *conn, const char *lsn, double until, StandbysReport *report, ReplStandbys *last,
                         Error *err)
{
    for (;;) {
        replication_standbys_done(last);
        if (stop_check(err) < 0 || replication_standbys(conn, lsn, last, err) < 0)
            return -1;
        report->n = last->n > report->n ? last->n : report->n;
        report->behind = report->n - last->n + count_behind(last);
        if (report->behind == 0 || clock_monotonic() >= until)
            return 0;
        nanosleep(&(struct timespec){.tv_nsec = POLL_NS}, NULL);
    }
}

static void tell_behind(const StandbysReport *report, const ReplStandbys *standbys, double waited, Findings *findings)
{
    static const char hint[] =
        N_("Look at pg_stat_replication and at the standby's log; let nothing read from it before.");
    char bytes[TEXT_SIZE], time[TEXT_SIZE];
    text_seconds(waited, time);
    for (size_t i = 0; i < standbys->n; i++) {
        const ReplStandby *standby = &standbys->v[i];
        if (standby->behind == UINT64_MAX)
            findings_add(findings, FINDING_WARNING, "standby-behind", hint,
                         "standby \"%s\" does not tell what it has replayed, after %s", standby->name, time);
        else if (standby->behind > 0)
            findings_add(findings, FINDING_WARNING, "standby-behind", hint,
                         "standby \"%s\" has not replayed the restore after %s: %s of WAL are left", standby->name,
                         time, text_bytes(standby->behind, bytes));
    }
    if (report->n > standbys->n)
        findings_add(findings, FINDING_WARNING, "standby-behind", hint,
                     "of %zu standbys %zu went away before they had replayed the restore", report->n,
                     report->n - standbys->n);
}

static bool is_asynchronous(const ReplStandby *standby)
{
    return standby->sync_state == NULL || strcmp(standby->sync_state, "async") == 0;
}

static void tell_asynchronous(const AppSite *site, const ReplStandbys *standbys, Findings *findings)
{
    for (size_t i = 0; site && site->reads_replicas && i < standbys->n; i++)
        if (is_asynchronous(&standbys->v[i]))
            findings_add(findings, FINDING_WARNING, "standby-asynchronous",
                         "\"kura doctor --explain REPL-01\" tells what becomes of that, and the cure.",
                         "standby \"%s\" is asynchronous, and %s reads from replicas what it has just written",
                         standbys->v[i].name, site->title);
}

int standbys_wait(PgConn *conn, double seconds, const AppSite *site, StandbysReport *ret, Findings *findings,
                  Error *err)
{
    _cleanup_(replication_standbys_done) ReplStandbys standbys = {0};
    _cleanup_free_ char *lsn = NULL;
    double began = clock_monotonic();
    *ret = (StandbysReport){0};
    if (position(conn, &lsn, err) < 0 || wait_replayed(conn, lsn, began + seconds, ret, &standbys, err) < 0)
        return error_wrap(err, "waiting for the standbys");
    ret->seconds = clock_monotonic() - began;
    if (ret->n == 0)
        findings_add(findings, FINDING_WARNING, "no-standbys",
                     "Look at the standby's primary_conninfo and its log, and whether this is the server it follows.",
                     "no standby is connected to %s", pg_where(conn));
    tell_behind(ret, &standbys, ret->seconds, findings);
    tell_asynchronous(site, &standbys, findings);
    return 0;
}
