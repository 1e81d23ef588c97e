/* Findings: what a person should know, collected so that all of it is reported at once. */
#ifndef KURA_FINDINGS_H
#define KURA_FINDINGS_H

#include <pthread.h>
#include <stddef.h>

typedef enum Severity { FINDING_NOTE, FINDING_WARNING, FINDING_ERROR } Severity;

typedef struct Finding {
    Severity severity;
    char *code;    /* stable short name for machines, e.g. "role-missing" */
    char *message; /* PostgreSQL's style: lower case, no period */
    char *hint;    /* full sentences, or NULL */
} Finding;

/* May be filled by several threads; read it when they are done. */
typedef struct Findings {
    pthread_mutex_t mutex;
    Finding *v;
    size_t n;
    size_t cap;
} Findings;

#define FINDINGS_INIT                                                                                                  \
    {                                                                                                                  \
        .mutex = PTHREAD_MUTEX_INITIALIZER                                                                             \
    }

/* Adds a finding; hint may be NULL. The message is formatted, the hint is copied as is; both are
 * translated. */
void findings_add(Findings *findings, Severity severity, const char *code, const char *hint, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* How many there are of at least this severity. */
size_t findings_count(const Findings *findings, Severity at_least);
void findings_done(Findings *findings);

#endif
