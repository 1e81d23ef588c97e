/* States of verification that somebody damaged or made up. */
#include "hostile.h"

static int parse_text(const char *text, size_t len)
{
    VerifyState state = {0};
    int rc = verifystate_parse(text, len, &state, &err);
    assert_int_equal(rc == 0, state.host != NULL);
    verifystate_done(&state);
    return rc;
}

static const Hostile states = {
    .parse = parse_text,
    .nullable = (const char *const[]){"app", "started", "cursor", NULL},
    .optional = (const char *const[]){NULL},
    .unbounded = (const char *const[]){"done_bytes", "all_bytes", "read_blobs", "read_bytes", "blobs", "bytes", NULL},
    .places = 30,
};

static int set_up(void **state)
{
    VerifyState sample;
    sample_verifystate(&sample);
    document = verifystate_to_json(&sample);
    verifystate_done(&sample);
    hostile = &states;
    return fixture_set_up(state);
}

static int tear_down(void **state)
{
    json_decref(document);
    return fixture_tear_down(state);
}

static void errors_name_the_place(void **state)
{
    assert_message("kura", "\"manifest\"", "manifest");
    assert_message("version", "2", "version 2");
    assert_message("updated", "\"soon\"", "\"updated\" that is no moment");
    assert_message("cycles[0].cursor", "\"77\"", "cycles[0] has a cursor that is no hash");
    assert_message("cycles[1].app", "null", "cycles[1] is of an application that has one already");
    assert_message("damages[0].object", "\"../../etc/passwd\"", "damages[0] names no object");
    assert_message("damages[1].object", "\"blobs/aa/aa.zst\"", "damages[1] is out of order");
    assert_message("damages[0].code", "\"fine\"", "unknown code");
    assert_message("damages[0].since", "\"1970-01-01T00:00:00Z\"", "no moment");
    assert_message("damages[0].backups",
                   "[\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\","
                   "\"a\",\"a\",\"a\",\"a\",\"a\"]",
                   "more than 20");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOSTILE_TESTS(set_up, tear_down),
        HOSTILE_TEST(errors_name_the_place, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("state of verification, hostile", tests, NULL, NULL);
}
