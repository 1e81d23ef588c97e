/* Locks on stores that offer no compare-and-swap: put an own lock, look at all others, and withdraw when one of them
 * conflicts. Of two that come at once each sees the other, or only one does: never neither. That both may withdraw is
 * healed by trying again after a random while; to let the older one stay would not do, for its holder may have looked
 * before the younger one was there. */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "crypt_priv.h"
#include "kura/clock.h"
#include "kura/cond.h"
#include "kura/mem.h"
#include "kura/stop.h"
#include "lock_priv.h"

enum { KEY_SIZE = 64, DOCUMENT_MAX = 64 * 1024, ATTEMPTS = 5 };

const LockTimes lock_usual_times = {.lifetime = 2 * 3600, .margin = 600, .refresh = 20 * 60, .retry = 60};

struct RepoLock {
    Repo *repo;
    LockTimes times;
    char key[KEY_SIZE];
    LockInfo info; /* expires: guarded by mutex */
    pthread_t refresher;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool closing;
    bool lost;
    Error why; /* of the last refresh that failed */
};

static int locked_error(Repo *repo, const LockInfo *holder, Error *err)
{
    char since[32], until[32];
    clock_format_utc(holder->created, since, sizeof since);
    clock_format_utc(holder->expires, until, sizeof until);
    error_set(err, ERR_LOCKED,
              "the repository \"%s\" is locked for \"%.100s\" by %.100s on %.250s (process %jd) since %s",
              store_name(repo->store), holder->purpose, holder->user, holder->host, (intmax_t)holder->pid, since);
    return error_hint(err, "Wait until it is done. If it died, its lock expires by itself, at %s unless refreshed.",
                      until);
}

static int parse_lock(Repo *repo, const Buf *object, LockInfo *ret, Error *err)
{
    if (repo->crypt == NULL)
        return lockinfo_parse(object, ret, err);
    _cleanup_(buf_done) Buf text = BUF_INIT(DOCUMENT_MAX);
    Error why = ERROR_INIT;
    if (crypt_open_lock(repo, object->data, object->len, &text, &why) < 0)
        return error_set(err, ERR_CORRUPT, "nobody of this repository wrote it: %s", why.message);
    return lockinfo_parse(&text, ret, err);
}

int lock_read(Repo *repo, const char *key, LockInfo *ret, Error *err)
{
    _cleanup_(buf_done) Buf text = BUF_INIT(DOCUMENT_MAX + SEALED_EXTRA_MAX);
    Error why = ERROR_INIT;
    if (store_get(repo->store, key, 0, UINT64_MAX, &text, &why) < 0) {
        if (why.code == ERR_NOT_FOUND)
            return 1;
        if (err)
            *err = why;
        return error_wrap(err, "reading lock \"%s\"", key);
    }
    if (parse_lock(repo, &text, ret, err) == 0)
        return 0;
    error_wrap(err, "reading lock \"%s\" of the repository \"%s\"", key, store_name(repo->store));
    return err && err->hint[0] ? -1 : error_hint(err, "Remove this object when nobody works on the repository.");
}

static int add_key(void *ctx, const char *key, uint64_t size, Error *err)
{
    (void)size;
    (void)err;
    strvec_push(ctx, key);
    return 0;
}

bool lock_is_stale(const LockInfo *info, const LockTimes *times)
{
    return time(NULL) > info->expires + times->margin || lockinfo_holder_gone(info);
}

/* Looks at one lock of somebody else. A stale one is removed: its holder, should it live on, finds that out before it
 * deletes anything. */
static int check_other(Repo *repo, const char *key, bool exclusive, const LockTimes *times, Error *err)
{
    _cleanup_(lockinfo_done) LockInfo other = {0};
    int rc = lock_read(repo, key, &other, err);
    if (rc != 0)
        return rc < 0 ? -1 : 0;
    if (lock_is_stale(&other, times)) {
        store_delete(repo->store, key, NULL);
        return 0;
    }
    return exclusive || other.exclusive ? locked_error(repo, &other, err) : 0;
}

/* 0 when no lock but our own stands against one of this kind. */
static int look_around(Repo *repo, const char *own_key, bool exclusive, const LockTimes *times, Error *err)
{
    _cleanup_(strvec_done) StrVec keys = {0};
    if (store_list(repo->store, LOCK_PREFIX, add_key, &keys, err) < 0)
        return error_wrap(err, "looking for locks");
    for (size_t i = 0; i < keys.n; i++)
        if (strcmp(keys.v[i], own_key) != 0 && check_other(repo, keys.v[i], exclusive, times, err) < 0)
            return -1;
    return 0;
}

static int write_own(RepoLock *lock, const LockInfo *info, bool exclusive, Error *err)
{
    Repo *repo = lock->repo;
    _cleanup_(buf_done) Buf text = BUF_INIT(DOCUMENT_MAX), sealed = BUF_INIT(DOCUMENT_MAX + SEALED_EXTRA_MAX);
    const Buf *object = repo->crypt ? &sealed : &text;
    if (lockinfo_format(info, &text, err) < 0 ||
        (repo->crypt && crypt_seal_lock(repo, text.data, text.len, &sealed, err) < 0) ||
        store_put(repo->store, lock->key, object->data, object->len, exclusive, err) < 0)
        return error_wrap(err, "locking the repository");
    return 0;
}

static void remove_own(RepoLock *lock)
{
    stop_hold();
    store_delete(lock->repo->store, lock->key, NULL); /* what cannot be removed expires */
    stop_release();
}

static int wait_random(Error *err)
{
    char digit[2];
    random_text(HEX_DIGITS, 1, digit);
    struct pollfd stop = {.fd = stop_fd(), .events = POLLIN};
    poll(&stop, 1, 100 + 50 * (int)(strchr(HEX_DIGITS, digit[0]) - HEX_DIGITS));
    return stop_check(err);
}

/* Looks first, so that a lock that is held is not disturbed by a passing one of ours. */
static int acquire(RepoLock *lock, Error *err)
{
    bool exclusive = lock->info.exclusive;
    for (int attempt = 1;; attempt++) {
        if (look_around(lock->repo, lock->key, exclusive, &lock->times, err) < 0 ||
            write_own(lock, &lock->info, true, err) < 0)
            return -1;
        Error why = ERROR_INIT;
        if (look_around(lock->repo, lock->key, exclusive, &lock->times, &why) == 0)
            return 0;
        remove_own(lock);
        if (why.code != ERR_LOCKED || attempt == ATTEMPTS) {
            if (err)
                *err = why;
            return -1;
        }
        if (wait_random(err) < 0)
            return -1;
    }
}

/* Once expired, a lock counts for nothing: somebody may have gone by it, so it is not revived. */
static int refresh(RepoLock *lock, Error *err)
{
    uint64_t size;
    time_t now = time(NULL);
    LockInfo info = lock->info;
    if (now >= info.expires)
        return error_set(err, ERR_NOT_FOUND, "it expired before it could be refreshed");
    if (store_head(lock->repo->store, lock->key, &size, err) < 0)
        return -1;
    info.expires = now + lock->times.lifetime;
    if (write_own(lock, &info, false, err) < 0)
        return -1;
    pthread_mutex_lock(&lock->mutex);
    lock->info.expires = info.expires;
    pthread_mutex_unlock(&lock->mutex);
    return 0;
}

/* With the mutex held: sleeps that long, or until the lock is given back. */
static void sleep_for(RepoLock *lock, time_t seconds)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += seconds;
    while (!lock->closing && pthread_cond_timedwait(&lock->wake, &lock->mutex, &until) == 0)
        ;
}

static void *keep_fresh(void *arg)
{
    RepoLock *lock = arg;
    time_t pause = lock->times.refresh;
    pthread_mutex_lock(&lock->mutex);
    while (!lock->closing && !lock->lost) {
        sleep_for(lock, pause);
        if (lock->closing)
            break;
        pthread_mutex_unlock(&lock->mutex);
        Error why = ERROR_INIT;
        int rc = refresh(lock, &why);
        pthread_mutex_lock(&lock->mutex);
        pause = rc == 0 ? lock->times.refresh : lock->times.retry;
        lock->lost = rc < 0 && why.code == ERR_NOT_FOUND;
        lock->why = why;
    }
    pthread_mutex_unlock(&lock->mutex);
    return NULL;
}

static void start_refresher(RepoLock *lock)
{
    cond_init(&lock->wake);
    pthread_mutex_init(&lock->mutex, NULL);
    if (pthread_create(&lock->refresher, NULL, keep_fresh, lock) != 0)
        abort();
}

int repo_lock_timed(Repo *repo, bool exclusive, const char *purpose, const LockTimes *times, RepoLock **ret, Error *err)
{
    char id[REPO_ID_SIZE];
    time_t now = time(NULL);
    RepoLock *lock = xcalloc(1, sizeof *lock);
    lock->repo = repo;
    lock->times = *times;
    random_text(HEX_DIGITS, REPO_ID_SIZE - 1, id);
    snprintf(lock->key, sizeof lock->key, LOCK_PREFIX "%s.json%s", id, repo->crypt ? SEALED_SUFFIX : "");
    lockinfo_init_self(&lock->info, exclusive, purpose, now, now + times->lifetime);
    if (acquire(lock, err) < 0) {
        lockinfo_done(&lock->info);
        free(lock);
        return -1;
    }
    start_refresher(lock);
    *ret = lock;
    return 0;
}

int repo_lock(Repo *repo, bool exclusive, const char *purpose, RepoLock **ret, Error *err)
{
    return repo_lock_timed(repo, exclusive, purpose, &lock_usual_times, ret, err);
}

/* Whether it holds as far as its refresher knows. */
static int check_refreshed(RepoLock *lock, Error *err)
{
    pthread_mutex_lock(&lock->mutex);
    bool holds = !lock->lost && time(NULL) < lock->info.expires;
    if (!holds)
        error_set(err, ERR_LOCKED, "the lock on the repository \"%s\" was lost: %s", store_name(lock->repo->store),
                  lock->why.code ? lock->why.message : "it could not be refreshed in time");
    pthread_mutex_unlock(&lock->mutex);
    return holds ? 0 : error_hint(err, "Somebody else may work on the repository now. Start again.");
}

/* Somebody whose clock is ahead may have taken the lock for a stale one since it was refreshed: only the store knows.
 */
int repo_lock_check(RepoLock *lock, Error *err)
{
    uint64_t size;
    Error why = ERROR_INIT;
    if (check_refreshed(lock, err) < 0)
        return -1;
    if (store_head(lock->repo->store, lock->key, &size, &why) == 0)
        return 0;
    if (why.code != ERR_NOT_FOUND) {
        if (err)
            *err = why;
        return error_wrap(err, "looking for the lock of this run");
    }
    pthread_mutex_lock(&lock->mutex);
    lock->lost = true;
    lock->why = why;
    pthread_mutex_unlock(&lock->mutex);
    return check_refreshed(lock, err);
}

static int note_time(void *ctx, const StoreObject *object, Error *err)
{
    (void)err;
    *(int64_t *)ctx = object->time;
    return 0;
}

int repo_lock_time(RepoLock *lock, int64_t *ret, Error *err)
{
    *ret = INT64_MIN;
    if (repo_lock_check(lock, err) < 0 || store_list_objects(lock->repo->store, lock->key, note_time, ret, err) < 0)
        return -1;
    if (*ret == INT64_MIN)
        return error_set(err, ERR_UNSUPPORTED, "the store \"%s\" does not tell when an object was written",
                         store_name(lock->repo->store));
    return 0;
}

void repo_unlock(RepoLock *lock)
{
    if (lock == NULL)
        return;
    pthread_mutex_lock(&lock->mutex);
    lock->closing = true;
    pthread_cond_signal(&lock->wake);
    pthread_mutex_unlock(&lock->mutex);
    pthread_join(lock->refresher, NULL);
    remove_own(lock);
    pthread_cond_destroy(&lock->wake);
    pthread_mutex_destroy(&lock->mutex);
    lockinfo_done(&lock->info);
    free(lock);
}
