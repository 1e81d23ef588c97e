/* Manifests that somebody damaged or made up. */
#include "fixture.h"

#include <stdio.h>

#include "jsonnode_priv.h"

static json_t *document; /* of the sample, mutated in place */

static int set_up(void **state)
{
    Manifest *sample = sample_manifest();
    document = manifest_to_json(sample);
    manifest_free(sample);
    return fixture_set_up(state);
}

static int tear_down(void **state)
{
    json_decref(document);
    return fixture_tear_down(state);
}

static int parse_text(const char *text, size_t len)
{
    Manifest *manifest = NULL;
    int rc = manifest_parse(text, len, &manifest, &err);
    assert_int_equal(rc == 0, manifest != NULL);
    manifest_free(manifest);
    return rc;
}

static int parse_document(void)
{
    char *text = json_dumps(document, JSON_COMPACT);
    int rc = parse_text(text, strlen(text));
    free(text);
    return rc;
}

static void every_prefix(void **state)
{
    (void)state;
    char *text = json_dumps(document, JSON_COMPACT);
    size_t len = strlen(text);
    assert_int_equal(parse_text(text, len), 0);
    for (size_t i = 0; i < len; i++) {
        assert_int_equal(parse_text(text, i), -1);
        assert_in_range(err.code, ERR_TRUNCATED, ERR_CORRUPT);
    }
    free(text);
}

/* Calls fn with every container and each of its members in turn, all the way down; fn leaves it as it was. */
static int walked;

static void walk(json_t *value, void (*fn)(json_t *container, const char *key, size_t index))
{
    const char *key;
    json_t *item;
    size_t i;
    _cleanup_(strvec_done) StrVec keys = {0}; /* fn may put a member at the end */
    json_object_foreach(value, key, item) strvec_push(&keys, key);
    for (i = 0; i < keys.n; i++) {
        walk(json_object_get(value, keys.v[i]), fn);
        fn(value, keys.v[i], 0);
        walked++;
    }
    json_array_foreach(value, i, item)
    {
        walk(item, fn);
        fn(value, NULL, i);
        walked++;
    }
}

static void replace(json_t *container, const char *key, size_t index, json_t *value)
{
    if (key)
        json_object_set_new(container, key, value);
    else
        json_array_set_new(container, index, value);
}

static json_t *current(json_t *container, const char *key, size_t index)
{
    return key ? json_object_get(container, key) : json_array_get(container, index);
}

static void assert_refused_with(json_t *container, const char *key, size_t index, json_t *value)
{
    json_t *old = json_incref(current(container, key, index));
    replace(container, key, index, value);
    if (parse_document() == 0)
        fail_msg("\"%s\"[%zu] may be anything", key ? key : "", index);
    assert_in_range(err.code, ERR_CORRUPT, ERR_UNSUPPORTED);
    replace(container, key, index, old);
}

/* Nothing may be an array where none was, an object where none was, or a fraction. */
static void give_wrong_types(json_t *container, const char *key, size_t index)
{
    json_t *old = current(container, key, index);
    if (!json_is_array(old))
        assert_refused_with(container, key, index, json_array());
    assert_refused_with(container, key, index, json_is_object(old) ? json_integer(1) : json_object());
    assert_refused_with(container, key, index, json_real(1.5));
    if (!json_is_boolean(old))
        assert_refused_with(container, key, index, json_true());
    if (!json_is_string(old) && !json_is_null(old) && json_object_get(old, "base64") == NULL)
        assert_refused_with(container, key, index, json_string("text"));
}

static void every_type(void **state)
{
    (void)state;
    walked = 0;
    walk(document, give_wrong_types);
    assert_true(walked > 150);
    assert_int_equal(parse_document(), 0);
}

/* What was not null may be so only where the header allows it. */
static void give_null(json_t *container, const char *key, size_t index)
{
    static const char *const nullable[] = {
        "root",     "condition", "system_identifier", "icu_locale",    "comment", "collation_version",
        "snapshot", "database",  "grantee",           "large_objects", "role"};
    for (size_t i = 0; i < ARRAY_SIZE(nullable); i++)
        if (key && strcmp(key, nullable[i]) == 0)
            return;
    assert_refused_with(container, key, index, json_null());
}

static void every_null(void **state)
{
    (void)state;
    walk(document, give_null);
}

static void remove_it(json_t *container, const char *key, size_t index)
{
    (void)index;
    if (key == NULL || strcmp(key, "continues") == 0)
        return;
    json_t *old = json_incref(json_object_get(container, key));
    json_object_del(container, key);
    assert_int_equal(parse_document(), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    json_object_set_new(container, key, old);
}

static void every_member_is_needed(void **state)
{
    (void)state;
    walk(document, remove_it);
}

static void add_member(json_t *container, const char *key, size_t index)
{
    json_t *value = current(container, key, index);
    if (!json_is_object(value) || json_object_get(value, "base64"))
        return;
    json_object_set_new(value, "of a later version", json_array());
    assert_int_equal(parse_document(), 0);
    json_object_del(value, "of a later version");
}

static void additions_are_ignored(void **state)
{
    (void)state;
    walk(document, add_member);
}

/* 2^63 does not even fit JSON's integers here; the least and greatest that do are refused nearly everywhere. */
static void give_extreme_numbers(json_t *container, const char *key, size_t index)
{
    if (!json_is_integer(current(container, key, index)))
        return;
    assert_refused_with(container, key, index, json_integer(INT64_MIN));
    static const char *const counts[] = {"files",    "dirs",    "symlinks",   "others",     "bytes",
                                         "vanished", "changed", "stored_new", "stored_all", "size_bytes"};
    for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
        if (strcmp(key, counts[i]) == 0)
            return;
    if (json_object_get(container, "blobs") == NULL) /* the raw size of the TOC */
        assert_refused_with(container, key, index, json_integer(INT64_MAX));
}

static void every_number(void **state)
{
    (void)state;
    walk(document, give_extreme_numbers);
}

/* Puts the JSON text `value` at a place such as "database.tables[0].rows" and tells the error's message. */
static const char *message_with(const char *place, const char *value)
{
    json_t *container = document, *parsed = json_loads(value, JSON_DECODE_ANY, NULL);
    _cleanup_free_ char *copy = xstrdup(place);
    char *key = copy;
    size_t index;
    assert_non_null(parsed);
    for (;;) {
        size_t len = strcspn(key, ".[");
        char after = key[len];
        key[len] = 0;
        if (after == 0)
            break;
        container = json_object_get(container, key);
        key += len + 1;
        if (after == '[') {
            assert_int_equal(sscanf(key, "%zu", &index), 1);
            key = strchr(key, ']') + 1;
            if (*key == 0) {
                json_array_set_new(container, index, parsed);
                key = NULL;
                break;
            }
            container = json_array_get(container, index);
            key++;
        }
    }
    if (key)
        json_object_set_new(container, key, parsed);
    assert_int_equal(parse_document(), -1);
    return err.message;
}

static void assert_message(const char *place, const char *value, const char *part)
{
    json_t *whole = json_deep_copy(document);
    const char *message = message_with(place, value);
    if (strstr(message, part) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", part, message);
    json_decref(document);
    document = whole;
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
#define HOSTILE_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        HOSTILE_TEST(every_prefix),
        HOSTILE_TEST(every_type),
        HOSTILE_TEST(every_null),
        HOSTILE_TEST(every_member_is_needed),
        HOSTILE_TEST(additions_are_ignored),
        HOSTILE_TEST(every_number),
        HOSTILE_TEST(errors_name_the_place),
        HOSTILE_TEST(what_does_not_fit_together),
        HOSTILE_TEST(odd_texts),
    };
    return cmocka_run_group_tests_name("manifest, hostile", tests, NULL, NULL);
}
