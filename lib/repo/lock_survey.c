#include <inttypes.h>
#include <time.h>

#include "kura/clock.h"
#include "kura/mem.h"
#include "kura/words.h"
#include "lock_priv.h"
#include "repo_priv.h"

enum { LONG_HELD = 24 * 3600 /* seconds */ };

static void tell(const LockInfo *lock, Findings *findings)
{
    char since[32], until[32];
    clock_format_utc(lock->created, since, sizeof since);
    clock_format_utc(lock->expires, until, sizeof until);
    if (lock_is_stale(lock, &lock_usual_times))
        findings_add(findings, FINDING_NOTE, "lock-stale", NULL,
                     "a lock for \"%.100s\" of %.100s on %.250s, taken at %s, is stale and holds nobody up",
                     lock->purpose, lock->user, lock->host, since);
    else if (time(NULL) > lock->created + LONG_HELD)
        findings_add(findings, FINDING_WARNING, "lock-old",
                     "Look whether that process still does something; when it is ended its lock goes.",
                     "the repository is locked for \"%.100s\" by %.100s on %.250s (process %" PRId64 ") since %s",
                     lock->purpose, lock->user, lock->host, lock->pid, since);
    else
        findings_add(findings, FINDING_NOTE, "lock-held", NULL,
                     lock->exclusive
                         ? N_("a lock against everybody else for \"%.100s\"%s%.100s is held by %.100s on %.250s since "
                              "%s, until %s unless refreshed")
                         : N_("a lock for \"%.100s\"%s%.100s is held by %.100s on %.250s since %s, until %s unless "
                              "refreshed"),
                     lock->purpose, lock->app ? _(" of ") : "", lock->app ? lock->app : "", lock->user, lock->host,
                     since, until);
}

static int add_key(void *ctx, const char *key, uint64_t size, Error *err)
{
    strvec_push(ctx, key);
    return 0;
}

int repo_lock_survey(Repo *repo, Findings *findings, Error *err)
{
    _cleanup_(strvec_done) StrVec keys = {0};
    if (store_list(repo->store, LOCK_PREFIX, add_key, &keys, err) < 0)
        return error_wrap(err, "looking for locks");
    for (size_t i = 0; i < keys.n; i++) {
        _cleanup_(lockinfo_done) LockInfo lock = {0};
        Error why = ERROR_INIT;
        int rc = lock_read(repo, keys.v[i], &lock, &why);
        if (rc == 0)
            tell(&lock, findings);
        if (rc < 0 && why.code != ERR_CORRUPT && why.code != ERR_UNSUPPORTED) {
            if (err)
                *err = why;
            return -1;
        }
        if (rc < 0)
            findings_add(findings, FINDING_WARNING, "lock-unreadable", why.hint[0] ? why.hint : NULL, "%s",
                         why.message);
    }
    return 0;
}
