/* How a lock is had on stores that offer no compare-and-swap: put an own one, look at all others, and hold it only when
 * none of them conflicts. Of two that come at once each sees the other, or only one does: never neither. So that not
 * all of them withdraw, the one whose name comes first stays and looks again while the others go; that it has priority
 * is not enough, for another one may have looked before it was there. Who withdrew tries again after a random while,
 * and is then told who holds it. */
#include <poll.h>
#include <string.h>
#include <time.h>

#include "kura/clock.h"
#include "kura/log.h"
#include "kura/mem.h"
#include "kura/stop.h"
#include "lock_priv.h"
#include "repo_priv.h"

enum {
    ATTEMPTS = 5,
    LOOKS = 20,          /* of the one that comes first, until it takes the others for holders */
    LOOK_PAUSE_MS = 100, /* between them */
};

/* ---- the others ---- */

/* What stands against a lock. */
typedef struct Conflict {
    bool first; /* none of them has a name before its own */
    Error why;  /* tells of one of them */
} Conflict;

static void name_holder(const Repo *repo, const LockInfo *wanted, const LockInfo *holder, Error *err)
{
    char since[32];
    clock_format_utc(holder->created, since, sizeof since);
    if (wanted->exclusive || holder->exclusive)
        error_set(err, ERR_LOCKED,
                  "the repository \"%s\" is locked for \"%.100s\" by %.100s on %.250s (process %jd) since %s",
                  store_name(repo->store), holder->purpose, holder->user, holder->host, (intmax_t)holder->pid, since);
    else
        error_set(err, ERR_LOCKED,
                  "application \"%.100s\" is locked in the repository \"%s\" for \"%.100s\" by %.100s on %.250s "
                  "(process %jd) since %s",
                  holder->app, store_name(repo->store), holder->purpose, holder->user, holder->host,
                  (intmax_t)holder->pid, since);
}

static void locked_error(const Repo *repo, const LockInfo *wanted, const LockInfo *holder, Error *err)
{
    char until[32];
    clock_format_utc(holder->expires, until, sizeof until);
    name_holder(repo, wanted, holder, err);
    error_hint(err,
               "Wait until it is done, with --lock-wait for instance. If it died, its lock expires by itself, at %s "
               "unless refreshed.",
               until);
}

static bool conflicting(const LockInfo *a, const LockInfo *b)
{
    return a->exclusive || b->exclusive || (a->app && b->app && strcmp(a->app, b->app) == 0);
}

/* A lock as the listing shows it. */
typedef struct Seen {
    char *key;
    int64_t time;
} Seen;

typedef struct SeenLocks {
    Seen *v;
    size_t n, cap;
    int64_t now; /* when our own was put, else INT64_MIN */
} SeenLocks;

static void seen_done(SeenLocks *seen)
{
    for (size_t i = 0; i < seen->n; i++)
        free(seen->v[i].key);
    free(seen->v);
}

typedef struct Listing {
    const RepoLock *lock;
    SeenLocks *seen;
} Listing;

static int see(void *ctx, const StoreObject *object, Error *err)
{
    const Listing *listing = ctx;
    SeenLocks *seen = listing->seen;
    if (strcmp(object->key, listing->lock->key) == 0) {
        seen->now = object->time;
        return 0;
    }
    xgrow(&seen->v, &seen->cap, seen->n);
    seen->v[seen->n++] = (Seen){.key = xstrdup(object->key), .time = object->time};
    return 0;
}

/* Before our own is there, when our clock has to do. */
static bool may_be_stale(const LockInfo *other, const Seen *seen, const LockTimes *times)
{
    return lock_is_stale(other, times) || lock_is_stale_at(other, seen->time, time(NULL), times);
}

/* A stale one is removed: its holder, should it live on, finds that out before it deletes anything. */
static int check_other(RepoLock *lock, const SeenLocks *seen, size_t i, bool written, Conflict *conflict, Error *err)
{
    const char *key = seen->v[i].key;
    _cleanup_(lockinfo_done) LockInfo other = {0};
    int rc = lock_read(lock->repo, key, &other, err);
    if (rc != 0)
        return rc < 0 ? -1 : 0;
    if (written && lock_is_stale_at(&other, seen->v[i].time, seen->now, &lock->times)) {
        store_delete(lock->repo->store, key, NULL);
        return 0;
    }
    if (!conflicting(&lock->info, &other) || (!written && may_be_stale(&other, &seen->v[i], &lock->times)))
        return 0;
    conflict->first = conflict->first && strcmp(key, lock->key) > 0;
    locked_error(lock->repo, &lock->info, &other, &conflict->why);
    return 0;
}

/* written: our own is there. */
static int look_around(RepoLock *lock, bool written, Conflict *ret, Error *err)
{
    _cleanup_(seen_done) SeenLocks seen = {.now = INT64_MIN};
    Listing listing = {.lock = lock, .seen = &seen};
    *ret = (Conflict){.first = true, .why = ERROR_INIT};
    if (store_list_objects(lock->repo->store, LOCK_PREFIX, see, &listing, err) < 0)
        return error_wrap(err, "looking for locks");
    for (size_t i = 0; i < seen.n; i++)
        if (check_other(lock, &seen, i, written, ret, err) < 0)
            return -1;
    return 0;
}

/* ---- its own ---- */

static int pause_for(int ms, Error *err)
{
    struct pollfd stop = {.fd = stop_fd(), .events = POLLIN};
    poll(&stop, 1, ms);
    return stop_check(err);
}

static int pause_randomly(Error *err)
{
    char digit[2];
    random_text(HEX_DIGITS, 1, digit);
    return pause_for(100 + 50 * (int)(strchr(HEX_DIGITS, digit[0]) - HEX_DIGITS), err);
}

/* With its own lock written: until nobody stands against it, or somebody must be given way to. */
static int settle(RepoLock *lock, Conflict *conflict, Error *err)
{
    for (int look = 1;; look++) {
        if (look_around(lock, true, conflict, err) < 0)
            return -1;
        if (conflict->why.code == ERR_NONE || !conflict->first || look == LOOKS)
            return 0;
        if (pause_for(LOOK_PAUSE_MS, err) < 0)
            return -1;
    }
}

/* Looks first, so that a lock that is held is not disturbed by a passing one of ours. */
static int attempt(RepoLock *lock, bool *ret_passing, Conflict *conflict, Error *err)
{
    *ret_passing = false;
    if (look_around(lock, false, conflict, err) < 0)
        return -1;
    if (conflict->why.code != ERR_NONE)
        return 0;
    if (lock_write(lock, &lock->info, true, err) < 0)
        return -1;
    int rc = settle(lock, conflict, err);
    if (rc < 0 || conflict->why.code != ERR_NONE)
        lock_remove(lock);
    *ret_passing = true;
    return rc;
}

/* One time after the other while it is not clear who holds it. 0 with conflict->why set: somebody does. */
static int attempt_repeatedly(RepoLock *lock, Conflict *conflict, Error *err)
{
    for (int i = 1;; i++) {
        bool passing;
        if (attempt(lock, &passing, conflict, err) < 0)
            return -1;
        if (conflict->why.code == ERR_NONE || !passing || i == ATTEMPTS)
            return 0;
        if (pause_randomly(err) < 0)
            return -1;
    }
}

int lock_acquire(RepoLock *lock, Error *err)
{
    double until = clock_monotonic() + lock->repo->lock_wait;
    for (;;) {
        Conflict conflict;
        if (attempt_repeatedly(lock, &conflict, err) < 0)
            return -1;
        if (conflict.why.code == ERR_NONE)
            return 0;
        double left = until - clock_monotonic();
        if (left <= 0) {
            if (err)
                *err = conflict.why;
            return -1;
        }
        log_debug("waiting: %s", conflict.why.message);
        if (pause_for(left < lock->times.poll ? (int)(left * 1000) + 1 : (int)lock->times.poll * 1000, err) < 0)
            return -1;
        lock_restart(lock);
    }
}
