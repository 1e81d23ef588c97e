/* The insides of locks: the document (lockinfo.c), times that tests shorten (lock.c). */
#ifndef KURA_LOCK_PRIV_H
#define KURA_LOCK_PRIV_H

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
    int64_t pid;
    char *process; /* boot, process namespace and start time: tells whether pid may be asked about here; "" unknown */
    time_t created, expires;
} LockInfo;

void lockinfo_init_self(LockInfo *info, bool exclusive, const char *purpose, time_t now, time_t expires);
void lockinfo_done(LockInfo *info);
int lockinfo_format(const LockInfo *info, Buf *out, Error *err);
int lockinfo_parse(const Buf *text, LockInfo *ret, Error *err);
/* Whether the holder is known to be gone: a process of this very host and boot that does not exist any more. */
bool lockinfo_holder_gone(const LockInfo *info);

/* In seconds. */
typedef struct LockTimes {
    time_t lifetime; /* from a refresh to the expiry it states */
    time_t margin;   /* clocks of two hosts may differ by this much */
    time_t refresh;  /* between two refreshes */
    time_t retry;    /* after one that failed */
} LockTimes;

#define LOCK_PREFIX "locks/"
extern const LockTimes lock_usual_times;

/* Reads one lock; 1 when it is gone meanwhile. */
int lock_read(Repo *repo, const char *key, LockInfo *ret, Error *err);
/* Whether it counts as absent: expired, or its holder is known to be gone. */
bool lock_is_stale(const LockInfo *info, const LockTimes *times);

/* repo_lock with other times. */
int repo_lock_timed(Repo *repo, bool exclusive, const char *purpose, const LockTimes *times, RepoLock **ret,
                    Error *err);

#endif
