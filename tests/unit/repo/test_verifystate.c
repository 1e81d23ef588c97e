/* The state of verification: as an object, its cycles, its damages. */
#include "fixture.h"

#include <stdio.h>

static void test_round_trip(void **state)
{
    VerifyState sample, loaded;
    sample_verifystate(&sample);
    assert_int_equal(verifystate_save(repo, &sample, &err), 0);
    assert_int_equal(count_objects("verify/state.json"), 1);
    assert_int_equal(verifystate_load(repo, &loaded, &err), 0);
    json_t *first = verifystate_to_json(&sample), *second = verifystate_to_json(&loaded);
    assert_true(json_equal(first, second));
    json_decref(first);
    json_decref(second);
    assert_string_equal(loaded.damages[0].object, "blobs/aa/aa.zst");
    assert_string_equal(verifystate_damage(&loaded, "blobs/bb/bb.tar")->affected.v[0], "file media/caf\xe9");
    assert_null(verifystate_damage(&loaded, "blobs/bb/bb.zst"));
    assert_true(verifycycle_share(verifystate_cycle(&loaded, NULL)) == 0.25);
    assert_int_equal(verifycycle_completed(verifystate_cycle(&loaded, NULL)), 1792000001);
    assert_int_equal(verifycycle_completed(verifystate_cycle(&loaded, "caf\xe9")), 0);
    assert_null(verifystate_cycle(&loaded, "other"));
    verifystate_done(&sample);
    verifystate_done(&loaded);
}

static void test_none(void **state)
{
    VerifyState loaded;
    assert_int_equal(verifystate_load(repo, &loaded, &err), 0);
    assert_int_equal(loaded.updated, 0);
    verifystate_done(&loaded);
}

static void test_damaged(void **state)
{
    VerifyState loaded;
    put_object("verify/state.json", "{\"kura\": \"verify-state\", \"version\": 1}");
    assert_int_equal(verifystate_load(repo, &loaded, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    assert_non_null(strstr(err.message, "verify/state.json"));
}

static void test_bounds(void **state)
{
    VerifyState full = {0};
    for (int i = 0; i <= VERIFYSTATE_DAMAGES_MAX; i++) {
        char object[32];
        snprintf(object, sizeof object, "blobs/%d", i);
        verifystate_add_damage(&full, object, "blob-missing", 1 + i);
    }
    assert_int_equal(full.n_damages, VERIFYSTATE_DAMAGES_MAX);
    assert_true(full.more_damages);
    assert_int_equal(verifystate_add_damage(&full, "blobs/7", "blob-damaged", 99999)->since, 8); /* it stays */
    for (int i = 0; i <= VERIFYSTATE_CYCLES_MAX; i++) {
        char app[32];
        snprintf(app, sizeof app, "app%d", i);
        VerifyCycle *cycle = verifystate_want_cycle(&full, app);
        for (int j = 0; j <= VERIFYSTATE_COMPLETED_MAX; j++)
            verifycycle_complete(cycle, &(VerifyCompleted){1, 2 + j, 3, 4});
    }
    assert_int_equal(full.n_cycles, VERIFYSTATE_CYCLES_MAX);
    assert_null(verifystate_cycle(&full, "app0"));
    full.updated = 1;
    assert_int_equal(verifystate_save(repo, &full, &err), 0);
    verifystate_done(&full);
    assert_int_equal(verifystate_load(repo, &full, &err), 0);
    assert_int_equal(full.n_damages, VERIFYSTATE_DAMAGES_MAX);
    assert_int_equal(verifystate_cycle(&full, "app7")->n_completed, VERIFYSTATE_COMPLETED_MAX);
    assert_int_equal(verifycycle_completed(verifystate_cycle(&full, "app7")), 2 + VERIFYSTATE_COMPLETED_MAX);
    verifystate_done(&full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        REPO_TEST(test_round_trip),
        REPO_TEST(test_none),
        REPO_TEST(test_damaged),
        REPO_TEST(test_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
