/* Prune on a repository in memory: what is marked, removed and rewritten. */
#include "../repo/fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kura/backup.h"
#include "kura/fileset.h"
#include "kura/pin.h"
#include "kura/prune.h"
#include "kura/repack.h"
#include "rangeset.h"
#include "scratch.h"

static char *dir, *source;
static Findings findings;

static void save(const char *name, char fill, size_t len)
{
    _cleanup_free_ char *path = xasprintf("%s/%s", source, name), *text = xmalloc(len + 1);
    for (size_t i = 0; i < len; i++)
        text[i] = (char)(fill + (int)(i * i % 23));
    file_save(path, text, len);
}

static int set_up(void **state)
{
    if (fixture_set_up(state) < 0)
        return -1;
    dir = scratch_new();
    source = xasprintf("%s/source", dir);
    findings = (Findings)FINDINGS_INIT;
    assert_int_equal(mkdir(source, 0700), 0);
    for (int i = 0; i < 8; i++) {
        char name[16];
        snprintf(name, sizeof name, "file-%d", i);
        save(name, (char)('A' + i), 5000 + (size_t)i);
    }
    return 0;
}

static int tear_down(void **state)
{
    findings_done(&findings);
    free(source);
    scratch_remove(dir);
    return fixture_tear_down(state);
}

/* The id, to be freed. */
static char *back_up(const char *app)
{
    struct BackupFiles files = {.name = "media", .dir = source};
    const BackupOptions options = {.app = app, .files = &files, .n_files = 1, .jobs = 1};
    Manifest *manifest;
    if (backup_run(repo, &options, &manifest, &findings, NULL, &err) < 0)
        fail_msg("%s", err.message);
    char *id = xstrdup(manifest->id);
    manifest_free(manifest);
    return id;
}

/* Two backups; of the first one's pack the second needs three files of eight. */
static void two_nights(char *ids[2])
{
    ids[0] = back_up("a");
    for (int i = 0; i < 5; i++) {
        char name[16];
        snprintf(name, sizeof name, "file-%d", i);
        save(name, (char)('a' + i), 6000 + (size_t)i);
    }
    ids[1] = back_up("a");
}

static void free_ids(char *ids[2])
{
    free(ids[0]);
    free(ids[1]);
}

/* As the source is now. */
static void assert_restores(const char *id)
{
    Manifest *manifest;
    FilesetRestoreStats stats;
    const FilesetRestoreOptions options = {.jobs = 1};
    _cleanup_free_ char *target = xasprintf("%s/target", dir), *command = NULL;
    assert_int_equal(manifest_load(repo, id, &manifest, &err), 0);
    assert_int_equal(fileset_restore(repo, &manifest->filesets[0], target, &options, &stats, &findings, NULL, &err), 0);
    manifest_free(manifest);
    command = xasprintf("diff -r %s %s && rm -r %s", source, target, target);
    assert_int_equal(system(command), 0);
}

static int prune(PruneOptions options, PruneReport *ret)
{
    return prune_run(repo, &options, ret, &findings, NULL, &err);
}

static void blobs_of_what_goes_go(void **state)
{
    (void)state;
    char *ids[2];
    PruneReport report;
    two_nights(ids);
    assert_int_equal(count_objects("blobs/"), 4); /* two packs, two indexes */
    assert_int_equal(prune((PruneOptions){.policy = {.last = 1}, .max_unused = 100, .plan = true}, &report), 0);
    assert_int_equal(report.n_backups, 2);
    assert_int_equal(report.n_going, 1);
    assert_int_equal(report.freed_blobs, 1); /* the first one's index */
    assert_int_equal(count_objects("backups/"), 2);
    assert_int_equal(count_objects("locks/"), 0);
    prune_report_done(&report);
    assert_int_equal(prune((PruneOptions){.policy = {.last = 1}, .max_unused = 100}, &report), 0);
    assert_int_equal(report.kept_blobs, 3);
    assert_true(report.dead_bytes > 4 * 5000);
    prune_report_done(&report);
    assert_int_equal(count_objects("backups/"), 1);
    assert_int_equal(count_objects("blobs/"), 3);
    assert_restores(ids[1]);
    free_ids(ids);
}

static void young_blobs_stay(void **state)
{
    (void)state;
    char *ids[2];
    PruneReport report;
    two_nights(ids);
    assert_int_equal(prune((PruneOptions){.policy = {.last = 1}, .grace = 3600}, &report), 0);
    assert_int_equal(report.freed_blobs, 0);
    assert_int_equal(report.young_blobs, 1);
    assert_int_equal(report.packs, 0); /* what may not go is not moved */
    prune_report_done(&report);
    assert_int_equal(count_objects("blobs/"), 4);
    free_ids(ids);
}

static void dead_packs_are_rewritten(void **state)
{
    (void)state;
    char *ids[2];
    PruneReport report;
    _cleanup_(strvec_done) StrVec names = {0};
    two_nights(ids);
    assert_int_equal(prune((PruneOptions){.policy = {.last = 1}, .max_unused = 0}, &report), 0);
    assert_int_equal(report.packs, 1);
    prune_report_done(&report);
    assert_int_equal(count_objects("blobs/"), 3); /* the new pack, the second one's, the new index */
    assert_int_equal(manifest_list_names(repo, &names, NULL, &err), 0);
    assert_int_equal(names.n, 1);
    assert_string_equal(names.v[0] + strlen(ids[1]), ".2");
    assert_restores(ids[1]);
    assert_int_equal(prune((PruneOptions){.policy = {.last = 1}, .max_unused = 0}, &report), 0);
    assert_int_equal(report.packs, 0);
    assert_int_equal(report.dead_bytes, 0);
    prune_report_done(&report);
    free_ids(ids);
}

/* Files of these names, each a letter; those that are there stay as they are. */
static void source_is(const char *names)
{
    _cleanup_free_ char *command = xasprintf("rm -f %s/file-* %s/[!%s]", source, source, names);
    assert_int_equal(system(command), 0);
    for (const char *name = names; *name; name++) {
        _cleanup_free_ char *path = xasprintf("%s/%c", source, *name);
        if (access(path, F_OK) < 0)
            save((char[]){*name, 0}, *name, *name == 'x' ? 20000 : 5000);
    }
}

/* Of two packs {a, x} and {a, b} the first one's a and the second one's b are needed: what is made of them is the
 * second one again. Then the index that names it comes out as it was, too, and neither may go. */
static void a_pack_that_comes_out_as_another_stays(void **state)
{
    (void)state;
    char *ids[4];
    PruneReport report;
    source_is("ax");
    ids[0] = back_up("a");
    source_is("ab");
    ids[1] = back_up("b");
    ids[2] = back_up("a");
    source_is("b");
    ids[3] = back_up("b");
    assert_int_equal(prune((PruneOptions){.policy = {.last = 1}, .max_unused = 0}, &report), 0);
    assert_int_equal(report.packs, 2);
    prune_report_done(&report);
    assert_restores(ids[3]);
    source_is("ab");
    assert_restores(ids[2]);
    for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
        free(ids[i]);
}

/* What a killed run gave its name may not be durable: another revision of a backup, or the newer backup. */
static void what_stays_is_durable_before_anything_goes(void **state)
{
    (void)state;
    char *ids[2];
    PruneReport report;
    two_nights(ids);
    forget_requests();
    assert_int_equal(prune((PruneOptions){.policy = {.last = 1}, .max_unused = 100}, &report), 0);
    prune_report_done(&report);
    _cleanup_free_ char *requests = requests_text();
    const char *settled = strstr(requests, "SETTLE backups/"), *gone = strstr(requests, "DELETE backups/");
    assert_non_null(settled);
    assert_non_null(gone);
    assert_true(settled < gone);
    free_ids(ids);
}

/* A store that fails at each of its writes in turn: whatever is there then is whole, and the next run does the rest. */
static int left;
static int fail_later(const char *key, Error *e)
{
    (void)key;
    return left-- > 0 ? 0 : error_set(e, ERR_IO, "no more");
}

static void whatever_fails_what_stays_is_whole(void **state)
{
    for (int n = 1;; n++) {
        char *ids[2];
        PruneReport report;
        if (n > 1)
            assert_int_equal(set_up(state), 0);
        two_nights(ids);
        left = n;
        before_put = fail_later;
        int rc = prune((PruneOptions){.policy = {.last = 1}, .max_unused = 0}, &report);
        before_put = NULL;
        if (rc == 0)
            prune_report_done(&report);
        assert_restores(ids[1]);
        assert_int_equal(prune((PruneOptions){.policy = {.last = 1}, .max_unused = 0}, &report), 0);
        prune_report_done(&report);
        assert_restores(ids[1]);
        assert_int_equal(count_objects("backups/"), 1);
        assert_int_equal(count_objects("blobs/"), 3);
        free_ids(ids);
        if (rc == 0) {
            assert_true(n > 4); /* lock, probe, pack, index, manifest */
            return;
        }
        assert_int_equal(tear_down(state), 0);
    }
}

static void two_revisions_of_one(void **state)
{
    (void)state;
    char *ids[2];
    Manifest *manifest;
    PruneReport report;
    two_nights(ids);
    assert_int_equal(manifest_load(repo, ids[1], &manifest, &err), 0);
    manifest->revision = 2;
    assert_int_equal(manifest_commit(repo, manifest, &err), 0);
    manifest_free(manifest);
    assert_int_equal(prune((PruneOptions){.policy = {.last = 5}, .max_unused = 100}, &report), 0);
    assert_int_equal(report.n_backups, 2);
    prune_report_done(&report);
    assert_int_equal(count_objects("backups/"), 2);
    assert_restores(ids[1]);
    free_ids(ids);
}

static void pins(void **state)
{
    (void)state;
    char *ids[2];
    Pin pin;
    bool was;
    PruneReport report;
    two_nights(ids);
    assert_int_equal(pin_put(repo, ids[0], "for \"ever\"", &err), 0);
    assert_int_equal(pin_put(repo, ids[0], NULL, &err), -1);
    assert_int_equal(err.code, ERR_EXISTS);
    assert_int_equal(pin_put(repo, "20200101T000000Z-a-aaaa", NULL, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_int_equal(pin_load(repo, ids[0], &pin, &err), 0);
    assert_string_equal(pin.reason, "for \"ever\"");
    pin_done(&pin);
    assert_int_equal(prune((PruneOptions){.policy = {.last = 1}, .max_unused = 100}, &report), 0);
    assert_int_equal(report.n_going, 0);
    prune_report_done(&report);
    assert_int_equal(pin_remove(repo, ids[0], &was, &err), 0);
    assert_true(was);
    assert_int_equal(pin_remove(repo, ids[0], &was, &err), 0);
    assert_false(was);
    free_ids(ids);
}

static void assert_refused(PruneOptions options, ErrorCode code)
{
    PruneReport report;
    int backups = count_objects("backups/"), blobs = count_objects("blobs/");
    assert_int_equal(prune(options, &report), -1);
    assert_int_equal(err.code, code);
    assert_true(err.hint[0] != 0);
    assert_int_equal(count_objects("backups/"), backups);
    assert_int_equal(count_objects("blobs/"), blobs);
}

static void refused(void **state)
{
    (void)state;
    char *ids[2];
    StrVec tags = {0};
    two_nights(ids);
    strvec_push(&tags, "x");
    assert_refused((PruneOptions){0}, ERR_USAGE);
    assert_refused((PruneOptions){.policy = {.tags = &tags}}, ERR_USAGE);
    assert_refused((PruneOptions){.policy = {.last = 1}, .app = "b"}, ERR_NOT_FOUND);
    put_object("backups/20260101T000000Z-a-bad0.json", "{}");
    assert_refused((PruneOptions){.policy = {.last = 1}}, ERR_CORRUPT);
    assert_int_equal(store_delete(store, "backups/20260101T000000Z-a-bad0.json", &err), 0);
    put_object("backups/later.json", "{}");
    assert_refused((PruneOptions){.policy = {.last = 1}}, ERR_UNSUPPORTED);
    strvec_done(&tags);
    free_ids(ids);
}

static void what_is_no_member_is_not_moved(void **state)
{
    (void)state;
    static const uint64_t wrong[][2] = {{0, 10}, {512, 0xffffffffu}, {513, 1}, {1u << 30, 1}};
    Uploader *uploader = uploader_new(repo, 1, 1 << 20);
    Repacker *repacker = repacker_new(uploader);
    Buf pack = BUF_INIT(1 << 20);
    size_t number;
    uint64_t offset;
    for (int i = 0; i < 4096; i++)
        buf_append(&pack, "x", 1, NULL);
    assert_int_equal(repacker_open(repacker, &pack, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    buf_clear(&pack);
    for (int i = 0; i < 10240; i++)
        buf_append(&pack, "", 1, NULL);
    assert_int_equal(repacker_open(repacker, &pack, &err), 0);
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        assert_int_equal(repacker_take(repacker, wrong[i][0], wrong[i][1], &number, &offset, &err), -1);
        assert_int_equal(err.code, ERR_CORRUPT);
    }
    assert_int_equal(repacker_finish(repacker, &err), 0);
    assert_int_equal(repacker_count(repacker), 0);
    repacker_free(repacker);
    uploader_free(uploader);
    buf_done(&pack);
}

static void places(void **state)
{
    (void)state;
    RangeSet set = {0};
    for (int round = 0; round < 2; round++)
        for (uint32_t blob = 0; blob < 100; blob++)
            for (uint64_t offset = 0; offset < 100; offset++)
                assert_int_equal(rangeset_add(&set, blob, offset * 512), round == 0);
    assert_true(rangeset_add(&set, UINT32_MAX, 65 * 1024 * 1024));
    assert_false(rangeset_add(&set, UINT32_MAX, 65 * 1024 * 1024));
    rangeset_done(&set);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(blobs_of_what_goes_go),
        TEST(young_blobs_stay),
        TEST(dead_packs_are_rewritten),
        TEST(a_pack_that_comes_out_as_another_stays),
        TEST(what_stays_is_durable_before_anything_goes),
        TEST(whatever_fails_what_stays_is_whole),
        TEST(two_revisions_of_one),
        TEST(pins),
        TEST(refused),
        TEST(what_is_no_member_is_not_moved),
        cmocka_unit_test(places),
    };
    return cmocka_run_group_tests_name("prune", tests, NULL, NULL);
}
