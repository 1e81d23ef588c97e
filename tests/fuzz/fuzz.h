/* What a fuzz target defines: libFuzzer, or replay.c, calls it. A broken property is told by fuzz_require(). */
#ifndef KURA_FUZZ_H
#define KURA_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static inline void fuzz_require(_Bool holds)
{
    if (!holds)
        abort();
}

#endif
