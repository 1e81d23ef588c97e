/* The sources of credentials that need no request. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kura/mem.h"
#include "s3cred.h"
#include "world.h"

static void write_text(const char *home, const char *name, const char *text)
{
    world_write(home, name, text, strlen(text));
}

static S3Chain *open_chain(const StoreOptions *options)
{
    S3Chain *chain = NULL;
    Error err = ERROR_INIT;
    if (s3chain_open(options, &chain, &err) < 0)
        fail_msg("%s", err.message);
    return chain;
}

static void assert_same(const char *got, const char *expected)
{
    assert_int_equal(got == NULL, expected == NULL);
    if (expected)
        assert_string_equal(got, expected);
}

static void assert_credentials(const StoreOptions *options, const char *access_key, const char *secret_key,
                               const char *token)
{
    S3Chain *chain = open_chain(options);
    S3Credentials got;
    Error err = ERROR_INIT;
    assert_int_equal(s3chain_get(chain, &got, &err), 0);
    assert_same(got.access_key, access_key);
    assert_same(got.secret_key, secret_key);
    assert_same(got.session_token, token);
    assert_int_equal(got.expires, 0);
    s3credentials_done(&got);
    s3chain_close(chain);
}

static void assert_refused(const StoreOptions *options, ErrorCode code, const char *message)
{
    S3Chain *chain = NULL;
    Error err = ERROR_INIT;
    assert_int_equal(s3chain_open(options, &chain, &err), -1);
    assert_null(chain);
    assert_string_equal(err.message, message);
    assert_int_equal(err.code, code);
    assert_null(strstr(err.message, "S3CRET"));
    assert_null(strstr(err.hint, "S3CRET"));
}

static void write_all_sources(const char *home)
{
    setenv("AWS_ACCESS_KEY_ID", "env", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "env-S3CRET", 1);
    setenv("AWS_SESSION_TOKEN", "env-token", 1);
    write_text(
        home, ".aws/credentials",
        "[default]\naws_access_key_id = file\naws_secret_access_key = file-S3CRET\n"
        "[work]\naws_access_key_id = work\naws_secret_access_key = work-S3CRET\naws_session_token = work-token\n");
}

static void the_configuration_is_before_everything_else(void **state)
{
    write_all_sources(*state);
    assert_credentials(&(StoreOptions){.s3_access_key = "test:tester", .s3_secret_key = "S3CRET/+="}, "test:tester",
                       "S3CRET/+=", NULL);
    assert_credentials(
        &(StoreOptions){.s3_access_key = "a", .s3_secret_key = "b", .s3_session_token = "c", .s3_profile = "work"}, "a",
        "b", "c");
}

static void the_environment_is_before_the_files(void **state)
{
    write_all_sources(*state);
    assert_credentials(&(StoreOptions){0}, "env", "env-S3CRET", "env-token");
    unsetenv("AWS_SESSION_TOKEN");
    setenv("AWS_PROFILE", "work", 1);
    assert_credentials(&(StoreOptions){.s3_access_key = ""}, "env", "env-S3CRET", NULL);
}

static void a_profile_that_is_asked_for_is_before_the_environment(void **state)
{
    write_all_sources(*state);
    assert_credentials(&(StoreOptions){.s3_profile = "work"}, "work", "work-S3CRET", "work-token");
    assert_credentials(&(StoreOptions){.s3_profile = "default"}, "file", "file-S3CRET", NULL);
}

static void the_profile_is_that_of_the_environment_else_default(void **state)
{
    write_all_sources(*state);
    setenv("AWS_ACCESS_KEY_ID", "", 1);
    unsetenv("AWS_SECRET_ACCESS_KEY");
    assert_credentials(&(StoreOptions){0}, "file", "file-S3CRET", NULL);
    setenv("AWS_PROFILE", "work", 1);
    assert_credentials(&(StoreOptions){0}, "work", "work-S3CRET", "work-token");
}

static void the_files_may_be_elsewhere(void **state)
{
    const char *home = *state;
    write_text(home, "other/creds", "[default]\naws_access_key_id = other\naws_secret_access_key = b\n");
    setenv("AWS_SHARED_CREDENTIALS_FILE", "~/other/creds", 1);
    assert_credentials(&(StoreOptions){0}, "other", "b", NULL);
    write_text(home, "other/config", "[profile x]\naws_access_key_id = config\naws_secret_access_key = c\n");
    _cleanup_free_ char *path = xasprintf("%s/other/config", home);
    setenv("AWS_CONFIG_FILE", path, 1);
    assert_credentials(&(StoreOptions){.s3_profile = "x"}, "config", "c", NULL);
}

static void keys_of_the_credentials_file_count_for_more_than_those_of_the_config_file(void **state)
{
    write_text(*state, ".aws/config",
               "[default]\naws_access_key_id = hidden\n"
               "[profile default]\naws_access_key_id = a\naws_secret_access_key = b\naws_session_token = c\n"
               "[work]\naws_access_key_id = not-a-profile\n");
    assert_credentials(&(StoreOptions){0}, "a", "b", "c");
    write_text(*state, ".aws/credentials", "[default]\naws_access_key_id = d\naws_secret_access_key = e\n");
    assert_credentials(&(StoreOptions){0}, "d", "e", NULL);
}

static void half_of_a_pair_is_refused(void **state)
{
    const char *home = *state;
    assert_refused(&(StoreOptions){.s3_access_key = "a"}, ERR_USAGE,
                   "half of the S3 credentials is missing: the configuration (s3-access-key, s3-secret-key) gives no "
                   "secret key");
    assert_refused(&(StoreOptions){.s3_session_token = "S3CRET"}, ERR_USAGE,
                   "half of the S3 credentials is missing: the configuration (s3-access-key, s3-secret-key) gives no "
                   "access key");
    setenv("AWS_SECRET_ACCESS_KEY", "S3CRET", 1);
    assert_refused(&(StoreOptions){0}, ERR_USAGE,
                   "half of the S3 credentials is missing: the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY) "
                   "gives no access key");
    unsetenv("AWS_SECRET_ACCESS_KEY");
    /* Halves of different files are no pair. */
    write_text(home, ".aws/credentials", "[default]\naws_access_key_id = a\n");
    write_text(home, ".aws/config", "[default]\naws_secret_access_key = S3CRET\n");
    _cleanup_free_ char *message = xasprintf("half of the S3 credentials is missing: profile \"default\" of "
                                             "\"%s/.aws/credentials\" gives no secret key",
                                             home);
    assert_refused(&(StoreOptions){0}, ERR_USAGE, message);
}

static void a_value_that_no_header_can_carry_is_refused(void **state)
{
    const char *where = "from the configuration (s3-access-key, s3-secret-key) is too long or has characters that no "
                        "such key has";
    const char *bad_access[] = {"a b", "a\r\nX-Evil: 1", "a,b", "a/b", "\xe3\x81\x82", "a\x7f"};
    _cleanup_free_ char *access = xasprintf("the S3 access key %s", where);
    for (size_t i = 0; i < ARRAY_SIZE(bad_access); i++)
        assert_refused(&(StoreOptions){.s3_access_key = bad_access[i], .s3_secret_key = "S3CRET"}, ERR_USAGE, access);
    _cleanup_free_ char *secret = xasprintf("the S3 secret key %s", where);
    assert_refused(&(StoreOptions){.s3_access_key = "a", .s3_secret_key = "S3CRET\n"}, ERR_USAGE, secret);
    _cleanup_free_ char *token = xasprintf("the S3 session token %s", where);
    char *longest = xmalloc(16 * 1024 + 2);
    memset(longest, 'x', 16 * 1024 + 1);
    longest[16 * 1024 + 1] = 0;
    const StoreOptions options = {.s3_access_key = "a", .s3_secret_key = "b", .s3_session_token = longest};
    assert_refused(&options, ERR_USAGE, token);
    longest[16 * 1024] = 0;
    assert_credentials(&options, "a", "b", longest);
    free(longest);
}

static void a_profile_that_is_named_must_be_there(void **state)
{
    const char *home = *state;
    write_text(home, ".aws/config", "[default]\nregion = x\n");
    _cleanup_free_ char *message =
        xasprintf("profile \"work\" is neither in \"%s/.aws/credentials\" (no such file) nor in \"%s/.aws/config\" (no "
                  "such profile)",
                  home, home);
    assert_refused(&(StoreOptions){.s3_profile = "work"}, ERR_USAGE, message);
    setenv("AWS_PROFILE", "work", 1);
    assert_refused(&(StoreOptions){0}, ERR_USAGE, message);
    setenv("AWS_ACCESS_KEY_ID", "a", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "b", 1);
    assert_refused(&(StoreOptions){0}, ERR_USAGE, message);
}

static void a_malformed_line_is_told_but_not_quoted(void **state)
{
    const char *home = *state;
    write_text(home, ".aws/credentials",
               "[default]\naws_access_key_id = a\naws_secret_access_key: S3CRET\n[other]\n??\n");
    _cleanup_free_ char *message =
        xasprintf("line 3 of \"%s/.aws/credentials\" is neither \"[section]\" nor \"key = value\"", home);
    assert_refused(&(StoreOptions){0}, ERR_USAGE, message);
}

static void a_file_that_cannot_be_opened_is_told(void **state)
{
    const char *home = *state;
    write_text(home, "creds", "[default]\n");
    _cleanup_free_ char *path = xasprintf("%s/creds/below", home);
    setenv("AWS_CONFIG_FILE", path, 1);
    _cleanup_free_ char *message = xasprintf("cannot open \"%s\": Not a directory", path);
    assert_refused(&(StoreOptions){0}, ERR_IO, message);
}

static void other_ways_to_credentials_are_told_to_be_unsupported(void **state)
{
    const char *home = *state;
    const char *settings[] = {"credential_process", "sso_session", "sso_start_url", "role_arn", "login_session"};
    for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
        _cleanup_free_ char *text = xasprintf("[default]\nregion = x\n%s = y\n", settings[i]);
        write_text(home, ".aws/config", text);
        _cleanup_free_ char *message =
            xasprintf("profile \"default\" of \"%s/.aws/credentials\" (no such file) and \"%s/.aws/config\" (no keys) "
                      "has no keys but \"%s\", which kura does not support",
                      home, home, settings[i]);
        assert_refused(&(StoreOptions){0}, ERR_UNSUPPORTED, message);
    }
    write_text(home, ".aws/credentials", "[default]\naws_access_key_id = a\naws_secret_access_key = b\n");
    assert_credentials(&(StoreOptions){0}, "a", "b", NULL);
    assert_credentials(&(StoreOptions){.s3_access_key = "c", .s3_secret_key = "d"}, "c", "d", NULL);
}

static void a_web_identity_is_told_to_be_unsupported(void **state)
{
    setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "/var/run/secrets/token", 1);
    assert_refused(&(StoreOptions){0}, ERR_UNSUPPORTED,
                   "AWS_WEB_IDENTITY_TOKEN_FILE is set: kura cannot assume a role with a web identity");
    assert_credentials(&(StoreOptions){.s3_access_key = "c", .s3_secret_key = "d"}, "c", "d", NULL);
}

static void when_there_are_none_every_source_is_named(void **state)
{
    const char *home = *state;
    write_text(home, ".aws/config", "[default]\nregion = x\n");
    S3Chain *chain = open_chain(&(StoreOptions){0});
    S3Credentials got;
    Error err = ERROR_INIT;
    assert_int_equal(s3chain_get(chain, &got, &err), -1);
    s3chain_close(chain);
    assert_int_equal(err.code, ERR_PERMISSION);
    assert_string_equal(err.message, "no credentials for S3 were found");
    _cleanup_free_ char *hint = xasprintf(
        "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or write a credentials file. Looked at: the configuration "
        "(s3-access-key), the environment (AWS_ACCESS_KEY_ID), profile \"default\" of \"%s/.aws/credentials\" (no such "
        "file) and \"%s/.aws/config\" (no keys), container credentials (AWS_CONTAINER_CREDENTIALS_FULL_URI is not "
        "set), instance metadata at \"nowhere\" (AWS_EC2_METADATA_DISABLED is set).",
        home, home);
    assert_string_equal(err.hint, hint);
}

static void assert_region(const StoreOptions *options, const char *expected)
{
    S3Chain *chain = open_chain(options);
    assert_same(s3chain_region(chain), expected);
    s3chain_close(chain);
}

static void the_region_is_that_of_the_first_source_that_has_one(void **state)
{
    assert_region(&(StoreOptions){0}, NULL);
    write_text(*state, ".aws/config", "[default]\nregion = file\n[profile work]\nregion = work\n");
    assert_region(&(StoreOptions){0}, "file");
    assert_region(&(StoreOptions){.s3_profile = "work"}, "work");
    setenv("AWS_DEFAULT_REGION", "env-default", 1);
    assert_region(&(StoreOptions){0}, "env-default");
    setenv("AWS_REGION", "env", 1);
    assert_region(&(StoreOptions){0}, "env");
    assert_region(&(StoreOptions){.s3_region = "eu-west-3"}, "eu-west-3");
    assert_refused(&(StoreOptions){.s3_region = "eu/west\n"}, ERR_USAGE, "the S3 region is no name of a region");
}

static void assert_endpoint(const StoreOptions *options, const char *expected)
{
    S3Chain *chain = open_chain(options);
    assert_same(s3chain_endpoint(chain), expected);
    s3chain_close(chain);
}

static void the_endpoint_is_that_of_the_first_source_that_has_one(void **state)
{
    assert_endpoint(&(StoreOptions){0}, NULL);
    write_text(*state, ".aws/config",
               "[services local]\nec2 =\n  endpoint_url = https://ec2\ns3 =\n  endpoint_url = https://s3-of-services\n"
               "[default]\nendpoint_url = https://file\ns3 =\n  endpoint_url = https://not-there\n"
               "[profile work]\nservices = local\nendpoint_url = https://file\n"
               "[profile deaf]\nendpoint_url = https://file\nignore_configured_endpoint_urls = true\n");
    assert_endpoint(&(StoreOptions){0}, "https://file");
    assert_endpoint(&(StoreOptions){.s3_profile = "work"}, "https://s3-of-services");
    setenv("AWS_ENDPOINT_URL", "https://env", 1);
    assert_endpoint(&(StoreOptions){.s3_profile = "work"}, "https://env");
    setenv("AWS_ENDPOINT_URL_S3", "https://env-s3", 1);
    assert_endpoint(&(StoreOptions){0}, "https://env-s3");
    assert_endpoint(&(StoreOptions){.s3_profile = "deaf"}, NULL);
    assert_endpoint(&(StoreOptions){.s3_endpoint = "https://given"}, "https://given");
    setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true", 1);
    assert_endpoint(&(StoreOptions){0}, NULL);
    assert_endpoint(&(StoreOptions){.s3_endpoint = "https://given"}, "https://given");
}

static void a_credentials_file_that_everybody_may_read_is_told(void **state)
{
    const char *home = *state;
    write_text(home, ".aws/credentials", "[default]\naws_access_key_id = a\naws_secret_access_key = b\n");
    S3Chain *chain = open_chain(&(StoreOptions){0});
    assert_null(s3chain_exposed_file(chain));
    s3chain_close(chain);
    _cleanup_free_ char *path = xasprintf("%s/.aws/credentials", home);
    assert_int_equal(chmod(path, 0644), 0);
    chain = open_chain(&(StoreOptions){0});
    assert_string_equal(s3chain_exposed_file(chain), path);
    s3chain_close(chain);
    /* It is not where the credentials come from. */
    chain = open_chain(&(StoreOptions){.s3_access_key = "c", .s3_secret_key = "d"});
    assert_null(s3chain_exposed_file(chain));
    s3chain_close(chain);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_configuration_is_before_everything_else),
        TEST(the_environment_is_before_the_files),
        TEST(a_profile_that_is_asked_for_is_before_the_environment),
        TEST(the_profile_is_that_of_the_environment_else_default),
        TEST(the_files_may_be_elsewhere),
        TEST(keys_of_the_credentials_file_count_for_more_than_those_of_the_config_file),
        TEST(half_of_a_pair_is_refused),
        TEST(a_value_that_no_header_can_carry_is_refused),
        TEST(a_profile_that_is_named_must_be_there),
        TEST(a_malformed_line_is_told_but_not_quoted),
        TEST(a_file_that_cannot_be_opened_is_told),
        TEST(other_ways_to_credentials_are_told_to_be_unsupported),
        TEST(a_web_identity_is_told_to_be_unsupported),
        TEST(when_there_are_none_every_source_is_named),
        TEST(the_region_is_that_of_the_first_source_that_has_one),
        TEST(the_endpoint_is_that_of_the_first_source_that_has_one),
        TEST(a_credentials_file_that_everybody_may_read_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
