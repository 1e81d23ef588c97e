/* A dump by replication: kura says what a replica says, gets what a replica gets, and leaves. */
#include <inttypes.h>
#include <string.h>

#include "holdback.h"
#include "kura/clock.h"
#include "kura/mem.h"
#include "kura/redis.h"
#include "kura/stop.h"
#include "rdb.h"
#include "redis_priv.h"

enum {
    READ_SIZE = 64 * 1024,
    LINE_SIZE = 512,
    MARK_SIZE = 40,
    /* A server that waits for its child sends a newline every few seconds; one that loads its data says so at once. */
    SILENCE_SECONDS = 60,
    BEGIN_SECONDS = 2 * 3600, /* until it has begun; then each piece of the dump may take as long as a silence */
    PIECE_SIZE = 64 * 1024,
};
#define DUMP_MAX (1ull << 40)

typedef struct Dump {
    RedisConn *conn;
    int (*sink)(void *ctx, const void *data, size_t len, Error *err);
    void *ctx;
    bool sink_failed;
    RdbCheck check;
    uint8_t read[READ_SIZE];
    size_t at, len; /* of what was read and not taken */
    double limit;   /* seconds to wait for a piece; it is waited for as long as .. */
    double waited;
    size_t piece; /* bytes of it that are there */
} Dump;

/* --- bytes --- */

/* A server that says a little now and then would otherwise be waited for without end. */
static int read_more(Dump *dump, Error *err)
{
    double began = clock_monotonic(), left = dump->limit - dump->waited;
    double deadline = began + (left < SILENCE_SECONDS ? left : SILENCE_SECONDS);
    int rc = transport_read(dump->conn, dump->read, sizeof dump->read, deadline, &dump->len, err);
    dump->waited += clock_monotonic() - began;
    return rc;
}

static void begin_piece(Dump *dump, double limit)
{
    dump->limit = limit;
    dump->waited = 0;
    dump->piece = 0;
}

static int fill(Dump *dump, Error *err)
{
    if (dump->at < dump->len)
        return stop_check(err);
    dump->at = dump->len = 0;
    if (read_more(dump, err) < 0)
        return -1;
    if (dump->len == 0)
        return error_set(err, ERR_TRUNCATED, "%s ended the connection after %" PRIu64 " bytes of its dump",
                         dump->conn->where, dump->check.bytes);
    dump->piece += dump->len;
    if (dump->piece >= PIECE_SIZE)
        begin_piece(dump, dump->limit);
    return 0;
}

static int odd(const Dump *dump, Error *err)
{
    return error_set(err, ERR_CORRUPT, "%s does not answer as a server does that begins to replicate",
                     dump->conn->where);
}

/* A line that is not empty: empty ones mean that the server still works on it. */
static int read_line(Dump *dump, char line[LINE_SIZE], Error *err)
{
    for (size_t n = 0;;) {
        if (fill(dump, err) < 0)
            return -1;
        char c = (char)dump->read[dump->at++];
        if (c == '\r' || (c == '\n' && n == 0))
            continue;
        if (c == 0 || n == LINE_SIZE - 1)
            return odd(dump, err);
        line[n++] = c == '\n' ? 0 : c;
        if (c == '\n')
            break;
    }
    if (line[0] == '-') {
        redis_refused(dump->conn, line + 1, strlen(line + 1), err);
        return error_hint(err, "The user must be allowed to replicate: the commands psync and replconf. Providers of "
                               "hosted servers often refuse it; take their own backups then.");
    }
    return 0;
}

static int pass(void *ctx, const void *data, size_t len, Error *err)
{
    Dump *dump = ctx;
    if (rdb_check_update(&dump->check, data, len, err) < 0)
        return -1;
    if (dump->check.bytes > DUMP_MAX)
        return error_set(err, ERR_CORRUPT, "the dump of %s does not end", dump->conn->where);
    dump->sink_failed = dump->sink(dump->ctx, data, len, err) < 0;
    return dump->sink_failed ? -1 : 0;
}

static int take_length(Dump *dump, uint64_t left, Error *err)
{
    while (left > 0) {
        if (fill(dump, err) < 0)
            return -1;
        size_t n = dump->len - dump->at;
        n = n < left ? n : (size_t)left;
        if (pass(dump, dump->read + dump->at, n, err) < 0)
            return -1;
        dump->at += n;
        left -= n;
    }
    return 0;
}

/* The server does not know the length of what it makes while it sends. After the mark it waits for us. */
static int take_until_mark(Dump *dump, const char *mark, Error *err)
{
    Holdback tail = {.keep = MARK_SIZE};
    do {
        if (fill(dump, err) < 0 ||
            holdback_push(&tail, dump->read + dump->at, dump->len - dump->at, pass, dump, err) < 0)
            return -1;
        dump->at = dump->len;
    } while (tail.n < MARK_SIZE || memcmp(tail.bytes, mark, MARK_SIZE) != 0);
    return 0;
}

/* --- what a replica says --- */

/* A server that does not know one of these does without. */
static int announce(RedisConn *conn, const char *const *command, Error *err)
{
    char *answer = NULL;
    int rc = redis_text(conn, command, &answer, err);
    free(answer);
    if (rc < 0 && err->code == ERR_SERVER) {
        error_clear(err);
        return 0;
    }
    return rc;
}

static int handshake(Dump *dump, Error *err)
{
    char line[LINE_SIZE];
    /* capa eof: we understand a dump without a length; rdb-only: what changes after it is not wanted. */
    if (announce(dump->conn, (const char *[]){"REPLCONF", "capa", "eof", NULL}, err) < 0 ||
        announce(dump->conn, (const char *[]){"REPLCONF", "rdb-only", "1", NULL}, err) < 0 ||
        redis_send(dump->conn, (const char *[]){"PSYNC", "?", "-1", NULL}, err) < 0 || read_line(dump, line, err) < 0)
        return -1;
    return strncmp(line, "+FULLRESYNC ", 12) == 0 ? 0 : odd(dump, err);
}

static int take_payload(Dump *dump, Error *err)
{
    char line[LINE_SIZE];
    if (read_line(dump, line, err) < 0)
        return -1;
    begin_piece(dump, SILENCE_SECONDS);
    if (strncmp(line, "$EOF:", 5) == 0 && strlen(line + 5) == MARK_SIZE)
        return take_until_mark(dump, line + 5, err);
    size_t digits = strspn(line + 1, "0123456789");
    if (line[0] != '$' || digits == 0 || digits > 15 || line[1 + digits] != 0)
        return odd(dump, err);
    return take_length(dump, strtoull(line + 1, NULL, 10), err);
}

static int run(Dump *dump, RedisDump *ret, Error *err)
{
    if (handshake(dump, err) < 0 || take_payload(dump, err) < 0 ||
        rdb_check_finish(&dump->check, &ret->checksum, err) < 0)
        return -1;
    ret->bytes = dump->check.bytes;
    return 0;
}

int redis_dump(RedisConn *conn, int (*sink)(void *ctx, const void *data, size_t len, Error *err), void *ctx,
               RedisDump *ret, bool *ret_sink, Error *err)
{
    Dump *dump = xcalloc(1, sizeof *dump);
    *dump = (Dump){.conn = conn, .sink = sink, .ctx = ctx, .limit = BEGIN_SECONDS};
    rdb_check_init(&dump->check);
    int rc = run(dump, ret, err);
    if (ret_sink)
        *ret_sink = dump->sink_failed;
    free(dump);
    return rc;
}
