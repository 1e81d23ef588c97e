/* What a server of Redis may say: to a question, or to somebody who wants its dump. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz.h"
#include "kura/mem.h"
#include "redis_priv.h"

/* A connection to one that has said all of it and listens no more; *ret_server is its end. */
static RedisConn *connected(const uint8_t *data, size_t len, int *ret_server)
{
    int ends[2];
    RedisConn *conn = xcalloc(1, sizeof *conn);
    fuzz_require(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    fuzz_require(send(ends[1], data, len, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0);
    shutdown(ends[1], SHUT_WR);
    *conn = (RedisConn){.context = redisConnectFd(ends[0]), .where = xstrdup("redis://fuzz"), .patience = 10};
    redis_limit_lists(conn);
    *ret_server = ends[1];
    return conn;
}

static int count(void *ctx, const void *data, size_t len, Error *err)
{
    size_t *total = ctx;
    *total += len;
    return 0;
}

static void ask(RedisConn *conn, Error *err)
{
    StrVec texts = {0};
    char *text = NULL;
    uint64_t number;
    if (redis_texts(conn, (const char *[]){"SMEMBERS", "x", NULL}, &texts, err) == 0 &&
        redis_text(conn, (const char *[]){"INFO", NULL}, &text, err) == 0 && text) {
        free(redis_info_value(text, "run_id"));
        redis_number(conn, (const char *[]){"LLEN", "x", NULL}, &number, err);
    }
    strvec_done(&texts);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    int server;
    Error err = ERROR_INIT;
    RedisDump dump = {0};
    size_t total = 0;
    RedisConn *conn = connected(data, len, &server);
    ask(conn, &err);
    redis_close(conn);
    close(server);
    conn = connected(data, len, &server);
    err = (Error)ERROR_INIT;
    if (redis_dump(conn, count, &total, &dump, NULL, &err) == 0)
        fuzz_require(dump.bytes == total);
    else
        fuzz_require(err.code != ERR_NONE);
    redis_close(conn);
    close(server);
    return 0;
}
