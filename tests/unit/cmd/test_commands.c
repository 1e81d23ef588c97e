/* Commands against a repository in memory: what they print, as text and as JSON. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "finish.h"
#include "harness.h"
#include "kura/clock.h"
#include "kura/doctor.h"
#include "kura/rehearsal.h"

#define REPO "mem:commands"
#define FIRST "20261122T031500Z-misskey-aaaa"
#define SECOND "20261123T031500Z-mastodon-bbbb"

static Config config; /* none */
static char *text;
static int status;

static void run_words(const char *const *words, int n, const char *test)
{
    size_t len;
    Error err = ERROR_INIT;
    Options options;
    Session session;
    Screen screen;
    parse_words(&options, words, n, test);
    FILE *out = open_memstream(&text, &len), *messages = fopen("/dev/null", "w");
    session_init(&session, &options, &config, out);
    screen_init(&screen, messages, session.json);
    int rc = command_run(&session, &err);
    status = close_output(&screen, out, session_finish(&session, &screen, rc, &err));
    screen_done(&screen);
    session_done(&session);
    options_done(&options);
    fclose(messages);
}

/* Runs a command line; its output is then `text` (to be freed), its exit status `status`. */
#define run(...)                                                                                                       \
    run_words((const char *const[]){"kura", __VA_ARGS__, NULL},                                                        \
              (int)(sizeof((const char *const[]){"kura", __VA_ARGS__}) / sizeof(char *)), __func__)

static void assert_output(const char *expected)
{
    assert_string_equal(text, expected);
    free(text);
}

static json_t *take_json(void)
{
    json_error_t why;
    json_t *document = json_loads(text, JSON_REJECT_DUPLICATES, &why);
    if (document == NULL)
        fail_msg("no JSON: %s in %s", why.text, text);
    free(text);
    return document;
}

static void fill_fileset(Manifest *manifest)
{
    manifest->filesets = xcalloc(1, sizeof *manifest->filesets);
    manifest->n_filesets = 1;
    manifest->filesets[0].name = xstrdup("media");
    manifest->filesets[0].root = xstrdup("/srv/\033media");
    manifest->filesets[0].files = 1234;
    manifest->filesets[0].bytes = 5 * 1024 * 1024;
}

static void commit_to(const char *location, const char *id, const char *app, bool files)
{
    Error err = ERROR_INIT;
    Store *store = NULL;
    Repo *repo = NULL;
    Manifest *manifest = manifest_new();
    manifest->id = xstrdup(id);
    manifest->app = xstrdup(app);
    manifest->host = xstrdup("host");
    manifest->kura_version = xstrdup("0.1.0");
    manifest->started = xstrdup("2026-11-22T03:15:00Z");
    manifest->finished = xstrdup("2026-11-22T03:19:12Z");
    manifest->stored_new = 2048;
    manifest->stored_all = 3 * 1024 * 1024;
    strvec_push(&manifest->tags, "nightly");
    if (files)
        fill_fileset(manifest);
    if (store_open(location, NULL, false, &store, &err) < 0 || repo_open(store, &repo, &err) < 0 ||
        manifest_commit(repo, manifest, &err) < 0)
        fail_msg("%s", err.message);
    manifest_free(manifest);
    repo_close(repo);
    store_close(store);
}

static void commit(const char *id, const char *app)
{
    commit_to(REPO, id, app, true);
}

/* What belongs to the backups here is nothing, so that nothing is missing. */
#define WHOLE "mem:whole"
#define OLD "20251122T031500Z-misskey-aaaa"
#define NEWEST "20251123T031500Z-mastodon-bbbb"

static int set_up(void **state)
{
    run("init", "--repo", REPO);
    free(text);
    commit(FIRST, "misskey");
    commit(SECOND, "mastodon");
    run("init", "--repo", WHOLE);
    free(text);
    commit_to(WHOLE, OLD, "misskey", false);
    commit_to(WHOLE, NEWEST, "mastodon", false);
    return status;
}

static int tear_down(void **state)
{
    store_mem_forget("commands");
    store_mem_forget("whole");
    return 0;
}

static void test_list(void **state)
{
    run("list", "--repo", REPO);
    assert_int_equal(status, 0);
    assert_output(
        "id                              database  rows  files     size  stored new  warnings  rehearsed  tags\n" FIRST
        "   -            -  1,234  5.0 MiB     2.0 KiB         -  never      nightly\n" SECOND
        "  -            -  1,234  5.0 MiB     2.0 KiB         -  never      nightly\n");
}

static void test_list_of_app(void **state)
{
    run("list", "--repo", REPO, "--app", "misskey", "--json");
    assert_int_equal(status, 0);
    json_t *document = take_json(), *backups = json_object_get(document, "backups");
    assert_int_equal(json_array_size(backups), 1);
    json_t *backup = json_array_get(backups, 0);
    assert_string_equal(json_string_value(json_object_get(backup, "id")), FIRST);
    assert_int_equal(json_integer_value(json_object_get(backup, "stored_new")), 2048);
    assert_true(json_is_null(json_object_get(backup, "database")));
    json_t *fileset = json_array_get(json_object_get(backup, "filesets"), 0);
    assert_int_equal(json_integer_value(json_object_get(fileset, "bytes")), 5 * 1024 * 1024);
    assert_string_equal(json_string_value(json_object_get(fileset, "root")), "/srv/\033media");
    json_decref(document);
}

/* ---- rehearsals ---- */

#define REHEARSED "mem:rehearsed"
#define REHEARSAL "20261122T041500Z-misskey-cccc"

static void commit_rehearsal(const char *id, const char *backup, time_t started, Verdict verdict)
{
    Error err = ERROR_INIT;
    Store *store = NULL;
    Repo *repo = NULL;
    char moment[32];
    Rehearsal *rehearsal = rehearsal_new();
    clock_format_utc(started, moment, sizeof moment);
    rehearsal->id = xstrdup(id);
    rehearsal->backup = xstrdup(backup);
    rehearsal->app = xstrdup("misskey");
    rehearsal->host = xstrdup("host");
    rehearsal->kura_version = xstrdup("0.1.0");
    rehearsal->started = xstrdup(moment);
    rehearsal->finished = xstrdup(moment);
    rehearsal->backup_started = xstrdup("2026-11-22T03:15:00Z");
    rehearsal->backup_finished = xstrdup("2026-11-22T03:19:12Z");
    rehearsal->restore_seconds = 61.5;
    rehearsal->verdict = verdict;
    if (store_open(REHEARSED, NULL, false, &store, &err) < 0 || repo_open(store, &repo, &err) < 0 ||
        rehearsal_commit(repo, rehearsal, &err) < 0)
        fail_msg("%s", err.message);
    rehearsal_free(rehearsal);
    repo_close(repo);
    store_close(store);
}

static void put_text(const char *key, const char *content)
{
    Error err = ERROR_INIT;
    Store *store = NULL;
    if (store_open(REHEARSED, NULL, false, &store, &err) < 0 ||
        store_put(store, key, content, strlen(content), true, &err) < 0)
        fail_msg("%s", err.message);
    store_close(store);
}

/* Two backups, one of which was rehearsed twice: the later one counts. */
static void make_rehearsed(void)
{
    run("init", "--repo", REHEARSED);
    free(text);
    commit_to(REHEARSED, FIRST, "misskey", true);
    commit_to(REHEARSED, SECOND, "mastodon", true);
    commit_rehearsal("20261122T041400Z-misskey-bbbb", FIRST, time(NULL) - 90000, VERDICT_FAILED);
    commit_rehearsal(REHEARSAL, FIRST, time(NULL) - 3600, VERDICT_FINDINGS);
}

static void test_list_rehearsed(void **state)
{
    make_rehearsed();
    run("list", "--repo", REHEARSED);
    assert_int_equal(status, 0);
    assert_non_null(strstr(text, "  findings, 1 h 00 min ago  nightly\n" SECOND));
    assert_non_null(strstr(text, "  never                     nightly\n"));
    free(text);
    run("list", "--repo", REHEARSED, "--json");
    json_t *document = take_json(), *backups = json_object_get(document, "backups");
    json_t *rehearsal = json_object_get(json_array_get(backups, 0), "rehearsal");
    assert_string_equal(json_string_value(json_object_get(rehearsal, "id")), REHEARSAL);
    assert_string_equal(json_string_value(json_object_get(rehearsal, "verdict")), "findings");
    assert_in_range(json_integer_value(json_object_get(rehearsal, "age")), 3600, 3700);
    assert_true(json_real_value(json_object_get(rehearsal, "restore_seconds")) == 61.5);
    assert_true(json_is_null(json_object_get(json_array_get(backups, 1), "rehearsal")));
    json_decref(document);
    store_mem_forget("rehearsed");
}

/* One that cannot be read is told, and hides neither backups nor the others. */
static void test_list_damaged_rehearsal(void **state)
{
    make_rehearsed();
    put_text("rehearsals/20261122T041600Z-misskey-dddd.json", "{\"kura\": \"rehearsal\", \"version\": 1}");
    run("list", "--repo", REHEARSED, "--json");
    assert_int_equal(status, 3);
    json_t *document = take_json(), *findings = json_object_get(document, "findings");
    assert_int_equal(json_array_size(json_object_get(document, "backups")), 2);
    assert_string_equal(json_string_value(json_object_get(json_array_get(findings, 0), "code")),
                        "rehearsal-unreadable");
    json_decref(document);
    store_mem_forget("rehearsed");
}

static void test_report(void **state)
{
    make_rehearsed();
    run("report", "--repo", REHEARSED);
    assert_int_equal(status, 0);
    assert_int_equal(strncmp(text, "<!doctype html>\n", 16), 0);
    assert_non_null(strstr(text, "<bdi>mastodon</bdi>"));
    assert_non_null(strstr(text, "</html>\n"));
    free(text);
    run("report", "--repo", REHEARSED, "--app", "misskey", "--json");
    assert_int_equal(status, 0);
    json_t *document = take_json(), *report = json_object_get(document, "report");
    json_t *apps = json_object_get(report, "apps"), *app = json_array_get(apps, 0);
    assert_int_equal(json_array_size(apps), 1);
    assert_string_equal(json_string_value(json_object_get(app, "app")), "misskey");
    assert_int_equal(json_array_size(json_object_get(app, "rehearsals")), 2);
    assert_true(json_is_null(json_object_get(app, "last_passed")));
    json_t *backup = json_array_get(json_object_get(app, "backups"), 0);
    assert_string_equal(json_string_value(json_object_get(backup, "id")), FIRST);
    assert_int_equal(json_integer_value(json_object_get(backup, "file_bytes")), 5 * 1024 * 1024);
    assert_string_equal(json_string_value(json_object_get(json_object_get(backup, "rehearsal"), "id")), REHEARSAL);
    json_decref(document);
    store_mem_forget("rehearsed");
}

/* The page replaces what was there, and nothing is left beside it. */
static void test_report_to_a_file(void **state)
{
    struct stat st;
    char dir[] = "/tmp/kura-report-XXXXXX";
    assert_non_null(mkdtemp(dir));
    _cleanup_free_ char *path = xasprintf("%s/page.html", dir), *missing = xasprintf("%s/no/page.html", dir);
    run("report", "--repo", REPO, "--output", path);
    assert_int_equal(status, 0);
    assert_non_null(strstr(text, path));
    free(text);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_true(st.st_size > 10000);
    assert_int_equal(chmod(path, 0644), 0);
    run("report", "--repo", WHOLE, "-o", path);
    free(text);
    off_t before = st.st_size;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0644);
    assert_int_not_equal(st.st_size, before);
    run("report", "--repo", REPO, "--output", missing);
    assert_int_equal(status, 1);
    free(text);
    unlink(path);
    assert_int_equal(rmdir(dir), 0); /* it is empty */
}

static void test_show(void **state)
{
    run("show", "latest", "--repo", REPO, "--app", "misskey");
    assert_int_equal(status, 0);
    assert_output("backup " FIRST "\n"
                  "  made    2026-11-22T03:19:12Z on host, in 4 min 12 s\n"
                  "  files   media: 1,234 files, 5.0 MiB, from /srv/\\x1bmedia\n"
                  "  tags    nightly\n"
                  "  stored  2.0 KiB new of 3.0 MiB\n");
}

static void test_show_what_is_not_there(void **state)
{
    run("show", "latest", "--repo", REPO, "--tables", "--json");
    assert_int_equal(status, 2);
    json_t *document = take_json();
    assert_null(json_object_get(document, "backup"));
    assert_non_null(json_object_get(document, "error"));
    json_decref(document);

    run("show", "2025", "--repo", REPO);
    assert_int_equal(status, 1);
    assert_output("");
}

static void test_no_repository(void **state)
{
    run("list", "--repo", "mem:nothing");
    assert_int_equal(status, 10);
    assert_output("");
    run("list");
    assert_int_equal(status, 2);
    assert_output("");
    run("init", "--repo", REPO);
    assert_int_equal(status, 1);
    assert_output("");
}

/* Wrong use is found before anything is opened or connected to. */
static void test_wrong_use(void **state)
{
    run("backup", "--repo", REPO);
    assert_int_equal(status, 2);
    free(text);
    run("restore", "latest", "--repo", REPO, "--path", "a");
    assert_int_equal(status, 2);
    free(text);
    run("restore", "./x.dump");
    assert_int_equal(status, 2);
    free(text);
    run("restore", "latest", "--repo", REPO, "--db", "", "--only", "files");
    assert_int_equal(status, 2);
    free(text);
    run("restore", "./x.dump", "--db", "", "--files", "a=b");
    assert_int_equal(status, 2);
    free(text);
    run("restore", "latest", "--repo", REPO, "--files", "a=b", "--swap");
    assert_int_equal(status, 2);
    free(text);
    run("remap", "x.dump", "--map", "a=b");
    assert_int_equal(status, 2);
    free(text);
    run("remap", "x.dump", "-o", "y.dump");
    assert_int_equal(status, 2);
    free(text);
}

/* Keys named where they do not belong, and the other way round; nothing is made or written. */
static void test_wrong_use_of_keys(void **state)
{
    run("key", "list", "--repo", REPO);
    assert_int_equal(status, 2);
    assert_output("");
    run("key", "add", "--repo", REPO);
    assert_int_equal(status, 2);
    assert_output("");
    run("key", "remove", "age1", "--repo", REPO);
    assert_int_equal(status, 2);
    assert_output("");
    run("init", "--repo", "mem:keys", "--encrypt");
    assert_int_equal(status, 2);
    assert_output("");
    run("init", "--repo", "mem:keys", "--identity-out", "/nonexistent/identity");
    assert_int_equal(status, 2);
    assert_output("");
    run("init", "--repo", "mem:keys", "--encrypt", "--recipient", "age1nonsense");
    assert_int_equal(status, 2);
    assert_output("");
    run("init", "--repo", "mem:keys", "--encrypt", "--identity-out", "/nonexistent/identity");
    assert_int_equal(status, 1);
    assert_output("");
    run("list", "--repo", "mem:keys");
    assert_int_equal(status, 10);
    assert_output("");
    run("list", "--repo", REPO, "--identity", "/nonexistent/identity");
    assert_int_equal(status, 12);
    assert_output("");
    run("list", "--repo", REPO, "--key-file", "/nonexistent/key");
    assert_int_equal(status, 12);
    assert_output("");
}

static void test_verify(void **state)
{
    run("verify", "--repo", WHOLE);
    assert_int_equal(status, 0);
    assert_output("2 backups verified, no damage found\n"
                  "  blobs  0 (0 B), all there\n"
                  "  data   not read (--read-data reads it)\n");
    run("verify", "latest", OLD, "latest", "--repo", WHOLE, "--read-data", "--json");
    assert_int_equal(status, 0);
    json_t *document = take_json(), *report = json_object_get(document, "verify");
    assert_int_equal(json_array_size(json_object_get(report, "backups")), 2);
    assert_true(json_is_null(json_object_get(report, "orphans")));
    json_decref(document);
    run("verify", "2024", "--repo", WHOLE);
    assert_int_equal(status, 1);
    assert_output("");
}

static void put_manifest(const char *id, const char *content)
{
    Error err = ERROR_INIT;
    Store *store = NULL;
    _cleanup_free_ char *key = xasprintf("backups/%s.json", id);
    if (store_open(WHOLE, NULL, false, &store, &err) < 0 ||
        (content ? store_put(store, key, content, strlen(content), false, &err) : store_delete(store, key, &err)) < 0)
        fail_msg("%s", err.message);
    store_close(store);
}

#define BROKEN "20251124T031500Z-misskey-cccc"

static void test_verify_of_a_broken_backup(void **state)
{
    put_manifest(BROKEN, "{}");
    run("verify", "--repo", WHOLE);
    assert_int_equal(status, 3);
    assert_output("3 backups verified, 1 damaged\n"
                  "  blobs  0 (0 B), all there\n"
                  "  data   not read (--read-data reads it)\n"
                  "damaged backup                 tables  files\n" BROKEN "       0      0  cannot be read\n"
                  "the newest whole backup is " NEWEST "\n");
    run("verify", "--repo", WHOLE, "--json");
    assert_int_equal(status, 3);
    json_t *document = take_json();
    json_t *backup = json_array_get(json_object_get(json_object_get(document, "verify"), "backups"), 2);
    assert_string_equal(json_string_value(json_object_get(backup, "id")), BROKEN);
    assert_true(json_is_false(json_object_get(backup, "ok")));
    json_t *finding = json_array_get(json_object_get(document, "findings"), 0);
    assert_string_equal(json_string_value(json_object_get(finding, "code")), "backup-unreadable");
    json_decref(document);
    run("doctor", "--repo", WHOLE);
    assert_int_equal(status, 3);
    assert_non_null(strstr(text, "error"));
    free(text);
    put_manifest(BROKEN, NULL);
}

static void test_doctor(void **state)
{
    run("doctor", "--repo", WHOLE);
    assert_int_equal(status, 0);
    assert_non_null(strstr(text, "REPO-02   ok       2 backups, the newest is " NEWEST "\n"));
    assert_non_null(strstr(text, "REPO-03   ok       nobody has locked it\n"));
    free(text);
    run("doctor", "--repo", WHOLE, "--json");
    json_t *document = take_json(), *doctor = json_object_get(document, "doctor");
    assert_true(json_is_true(json_object_get(doctor, "reached")));
    assert_string_equal(json_string_value(json_object_get(json_object_get(doctor, "repository"), "cipher")), "none");
    assert_int_equal(json_array_size(json_object_get(document, "findings")), 3);
    assert_int_equal(json_array_size(json_object_get(doctor, "checks")), DOCTOR_COUNT);
    json_t *note = json_array_get(json_object_get(doctor, "findings"), 1);
    assert_string_equal(json_string_value(json_object_get(note, "id")), "REPO-02");
    assert_string_equal(json_string_value(json_object_get(note, "severity")), "note");
    assert_true(json_is_null(json_object_get(note, "remedy")));
    json_decref(document);

    /* a place without a repository is looked at, too */
    run("doctor", "--repo", "mem:nothing");
    assert_int_equal(status, 0);
    assert_non_null(strstr(text, "REPO-01   note     there is no repository in \"mem:nothing\"\n"));
    free(text);
    run("doctor");
    assert_int_equal(status, 2);
    free(text);
}

static void test_doctor_explains(void **state)
{
    run("doctor", "--explain", "stor-01");
    assert_int_equal(status, 0);
    assert_non_null(strstr(text, "STOR-01: the storage does what backups need\n\n"));
    free(text);
    run("doctor", "--explain", "STOR-99");
    assert_int_equal(status, 2);
    free(text);
    run("doctor", "--list", "--json");
    json_t *document = take_json();
    assert_int_equal(json_array_size(json_object_get(document, "checks")), DOCTOR_COUNT);
    json_decref(document);
}

static void test_doctor_and_the_future(void **state)
{
    put_manifest("22221124T031500Z-misskey-dddd", "{}");
    run("doctor", "--repo", WHOLE);
    assert_int_equal(status, 3);
    assert_non_null(strstr(text, "warning  the newest backup is of the future"));
    free(text);
    put_manifest("22221124T031500Z-misskey-dddd", NULL);
}

static void test_help(void **state)
{
    run("help");
    assert_int_equal(status, 0);
    for (size_t i = 0; i < CMD_COUNT; i++)
        assert_non_null(strstr(text, command_specs[i].help));
    free(text);
    run("help", "export", "--json");
    json_t *document = take_json();
    json_t *command = json_array_get(json_object_get(document, "commands"), 0);
    assert_string_equal(json_string_value(json_object_get(command, "arguments")), "ID|latest DIR");
    json_decref(document);
    run("help", "list");
    assert_non_null(strstr(text, "--s3-endpoint URL"));
    assert_null(strstr(text, "s3-secret-key"));
    free(text);
    run("help", "--json");
    assert_null(strstr(text, "s3-secret-key"));
    free(text);
    run("help", "exprt");
    assert_int_equal(status, 2);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_list_of_app),
        cmocka_unit_test(test_list_rehearsed),
        cmocka_unit_test(test_list_damaged_rehearsal),
        cmocka_unit_test(test_report),
        cmocka_unit_test(test_report_to_a_file),
        cmocka_unit_test(test_show),
        cmocka_unit_test(test_show_what_is_not_there),
        cmocka_unit_test(test_no_repository),
        cmocka_unit_test(test_wrong_use),
        cmocka_unit_test(test_wrong_use_of_keys),
        cmocka_unit_test(test_help),
        cmocka_unit_test(test_verify),
        cmocka_unit_test(test_doctor),
        cmocka_unit_test(test_doctor_explains),
        cmocka_unit_test(test_verify_of_a_broken_backup),
        cmocka_unit_test(test_doctor_and_the_future),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
