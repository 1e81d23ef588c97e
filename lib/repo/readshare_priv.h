/* What all that read ahead from one repository share: prefetch.c. */
#ifndef KURA_READSHARE_PRIV_H
#define KURA_READSHARE_PRIV_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ReadShare {
    pthread_mutex_t mutex; /* guards this, and all of every Prefetch */
    pthread_cond_t changed;
    size_t requests; /* under way */
    uint64_t bytes;  /* being fetched, or fetched and not taken yet */
} ReadShare;

void readshare_init(ReadShare *share);
void readshare_done(ReadShare *share);

#endif
