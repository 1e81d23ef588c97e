/* Servers that are not what they seem: each says one thing, byte by byte, and kura must not believe it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>
#include <pthread.h>

#include "kura/clock.h"
#include "kura/redis.h"
#include "sample.h"

#define MARK "0123456789abcdefghijklmnopqrstuvwxyzABCD"
#define OK "+OK\r\n"
#define FULL "+FULLRESYNC 0123456789012345678901234567890123456789 0\r\n"

/* What is said after each command; the last of them ends the connection. */
typedef struct Script {
    const char *answers[8];
    size_t lens[8]; /* 0: strlen */
    size_t piece;   /* bytes a write */
} Script;

typedef struct Fake {
    const Script *script;
    int listener;
    pthread_t thread;
    char path[64];
} Fake;

static void say(int fd, const char *text, size_t len, size_t piece)
{
    for (size_t at = 0; at < len; at += piece)
        if (send(fd, text + at, len - at < piece ? len - at : piece, MSG_NOSIGNAL) < 0)
            return;
}

static void *serve(void *ctx)
{
    const Fake *fake = ctx;
    char command[4096];
    int fd = accept(fake->listener, NULL, NULL);
    for (size_t i = 0; fake->script->answers[i]; i++) {
        size_t len = fake->script->lens[i] ? fake->script->lens[i] : strlen(fake->script->answers[i]);
        if (recv(fd, command, sizeof command, 0) <= 0)
            break;
        say(fd, fake->script->answers[i], len, fake->script->piece ? fake->script->piece : len);
    }
    close(fd);
    return NULL;
}

static void fake_begin(Fake *fake, const Script *script, AppServer *ret, void *(*server)(void *))
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    *fake = (Fake){.script = script, .listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    snprintf(fake->path, sizeof fake->path, "/tmp/kura-test-redis.%d", (int)getpid());
    strcpy(address.sun_path, fake->path);
    unlink(fake->path);
    assert_int_equal(bind(fake->listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fake->listener, 1), 0);
    assert_int_equal(pthread_create(&fake->thread, NULL, server, fake), 0);
    *ret = (AppServer){.host = fake->path};
}

static void fake_end(Fake *fake)
{
    shutdown(fake->listener, SHUT_RDWR);
    pthread_join(fake->thread, NULL);
    close(fake->listener);
    unlink(fake->path);
}

static int append(void *ctx, const void *data, size_t len, Error *err)
{
    return buf_append(ctx, data, len, err);
}

static int dump_of(const Script *script, Buf *out, bool *ret_sink, Error *err)
{
    Fake fake;
    AppServer server;
    RedisConn *conn = NULL;
    RedisDump dump = {0};
    fake_begin(&fake, script, &server, serve);
    int rc = redis_connect(&server, &conn, err);
    if (rc == 0)
        rc = redis_dump(conn, append, out, &dump, ret_sink, err);
    if (rc == 0)
        assert_int_equal(dump.bytes, out->len);
    redis_close(conn);
    fake_end(&fake);
    return rc;
}

static void assert_dump(const char *payload, size_t len, size_t piece)
{
    Script script = {.answers = {"+PONG\r\n", OK, OK, payload}, .lens = {0, 0, 0, len}, .piece = piece};
    uint8_t wanted[SAMPLE_SIZE + RDB_CHECKSUM_SIZE] = SAMPLE;
    sample_seal(wanted, SAMPLE_SIZE);
    Buf out = BUF_INIT(1 << 20);
    Error err = ERROR_INIT;
    if (dump_of(&script, &out, NULL, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(out.len, sizeof wanted);
    assert_memory_equal(out.data, wanted, sizeof wanted);
    buf_done(&out);
}

static void assert_refused(const Script *script, ErrorCode code)
{
    Buf out = BUF_INIT(1 << 20);
    Error err = ERROR_INIT;
    bool sink = true;
    assert_int_equal(dump_of(script, &out, &sink, &err), -1);
    if (err.code != code)
        fail_msg("%s", err.message);
    buf_done(&out);
}

static void assert_payload_refused(const char *payload, size_t len, ErrorCode code)
{
    assert_refused(&(Script){.answers = {"+PONG\r\n", OK, OK, payload}, .lens = {0, 0, 0, len}}, code);
}

/* Both forms, with newlines while the server was busy, in pieces of every size. */
static void both_forms_are_read(void **state)
{
    uint8_t dump[SAMPLE_SIZE + RDB_CHECKSUM_SIZE] = SAMPLE;
    size_t len = sample_seal(dump, SAMPLE_SIZE);
    char text[512];
    for (size_t piece = 1; piece < 100; piece += 7) {
        int head = snprintf(text, sizeof text, "\n\n" FULL "\n$%zu\r\n", len);
        memcpy(text + head, dump, len);
        assert_dump(text, (size_t)head + len, piece);
        head = snprintf(text, sizeof text, FULL "\n\n\n$EOF:%s\r\n", MARK);
        memcpy(text + head, dump, len);
        memcpy(text + head + len, MARK, strlen(MARK));
        assert_dump(text, (size_t)head + len + strlen(MARK), piece);
    }
}

static void cut_and_changed_streams_are_seen(void **state)
{
    static const char cut[] = FULL "$26\r\n" SAMPLE, no_mark[] = FULL "$EOF:" MARK "\r\n" SAMPLE "\0\0\0\0\0\0\0\0",
                      wrong_sum[] = FULL "$25\r\n" SAMPLE "\1\2\3\4\5\6\7\10", short_one[] = FULL "$3\r\nRED",
                      web[] = FULL "$30\r\n<html>this is not redis</html>.";
    assert_payload_refused(cut, sizeof cut - 1, ERR_TRUNCATED);
    assert_payload_refused(no_mark, sizeof no_mark - 1, ERR_TRUNCATED);
    assert_payload_refused(wrong_sum, sizeof wrong_sum - 1, ERR_CORRUPT);
    assert_payload_refused(short_one, sizeof short_one - 1, ERR_TRUNCATED);
    assert_payload_refused(web, sizeof web - 1, ERR_CORRUPT);
}

static void odd_answers_are_refused(void **state)
{
    static const char *const odd[] = {
        "+CONTINUE\r\n",    FULL "$\r\n",  FULL "$-1\r\n",        FULL "$99999999999999999999\r\n",
        FULL "$12junk\r\n", FULL "*3\r\n", FULL "$EOF:short\r\n", FULL "$EOF:" MARK "x\r\n"};
    for (size_t i = 0; i < ARRAY_SIZE(odd); i++)
        assert_payload_refused(odd[i], 0, ERR_CORRUPT);
    char endless[2000];
    memset(endless, 'a', sizeof endless);
    assert_payload_refused(endless, sizeof endless, ERR_CORRUPT);
    assert_payload_refused("+FULL\0RESYNC\r\n", 14, ERR_CORRUPT);
    assert_payload_refused("-LOADING Redis is loading the dataset in memory\r\n", 0, ERR_SERVER);
    assert_payload_refused(FULL "-ERR Unable to perform background save\r\n", 0, ERR_SERVER);
    assert_payload_refused(FULL, 0, ERR_TRUNCATED);
}

static void odd_servers_are_refused(void **state)
{
    assert_refused(&(Script){.answers = {"220 mail.example.org ESMTP\r\n"}}, ERR_CORRUPT);
    assert_refused(&(Script){.answers = {":17\r\n"}}, ERR_CORRUPT);
    assert_refused(&(Script){.answers = {"*2147483647\r\n"}}, ERR_CORRUPT);
    assert_refused(&(Script){.answers = {"-NOAUTH Authentication required.\r\n"}}, ERR_PERMISSION);
    assert_refused(&(Script){.answers = {"-DENIED Redis is running in protected mode\r\n"}}, ERR_SERVER);
    assert_refused(&(Script){.answers = {""}, .lens = {0}}, ERR_CONNECTION);
}

static void control_characters_are_not_passed_on(void **state)
{
    Buf out = BUF_INIT(1 << 20);
    Error err = ERROR_INIT;
    Script script = {.answers = {"-ERR \x1b[2Jboo\r\n"}};
    assert_int_equal(dump_of(&script, &out, NULL, &err), -1);
    assert_null(strchr(err.message, 0x1b));
    assert_non_null(strstr(err.message, "boo"));
    buf_done(&out);
}

static int full(void *ctx, const void *data, size_t len, Error *err)
{
    return error_set(err, ERR_IO, "no space left");
}

static void a_failing_sink_is_told_apart(void **state)
{
    static const char payload[] = FULL "$25\r\n" SAMPLE "\0\0\0\0\0\0\0\0";
    Script script = {.answers = {"+PONG\r\n", OK, OK, payload}, .lens = {0, 0, 0, sizeof payload - 1}};
    Fake fake;
    AppServer server;
    RedisConn *conn;
    RedisDump dump;
    bool sink = false;
    Error err = ERROR_INIT;
    fake_begin(&fake, &script, &server, serve);
    assert_int_equal(redis_connect(&server, &conn, &err), 0);
    assert_int_equal(redis_dump(conn, full, NULL, &dump, &sink, &err), -1);
    assert_true(sink);
    assert_int_equal(err.code, ERR_IO);
    redis_close(conn);
    fake_end(&fake);
}

/* ---- patience ---- */

static double leap; /* seconds that pass while somebody looks at the clock */
static double skipped;

double __real_clock_monotonic(void);
double __wrap_clock_monotonic(void);

double __wrap_clock_monotonic(void)
{
    skipped += leap;
    return __real_clock_monotonic() + skipped;
}

/* A server that says something now and then, for ever. */
static void *drip(void *ctx)
{
    const Fake *fake = ctx;
    char command[4096];
    int fd = accept(fake->listener, NULL, NULL);
    for (size_t i = 0; fake->script->answers[i + 1]; i++)
        if (recv(fd, command, sizeof command, 0) > 0)
            say(fd, fake->script->answers[i], strlen(fake->script->answers[i]), 1024);
    size_t last = 0;
    while (fake->script->answers[last + 1])
        last++;
    while (send(fd, fake->script->answers[last], strlen(fake->script->answers[last]), MSG_NOSIGNAL) > 0)
        usleep(1000);
    close(fd);
    return NULL;
}

static void assert_given_up(const Script *script, double seconds)
{
    Fake fake;
    AppServer server;
    RedisConn *conn = NULL;
    RedisDump dump;
    Buf out = BUF_INIT(1 << 20);
    Error err = ERROR_INIT;
    fake_begin(&fake, script, &server, drip);
    leap = skipped = 0;
    int rc = redis_connect(&server, &conn, &err);
    double began = clock_monotonic();
    leap = 5;
    if (rc == 0)
        rc = redis_dump(conn, append, &out, &dump, NULL, &err);
    leap = 0;
    assert_int_equal(rc, -1);
    if (err.code != ERR_CONNECTION || strstr(err.message, "does not answer") == NULL)
        fail_msg("%s", err.message);
    assert_true(clock_monotonic() - began < seconds);
    redis_close(conn);
    fake_end(&fake);
    buf_done(&out);
}

/* As slow as it may be without ever being silent. */
static void a_drip_is_no_answer(void **state)
{
    assert_given_up(&(Script){.answers = {"+PONG\r\n", OK, OK, FULL "$1000000\r\nREDIS0009", "x"}}, 600);
    assert_given_up(&(Script){.answers = {"+PONG\r\n", OK, OK, FULL, "\n"}}, 5 * 3600);
    assert_given_up(&(Script){.answers = {"+PONG\r\n", "+"}}, 600);
}

/* ---- lists of lists ---- */

static int texts_of(const Script *script, Error *err)
{
    Fake fake;
    AppServer server;
    RedisConn *conn;
    StrVec texts = {0};
    fake_begin(&fake, script, &server, serve);
    assert_int_equal(redis_connect(&server, &conn, err), 0);
    int rc = redis_texts(conn, (const char *[]){"SMEMBERS", "x", NULL}, &texts, err);
    redis_close(conn);
    fake_end(&fake);
    strvec_done(&texts);
    return rc;
}

static void lists_of_lists_have_an_end(void **state)
{
    Buf text = BUF_INIT(1 << 20);
    Error err = ERROR_INIT;
    buf_append_str(&text, "*60000\r\n", NULL);
    for (int i = 0; i < 100; i++)
        buf_append_str(&text, "*60000\r\n", NULL);
    assert_int_equal(texts_of(&(Script){.answers = {"+PONG\r\n", buf_str(&text)}}, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    buf_done(&text);
    err = (Error)ERROR_INIT;
    assert_int_equal(texts_of(&(Script){.answers = {"+PONG\r\n", "*2\r\n+a\r\n*2\r\n+b\r\n$1\r\nc\r\n"}}, &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_forms_are_read),
        cmocka_unit_test(cut_and_changed_streams_are_seen),
        cmocka_unit_test(odd_answers_are_refused),
        cmocka_unit_test(odd_servers_are_refused),
        cmocka_unit_test(control_characters_are_not_passed_on),
        cmocka_unit_test(a_failing_sink_is_told_apart),
        cmocka_unit_test(a_drip_is_no_answer),
        cmocka_unit_test(lists_of_lists_have_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
