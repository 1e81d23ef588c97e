#include "s3probe.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "kura/mem.h"
#include "kura/stop.h"
#include "kura/words.h"
#include "s3walk.h"

enum { CLOCK_WARNING = 60 /* seconds */ };

static void tell_clock(S3Probe *probe, const S3Answer *answer)
{
    long ahead = answer->date ? (long)(answer->date - time(NULL)) : 0;
    long size = ahead < 0 ? -ahead : ahead;
    if (answer->date == 0)
        findings_add(probe->findings, FINDING_NOTE, "s3-clock", NULL, "the server does not tell its time");
    else if (size < CLOCK_WARNING)
        findings_add(probe->findings, FINDING_NOTE, "s3-clock", NULL,
                     "the clocks of this host and of the server differ by %ld s", size);
    else
        findings_add(probe->findings, FINDING_WARNING, "s3-clock",
                     "Set this host's clock. kura corrects for the difference, but the times of backups are wrong.",
                     ahead < 0 ? N_("the server's clock is %ld s behind this host's")
                               : N_("the server's clock is %ld s ahead of this host's"),
                     size);
}

static void tell_connection(S3Probe *probe, const S3Target *first)
{
    S3Target now;
    _cleanup_(buf_done) Buf host = BUF_INIT(1024);
    s3site_target(probe->s3->client.site, &now);
    s3site_host(probe->s3->client.site, &now, &host, NULL);
    findings_add(probe->findings, FINDING_NOTE, "s3-connection", NULL,
                 "the server is %s://%s, the bucket's name stands in the %s, its region is \"%s\"",
                 now.endpoint.tls ? "https" : "http", buf_str(&host), now.virtual_host ? _("host's name") : _("path"),
                 now.region);
    if (strcmp(first->region, now.region) != 0)
        findings_add(probe->findings, FINDING_WARNING, "s3-region",
                     "Set s3-region to that: it saves a refused request in each run.",
                     "the bucket's region is \"%s\", not \"%s\"", now.region, first->region);
    if (!now.endpoint.tls && !s3endpoint_is_loopback(&now.endpoint))
        findings_add(probe->findings, FINDING_WARNING, "s3-http",
                     "Use an https:// endpoint: an unencrypted repository crosses the network in clear text.",
                     "the connection is not encrypted");
    const char *exposed = s3chain_exposed_file(probe->s3->client.chain);
    if (exposed)
        findings_add(probe->findings, FINDING_WARNING, "s3-credentials-file", "Take the rights away: chmod 600.",
                     "everybody on this host may read the credentials in \"%s\"", exposed);
}

/* The first request. -1 when every other one would fail as well. */
static int reach(S3Probe *probe, Error *err)
{
    S3Target first;
    S3Outcome outcome;
    _cleanup_(s3page_done) S3Page page = {0};
    Error why = ERROR_INIT;
    s3site_target(probe->s3->client.site, &first);
    int rc = s3_list_page(probe->s3, probe->dir, NULL, "2", &page, &outcome, &why);
    bool forbidden =
        outcome.answer.status == 403 && (outcome.error.code[0] == 0 || strcmp(outcome.error.code, "AccessDenied") == 0);
    if (rc < 0 && !forbidden) {
        if (err)
            *err = why;
        return -1;
    }
    tell_connection(probe, &first);
    tell_clock(probe, &outcome.answer);
    if (rc < 0)
        findings_add(probe->findings, FINDING_ERROR, "s3-list", why.hint[0] ? why.hint : NULL, "%s", why.message);
    return 0;
}

static void tell_expiration(S3Probe *probe)
{
    if (probe->expiration[0] && !probe->knows_lifecycle)
        findings_add(probe->findings, FINDING_ERROR, "s3-lifecycle",
                     "Take the repository's prefix out of the bucket's lifecycle rules; prune is what removes backups.",
                     "a lifecycle rule of the bucket deletes objects of this repository: %s", probe->expiration);
}

/* Even when a stop was asked for: what is left behind would have to be removed by hand. */
static void clean_up(S3Probe *probe)
{
    Error why = ERROR_INIT;
    stop_hold();
    int rc = s3_delete_many(&probe->s3->store, (const char *const *)probe->keys.v, probe->keys.n, &why);
    stop_release();
    if (rc == 0)
        return;
    _cleanup_(buf_done) Buf names = BUF_INIT(1024);
    for (size_t i = 0; i < probe->keys.n; i++)
        buf_printf(&names, NULL, "%s\"%s%s\"", i ? ", " : "", probe->s3->location.prefix, probe->keys.v[i]);
    findings_add(probe->findings, FINDING_NOTE, "s3-leftover", "Remove them with a key that may delete.",
                 "the objects of this test could not be removed: %s", buf_str(&names));
}

static int name_dir(S3Probe *probe, Error *err)
{
    unsigned char random[8];
    if (getrandom(random, sizeof random, 0) != sizeof random)
        return error_set(err, ERR_FAILED, "the system gives no random bytes");
    uint64_t number;
    memcpy(&number, random, sizeof number);
    snprintf(probe->dir, sizeof probe->dir, "probe/%016jx/", (uintmax_t)number);
    return 0;
}

int s3_probe(Store *store, Findings *findings, Error *err)
{
    void (*const parts[])(S3Probe *) = {s3probe_objects, s3probe_bucket, tell_expiration, s3probe_delete};
    S3Probe probe = {.s3 = s3_of(store), .findings = findings};
    if (name_dir(&probe, err) < 0 || reach(&probe, err) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_SIZE(parts) && stop_check(NULL) == 0; i++)
        parts[i](&probe);
    clean_up(&probe);
    strvec_done(&probe.keys);
    return stop_check(err);
}
