/* Manifests that somebody damaged or made up. */
#include "hostile.h"

static int parse_text(const char *text, size_t len)
{
    Manifest *manifest = NULL;
    int rc = manifest_parse(text, len, &manifest, &err);
    assert_int_equal(rc == 0, manifest != NULL);
    manifest_free(manifest);
    return rc;
}

static const Hostile manifests = {
    .parse = parse_text,
    .nullable = (const char *const[]){"root", "condition", "system_identifier", "icu_locale", "comment",
                                      "collation_version", "snapshot", "database", "grantee", "large_objects", "role",
                                      "os", "libc", "timezone", "user", "group", NULL},
    .optional = (const char *const[]){"continues", "system", "left_out_files", "root_owner", NULL},
    .unbounded =
        (const char *const[]){"files", "dirs", "symlinks", "others", "bytes", "vanished", "changed", "left_out_files",
                              "left_out_bytes", "stored_new", "stored_all", "size_bytes", NULL},
    .places = 150,
};

static int set_up(void **state)
{
    Manifest *sample = sample_manifest();
    manifest_application_free(sample->application);
    sample->application = NULL;
    document = manifest_to_json(sample);
    manifest_free(sample);
    hostile = &manifests;
    return fixture_set_up(state);
}

static int tear_down(void **state)
{
    json_decref(document);
    return fixture_tear_down(state);
}

/* The member "application" by itself, so that its members' names need not differ from others'. */
static int parse_application(const char *text, size_t len)
{
    _cleanup_free_ char *whole =
        xasprintf("{\"kura\": \"manifest\", \"version\": 1, \"id\": \"%s\", \"app\": \"a\", \"host\": \"h\", "
                  "\"kura_version\": \"1\", "
                  "\"started\": \"2026-11-22T03:15:00Z\", \"finished\": \"2026-11-22T03:15:00Z\", \"tags\": [], "
                  "\"warnings\": [], \"stored_new\": 0, \"stored_all\": 0, \"filesets\": [], \"database\": null, "
                  "\"application\": %.*s}",
                  SAMPLE_ID, (int)len, text);
    return parse_text(whole, strlen(whole));
}

static const Hostile applications = {
    .parse = parse_application,
    .nullable =
        (const char *const[]){"version", "fork", "host", "port", "user", "name", "state", "newest", "schema", NULL},
    .optional = (const char *const[]){"secrets", NULL},
    .places = 20,
};

static int set_up_application(void **state)
{
    Manifest *sample = sample_manifest();
    json_t *whole = manifest_to_json(sample);
    manifest_free(sample);
    document = json_incref(json_object_get(whole, "application"));
    json_decref(whole);
    hostile = &applications;
    return fixture_set_up(state);
}

static void an_application_is_named(void **state)
{
    (void)state;
    assert_message("dir", "1", "application.dir is no text");
    assert_message("schema.applied[1]", "{}", "application.schema.applied[1] is no text");
    assert_message("database", "[]", "application.database is not an object");
    assert_message("secrets[0].salt", "\"0A\"", "application.secrets[0] has no salt of 16 bytes");
}

#define H1 "1111111111111111111111111111111111111111111111111111111111111111"

static void errors_name_the_place(void **state)
{
    (void)state;
    assert_message("database.tables[1].rows", "\"many\"", "database.tables[1].rows is not an integer");
    assert_message("database.tables[1].rows", "-1", "database.tables[1].rows is out of range: -1");
    assert_message("database.facts.roles[0].login", "1", "database.facts.roles[0].login is neither true nor false");
    assert_message("tags[0]", "7", "tags[0] is no text");
    assert_message("filesets", "{}", "filesets is not an array");
    assert_message("database.tables[0].segments[1].blob", "\"x\"", "database.tables[0].segments[1] names \"x\"");
    assert_message("host", "{\"base64\": \"YQBi\"}", "host is no text: a text holds a zero byte");
}

static void what_does_not_fit_together(void **state)
{
    (void)state;
    assert_message("kura", "\"repository\"", "repository");
    assert_message("version", "2", "version 2");
    assert_message("id", "\"../../kura\"", "no id of a backup");
    assert_message("id", "\"20261122T031500Z-a/b-x7k2\"", "no id of a backup");
    assert_message("id", "\"20261122T031500Z--x7k2\"", "no id of a backup");
    assert_message("started", "\"yesterday\"", "no moment");
    assert_message("database.tables[0].digest", "\"0\"", "digest");
    assert_message("database.tables[0].rows", "13", "do not add up");
    assert_message("database.tables[0].raw", "2999", "do not add up");
    assert_message("database.tables[0].segments[0].rows", "1001", "rows is out of range");
    assert_message("database.tables[0].segments[0].raw", "67108865", "raw is out of range");
    assert_message("database.tables[0].segments[0].size", "68157441", "size is out of range");
    assert_message("database.tables[0].segments[0].blob", "\"" H1 ".tar\"", "not a zstd one");
    assert_message("database.tables[0].segments[0].continues", "true", "continues another");
    assert_message("database.tables[2].segments[0].offset", "5001", "offset is out of range");
    assert_message("database.tables[2].segments[0].offset", "4701", "length is out of range");
    assert_message("database.tables[2].segments[0].length", "3801", "length is out of range");
    assert_message("database.tables[2].segments[0].length", "0", "has no bytes in its blob");
    assert_message("database.tables[2].segments[0].size", "1499", "length is out of range");
    assert_message("database.tables[1].dump_id", "220", "dump_id 220");
    assert_message("database.tables[1].dump_id", "0", "dump_id is out of range");
    assert_message("database.tables[1].oid", "4294967296", "oid is out of range");
    assert_message("database.toc.blobs", "[]", "database.toc has no blobs");
    assert_message("database.facts.server_version_num", "2147483648", "server_version_num is out of range");
    assert_message("filesets[0].name", "\"../media\"", "no name of a fileset");
    assert_message("filesets[0].name", "\"\"", "no name of a fileset");
    assert_message("filesets[0].name", "\"config\"", "two filesets");
    assert_message("filesets[0].index[0].blob", "\"" H1 ".bin\"", "not a zstd one");
    assert_message("database.large_objects.name", "\"a/b\"", "no name of a fileset");
}

static void odd_texts(void **state)
{
    (void)state;
    const char *const texts[] = {
        "",
        " ",
        "null",
        "[]",
        "{}",
        "1",
        "\"kura\"",
        "{\"kura\": \"manifest\"}",
        "{\"kura\": \"manifest\", \"version\": 99999999999999999999}",
        "{\"kura\": \"manifest\", \"version\": 1, \"version\": 1}",
    };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        assert_int_equal(parse_text(texts[i], strlen(texts[i])), -1);
    _cleanup_free_ char *deep = xmalloc(1000000);
    memset(deep, '[', 1000000);
    assert_int_equal(parse_text(deep, 1000000), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOSTILE_TESTS(set_up, tear_down),
        HOSTILE_TEST(errors_name_the_place, set_up, tear_down),
        HOSTILE_TEST(what_does_not_fit_together, set_up, tear_down),
        HOSTILE_TEST(odd_texts, set_up, tear_down),
        HOSTILE_TESTS(set_up_application, tear_down),
        HOSTILE_TEST(an_application_is_named, set_up_application, tear_down),
    };
    return cmocka_run_group_tests_name("manifest, hostile", tests, NULL, NULL);
}
