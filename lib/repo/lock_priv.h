/* The insides of locks: the document (lockinfo.c), times that tests shorten (lock.c). */
#ifndef KURA_LOCK_PRIV_H
#define KURA_LOCK_PRIV_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "kura/buf.h"
#include "kura/error.h"
#include "kura/repo.h"

/* What a lock object says about its holder. */
typedef struct LockInfo {
    bool exclusive;
    char *purpose, *host, *user;
    char *app; /* no other lock may name the same; NULL: of no application */
    int64_t pid;
    char *process; /* boot, process namespace and start time: tells whether pid may be asked about here; "" unknown */
    char *machine; /* a hash that tells machines apart, whatever their names; "" unknown */
    time_t created, expires;
    time_t lifetime; /* seconds that it counts for, once written */
} LockInfo;

/* What is wanted. */
typedef struct LockWish {
    bool exclusive;
    const char *purpose;
    const char *app; /* may be NULL */
} LockWish;

/* Of this process; without moments. */
void lockinfo_init_self(LockInfo *info, const LockWish *wish);
void lockinfo_done(LockInfo *info);
int lockinfo_format(const LockInfo *info, Buf *out, Error *err);
int lockinfo_parse(const Buf *text, LockInfo *ret, Error *err);
/* What can be told of the holder here: of a process of this very host and boot whether it exists, of one of this
 * machine before it was booted that it is gone. */
typedef enum LockHolder { HOLDER_UNKNOWN, HOLDER_ALIVE, HOLDER_GONE } LockHolder;
LockHolder lockinfo_holder(const LockInfo *info);
/* Whether it was before the last boot, seen by `self`. */
bool lockinfo_before_boot(const LockInfo *info, const LockInfo *self);

/* In seconds. */
typedef struct LockTimes {
    time_t lifetime; /* from a refresh to the expiry it states */
    time_t margin;   /* clocks of two hosts may differ by this much */
    time_t refresh;  /* between two refreshes */
    time_t retry;    /* after one that failed */
    time_t poll;     /* between two looks while another one's is waited for */
} LockTimes;

#define LOCK_PREFIX "locks/"
extern const LockTimes lock_usual_times;

/* Reads one lock; 1 when it is gone meanwhile. */
int lock_read(Repo *repo, const char *key, LockInfo *ret, Error *err);
/* Whether it counts as absent: its holder is known to be gone, or it has expired and nothing is known of the holder. By
 * the clocks of holder and reader .. */
bool lock_is_stale(const LockInfo *info, const LockTimes *times);
/* .. and by the store's, which put it at `put` and something of the reader's at `now`. Where it does not tell
 * (INT64_MIN) the same as above. */
bool lock_is_stale_at(const LockInfo *info, int64_t put, int64_t now, const LockTimes *times);

/* repo_lock and repo_lock_app, with other times. */
int lock_take(Repo *repo, const LockWish *wish, const LockTimes *times, RepoLock **ret, Error *err);

enum { LOCK_KEY_SIZE = 64 };

struct RepoLock {
    Repo *repo;
    LockTimes times;
    char key[LOCK_KEY_SIZE];
    LockInfo info;      /* expires: guarded by mutex */
    time_t holds_until; /* the same on a clock that nobody sets */
    pthread_t refresher;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool closing;
    bool lost;
    Error why; /* of the last refresh that failed */
};

/* lock_acquire.c: writes the lock once nobody else's stands against it. ERR_LOCKED. */
int lock_acquire(RepoLock *lock, Error *err);
/* Begins its life anew: from now on. */
void lock_restart(RepoLock *lock);
int lock_write(RepoLock *lock, const LockInfo *info, bool exclusive, Error *err);
void lock_remove(RepoLock *lock);

#endif
