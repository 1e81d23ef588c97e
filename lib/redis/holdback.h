/* Keeps the last bytes of a stream back: whether they are its end is known only once it has ended. */
#ifndef KURA_REDIS_HOLDBACK_H
#define KURA_REDIS_HOLDBACK_H

#include <stddef.h>
#include <stdint.h>

#include "kura/error.h"

enum { HOLDBACK_MAX = 40 };

typedef struct Holdback {
    size_t keep; /* how many; at most HOLDBACK_MAX */
    size_t n;    /* how many there are */
    uint8_t bytes[HOLDBACK_MAX];
} Holdback;

/* Takes what comes next, and passes on, in order, all but the last `keep` bytes of everything. */
int holdback_push(Holdback *holdback, const uint8_t *data, size_t len,
                  int (*pass)(void *ctx, const void *data, size_t len, Error *err), void *ctx, Error *err);

#endif
