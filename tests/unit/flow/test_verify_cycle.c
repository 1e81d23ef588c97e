/* The reading of everything, a share each night: each blob once a cycle, whatever comes and goes meanwhile. */
#include "../repo/fixture.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>

#include "kura/verify.h"

enum { BLOBS = 300, BLOB_BYTES = 2000 };

/* Runs are an hour apart. Takes the place of the C library's. */
static time_t hours;

time_t time(time_t *ret)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (ret)
        *ret = now.tv_sec + hours * 3600;
    return now.tv_sec + hours * 3600;
}

/* Blobs that a backup names directly, so that nothing but the reading of data reads them. */
static Manifest *manifest;
static size_t n_made;

static void add_blob(void)
{
    ManifestDatabase *database = &manifest->database;
    uint32_t raw[BLOB_BYTES / 4];
    Buf frame = BUF_INIT(BLOB_STORED_MAX);
    for (size_t i = 0; i < ARRAY_SIZE(raw); i++)
        raw[i] = (uint32_t)(n_made * 7919 + i) * 2654435761u;
    assert_int_equal(repo_compress(repo, raw, BLOB_BYTES / 4 + n_made++ % 7 * 200, &frame, &err), 0);
    database->toc = xreallocarray(database->toc, database->n_toc + 1, sizeof *database->toc);
    assert_int_equal(blob_put(repo, BLOB_ZSTD, frame.data, frame.len, &database->toc[database->n_toc++], NULL, &err),
                     0);
    buf_done(&frame);
}

static void object_key(char key[128], const char *id)
{
    snprintf(key, 128, "backups/%s.json", id);
}

/* In the place of the backup before. */
static void commit(void)
{
    char key[128];
    object_key(key, manifest->id);
    assert_int_equal(store_delete(store, key, &err), 0);
    if (manifest_commit(repo, manifest, &err) < 0)
        fail_msg("%s", err.message);
}

static int set_up(void **state)
{
    if (fixture_set_up(state) < 0)
        return -1;
    manifest = sample_manifest();
    ManifestDatabase *database = &manifest->database;
    for (size_t i = 0; i < manifest->n_filesets; i++)
        manifest->filesets[i].n_index = manifest->filesets[i].files = manifest->filesets[i].dirs =
            manifest->filesets[i].symlinks = manifest->filesets[i].bytes = 0;
    ManifestFileset *large = &database->large_objects;
    large->n_index = large->files = large->dirs = large->symlinks = large->bytes = 0;
    for (size_t i = 0; i < database->n_tables; i++) {
        database->tables[i].n_segments = 0;
        database->tables[i].digest = (RowDigest){0};
    }
    database->n_toc = 0;
    for (size_t i = 0; i < BLOBS; i++)
        add_blob();
    commit();
    hours = 0;
    return 0;
}

static int tear_down(void **state)
{
    manifest_free(manifest);
    return fixture_tear_down(state);
}

/* How often a blob was read since requests were forgotten. */
static int times_read(const BlobRef *ref)
{
    char key[BLOB_KEY_SIZE], request[BLOB_KEY_SIZE + 4];
    blob_key(repo, ref, key);
    snprintf(request, sizeof request, "GET %s", key);
    return n_requests(request);
}

static VerifyReport report;
static size_t readers = 3;

/* Returns what verify_run does. */
static int night(double percent)
{
    Findings findings = FINDINGS_INIT;
    verify_report_done(&report);
    hours++;
    int rc = verify_run(repo, &(VerifyOptions){.percent = percent, .jobs = readers}, &report, &findings, NULL, &err);
    for (size_t i = 0; rc == 0 && i < findings.n; i++)
        if (findings.v[i].severity >= FINDING_WARNING && strcmp(findings.v[i].code, "blob-damaged") != 0)
            fail_msg("%s", findings.v[i].message);
    findings_done(&findings);
    return rc;
}

static void nights_until_complete(double percent, int at_most)
{
    time_t before = report.cycle_completed;
    int n = 0;
    do {
        assert_true(++n <= at_most);
        assert_int_equal(night(percent), 0);
    } while (report.cycle_completed == before);
}

static void assert_each_read_once(size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        assert_int_equal(times_read(&manifest->database.toc[i]), 1);
}

static void test_thirty_nights(void **state)
{
    report = (VerifyReport){0};
    for (int cycle = 0; cycle < 2; cycle++) {
        forget_requests();
        nights_until_complete(3.4, 30);
        assert_each_read_once(0, BLOBS);
        assert_int_equal(report.cycle_started, 0);
    }
    assert_int_equal(night(3.4), 0); /* and so on */
    assert_true(report.cycle_started > 0 && report.cycle_share > 0.03 && report.cycle_share < 0.05);
    verify_report_done(&report);
}

/* Each night a blob is added and one goes. What is there all the time is read once; nothing twice. */
static void test_change(void **state)
{
    report = (VerifyReport){0};
    forget_requests();
    for (int i = 0; i < 40; i++) {
        ManifestDatabase *database = &manifest->database;
        assert_int_equal(night(3.4), 0);
        if (report.cycle_completed)
            break;
        memmove(&database->toc[100], &database->toc[101], (database->n_toc - 101) * sizeof *database->toc);
        database->n_toc--;
        add_blob();
        commit();
    }
    assert_true(report.cycle_completed > 0);
    assert_each_read_once(0, 100);
    assert_each_read_once(150, BLOBS - 50);
    for (size_t i = 0; i < manifest->database.n_toc; i++)
        assert_true(times_read(&manifest->database.toc[i]) <= 1);
    verify_report_done(&report);
}

/* Everything, from the middle of a cycle on: each blob once, and the next share begins anew. */
static void test_everything(void **state)
{
    report = (VerifyReport){0};
    assert_int_equal(night(30), 0);
    assert_int_equal(night(30), 0);
    forget_requests();
    assert_int_equal(night(100), 0);
    assert_each_read_once(0, BLOBS);
    assert_int_equal(report.cycle_started, 0);
    assert_true(report.cycle_completed > 0);
    verify_report_done(&report);
}

static atomic_int gets_left;

static int fail_after(const char *key, Error *e)
{
    if (strncmp(key, "blobs/", 6) == 0 && gets_left-- <= 0)
        return error_set(e, ERR_CONNECTION, "the line went dead");
    return 0;
}

/* An interrupted run leaves how far it came; what it read is not read again, but for what was in flight: with one
 * reader a single blob. */
static void test_interrupted(void **state)
{
    report = (VerifyReport){0};
    forget_requests();
    before_get = fail_after;
    gets_left = 100;
    readers = 1;
    assert_int_equal(night(100), -1);
    assert_string_equal(err.message, "reading a blob: the line went dead");
    before_get = NULL;
    VerifyState left;
    assert_int_equal(verifystate_load(repo, &left, &err), 0);
    const VerifyCycle *cycle = verifystate_cycle(&left, NULL);
    assert_true(cycle->started > 0 && cycle->read_blobs == 100);
    verifystate_done(&left);
    nights_until_complete(25, 4);
    int twice = 0;
    for (size_t i = 0; i < BLOBS; i++) {
        int times = times_read(&manifest->database.toc[i]);
        assert_true(times == 1 || times == 2);
        twice += times == 2;
    }
    assert_true(twice <= 1);
    readers = 3;
    verify_report_done(&report);
}

/* Another host verifies while this one does: the state never goes back. */
static int other_host(const char *key, Error *e)
{
    (void)e;
    static bool busy;
    if (strncmp(key, "blobs/", 6) != 0 || busy || gets_left-- != 0)
        return 0;
    busy = true;
    VerifyReport theirs;
    Findings findings = FINDINGS_INIT;
    Error trouble = ERROR_INIT;
    assert_int_equal(verify_run(repo, &(VerifyOptions){.percent = 60, .jobs = 1}, &theirs, &findings, NULL, &trouble),
                     0);
    verify_report_done(&theirs);
    findings_done(&findings);
    busy = false;
    return 0;
}

static void test_two_hosts(void **state)
{
    report = (VerifyReport){0};
    assert_int_equal(night(5), 0);
    before_get = other_host;
    gets_left = 10;
    assert_int_equal(night(10), 0);
    before_get = NULL;
    assert_true(report.cycle_share >= 0.65);
    verify_report_done(&report);
}

/* A damage is known until it is gone, and is looked at each time. */
static void test_damage(void **state)
{
    char key[BLOB_KEY_SIZE];
    Buf data = BUF_INIT(BLOB_STORED_MAX);
    VerifyState known;
    report = (VerifyReport){0};
    blob_key(repo, &manifest->database.toc[7], key);
    assert_int_equal(store_get(store, key, 0, UINT64_MAX, &data, &err), 0);
    data.data[20] ^= 1;
    assert_int_equal(store_put(store, key, data.data, data.len, false, &err), 0);
    assert_int_equal(night(100), 0);
    assert_int_equal(report.n_damages, 1);
    time_t since = report.damages[0].since;
    assert_int_equal(night(0), 0);
    assert_int_equal(report.n_damages, 1);
    assert_int_equal(report.damages[0].since, since);
    assert_int_equal(verifystate_load(repo, &known, &err), 0);
    assert_int_equal(known.n_damages, 1);
    assert_string_equal(known.damages[0].object, key);
    assert_string_equal(known.damages[0].affected.v[0], "table of contents");
    assert_string_equal(known.damages[0].backups.v[0], SAMPLE_ID);
    verifystate_done(&known);
    data.data[20] ^= 1;
    assert_int_equal(store_put(store, key, data.data, data.len, false, &err), 0);
    assert_int_equal(night(0), 0);
    assert_int_equal(report.n_damages, 0);
    assert_int_equal(verifystate_load(repo, &known, &err), 0);
    assert_int_equal(known.n_damages, 0);
    verifystate_done(&known);
    buf_done(&data);
    verify_report_done(&report);
}

static void test_damaged_state(void **state)
{
    Findings findings = FINDINGS_INIT;
    put_object("verify/state.json", "{");
    assert_int_equal(verify_run(repo, &(VerifyOptions){.percent = 10, .jobs = 1}, &report, &findings, NULL, &err), 0);
    assert_int_equal(findings.n, 1);
    assert_string_equal(findings.v[0].code, "verify-state");
    findings_done(&findings);
    verify_report_done(&report);
    assert_int_equal(night(10), 0);
    assert_true(report.cycle_share > 0.2);
    verify_report_done(&report);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_thirty_nights), TEST(test_change), TEST(test_everything),    TEST(test_interrupted),
        TEST(test_two_hosts),     TEST(test_damage), TEST(test_damaged_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
