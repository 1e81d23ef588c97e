#include "rdb.h"

#include <string.h>

enum {
    OPCODE_EOF = 0xff,
    VERSION_MIN = 5, /* the first with a checksum: Redis 2.6 */
};

/* CRC-64 with the polynomial of David T. Jones, reflected, without inversion. */
#define POLYNOMIAL_REFLECTED 0x95ac9329ac4bc9b5ull

void rdb_check_init(RdbCheck *check)
{
    *check = (RdbCheck){.trailer.keep = RDB_CHECKSUM_SIZE};
    for (unsigned i = 0; i < 256; i++) {
        uint64_t crc = i;
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ POLYNOMIAL_REFLECTED : crc >> 1;
        check->table[i] = crc;
    }
}

static int no_dump(Error *err)
{
    return error_set(err, ERR_CORRUPT, "what the server sends is no dump of Redis");
}

/* "REDIS0010"; Valkey's is "VALKEY080". */
static int check_magic(const uint8_t *magic, Error *err)
{
    char text[RDB_MAGIC_SIZE + 1] = "";
    memcpy(text, magic, RDB_MAGIC_SIZE);
    size_t name = strncmp(text, "REDIS", 5) == 0 ? 5 : strncmp(text, "VALKEY", 6) == 0 ? 6 : 0;
    unsigned version = 0;
    if (name == 0)
        return no_dump(err);
    for (const char *digit = text + name; digit < text + RDB_MAGIC_SIZE; digit++) {
        if (*digit < '0' || *digit > '9')
            return no_dump(err);
        version = version * 10 + (unsigned)(*digit - '0');
    }
    if (version < VERSION_MIN)
        return error_set(err, ERR_UNSUPPORTED, "version %u of a Redis dump has no checksum", version);
    return 0;
}

static int take(void *ctx, const void *data, size_t len, Error *err)
{
    RdbCheck *check = ctx;
    const uint8_t *bytes = data;
    uint64_t crc = check->crc;
    for (size_t i = 0; i < len; i++)
        crc = check->table[(crc ^ bytes[i]) & 0xff] ^ crc >> 8;
    check->crc = crc;
    check->last = bytes[len - 1];
    return 0;
}

int rdb_check_update(RdbCheck *check, const void *data, size_t len, Error *err)
{
    if (check->bytes < RDB_MAGIC_SIZE) {
        size_t room = RDB_MAGIC_SIZE - (size_t)check->bytes, n = len < room ? len : room;
        memcpy(check->magic + check->bytes, data, n);
        if (n == room && check_magic(check->magic, err) < 0)
            return -1;
    }
    check->bytes += len;
    return holdback_push(&check->trailer, data, len, take, check, err);
}

int rdb_check_finish(const RdbCheck *check, bool *ret_checksum, Error *err)
{
    uint64_t wanted = 0;
    for (size_t i = RDB_CHECKSUM_SIZE; i-- > 0;)
        wanted = wanted << 8 | check->trailer.bytes[i];
    if (check->bytes <= RDB_MAGIC_SIZE + RDB_CHECKSUM_SIZE || check->last != OPCODE_EOF)
        return error_set(err, ERR_TRUNCATED, "the dump of Redis is cut off");
    if (wanted != 0 && wanted != check->crc)
        return error_set(err, ERR_CORRUPT, "the dump of Redis does not have the checksum that it names");
    *ret_checksum = wanted != 0;
    return 0;
}
