#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kura/mem.h"
#include "kura/ping.h"

static void assert_url(const char *pattern, const char *suffix, const char *wanted)
{
    _cleanup_free_ char *url = ping_url(pattern, suffix, "my shop/1", "backup");
    assert_string_equal(url, wanted);
}

static void urls(void **state)
{
    assert_url("https://hc.example/uuid", "/start", "https://hc.example/uuid/start");
    assert_url("https://hc.example/uuid", "", "https://hc.example/uuid");
    assert_url("https://hc.example/key/{app}-{command}?create=1&x={app}", "/fail",
               "https://hc.example/key/my%20shop%2F1-backup/fail?create=1&x=my%20shop%2F1");
    assert_url("https://hc.example/{other}#part", "/fail", "https://hc.example/{other}/fail#part");
}

static void policy(void **state)
{
    const char *const good[] = {"https://hc.example/x", "HTTPS://hc.example:8443/x", "http://localhost:8000/",
                                "http://127.0.0.1/x", "http://[::1]:80/x"};
    const char *const clear[] = {"http://hc.example/secret", "http://127.evil.example/secret",
                                 "http://localhost.evil/secret", "http://127.0.0.1@evil.example/secret"};
    const char *const bad[] = {"",          "secret",           "ftp://hc.example/secret", "file:///etc/secret",
                               "https:///", "http://a b/secret"};
    Error err = ERROR_INIT;
    for (size_t i = 0; i < ARRAY_SIZE(good); i++)
        assert_int_equal(ping_check(good[i], false, &err), 0);
    for (size_t i = 0; i < ARRAY_SIZE(clear); i++) {
        assert_int_equal(ping_check(clear[i], false, &err), -1);
        assert_null(strstr(err.message, "secret"));
        assert_int_equal(ping_check(clear[i], true, &err), 0);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        assert_int_equal(ping_check(bad[i], true, &err), -1);
        assert_int_equal(err.code, ERR_USAGE);
        assert_null(strstr(err.message, "secret"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(urls), cmocka_unit_test(policy)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
