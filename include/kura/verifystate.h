/* What verification knows of a repository from one run to the next: the object verify/state.json (kura-format(5)). In
 * an encrypted repository every host of it can read it, as it can read locks.
 *
 * It is a memory and no proof: what is lost costs work, and a run that was overtaken by another one loses at most what
 * it had read. */
#ifndef KURA_VERIFYSTATE_H
#define KURA_VERIFYSTATE_H

#include <jansson.h>
#include <time.h>

#include "kura/buf.h"
#include "kura/error.h"
#include "kura/repo.h"

enum {
    VERIFYSTATE_DAMAGES_MAX = 10000,
    VERIFYSTATE_NAMES_MAX = 20, /* of backups, and of what is affected, for each damage */
    VERIFYSTATE_CYCLES_MAX = 100,
    VERIFYSTATE_COMPLETED_MAX = 12,
};

/* A reading that came to its end. */
typedef struct VerifyCompleted {
    time_t started, finished;
    uint64_t blobs, bytes; /* that were read and good */
} VerifyCompleted;

/* The reading of everything, share by share: all blobs that backups name, in the order of their names. */
typedef struct VerifyCycle {
    char *app;                       /* whose backups; NULL: all */
    time_t started;                  /* 0: none is under way */
    char cursor[SHA256_HEX_SIZE];    /* the hash in the name of the blob that was read last; "": none was */
    uint64_t done_bytes;             /* of the blobs up to the cursor, as they were when it came there */
    uint64_t all_bytes;              /* of all blobs */
    uint64_t read_blobs, read_bytes; /* in this cycle, that were good */
    VerifyCompleted *completed;      /* the newest last */
    size_t n_completed;
} VerifyCycle;

/* Something of the repository that is missing or damaged. */
typedef struct VerifyKnown {
    char *object;             /* the key of a blob, "blobs/ab/abcd..zst", or "backups/ID" */
    char *code;               /* "blob-missing", "blob-damaged", "files-damaged", "backup-unreadable" */
    time_t since;             /* when it was found first */
    StrVec backups, affected; /* the first of them */
    bool more;                /* there are others */
} VerifyKnown;

typedef struct VerifyState {
    time_t updated; /* 0: nothing was ever verified */
    char *host;
    VerifyCycle *cycles;
    size_t n_cycles, cap_cycles;
    VerifyKnown *damages; /* sorted by object, each once */
    size_t n_damages, cap_damages;
    bool more_damages; /* there were too many to keep all */
} VerifyState;

/* An empty state where there is none. ERR_CORRUPT, ERR_TRUNCATED, ERR_UNSUPPORTED: it is no state; ERR_KEY: this host
 * has no key of the repository. */
int verifystate_load(Repo *repo, VerifyState *ret, Error *err);
int verifystate_save(Repo *repo, const VerifyState *state, Error *err);
void verifystate_done(VerifyState *state);

/* The document (a new reference), and the way back: strictly parsed, round trip is exact. */
json_t *verifystate_to_json(const VerifyState *state);
int verifystate_parse(const void *text, size_t len, VerifyState *ret, Error *err);

/* The cycle of an application's backups (NULL: of all), or NULL. */
const VerifyCycle *verifystate_cycle(const VerifyState *state, const char *app);
/* The same, made when there is none; the oldest gives way to it. */
VerifyCycle *verifystate_want_cycle(VerifyState *state, const char *app);
/* How much of the cycle under way is done, from 0 to 1. */
double verifycycle_share(const VerifyCycle *cycle);
/* When a reading of everything was completed for the last time; 0: never. */
time_t verifycycle_completed(const VerifyCycle *cycle);
/* Remembers that one was completed; the oldest is forgotten. */
void verifycycle_complete(VerifyCycle *cycle, const VerifyCompleted *completed);

/* The damage of an object, or NULL. */
VerifyKnown *verifystate_damage(const VerifyState *state, const char *object);
/* Adds one unless it is there, and returns it; NULL past the maximum, which is noted. */
VerifyKnown *verifystate_add_damage(VerifyState *state, const char *object, const char *code, time_t since);
/* Forgets those that keep() says false of. */
void verifystate_keep(VerifyState *state, bool (*keep)(void *ctx, const VerifyKnown *damage), void *ctx);

#endif
