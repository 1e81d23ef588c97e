/* Hashing of texts. */
#ifndef KURA_OWNERS_INDEX_H
#define KURA_OWNERS_INDEX_H

#include <stdint.h>

uint64_t own_hash(const char *text);

#endif
