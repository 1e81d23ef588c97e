/* kura copy between repositories in memory, plain and under different keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "copy_names.h"
#include "kura/copy.h"
#include "kura/mem.h"
#include "kura/repokeys.h"
#include "kura/verify.h"
#include "scratch.h"
#include "world.h"

typedef struct Target {
    const char *name;
    Store *store;
    Repo *repo;
    AgeIdentities *identity;
    char *key_file;
} Target;

typedef struct Site {
    World *world; /* plain, with one backup */
    char *cache;
    Findings findings;
    CopyReport report;
} Site;

static int set_up(void **state)
{
    Error err = ERROR_INIT;
    Site *site = xcalloc(1, sizeof *site);
    site->findings = (Findings)FINDINGS_INIT;
    site->world = world_new(18);
    site->cache = xasprintf("%s/cache", site->world->dir);
    must(manifest_commit(site->world->repo, site->world->manifest, &err), &err);
    *state = site;
    return 0;
}

static int tear_down(void **state)
{
    Site *site = *state;
    copy_report_done(&site->report);
    findings_done(&site->findings);
    free(site->cache);
    world_free(site->world);
    free(site);
    return 0;
}

static void open_target(Target *target, RepoUse use, bool readable)
{
    Error err = ERROR_INIT;
    const RepoAccess access = {
        .use = use, .identities = readable ? target->identity : NULL, .key_file = target->key_file};
    repo_close(target->repo);
    must(repo_open_with(target->store, &access, &target->repo, &err), &err);
}

static Target target_new(const Site *site, const char *name, bool sealed)
{
    Error err = ERROR_INIT;
    Target target = {.name = name};
    _cleanup_free_ char *location = xasprintf("mem:%s", name);
    must(store_open(location, NULL, true, &target.store, &err), &err);
    if (sealed) {
        AgeRecipient recipient;
        target.identity = age_identities_new();
        target.key_file = xasprintf("%s/%s.key", site->world->dir, name);
        age_identities_recipient(target.identity, 0, &recipient);
        must(repo_create_encrypted(target.store, NULL, &recipient, 1, target.key_file, &err), &err);
    } else {
        must(repo_create(target.store, NULL, &err), &err);
    }
    open_target(&target, REPO_WRITE, false);
    return target;
}

static void target_done(Target *target)
{
    repo_close(target->repo);
    store_close(target->store);
    store_mem_forget(target->name);
    age_identities_free(target->identity);
    free(target->key_file);
}

static int copy_with(Site *site, Repo *from, Repo *to, const CopyOptions *options, Error *err)
{
    copy_report_done(&site->report);
    findings_done(&site->findings);
    site->findings = (Findings)FINDINGS_INIT;
    *err = (Error)ERROR_INIT;
    return copy_run(from, to, options, &site->report, &site->findings, NULL, err);
}

/* Copies the one backup, and looks what came of it. */
static const CopyBackup *copy(Site *site, Repo *from, Repo *to, CopyState wanted)
{
    Error err;
    must(copy_with(site, from, to, &(CopyOptions){.cache_dir = site->cache, .decrypt = true}, &err), &err);
    assert_int_equal(site->report.n_backups, 1);
    assert_string_equal(copy_state_name(site->report.backups[0].state), copy_state_name(wanted));
    return &site->report.backups[0];
}

static void assert_whole(Repo *repo)
{
    Error err = ERROR_INIT;
    Findings findings = FINDINGS_INIT;
    VerifyReport report = {0};
    must(verify_run(repo, &(VerifyOptions){.percent = 100}, &report, &findings, NULL, &err), &err);
    assert_int_equal(findings.n, 0);
    assert_int_equal(report.n_backups, 1);
    assert_true(report.tables_proven > 0 && report.tables_proven == report.tables);
    verify_report_done(&report);
    findings_done(&findings);
}

static char *digests_of(Repo *repo, const char *id)
{
    Error err = ERROR_INIT;
    Manifest *manifest;
    char *text = xstrdup("");
    must(manifest_load(repo, id, &manifest, &err), &err);
    for (size_t i = 0; i < manifest->database.n_tables; i++) {
        char digest[33], *longer;
        rowdigest_format(&manifest->database.tables[i].digest, digest);
        longer = xasprintf("%s%s %s\n", text, manifest->database.tables[i].name, digest);
        free(text);
        text = longer;
    }
    manifest_free(manifest);
    return text;
}

static void into_a_plain_one(void **state)
{
    Site *site = *state;
    Error err;
    const char *id = site->world->manifest->id;
    Target plain = target_new(site, "copy-plain", false);
    must(copy_with(site, site->world->repo, plain.repo, &(CopyOptions){.plan = true}, &err), &err);
    uint64_t planned = site->report.backups[0].blobs;
    assert_int_equal(site->report.backups[0].state, COPY_PLANNED);
    const CopyBackup *done = copy(site, site->world->repo, plain.repo, COPY_DONE);
    assert_int_equal(done->blobs, planned);
    assert_true(done->blobs > 10);
    assert_string_equal(done->target_id, id);
    assert_int_equal(copy(site, site->world->repo, plain.repo, COPY_THERE)->blobs, 0);
    assert_whole(plain.repo);
    assert_int_equal(copy_with(site, plain.repo, plain.repo, &(CopyOptions){0}, &err), -1);
    assert_int_equal(err.code, ERR_USAGE);
    target_done(&plain);
}

/* Plain, sealed, sealed under another key, plain again: the same backup. */
static void around_by_two_keys(void **state)
{
    Site *site = *state;
    Error err;
    Repo *start = site->world->repo;
    Target one = target_new(site, "copy-one", true), two = target_new(site, "copy-two", true),
           end = target_new(site, "copy-end", false);
    _cleanup_free_ char *was = digests_of(start, site->world->manifest->id);

    copy(site, start, one.repo, COPY_DONE);
    assert_int_equal(copy_with(site, one.repo, two.repo, &(CopyOptions){0}, &err), -1);
    assert_int_equal(err.code, ERR_KEY);
    open_target(&one, REPO_READ, true);
    assert_whole(one.repo);
    _cleanup_free_ char *middle = xstrdup(copy(site, one.repo, two.repo, COPY_DONE)->target_id);
    assert_string_not_equal(middle, site->world->manifest->id);
    assert_true(manifest_id_is_copy(middle, site->world->manifest->id));
    copy(site, one.repo, two.repo, COPY_THERE);
    open_target(&two, REPO_READ, true);
    assert_whole(two.repo);
    assert_int_equal(copy_with(site, two.repo, end.repo, &(CopyOptions){0}, &err), -1);
    assert_int_equal(err.code, ERR_USAGE);
    assert_string_equal(copy(site, two.repo, end.repo, COPY_DONE)->target_id, site->world->manifest->id);
    assert_whole(end.repo);
    _cleanup_free_ char *is = digests_of(end.repo, site->world->manifest->id);
    assert_string_equal(was, is);
    target_done(&one);
    target_done(&two);
    target_done(&end);
}

static void damage_is_named(void **state)
{
    Site *site = *state;
    World *world = site->world;
    Error err = ERROR_INIT;
    char key[BLOB_KEY_SIZE];
    Target plain = target_new(site, "copy-plain", false);
    blob_key(world->repo, &world->manifest->database.toc[0], key);
    must(store_delete(world->store, key, &err), &err);
    copy(site, world->repo, plain.repo, COPY_DAMAGED);
    assert_int_equal(site->findings.n, 1);
    assert_string_equal(site->findings.v[0].code, "copy-damaged");
    assert_non_null(strstr(site->findings.v[0].message, world->manifest->id));
    assert_non_null(strstr(site->findings.v[0].message, key));
    _cleanup_(strvec_done) StrVec ids = {0};
    must(manifest_list(plain.repo, &ids, &err), &err);
    assert_int_equal(ids.n, 0);
    target_done(&plain);
}

/* A file of names that is not whole is not believed: a wrong name would be a wrong blob. */
static void learned_names_are_checked(void **state)
{
    Site *site = *state;
    Target sealed = target_new(site, "copy-one", true), plain = target_new(site, "copy-plain", false);
    copy(site, site->world->repo, sealed.repo, COPY_DONE);
    open_target(&sealed, REPO_READ, true);
    copy(site, sealed.repo, plain.repo, COPY_DONE);
    CopyNames names;
    copynames_init(&names, sealed.repo, plain.repo, site->cache);
    size_t n = names.known.n;
    assert_true(n > 10);
    copynames_done(&names);

    _cleanup_free_ char *path = xasprintf("%s/%s/%s/names", site->cache, repo_id(plain.repo), repo_id(sealed.repo));
    Buf file = file_load(path);
    file.data[file.len / 2] ^= 1;
    file_save(path, file.data, file.len);
    copynames_init(&names, sealed.repo, plain.repo, site->cache);
    assert_int_equal(names.known.n, 0);
    copynames_done(&names);
    buf_done(&file);
    target_done(&sealed);
    target_done(&plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(into_a_plain_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(around_by_two_keys, set_up, tear_down),
        cmocka_unit_test_setup_teardown(damage_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(learned_names_are_checked, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("copy", tests, NULL, NULL);
}
