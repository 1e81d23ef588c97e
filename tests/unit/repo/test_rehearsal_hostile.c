/* Rehearsals that somebody damaged or made up. */
#include "hostile.h"

static int parse_text(const char *text, size_t len)
{
    Rehearsal *rehearsal = NULL;
    int rc = rehearsal_parse(text, len, &rehearsal, &err);
    assert_int_equal(rc == 0, rehearsal != NULL);
    rehearsal_free(rehearsal);
    return rc;
}

static const Hostile rehearsals = {
    .parse = parse_text,
    .nullable = (const char *const[]){"error", "hint", "kept", "newest_row_age", "newest_row_where", "skipped",
                                      "before", "after", "run", NULL},
    .optional = (const char *const[]){NULL},
    .unbounded = (const char *const[]){"checked", "failed", "rows", "bytes", "files", "sampled_files", "sampled_bytes",
                                       "before", "after", "estimated_bytes", "database_bytes", NULL},
    .places = 100,
};

static int set_up(void **state)
{
    Rehearsal *sample = sample_rehearsal();
    document = rehearsal_to_json(sample);
    rehearsal_free(sample);
    hostile = &rehearsals;
    return fixture_set_up(state);
}

static int tear_down(void **state)
{
    json_decref(document);
    return fixture_tear_down(state);
}

static void errors_name_the_place(void **state)
{
    (void)state;
    assert_message("kura", "\"manifest\"", "manifest");
    assert_message("version", "2", "version 2");
    assert_message("id", "\"../../kura\"", "\"id\" that is no id");
    assert_message("backup", "\"latest\"", "\"backup\" that is no id");
    assert_message("started", "\"yesterday\"", "\"started\" that is no moment");
    assert_message("backup_finished", "\"2026-11-22\"", "\"backup_finished\" that is no moment");
    assert_message("verdict", "\"fine\"", "unknown verdict: \"fine\"");
    assert_message("seconds", "\"1\"", "seconds is not a number");
    assert_message("seconds", "-0.001", "seconds is out of range");
    assert_message("seconds", "1e300", "seconds is out of range");
    assert_message("newest_row_age", "-1", "newest_row_age is out of range");
    assert_message("backup_age", "-5e9", "backup_age is out of range");
    assert_message("server_version_num", "2147483648", "server_version_num is out of range");
    assert_message("findings[0].severity", "\"fatal\"", "findings[0] has an unknown severity");
    assert_message("run.changes[1].kind", "\"moved\"", "run.changes[1] has an unknown kind");
    assert_message("run.status", "256", "run.status is out of range");
    assert_message("run.rows[0].after", "-1", "run.rows[0].after is out of range");
    assert_message("tables[1].rows", "1.5", "tables[1].rows is not an integer");
    assert_message("host", "{\"base64\": \"YQBi\"}", "host is no text: a text holds a zero byte");
}

static void an_endless_output(void **state)
{
    (void)state;
    json_t *run = json_object_get(document, "run");
    _cleanup_free_ char *text = xmalloc(REHEARSAL_OUTPUT_MAX + 2);
    memset(text, 'x', REHEARSAL_OUTPUT_MAX + 1);
    text[REHEARSAL_OUTPUT_MAX] = 0;
    json_object_set_new(run, "output", json_string(text));
    assert_int_equal(parse_document(), 0);
    memcpy(text + REHEARSAL_OUTPUT_MAX, "x", 2);
    json_object_set_new(run, "output", json_string(text));
    assert_int_equal(parse_document(), -1);
    assert_non_null(strstr(err.message, "run has an output of more than 262144 bytes"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOSTILE_TESTS(set_up, tear_down),
        HOSTILE_TEST(errors_name_the_place, set_up, tear_down),
        HOSTILE_TEST(an_endless_output, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("rehearsal, hostile", tests, NULL, NULL);
}
