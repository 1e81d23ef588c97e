/* Counts what a test and the static libraries in it ask of malloc(), calloc() and reallocarray(). */
#ifndef KURA_TEST_ALLOCATED_H
#define KURA_TEST_ALLOCATED_H

#include <stddef.h>

/* Bytes asked for since the start; what was freed is not subtracted, so it is never below the peak. */
extern size_t allocated;

#endif
