/* A dump of Redis (RDB) as bytes go by: how it begins, how it ends, and its checksum. What stands between is for a
 * server of Redis to read, and is covered by the checksum. */
#ifndef KURA_REDIS_RDB_H
#define KURA_REDIS_RDB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "holdback.h"
#include "kura/error.h"

enum { RDB_MAGIC_SIZE = 9, RDB_CHECKSUM_SIZE = 8 };

typedef struct RdbCheck {
    uint64_t table[256];
    uint64_t crc;
    uint64_t bytes;
    uint8_t magic[RDB_MAGIC_SIZE];
    uint8_t last;     /* byte before the checksum */
    Holdback trailer; /* the checksum, once all was seen */
} RdbCheck;

void rdb_check_init(RdbCheck *check);
/* ERR_CORRUPT or ERR_UNSUPPORTED as soon as the beginning is none. */
int rdb_check_update(RdbCheck *check, const void *data, size_t len, Error *err);
/* ERR_TRUNCATED, ERR_CORRUPT. *ret_checksum: false when the server computes none. */
int rdb_check_finish(const RdbCheck *check, bool *ret_checksum, Error *err);

#endif
