/* Findings about single files. A tree can have a million files that all fail for the same reason: the first of a kind
 * are named, the rest is counted. Thread-safe. */
#ifndef KURA_MEDIA_NOTICES_H
#define KURA_MEDIA_NOTICES_H

#include <pthread.h>
#include <stdint.h>

#include "kura/findings.h"

enum { NOTICES_NAMED = 100, NOTICES_KINDS = 8 };

typedef struct Notices {
    Findings *findings;
    pthread_mutex_t mutex;
    struct {
        const char *code; /* a literal */
        Severity severity;
        uint64_t count;
    } kinds[NOTICES_KINDS];
} Notices;

#define NOTICES_INIT(where)                                                                                            \
    {                                                                                                                  \
        .findings = (where), .mutex = PTHREAD_MUTEX_INITIALIZER                                                        \
    }

/* "PATH" what: reason. code is a literal, path is made fit for a message, reason and hint may be NULL. */
void notices_add(Notices *notices, Severity severity, const char *code, const char *hint, const char *path,
                 const char *what, const char *reason);
/* Adds a finding for each kind of which some were not named. */
void notices_finish(Notices *notices);

#endif
