/* Versions as releases are called. */
#ifndef KURA_APP_VERSION_H
#define KURA_APP_VERSION_H

#include "kura/ladder.h"

enum { VERSION_NUMBERS = 4 };

typedef struct Version {
    unsigned long numbers[VERSION_NUMBERS]; /* those that are not written are 0 */
    size_t n;                               /* how many are */
    bool before;                            /* a release candidate, or the like: before the version itself */
} Version;

int version_parse(const char *text, Version *ret, Error *err);
/* Compares the first so many numbers: -1, 0, 1. */
int version_order(const Version *a, const Version *b, size_t numbers);

#endif
