#include "s3world.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kura/log.h"
#include "kura/mem.h"

static Buf lines = {.max = 1 << 20};

static void keep_line(void *ctx, LogLevel level, const char *message)
{
    (void)ctx;
    (void)level;
    buf_append_str(&lines, message, NULL);
    buf_append_str(&lines, "\n", NULL);
}

void s3world_open(S3World *world, const HttpAnswer *answers, size_t n, const StoreOptions *options)
{
    static const StoreTimes times = {.connect = 2000, .stall = 300, .total = 5000, .retry = 1000};
    StoreOptions all = options ? *options : (StoreOptions){0};
    log_set_sink(keep_line, NULL, LOG_DEBUG);
    buf_clear(&lines);
    *world = (S3World){.err = ERROR_INIT, .httpd = httpd_start(answers, n)};
    all.s3_endpoint = all.s3_endpoint ? all.s3_endpoint : httpd_url(world->httpd);
    all.s3_region = "us-east-1";
    all.s3_access_key = "AKIDTEST";
    all.s3_secret_key = S3WORLD_SECRET;
    all.s3_session_token = S3WORLD_TOKEN;
    all.times = all.times ? all.times : &times;
    assert_int_equal(store_open("s3://bucket/pre fix", &all, false, &world->store, &world->err), 0);
}

static void assert_no_secret(const char *text)
{
    const char *const secrets[] = {S3WORLD_SECRET, S3WORLD_TOKEN, "Signature=", "Authorization:"};
    for (size_t i = 0; i < ARRAY_SIZE(secrets); i++)
        assert_null(strstr(text, secrets[i]));
}

void s3world_close(S3World *world)
{
    store_close(world->store);
    httpd_stop(world->httpd);
    assert_no_secret(buf_str(&lines));
    assert_no_secret(world->err.message);
    assert_no_secret(world->err.hint);
    buf_done(&lines);
}

const char *s3world_log(void)
{
    return buf_str(&lines);
}
