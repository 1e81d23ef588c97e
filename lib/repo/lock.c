/* A lock's life: written, refreshed by a thread of its own, looked at, removed. How it is had is in lock_acquire.c. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "crypt_priv.h"
#include "kura/cond.h"
#include "kura/mem.h"
#include "kura/stop.h"
#include "kura/words.h"
#include "lock_priv.h"

enum { DOCUMENT_MAX = 64 * 1024 };

const LockTimes lock_usual_times = {.lifetime = 2 * 3600, .margin = 600, .refresh = 20 * 60, .retry = 60, .poll = 5};

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

bool lock_is_stale(const LockInfo *info, const LockTimes *times)
{
    LockHolder holder = lockinfo_holder(info);
    return holder == HOLDER_GONE || (holder == HOLDER_UNKNOWN && time(NULL) > info->expires + times->margin);
}

bool lock_is_stale_at(const LockInfo *info, int64_t put, int64_t now, const LockTimes *times)
{
    if (put == INT64_MIN || now == INT64_MIN)
        return lock_is_stale(info, times);
    LockHolder holder = lockinfo_holder(info);
    return holder == HOLDER_GONE || (holder == HOLDER_UNKNOWN && now - put > info->lifetime + times->margin);
}

int lock_write(RepoLock *lock, const LockInfo *info, bool exclusive, Error *err)
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

void lock_remove(RepoLock *lock)
{
    stop_hold();
    store_delete(lock->repo->store, lock->key, NULL); /* what cannot be removed expires */
    stop_release();
}

/* A clock that no administrator sets, and that goes on while the machine sleeps. */
static time_t seconds_up(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return now.tv_sec;
}

/* Once expired, a lock counts for nothing: somebody may have gone by it, so it is not revived. */
static int refresh(RepoLock *lock, Error *err)
{
    uint64_t size;
    time_t now = seconds_up();
    LockInfo info = lock->info;
    if (now >= lock->holds_until)
        return error_set(err, ERR_NOT_FOUND, "it expired before it could be refreshed");
    if (store_head(lock->repo->store, lock->key, &size, err) < 0)
        return -1;
    info.expires = time(NULL) + lock->times.lifetime;
    if (lock_write(lock, &info, false, err) < 0)
        return -1;
    pthread_mutex_lock(&lock->mutex);
    lock->info.expires = info.expires;
    lock->holds_until = now + lock->times.lifetime;
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

/* ---- taking one ---- */

void lock_restart(RepoLock *lock)
{
    lock->info.created = time(NULL);
    lock->info.expires = lock->info.created + lock->times.lifetime;
    lock->holds_until = seconds_up() + lock->times.lifetime;
}

int lock_take(Repo *repo, const LockWish *wish, const LockTimes *times, RepoLock **ret, Error *err)
{
    char id[REPO_ID_SIZE];
    RepoLock *lock = xcalloc(1, sizeof *lock);
    lock->repo = repo;
    lock->times = *times;
    random_text(HEX_DIGITS, REPO_ID_SIZE - 1, id);
    snprintf(lock->key, sizeof lock->key, LOCK_PREFIX "%s.json%s", id, repo->crypt ? SEALED_SUFFIX : "");
    lockinfo_init_self(&lock->info, wish);
    lock->info.lifetime = times->lifetime;
    lock_restart(lock);
    if (lock_acquire(lock, err) < 0) {
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
    return lock_take(repo, &(LockWish){.exclusive = exclusive, .purpose = purpose}, &lock_usual_times, ret, err);
}

int repo_lock_app(Repo *repo, const char *purpose, const char *app, RepoLock **ret, Error *err)
{
    return lock_take(repo, &(LockWish){.purpose = purpose, .app = app}, &lock_usual_times, ret, err);
}

void repo_set_lock_wait(Repo *repo, double seconds)
{
    repo->lock_wait = seconds;
}

/* ---- holding it ---- */

/* Whether it holds as far as its refresher knows. */
static int check_refreshed(RepoLock *lock, Error *err)
{
    pthread_mutex_lock(&lock->mutex);
    bool holds = !lock->lost && seconds_up() < lock->holds_until;
    if (!holds)
        error_set(err, ERR_LOCKED, "the lock on the repository \"%s\" was lost: %s", store_name(lock->repo->store),
                  lock->why.code ? lock->why.message : _("it could not be refreshed in time"));
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
    lock_remove(lock);
    pthread_cond_destroy(&lock->wake);
    pthread_mutex_destroy(&lock->mutex);
    lockinfo_done(&lock->info);
    free(lock);
}
