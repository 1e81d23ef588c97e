/* A dump of Redis made by hand: one key, its end, its checksum. */
#ifndef KURA_TEST_REDIS_SAMPLE_H
#define KURA_TEST_REDIS_SAMPLE_H

#include "kura/mem.h"
#include "rdb.h"

/* Fills in the checksum of the dump that ends where the text does. */
static inline size_t sample_seal(uint8_t *dump, size_t len)
{
    _cleanup_free_ RdbCheck *check = xmalloc(sizeof *check);
    rdb_check_init(check);
    rdb_check_update(check, dump, len, NULL);
    rdb_check_update(check, "\0\0\0\0\0\0\0\0", RDB_CHECKSUM_SIZE, NULL);
    for (size_t i = 0; i < RDB_CHECKSUM_SIZE; i++)
        dump[len + i] = (uint8_t)(check->crc >> 8 * i);
    return len + RDB_CHECKSUM_SIZE;
}

#define SAMPLE "REDIS0010\xfe\x00\x00\x01k\x01v\xff"
enum { SAMPLE_SIZE = sizeof SAMPLE - 1 };

#endif
