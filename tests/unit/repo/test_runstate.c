/* What a host remembers of its runs. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../store/tempdir.h"
#include "hostile.h"
#include "jsonnode_priv.h"
#include "kura/runstate.h"

DEFINE_CLEANUP(RunState, runstate_free)

enum { TEXT_MAX = 1 << 20 };

static RunRecord sample_record(int status)
{
    return (RunRecord){
        .started = (char *)"2026-11-22T03:15:00Z",
        .finished = (char *)"2026-11-22T03:17:42Z",
        .seconds = 162.5,
        .pid = 4711,
        .status = status,
        .error = status ? (char *)"no space left" : NULL,
        .repository = (char *)"s3://bucket/kura",
        .backup = status ? NULL : (char *)SAMPLE_ID,
        .warnings = 2,
        .rows = 12345678,
        .row_bytes = 9000000000,
        .files = 70000,
        .file_bytes = 123456789012,
        .new_bytes = 4096,
        .backup_bytes = 987654321,
        .repository_bytes = 1987654321,
    };
}

static int parse_text(const char *text, size_t len)
{
    RunState *state = NULL;
    int rc = runstate_parse(text, len, &state, &err);
    assert_int_equal(rc == 0, state != NULL);
    runstate_free(state);
    return rc;
}

static const Hostile states = {
    .parse = parse_text,
    .nullable = (const char *const[]){"finished", "error", "repository", "backup", "verdict", "last", "good", NULL},
    .optional = (const char *const[]){NULL},
    .unbounded = (const char *const[]){"warnings", "rows", "row_bytes", "files", "file_bytes", "new_bytes",
                                       "backup_bytes", "repository_bytes", NULL},
    .places = 100,
};

/* A document with everything in it. */
static int set_up_document(void **state)
{
    RunRecord good = sample_record(0), failed = sample_record(1);
    good.verdict = (char *)"findings";
    RunState sample = {.app = (char *)"caf\xe9"};
    for (RunKind kind = 0; kind < RUN_KINDS; kind++)
        sample.runs[kind] = (RunHistory){.has_last = true, .last = failed, .has_good = true, .good = good};
    _cleanup_(buf_done) Buf text = BUF_INIT(TEXT_MAX);
    assert_int_equal(runstate_format(&sample, &text, &err), 0);
    document = json_loadb((const char *)text.data, text.len, 0, NULL);
    hostile = &states;
    return document ? 0 : -1;
}

static int tear_down_document(void **state)
{
    json_decref(document);
    return 0;
}

static void errors_name_the_place(void **state)
{
    assert_message("kura", "\"manifest\"", "manifest");
    assert_message("backup.last.status", "256", "backup.last.status is out of range");
    assert_message("backup.last.pid", "0", "backup.last.pid is out of range");
    assert_message("verify.good.started", "\"yesterday\"", "verify.good has a member \"started\" that is no moment");
    assert_message("prune.last.started", "null", "prune.last has a member \"started\" that is no moment");
    assert_message("rehearse.good.verdict", "\"fine\"", "rehearse.good has an unknown verdict");
    assert_message("copy.last.new_bytes", "-1", "copy.last.new_bytes is out of range");
}

static RunState *load(const char *dir, const char *app)
{
    RunState *loaded = NULL;
    if (runstate_load(dir, app, &loaded, &err) < 0)
        fail_msg("%s", err.message);
    return loaded;
}

static void record(const char *dir, const char *app, RunKind kind, const RunRecord *run)
{
    if (runstate_record(dir, app, kind, run, &err) < 0)
        fail_msg("%s", err.message);
}

static void a_failed_run_forgets_no_good_one(void **state)
{
    _cleanup_free_ char *dir = xasprintf("%s/deep/state", (const char *)*state);
    RunRecord good = sample_record(0), failed = sample_record(1);
    assert_int_equal(runstate_load(dir, "misskey", &(RunState *){NULL}, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    record(dir, "misskey", RUN_BACKUP, &good);
    record(dir, "misskey", RUN_BACKUP, &failed);
    record(dir, "misskey", RUN_VERIFY, &failed);
    _cleanup_(runstate_free_cleanup) RunState *loaded = load(dir, "misskey");
    const RunHistory *backups = &loaded->runs[RUN_BACKUP];
    assert_true(backups->has_last && backups->has_good);
    assert_int_equal(backups->last.status, 1);
    assert_string_equal(backups->last.error, "no space left");
    assert_null(backups->last.backup);
    assert_int_equal(backups->good.status, 0);
    assert_string_equal(backups->good.backup, SAMPLE_ID);
    assert_int_equal(backups->good.file_bytes, 123456789012);
    assert_true(loaded->runs[RUN_VERIFY].has_last && !loaded->runs[RUN_VERIFY].has_good);
    assert_false(loaded->runs[RUN_PRUNE].has_last);
}

static void what_is_good(void **state)
{
    RunRecord warned = sample_record(3), running = sample_record(0), locked = sample_record(11);
    running.finished = NULL;
    running.pid = getpid();
    assert_true(run_record_good(RUN_BACKUP, &warned));
    assert_false(run_record_good(RUN_VERIFY, &warned));
    assert_false(run_record_good(RUN_BACKUP, &locked));
    assert_false(run_record_good(RUN_BACKUP, &running));
    assert_false(run_record_killed(&running));
    assert_false(run_record_killed(&warned));
    running.pid = INT32_MAX; /* greater than any process's */
    assert_true(run_record_killed(&running));
}

static mode_t mode_of(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 07777;
}

static void names_of_files(void **state)
{
    const char *dir = *state;
    RunRecord good = sample_record(0);
    umask(077);
    record(dir, "../evil", RUN_BACKUP, &good);
    record(dir, ".hidden", RUN_BACKUP, &good);
    record(dir, NULL, RUN_VERIFY, &good);
    record(dir, "@", RUN_VERIFY, &good);
    _cleanup_free_ char *path = xasprintf("%s/%%2e.%%2fevil.json", dir);
    assert_int_equal(mode_of(path), 0640);
    RunState **all;
    size_t n, bad;
    assert_int_equal(runstate_load_all(dir, &all, &n, &bad, &err), 0);
    assert_int_equal(n, 4);
    assert_int_equal(bad, 0);
    assert_string_equal(all[0]->app, "");
    assert_string_equal(all[1]->app, "../evil");
    assert_string_equal(all[2]->app, ".hidden");
    assert_string_equal(all[3]->app, "@");
    runstates_free(all, n);
}

static void put_text(const char *dir, const char *name, const char *text)
{
    _cleanup_free_ char *path = xasprintf("%s/%s", dir, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void a_damaged_document_is_begun_anew(void **state)
{
    const char *dir = *state;
    RunRecord good = sample_record(0);
    put_text(dir, "shop.json", "{\"kura\": \"run-");
    put_text(dir, "notes.txt", "not one");
    RunState **all;
    size_t n, bad;
    assert_int_equal(runstate_load_all(dir, &all, &n, &bad, &err), 0);
    assert_int_equal(n, 0);
    assert_int_equal(bad, 1);
    runstates_free(all, n);
    record(dir, "shop", RUN_BACKUP, &good);
    _cleanup_(runstate_free_cleanup) RunState *loaded = load(dir, "shop");
    assert_true(loaded->runs[RUN_BACKUP].has_good);
}

static void one_of_a_newer_kura_stays(void **state)
{
    const char *dir = *state;
    RunRecord good = sample_record(0);
    put_text(dir, "shop.json", "{\"kura\": \"run-state\", \"version\": 99}");
    assert_int_equal(runstate_record(dir, "shop", RUN_BACKUP, &good, &err), -1);
    assert_int_equal(err.code, ERR_UNSUPPORTED);
}

static int make_dir(void **state)
{
    *state = tempdir_new();
    return 0;
}

static int remove_dir(void **state)
{
    tempdir_remove(*state);
    free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOSTILE_TESTS(set_up_document, tear_down_document),
        cmocka_unit_test_setup_teardown(errors_name_the_place, set_up_document, tear_down_document),
        cmocka_unit_test(what_is_good),
        cmocka_unit_test_setup_teardown(a_failed_run_forgets_no_good_one, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(names_of_files, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(a_damaged_document_is_begun_anew, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(one_of_a_newer_kura_stays, make_dir, remove_dir),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
