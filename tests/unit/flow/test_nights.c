/* Backups night after night into a store that is, or seems, remote: what each of them asks it for. */
#include "../repo/fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "kura/backup.h"
#include "kura/cache.h"
#include "kura/fileset.h"
#include "kura/repokeys.h"
#include "scratch.h"
#include "store_priv.h"

/* Nights are a second apart, so that the ids of backups are in order. Takes the place of the C library's. */
static time_t nights;

time_t time(time_t *ret)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (ret)
        *ret = now.tv_sec + nights;
    return now.tv_sec + nights;
}

static char *dir, *source, *cache_dir;
static Findings findings;

static void save(const char *name, const char *text)
{
    _cleanup_free_ char *path = xasprintf("%s/%s", source, name);
    file_save(path, text, strlen(text));
}

static int set_up(void **state)
{
    if (fixture_set_up(state) < 0)
        return -1;
    store->remote = true;
    dir = scratch_new();
    source = xasprintf("%s/source", dir);
    cache_dir = xasprintf("%s/cache", dir);
    findings = (Findings)FINDINGS_INIT;
    assert_int_equal(mkdir(source, 0700), 0);
    for (int i = 0; i < 40; i++) {
        char name[32];
        snprintf(name, sizeof name, "file-%d", i);
        save(name, name);
    }
    _cleanup_free_ char *large = xmalloc(3 * 1024 * 1024 + 1);
    memset(large, 'x', 3 * 1024 * 1024);
    large[3 * 1024 * 1024] = 0;
    save("large", large);
    return 0;
}

/* An encrypted repository; this host cannot read it. */
static int set_up_encrypted(void **state)
{
    if (set_up(state) < 0)
        return -1;
    AgeRecipient recipient;
    AgeIdentities *identities = age_identities_new();
    _cleanup_free_ char *key_file = xasprintf("%s/key", dir);
    const RepoAccess access = {.use = REPO_WRITE, .key_file = key_file};
    age_identities_recipient(identities, 0, &recipient);
    age_identities_free(identities);
    repo_close(repo);
    if (store_delete(store, "kura.json", &err) < 0 ||
        repo_create_encrypted(store, NULL, &recipient, 1, key_file, &err) < 0 ||
        repo_open_with(store, &access, &repo, &err) < 0)
        fail_msg("%s", err.message);
    return 0;
}

static int tear_down(void **state)
{
    findings_done(&findings);
    free(source);
    free(cache_dir);
    scratch_remove(dir);
    return fixture_tear_down(state);
}

/* What a test says of a night. */
typedef struct Night {
    bool no_cache, ask_always;
    const char *app, *fileset;
    const char *finding; /* the one that is expected */
} Night;

/* Makes a backup; only its requests are counted. Its id, to be freed. */
static char *night(Night n)
{
    Manifest *manifest;
    Progress progress = PROGRESS_INIT;
    struct BackupFiles files = {.name = n.fileset ? n.fileset : "media", .dir = source};
    BackupOptions options = {.app = n.app ? n.app : "site",
                             .files = &files,
                             .n_files = 1,
                             .jobs = 1, /* what goes into which pack depends on who reads it */
                             .cache_dir = n.no_cache ? NULL : cache_dir,
                             .ask_always = n.ask_always};
    forget_requests();
    findings_done(&findings);
    if (backup_run(repo, &options, &manifest, &findings, &progress, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(findings.n, n.finding != NULL);
    if (n.finding)
        assert_string_equal(findings.v[0].code, n.finding);
    char *id = xstrdup(manifest->id);
    nights++;
    manifest_free(manifest);
    return id;
}

#define NIGHT(...)                                                                                                     \
    do {                                                                                                               \
        char *id_ = night((Night){__VA_ARGS__});                                                                       \
        free(id_);                                                                                                     \
    } while (0)

static void assert_requests(const char *prefix, int n)
{
    if (n_requests(prefix) == n)
        return;
    _cleanup_free_ char *text = requests_text();
    fail_msg("not %d, but %d times \"%s\" in:\n%s", n, n_requests(prefix), prefix, text);
}

/* That the newest backup has all of the source. */
static void assert_restores(void)
{
    _cleanup_free_ char *id = NULL, *target = xasprintf("%s/target", dir);
    Manifest *manifest;
    FilesetRestoreStats stats;
    const FilesetRestoreOptions options = {.jobs = 2};
    assert_int_equal(manifest_resolve(repo, "latest", NULL, &id, &err), 0);
    assert_int_equal(manifest_load(repo, id, &manifest, &err), 0);
    if (fileset_restore(repo, &manifest->filesets[0], target, &options, &stats, &findings, NULL, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(findings.n, 0);
    manifest_free(manifest);
    Buf out = RUN("diff", "-r", source, target);
    buf_done(&out);
    out = RUN("rm", "-rf", target);
    buf_done(&out);
}

/* The only name in the cache that ends so; to be freed. */
static char *cached(const char *suffix)
{
    _cleanup_free_ char *pattern = xasprintf("*%s", suffix);
    Buf out = RUN("find", cache_dir, "-type", "f", "-name", pattern);
    char *path = xstrndup(buf_str(&out), strcspn(buf_str(&out), "\n"));
    buf_done(&out);
    return path;
}

static size_t count_cached(const char *suffix)
{
    _cleanup_free_ char *pattern = xasprintf("*%s", suffix);
    Buf out = RUN("find", cache_dir, "-type", "f", "-name", pattern);
    size_t n = 0;
    for (const char *at = buf_str(&out); *at; at++)
        n += *at == '\n';
    buf_done(&out);
    return n;
}

/* --- */

static void the_first_night_lists_and_does_not_ask(void **state)
{
    (void)state;
    NIGHT(.no_cache = true);
    assert_requests("LIST blobs/", 1);
    assert_requests("HEAD blobs/", 0);
    assert_requests("PUT blobs/", 3); /* pack, chunk, index */
    assert_restores();
}

static ErrorCode lost_answer;
static int no_answer(const char *key, Error *e)
{
    return strncmp(key, "backups/", 8) == 0 ? error_set(e, lost_answer, "no answer") : 0;
}

static int no_manifest(const char *key, Error *e)
{
    return strncmp(key, "backups/", 8) == 0 ? error_set(e, ERR_IO, "pulled the plug") : 0;
}

static void assert_fails(void)
{
    Manifest *manifest;
    struct BackupFiles files = {.name = "media", .dir = source};
    const BackupOptions options = {.app = "site", .files = &files, .n_files = 1, .jobs = 1};
    assert_int_equal(backup_run(repo, &options, &manifest, &findings, NULL, &err), -1);
    assert_int_equal(count_objects("locks/"), 0);
}

/* The manifest is there, and nobody was told: the error says that it may be, and the next night builds on it. */
static void a_commit_without_an_answer_is_told(void **state)
{
    static const ErrorCode codes[] = {ERR_IO, ERR_CONNECTION};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
        lost_answer = codes[i];
        after_put = no_answer;
        assert_fails();
        after_put = NULL;
        assert_int_equal(err.code, codes[i]);
        assert_non_null(strstr(err.hint, "may be in the repository all the same"));
        assert_int_equal(count_objects("backups/"), i + 1);
        assert_restores();
        nights++;
    }
    before_put = no_manifest;
    assert_fails();
    before_put = NULL;
    assert_null(strstr(err.hint, "may be in the repository"));
    NIGHT(.fileset = NULL);
    assert_requests("PUT blobs/", 0);
    assert_int_equal(count_objects("backups/"), 3);
}

static void an_interrupted_first_night_is_not_sent_again(void **state)
{
    (void)state;
    Manifest *manifest;
    Progress progress = PROGRESS_INIT;
    struct BackupFiles files = {.name = "media", .dir = source};
    BackupOptions options = {.app = "site", .files = &files, .n_files = 1, .jobs = 1};
    before_put = no_manifest;
    assert_int_equal(backup_run(repo, &options, &manifest, &findings, &progress, &err), -1);
    before_put = NULL;
    assert_int_equal(count_objects("blobs/"), 3);
    forget_requests();
    if (backup_run(repo, &options, &manifest, &findings, &progress, &err) < 0)
        fail_msg("%s", err.message);
    assert_requests("PUT blobs/", 0);
    assert_requests("HEAD blobs/", 0);
    assert_int_equal(manifest->stored_new, 0);
    manifest_free(manifest);
    assert_restores();
}

/* A lock: two looks, put as new, removed. The commit: put as new. */
static void assert_handful(int gets)
{
    assert_requests("PUT blobs/", 0);
    assert_requests("HEAD blobs/", 0);
    assert_requests("LIST blobs/", 0);
    assert_requests("LIST backups/", 1);
    assert_requests("LIST locks/", 2);
    assert_requests("PUT locks/", 1);
    assert_requests("DELETE locks/", 1);
    assert_requests("PUT backups/", 1);
    assert_requests("GET verify/", 1);
    assert_requests("GET", 1 + gets);
    assert_requests("", 11 + gets);
    assert_requests("HEAD locks/", 3); /* by the exclusive put, before the manifest, and after it */
}

static void a_night_without_changes_takes_a_handful_of_requests(void **state)
{
    (void)state;
    NIGHT(.fileset = NULL);
    NIGHT(.fileset = NULL);
    assert_handful(0);
    assert_restores();
}

static void without_a_cache_the_repository_tells(void **state)
{
    (void)state;
    NIGHT(.no_cache = true);
    NIGHT(.no_cache = true);
    assert_requests("GET backups/", 1);
    assert_requests("GET blobs/", 1); /* the index */
    assert_handful(2);
    assert_int_equal(access(cache_dir, F_OK), -1);
}

static void a_lost_cache_costs_two_requests(void **state)
{
    (void)state;
    NIGHT(.fileset = NULL);
    Buf out = RUN("rm", "-r", cache_dir);
    buf_done(&out);
    NIGHT(.fileset = NULL);
    assert_handful(2);
    NIGHT(.fileset = NULL);
    assert_handful(0);
}

static void a_change_costs_what_changed(void **state)
{
    (void)state;
    NIGHT(.fileset = NULL);
    save("file-7", "seven");
    NIGHT(.fileset = NULL);
    assert_requests("PUT blobs/", 2); /* pack, index */
    assert_requests("HEAD blobs/", 2);
    assert_requests("GET", 1); /* the state of verification */
    assert_restores();
    /* A file that has moved down is read, and its chunk recognised. */
    _cleanup_free_ char *from = xasprintf("%s/large", source), *to = xasprintf("%s/zz-large", source);
    assert_int_equal(rename(from, to), 0);
    NIGHT(.fileset = NULL);
    assert_requests("PUT blobs/", 1); /* index */
    assert_requests("HEAD blobs/", 1);
    assert_restores();
}

static int keep_key(void *ctx, const char *key, uint64_t size, Error *e)
{
    (void)size;
    (void)e;
    strvec_push(ctx, key);
    return 0;
}

/* Removes all objects of that prefix. */
static void remove_all(const char *prefix)
{
    _cleanup_(strvec_done) StrVec keys = {0};
    assert_int_equal(store_list(store, prefix, keep_key, &keys, &err), 0);
    for (size_t i = 0; i < keys.n; i++)
        assert_int_equal(store_delete(store, keys.v[i], &err), 0);
}

/* Removes the pack and the chunk. */
static void lose_contents(void)
{
    _cleanup_(strvec_done) StrVec keys = {0};
    assert_int_equal(store_list(store, "blobs/", keep_key, &keys, &err), 0);
    assert_int_equal(keys.n, 3);
    for (size_t i = 0; i < keys.n; i++)
        if (strstr(keys.v[i], ".zst") == NULL)
            assert_int_equal(store_delete(store, keys.v[i], &err), 0);
}

/* No file has changed, but what the backup before refers to is gone. */
static void who_asks_always_brings_back_what_was_lost(void **state)
{
    (void)state;
    NIGHT(.no_cache = true);
    lose_contents();
    NIGHT(.no_cache = true, .ask_always = true);
    assert_requests("PUT blobs/", 2);
    assert_requests("HEAD blobs/", 5); /* two are asked for twice: where they stand, and before they are sent */
    assert_restores();
}

static void a_local_repository_is_asked_every_night(void **state)
{
    (void)state;
    store->remote = false;
    NIGHT(.fileset = NULL);
    lose_contents();
    NIGHT(.fileset = NULL);
    assert_requests("PUT blobs/", 2);
    assert_restores();
    NIGHT(.fileset = NULL);
    assert_requests("PUT blobs/", 0);
    assert_requests("HEAD blobs/", 3);
}

/* All backups were removed, and another one keeps the repository from being empty: whatever the cache has, the blobs
 * are not there. */
static void a_stale_cache_is_not_believed(void **state)
{
    (void)state;
    NIGHT(.fileset = NULL);
    remove_all("backups/");
    remove_all("blobs/");
    NIGHT(.app = "other");
    remove_all("blobs/");
    NIGHT(.fileset = NULL);
    assert_requests("HEAD blobs/", 3);
    assert_requests("PUT blobs/", 3);
    assert_restores();
}

static void flip_byte(const char *path, off_t at)
{
    _cleanup_close_ int fd = open(path, O_RDWR | O_CLOEXEC);
    char byte;
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= 1;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
}

static void a_damaged_index_in_the_cache_is_noticed(void **state)
{
    (void)state;
    NIGHT(.fileset = NULL);
    _cleanup_free_ char *index = cached(".zst");
    flip_byte(index, 20);
    NIGHT(.fileset = NULL);
    assert_handful(1);
    NIGHT(.fileset = NULL);
    assert_handful(0);
    assert_int_equal(truncate(index, 10), 0);
    NIGHT(.fileset = NULL);
    assert_handful(1);
}

static void a_damaged_manifest_in_the_cache_is_noticed(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        NIGHT(.fileset = NULL);
        _cleanup_free_ char *manifest = cached(".json");
        assert_int_equal(count_cached(".json"), 1);
        if (i == 0)
            flip_byte(manifest, 0);
        else if (i == 1)
            assert_int_equal(truncate(manifest, 100), 0);
        else
            assert_int_equal(truncate(manifest, 0), 0);
        NIGHT(.fileset = NULL);
        assert_requests("GET backups/", 1);
        assert_handful(1);
    }
}

/* A manifest under the name of another backup. */
static void a_foreign_manifest_is_not_believed(void **state)
{
    (void)state;
    _cleanup_free_ char *first = night((Night){0}), *old = cached(".json"), *copy = xasprintf("%s/copy", dir);
    Buf out = RUN("cp", old, copy);
    buf_done(&out);
    save("new", "new");
    _cleanup_free_ char *second = night((Night){0}), *newest = cached(".json");
    assert_string_not_equal(first, second);
    out = RUN("cp", copy, newest);
    buf_done(&out);
    NIGHT(.fileset = NULL);
    assert_requests("GET backups/", 1);
    assert_requests("PUT blobs/", 0);
    assert_restores();
}

static void the_cache_is_for_its_owner_alone(void **state)
{
    (void)state;
    struct stat st;
    NIGHT(.fileset = NULL);
    for (int i = 0; i < 2; i++) {
        _cleanup_free_ char *path = cached(i ? ".zst" : ".json");
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
        *strrchr(path, '/') = 0;
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0700);
        assert_int_equal(chmod(path, 0770), 0);
        NIGHT(.fileset = NULL);
        assert_handful(2);
        assert_int_equal(chmod(path, 0700), 0);
    }
}

static void a_cache_that_cannot_be_written_is_no_error(void **state)
{
    (void)state;
    file_save(cache_dir, "no directory", 12);
    NIGHT(.fileset = NULL);
    NIGHT(.fileset = NULL);
    assert_handful(2);
}

/* Two filesets under one name of an application, by turns: each finds its own. */
static void what_is_of_use_stays_and_the_rest_goes(void **state)
{
    (void)state;
    NIGHT(.fileset = "media");
    save("new", "1");
    NIGHT(.fileset = "config");
    assert_int_equal(count_cached(".json"), 2);
    assert_int_equal(count_cached(".zst"), 2);
    save("new", "2");
    NIGHT(.fileset = "media");
    assert_int_equal(count_cached(".json"), 2);
    assert_int_equal(count_cached(".zst"), 2);
    assert_requests("GET", 1); /* the state of verification */
    NIGHT(.fileset = "config");
    assert_requests("GET", 1); /* the state of verification */
    remove_all("backups/");
    NIGHT(.fileset = "config");
    assert_int_equal(count_cached(".json"), 1);
    assert_int_equal(count_cached(".zst"), 1);
    assert_int_equal(count_cached(""), 2);
}

/* What prune moved into other blobs: the manifest that the cache has names some that are gone. */
static void a_manifest_that_was_replaced_is_not_believed(void **state)
{
    (void)state;
    Manifest *manifest;
    _cleanup_free_ char *id = night((Night){.fileset = NULL});
    assert_int_equal(manifest_load(repo, id, &manifest, &err), 0);
    manifest->revision = 2;
    assert_int_equal(manifest_commit(repo, manifest, &err), 0);
    assert_int_equal(manifest_delete(repo, id, &err), 0);
    manifest_free(manifest);
    NIGHT(.fileset = NULL);
    assert_requests("GET backups/", 1);
    assert_requests("PUT blobs/", 0);
    assert_int_equal(count_cached(".json"), 1);
    NIGHT(.fileset = NULL);
    assert_handful(0);
}

/* Names of applications that look alike in an id share a directory, but nothing else. */
static void applications_are_kept_apart(void **state)
{
    (void)state;
    NIGHT(.app = "a/b");
    save("new", "1");
    NIGHT(.app = "a:b");
    assert_requests("GET backups/", 1);
    assert_requests("GET blobs/", 0);
    assert_requests("HEAD blobs/", 3);
    assert_restores();
}

static void a_local_repository_is_asked_all_the_same(void **state)
{
    (void)state;
    store->remote = false;
    NIGHT(.fileset = NULL);
    assert_requests("HEAD blobs/", 3);
    assert_requests("LIST blobs/", 0);
    NIGHT(.fileset = NULL);
    assert_requests("HEAD blobs/", 3);
    assert_int_equal(access(cache_dir, F_OK), 0); /* it has a second copy of the index nevertheless */
}

/* --- a host that can only write --- */

static void what_this_host_cannot_read_the_cache_knows(void **state)
{
    (void)state;
    NIGHT(.fileset = NULL);
    NIGHT(.fileset = NULL);
    assert_handful(0);
    save("new", "new");
    NIGHT(.fileset = NULL);
    assert_requests("PUT blobs/", 2); /* pack, index */
    assert_requests("GET", 1);        /* the state of verification */
}

static void a_local_encrypted_repository_has_a_cache_too(void **state)
{
    (void)state;
    store->remote = false;
    NIGHT(.fileset = NULL);
    NIGHT(.fileset = NULL);
    assert_requests("PUT blobs/", 0);
    assert_requests("HEAD blobs/", 3);
    assert_requests("GET", 1); /* the state of verification */
}

static void without_a_cache_it_reads_all_and_says_so(void **state)
{
    (void)state;
    NIGHT(.no_cache = true);
    NIGHT(.no_cache = true, .finding = "previous-unknown");
    assert_requests("GET", 1); /* the state of verification */
    assert_requests("HEAD blobs/", 3);
    assert_requests("PUT blobs/", 0);
}

static void a_damaged_index_costs_reading(void **state)
{
    (void)state;
    NIGHT(.fileset = NULL);
    _cleanup_free_ char *index = cached(".zst");
    flip_byte(index, 20);
    NIGHT(.finding = "previous-unknown");
    assert_requests("GET", 1); /* the state of verification */
    assert_requests("PUT blobs/", 0);
    NIGHT(.fileset = NULL);
    assert_handful(0);
}

#define ENCRYPTED_TEST(function) cmocka_unit_test_setup_teardown(function, set_up_encrypted, tear_down)
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_first_night_lists_and_does_not_ask),
        TEST(a_commit_without_an_answer_is_told),
        TEST(an_interrupted_first_night_is_not_sent_again),
        TEST(a_night_without_changes_takes_a_handful_of_requests),
        TEST(without_a_cache_the_repository_tells),
        TEST(a_lost_cache_costs_two_requests),
        TEST(a_change_costs_what_changed),
        TEST(who_asks_always_brings_back_what_was_lost),
        TEST(a_local_repository_is_asked_every_night),
        TEST(a_stale_cache_is_not_believed),
        TEST(a_damaged_index_in_the_cache_is_noticed),
        TEST(a_damaged_manifest_in_the_cache_is_noticed),
        TEST(a_foreign_manifest_is_not_believed),
        TEST(the_cache_is_for_its_owner_alone),
        TEST(a_cache_that_cannot_be_written_is_no_error),
        TEST(what_is_of_use_stays_and_the_rest_goes),
        TEST(a_manifest_that_was_replaced_is_not_believed),
        TEST(applications_are_kept_apart),
        TEST(a_local_repository_is_asked_all_the_same),
        ENCRYPTED_TEST(what_this_host_cannot_read_the_cache_knows),
        ENCRYPTED_TEST(a_local_encrypted_repository_has_a_cache_too),
        ENCRYPTED_TEST(without_a_cache_it_reads_all_and_says_so),
        ENCRYPTED_TEST(a_damaged_index_costs_reading),
    };
    return cmocka_run_group_tests_name("nights", tests, NULL, NULL);
}
