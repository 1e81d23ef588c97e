#include <inttypes.h>
#include <string.h>

#include "kura/mem.h"
#include "kura/stop.h"
#include "verify_priv.h"

enum { SHOWN = 10 };

/* Those that hold are nobody's fault; the next lock sweeps stale ones. */
int verify_stale_locks(Repo *repo, Findings *findings, Error *err)
{
    Findings locks = FINDINGS_INIT;
    int rc = repo_lock_survey(repo, &locks, err);
    for (size_t i = 0; i < locks.n; i++)
        if (strcmp(locks.v[i].code, "lock-stale") == 0)
            findings_add(findings, FINDING_NOTE, "lock-stale", NULL, "%s", locks.v[i].message);
    findings_done(&locks);
    return rc;
}

typedef struct Leftovers {
    Verify *verify;
    Buf names;
} Leftovers;

static int add(void *ctx, const StoreObject *object, Error *err)
{
    Leftovers *leftovers = ctx;
    VerifyReport *report = leftovers->verify->report;
    if (report->leftovers++ < SHOWN)
        buf_printf(&leftovers->names, NULL, "%s\"%s\"", report->leftovers > 1 ? ", " : "", object->key);
    report->leftover_bytes += object->size;
    return stop_check(err);
}

int verify_leftovers(Verify *verify, Error *err)
{
    const VerifyReport *report = verify->report;
    Leftovers leftovers = {.verify = verify, .names = BUF_INIT(64 * 1024)};
    int rc = store_leftovers(repo_store(verify->repo), add, &leftovers, err);
    if (rc == 0 && report->leftovers > 0)
        findings_add(verify->findings, FINDING_NOTE, "leftovers", "\"kura repair-repository --apply\" removes them.",
                     "%ju unfinished files with %ju bytes were left by writers that were killed: %s%s",
                     (uintmax_t)report->leftovers, (uintmax_t)report->leftover_bytes, buf_str(&leftovers.names),
                     report->leftovers > SHOWN ? ", .." : "");
    buf_done(&leftovers.names);
    return rc;
}
