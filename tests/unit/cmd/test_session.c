#include <signal.h>
#include <string.h>

#include "finish.h"
#include "harness.h"
#include "session.h"

static void test_file_args(void **state)
{
    Error err = ERROR_INIT;
    FileArgs args;
    StrVec list = {0};
    strvec_push(&list, "media=/srv/a=b");
    strvec_push(&list, "my_conf-1=rel");
    assert_int_equal(file_args_parse(&list, &args, &err), 0);
    assert_int_equal(args.n, 2);
    assert_string_equal(args.v[0].name, "media");
    assert_string_equal(args.v[0].dir, "/srv/a=b");
    assert_string_equal(args.v[1].dir, "rel");
    file_args_done(&args);

    static const char *bad[] = {"media", "=/x", "Media=/x", "a b=/x", "../x=/x", "media=", "media=/twice"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        strvec_push(&list, bad[i]);
        assert_int_equal(file_args_parse(&list, &args, &err), -1);
        assert_int_equal(err.code, ERR_USAGE);
        free(list.v[--list.n]);
        list.v[list.n] = NULL;
    }
    strvec_done(&list);
}

static void test_store_options(void **state)
{
    Error err = ERROR_INIT;
    Options options;
    Config config;
    static const char text[] = "[repository r]\nlocation = s3://b\ns3-access-key = id\ns3-secret-key = secret\n"
                               "s3-session-token = token\n";
    assert_int_equal(config_parse(text, sizeof text - 1, "kura.conf", &config, &err), 0);
    parse_ok(&options, "list", "--repo", "r", "--s3-endpoint", "https://h", "--s3-region", "eu", "--s3-profile", "p",
             "--s3-ca", "/ca.pem", "--s3-path-style", "no", "--s3-allow-http", "--s3-checksum", "--limit-upload", "2M");
    assert_int_equal(config_apply(&config, &options, &err), 0);
    StoreOptions store = session_store_options(&options);
    assert_string_equal(store.s3_endpoint, "https://h");
    assert_string_equal(store.s3_region, "eu");
    assert_string_equal(store.s3_profile, "p");
    assert_string_equal(store.s3_ca, "/ca.pem");
    assert_string_equal(store.s3_access_key, "id");
    assert_string_equal(store.s3_secret_key, "secret");
    assert_string_equal(store.s3_session_token, "token");
    assert_int_equal(store.s3_path_style, S3_PATH_STYLE_NO);
    assert_true(store.s3_allow_http && store.s3_checksum);
    assert_int_equal(store.limit_upload, 2 * 1024 * 1024);
    options_done(&options);

    parse_ok(&options, "list", "--s3-path-style", "yes");
    store = session_store_options(&options);
    assert_int_equal(store.s3_path_style, S3_PATH_STYLE_YES);
    assert_null(store.s3_endpoint);
    assert_null(store.s3_secret_key);
    assert_false(store.s3_allow_http || store.s3_checksum);
    assert_int_equal(store.limit_upload, 0);
    options_done(&options);
    config_done(&config);
}

static void test_is_archive(void **state)
{
    assert_true(is_archive("./x.dump"));
    assert_true(is_archive("/nonexistent"));
    assert_true(is_archive("."));
    assert_false(is_archive("latest"));
    assert_false(is_archive("20261122T031500Z-misskey-x7k2"));
}

/* Runs the end of a command that failed with err (or succeeded, NULL) and gives status and document. */
static int finish(Findings *findings, const Error *err, bool begun, char **ret_text)
{
    size_t len;
    Options options;
    Config config = {0};
    Session session;
    Screen screen;
    FILE *messages = fopen("/dev/null", "w");
    FILE *out = open_memstream(ret_text, &len);
    parse_ok(&options, "list", "--json");
    session_init(&session, &options, &config, out);
    session_set(&session, "backups", json_array());
    session.findings = *findings;
    session.document_begun = begun;
    if (begun)
        fputs("{\"filesets\": []", out);
    screen_init(&screen, messages, true);
    int status = session_finish(&session, &screen, err ? -1 : 0, err);
    status = close_output(&screen, out, status);
    screen_done(&screen);
    session_done(&session);
    options_done(&options);
    fclose(messages);
    return status;
}

static json_t *parse_document(char *text)
{
    json_error_t why;
    json_t *document = json_loads(text, JSON_REJECT_DUPLICATES, &why);
    if (document == NULL)
        fail_msg("no JSON: %s in %s", why.text, text);
    free(text);
    return document;
}

static void test_status_and_document(void **state)
{
    char *text;
    Findings none = FINDINGS_INIT, note = FINDINGS_INIT, warning = FINDINGS_INIT;
    assert_int_equal(finish(&none, NULL, false, &text), 0);
    json_t *document = parse_document(text);
    assert_true(json_is_array(json_object_get(document, "backups")));
    assert_null(json_object_get(document, "error"));
    json_decref(document);

    findings_add(&note, FINDING_NOTE, "n", NULL, "only a note");
    assert_int_equal(finish(&note, NULL, false, &text), 0);
    json_decref(parse_document(text));

    findings_add(&warning, FINDING_WARNING, "file-vanished", "Look.", "bytes \xff\x01");
    assert_int_equal(finish(&warning, NULL, false, &text), 3);
    document = parse_document(text);
    json_t *finding = json_array_get(json_object_get(document, "findings"), 0);
    assert_string_equal(json_string_value(json_object_get(finding, "severity")), "warning");
    assert_string_equal(json_string_value(json_object_get(finding, "message")), "bytes \\xff\\x01");
    json_decref(document);
}

static void test_error_document(void **state)
{
    char *text;
    Findings none = FINDINGS_INIT;
    Error err = ERROR_INIT;
    error_set(&err, ERR_LOCKED, "repository is locked");
    error_hint(&err, "Wait.");
    assert_int_equal(finish(&none, &err, false, &text), 11);
    json_t *document = parse_document(text);
    json_t *error = json_object_get(document, "error");
    assert_string_equal(json_string_value(json_object_get(error, "code")), "locked");
    assert_string_equal(json_string_value(json_object_get(error, "message")), "repository is locked");
    assert_string_equal(json_string_value(json_object_get(error, "hint")), "Wait.");
    assert_null(json_object_get(document, "backups"));
    assert_true(json_is_array(json_object_get(document, "findings")));
    json_decref(document);
}

/* A list that fails half-way is still one valid document, and says that it failed. */
static void test_begun_document(void **state)
{
    char *text;
    Findings none = FINDINGS_INIT;
    Error err = ERROR_INIT;
    error_set(&err, ERR_CORRUPT, "index is damaged");
    assert_int_equal(finish(&none, &err, true, &text), 1);
    json_t *document = parse_document(text);
    assert_true(json_is_array(json_object_get(document, "filesets")));
    assert_non_null(json_object_get(document, "error"));
    json_decref(document);
}

static void test_lost_output(void **state)
{
    Screen screen;
    FILE *messages = fopen("/dev/null", "w");
    FILE *full = fopen("/dev/full", "w");
    screen_init(&screen, messages, false);
    fputs("result", full);
    assert_int_equal(close_output(&screen, full, 0), 1);
    full = fopen("/dev/full", "w");
    fputs("result", full);
    assert_int_equal(close_output(&screen, full, 11), 11);
    screen_done(&screen);
    fclose(messages);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file_args),      cmocka_unit_test(test_is_archive),
        cmocka_unit_test(test_store_options),  cmocka_unit_test(test_status_and_document),
        cmocka_unit_test(test_error_document), cmocka_unit_test(test_begun_document),
        cmocka_unit_test(test_lost_output),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
