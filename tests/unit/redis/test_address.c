/* Where a server is, from a URL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "kura/mem.h"
#include "redis_priv.h"

static void assert_member(const char *got, const char *wanted)
{
    if (wanted)
        assert_string_equal(got ? got : "(none)", wanted);
    else
        assert_null(got);
}

static void assert_url(const char *url, const char *where, const char *user, const char *password, const char *database)
{
    Error err = ERROR_INIT;
    AppServer server;
    if (redis_server_parse(url, &server, &err) < 0)
        fail_msg("%s: %s", url, err.message);
    _cleanup_free_ char *told = redis_where(&server);
    assert_string_equal(told, where);
    assert_member(server.user, user);
    assert_member(server.password, password);
    assert_member(server.database, database);
    app_server_done(&server);
}

static void urls_are_read(void **state)
{
    assert_url("redis://example.org", "redis://example.org:6379", NULL, NULL, NULL);
    assert_url("redis://localhost:6380/", "redis://127.0.0.1:6380", NULL, NULL, NULL);
    assert_url("redis://:se%3Ac%2Fr%40t@127.0.0.1/2", "redis://127.0.0.1:6379", NULL, "se:c/r@t", "2");
    assert_url("redis://me:pw@[::1]:7000/0", "redis://127.0.0.1:7000", "me", "pw", "0");
    assert_url("redis://[2001:db8::1]", "redis://[2001:db8::1]:6379", NULL, NULL, NULL);
    assert_url("unix:///run/redis/redis.sock", "unix:///run/redis/redis.sock", NULL, NULL, NULL);
    assert_url("unix:///run/re%20dis.sock?user=me&password=p%20w", "unix:///run/re dis.sock", "me", "p w", NULL);
}

static void what_is_no_url_is_refused_and_not_repeated(void **state)
{
    static const char *const wrong[] = {"",           "secret",
                                        "secret://h", "redis://",
                                        "redis:///1", "redis://:secret@h:99999999",
                                        "unix://",    "unix:///",
                                        "unix://run", "redis://:secret@h/x1",
                                        "http://h/1", "redis://h/1/secret"};
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        Error err = ERROR_INIT;
        AppServer server;
        assert_int_equal(redis_server_parse(wrong[i], &server, &err), -1);
        assert_int_equal(err.code, ERR_USAGE);
        assert_null(strstr(err.message, "secret"));
    }
}

static void assert_tls(const char *url, const char *where, RedisTls wanted)
{
    Error err = ERROR_INIT;
    AppServer server;
    RedisTls tls;
    assert_int_equal(redis_server_parse(url, &server, &err), 0);
    assert_int_equal(redis_tls(&server, &tls, &err), 0);
    assert_int_equal(tls, wanted);
    _cleanup_free_ char *told = redis_where(&server);
    assert_string_equal(told, where);
    app_server_done(&server);
}

static void tls_is_checked_unless_told_otherwise(void **state)
{
    assert_tls("redis://h", "redis://h:6379", REDIS_TLS_NONE);
    assert_tls("rediss://:pw@h:7000/1", "rediss://h:7000", REDIS_TLS_CHECKED);
    assert_tls("rediss://[2001:db8::1]?sslmode=require", "rediss://[2001:db8::1]:6379", REDIS_TLS_UNCHECKED);
    assert_tls("redis://h?sslmode=verify-full", "rediss://h:6379", REDIS_TLS_CHECKED);
    assert_tls("unix:///run/redis.sock?sslmode=verify-full", "unix:///run/redis.sock", REDIS_TLS_NONE);
    Error err = ERROR_INIT;
    AppServer server;
    assert_int_equal(redis_server_parse("rediss://h?sslmode=prefer", &server, &err), -1);
    assert_int_equal(err.code, ERR_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_read),
        cmocka_unit_test(what_is_no_url_is_refused_and_not_repeated),
        cmocka_unit_test(tls_is_checked_unless_told_otherwise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
