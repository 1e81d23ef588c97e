#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kura/clock.h"
#include "kura/mem.h"
#include "kura/replication.h"
#include "kura/stop.h"

enum { POLL_NS = 1000000 };

static int set_commit(PgConn *primary, const char *commit, Error *err)
{
    _cleanup_free_ char *set = NULL;
    return pg_query_value(primary, "SELECT pg_catalog.set_config('synchronous_commit', $1, true)", 1, &commit, &set,
                          err);
}

/* *ret_hung: the commit did not return in time. It happened nevertheless: what was waited for is not there. */
static int write_message(PgConn *primary, const char *commit, char **ret_xid, bool *ret_hung, Error *err)
{
    static const char message[] =
        "SELECT pg_catalog.txid_current() FROM pg_catalog.pg_logical_emit_message(true, 'kura', "
        "'a probe of kura doctor')";
    if (pg_exec(primary, "BEGIN", err) < 0)
        return -1;
    if ((commit && set_commit(primary, commit, err) < 0) ||
        pg_query_value(primary, message, 0, NULL, ret_xid, err) < 0) {
        pg_exec(primary, "ROLLBACK", NULL);
        return -1;
    }
    Error why = ERROR_INIT;
    if (pg_exec(primary, "COMMIT", &why) == 0)
        return 0;
    *ret_hung = why.code == ERR_CONNECTION && stop_signal() == 0;
    if (*ret_hung)
        return 0;
    *err = why;
    return -1;
}

static int is_visible(PgConn *replica, const char *xid, bool *ret, Error *err)
{
    static const char look[] = "SELECT pg_catalog.txid_visible_in_snapshot($1::pg_catalog.int8, "
                               "pg_catalog.txid_current_snapshot())";
    _cleanup_free_ char *text = NULL;
    if (pg_query_value(replica, look, 1, &xid, &text, err) < 0)
        return -1;
    *ret = text && text[0] == 't';
    return 0;
}

/* Seconds from `since` until the transaction is visible; -1: not before `until`. */
static int wait_visible(PgConn *replica, const char *xid, double since, double until, unsigned *looks, double *ret,
                        Error *err)
{
    for (*looks = 1;; ++*looks) {
        bool visible;
        if (stop_check(err) < 0 || is_visible(replica, xid, &visible, err) < 0)
            return -1;
        double now = clock_monotonic();
        *ret = visible ? now - since : -1;
        if (visible || now > until)
            return 0;
        nanosleep(&(struct timespec){.tv_nsec = POLL_NS}, NULL);
    }
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void sum_up(ReplProbe *probe, double *lags)
{
    if (probe->samples == 0)
        return;
    qsort(lags, probe->samples, sizeof *lags, by_size);
    probe->p95 = lags[(probe->samples * 95 + 99) / 100 - 1];
    probe->max = lags[probe->samples - 1];
}

static int take_sample(PgConn *primary, PgConn *replica, const char *commit, double until, ReplProbe *probe,
                       double *lags, Error *err)
{
    _cleanup_free_ char *xid = NULL;
    double lag;
    unsigned looks;
    if (write_message(primary, commit, &xid, &probe->hung, err) < 0)
        return -1;
    double since = clock_monotonic();
    if (probe->hung)
        return 0;
    if (wait_visible(replica, xid, since, until, &looks, &lag, err) < 0)
        return -1;
    probe->stale += looks > 1 || lag < 0;
    probe->invisible += lag < 0;
    lags[probe->samples++] = lag < 0 ? clock_monotonic() - since : lag;
    return 0;
}

static int take_samples(PgConn *primary, PgConn *replica, const char *commit, unsigned samples, double seconds,
                        ReplProbe *probe, double *lags, Error *err)
{
    double until = clock_monotonic() + seconds;
    while (probe->samples < samples && !probe->hung && clock_monotonic() < until)
        if (take_sample(primary, replica, commit, until, probe, lags, err) < 0)
            return -1;
    return 0;
}

int replication_probe(PgConn *primary, PgConn *replica, const char *commit, unsigned samples, double seconds,
                      ReplProbe *ret, Error *err)
{
    ReplProbe probe = {0};
    _cleanup_free_ double *lags = xcalloc(samples, sizeof *lags);
    double primary_before = pg_deadline(primary), replica_before = pg_deadline(replica);
    pg_set_deadline(primary, seconds);
    pg_set_deadline(replica, seconds);
    int rc = take_samples(primary, replica, commit, samples, seconds, &probe, lags, err);
    pg_set_deadline(primary, primary_before);
    pg_set_deadline(replica, replica_before);
    if (rc < 0)
        return -1;
    sum_up(&probe, lags);
    *ret = probe;
    return 0;
}

int replication_commit_hangs(PgConn *primary, const char *commit, double seconds, bool *ret, Error *err)
{
    _cleanup_free_ char *xid = NULL;
    double before = pg_deadline(primary);
    pg_set_deadline(primary, seconds);
    int rc = write_message(primary, commit, &xid, ret, err);
    pg_set_deadline(primary, before);
    return rc;
}
