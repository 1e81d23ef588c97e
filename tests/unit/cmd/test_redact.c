#include <string.h>

#include "harness.h"
#include "redact.h"

static void assert_redacted(const char *conninfo, const char *expected)
{
    char *text = redact_conninfo(conninfo);
    assert_string_equal(text, expected);
    free(text);
}

static void test_conninfo(void **state)
{
    assert_redacted("host=h password=secret dbname=d", "password=**** dbname=d host=h");
    assert_redacted("password = 'se cret\\'x' dbname='my db'", "password=**** dbname='my db'");
    assert_redacted("postgresql://user:secret@h:5433/d?sslmode=require",
                    "user=user password=**** dbname=d host=h port=5433 sslmode=require");
    assert_redacted("postgres://h/d?password=secret&sslpassword=other",
                    "password=**** dbname=d host=h sslpassword=****");
    assert_redacted("misskey", "misskey");
    assert_redacted("", "");
    /* what libpq does not understand could hold anything */
    assert_redacted("dbname=x pasword=secret", "****");
    assert_redacted("password='secret", "****");
    assert_redacted("postgresql://u:secret@[h/d", "****");
}

static void test_has_secret(void **state)
{
    assert_true(conninfo_has_secret("password=x"));
    assert_true(conninfo_has_secret("postgresql://u:p@h/d"));
    assert_true(conninfo_has_secret("password='broken"));
    assert_false(conninfo_has_secret("postgresql://u@h/d"));
    assert_false(conninfo_has_secret("dbname=d password=''"));
    assert_false(conninfo_has_secret("password"));
    assert_false(conninfo_has_secret(""));
}

static void test_command_line(void **state)
{
    const char *const argv[] = {"kura",
                                "restore",
                                "latest",
                                "--db",
                                "dbname=d password=secret",
                                "--db=postgresql://u:secret@h/d",
                                "--map",
                                "\"Odd Role\"=it's",
                                "",
                                "--db",
                                NULL};
    char *text = redact_command_line(10, argv);
    assert_null(strstr(text, "secret"));
    assert_string_equal(text, "kura restore latest --db 'password=**** dbname=d' "
                              "'--db=user=u password=**** dbname=d host=h' --map '\"Odd Role\"=it'\\''s' '' --db ''");
    free(text);
}

/* Such an option is refused, but nobody can tell who shows a command line before it is read. */
static void test_whole_secrets(void **state)
{
    const char *const argv[] = {"kura", "list", "--s3-secret-key", "secret", "--s3-session-token=secret", "--s3-region",
                                "r",    NULL};
    char *text = redact_command_line(7, argv);
    assert_string_equal(text, "kura list --s3-secret-key **** --s3-session-token=**** --s3-region r");
    free(text);
}

/* What a setting of an application is, only the application knows. */
static void test_settings(void **state)
{
    const char *const argv[] = {"kura", "move", "config", "--set", "redis.pass=secret", "--set=a=secret", NULL};
    char *text = redact_command_line(6, argv);
    assert_string_equal(text, "kura move config --set **** --set=****");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conninfo),      cmocka_unit_test(test_has_secret), cmocka_unit_test(test_command_line),
        cmocka_unit_test(test_whole_secrets), cmocka_unit_test(test_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
