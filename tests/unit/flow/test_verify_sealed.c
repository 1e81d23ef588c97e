/* kura verify on encrypted repositories. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "kura/fileset.h"
#include "kura/mem.h"
#include "kura/repokeys.h"
#include "kura/verify.h"
#include "scratch.h"
#include "world.h"

typedef struct Sealed {
    char *dir, *key_file;
    AgeIdentities *identity;
    Store *store;
    Repo *repo;
} Sealed;

static Repo *open_sealed(const Sealed *sealed, RepoUse use, const AgeIdentities *identities)
{
    Error err = ERROR_INIT;
    Repo *repo;
    const RepoAccess access = {.use = use, .identities = identities, .key_file = sealed->key_file};
    must(repo_open_with(sealed->store, &access, &repo, &err), &err);
    return repo;
}

/* An encrypted repository with one backup of one file. */
static Sealed sealed_new(void)
{
    Error err = ERROR_INIT;
    Findings findings = FINDINGS_INIT;
    AgeRecipient recipient;
    Sealed sealed = {.dir = scratch_new(), .identity = age_identities_new()};
    sealed.key_file = xasprintf("%s/key", sealed.dir);
    age_identities_recipient(sealed.identity, 0, &recipient);
    must(store_open("mem:sealed", NULL, true, &sealed.store, &err), &err);
    must(repo_create_encrypted(sealed.store, NULL, &recipient, 1, sealed.key_file, &err), &err);
    sealed.repo = open_sealed(&sealed, REPO_WRITE, NULL);

    _cleanup_free_ char *dir = xasprintf("%s/files", sealed.dir), *path = xasprintf("%s/a", dir);
    mkdir(dir, 0700);
    file_save(path, "content", 7);
    Manifest *manifest = manifest_new();
    manifest->id = manifest_new_id(sealed.repo, "test");
    manifest->app = xstrdup("test");
    manifest->host = xstrdup("here");
    manifest->kura_version = xstrdup("0.1");
    manifest->started = xstrdup("2026-11-22T03:15:00Z");
    manifest->finished = xstrdup("2026-11-22T03:16:00Z");
    manifest->filesets = xcalloc(1, sizeof *manifest->filesets);
    manifest->n_filesets = 1;
    Uploader *uploader = uploader_new(sealed.repo, 1, 1 << 20);
    const FilesetSpec spec = {.name = "files", .dir = dir};
    must(fileset_backup(&spec, sealed.repo, uploader, NULL, 1, &manifest->filesets[0], &findings, NULL, &err), &err);
    must(uploader_finish(uploader, NULL, &err), &err);
    must(manifest_commit(sealed.repo, manifest, &err), &err);
    uploader_free(uploader);
    manifest_free(manifest);
    findings_done(&findings);
    repo_close(sealed.repo);
    sealed.repo = open_sealed(&sealed, REPO_READ, sealed.identity);
    return sealed;
}

static void sealed_done(Sealed *sealed)
{
    repo_close(sealed->repo);
    store_close(sealed->store);
    store_mem_forget("sealed");
    age_identities_free(sealed->identity);
    free(sealed->key_file);
    scratch_remove(sealed->dir);
}

static int note_pack(void *ctx, const char *key, uint64_t size, Error *err)
{
    if (strstr(key, ".tar.age") != NULL)
        strvec_push(ctx, key);
    return 0;
}

static void test_encrypted(void **state)
{
    Error err = ERROR_INIT;
    Sealed sealed = sealed_new();
    Findings findings = FINDINGS_INIT;
    VerifyReport report;
    must(verify_run(sealed.repo, &(VerifyOptions){.percent = 100}, &report, &findings, NULL, &err), &err);
    for (size_t i = 0; i < findings.n; i++)
        fail_msg("%s: %s", findings.v[i].code, findings.v[i].message);
    assert_int_equal(report.blobs, 2);
    assert_int_equal(report.read_blobs, 2);
    assert_int_equal(report.files_read, 1);
    verify_report_done(&report);

    /* the host itself cannot read what it made */
    Repo *blind = open_sealed(&sealed, REPO_READ, NULL);
    assert_int_equal(verify_run(blind, &(VerifyOptions){0}, &report, &findings, NULL, &err), -1);
    assert_int_equal(err.code, ERR_KEY);
    repo_close(blind);
    findings_done(&findings);
    sealed_done(&sealed);
}

/* Who can write to the bucket puts an object of the right size there, encrypted for himself. */
static void test_encrypted_for_somebody_else(void **state)
{
    Error err = ERROR_INIT;
    Sealed sealed = sealed_new();
    Findings findings = FINDINGS_INIT;
    VerifyReport report;
    AgeRecipient other;
    AgeIdentities *stranger = age_identities_new();
    age_identities_recipient(stranger, 0, &other);
    _cleanup_(strvec_done) StrVec keys = {0};
    must(store_list(sealed.store, "blobs/", note_pack, &keys, &err), &err);
    assert_int_equal(keys.n, 1);
    Buf old = BUF_INIT(1 << 20), plain = BUF_INIT(1 << 20), new = BUF_INIT(1 << 20);
    must(store_get(sealed.store, keys.v[0], 0, UINT64_MAX, &old, &err), &err);
    must(age_decrypt(sealed.identity, old.data, old.len, &plain, &err), &err);
    must(age_encrypt(&other, 1, plain.data, plain.len, &new, &err), &err);
    assert_int_equal(new.len, old.len);
    must(store_put(sealed.store, keys.v[0], new.data, new.len, false, &err), &err);
    buf_done(&old);
    buf_done(&plain);
    buf_done(&new);

    must(verify_run(sealed.repo, &(VerifyOptions){0}, &report, &findings, NULL, &err), &err);
    assert_int_equal(findings.n, 0);
    verify_report_done(&report);
    must(verify_run(sealed.repo, &(VerifyOptions){.percent = 100}, &report, &findings, NULL, &err), &err);
    assert_int_equal(findings.n, 1);
    assert_string_equal(findings.v[0].code, "blob-damaged");
    assert_non_null(strstr(findings.v[0].message, "file files/a"));
    verify_report_done(&report);
    findings_done(&findings);
    age_identities_free(stranger);
    sealed_done(&sealed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_encrypted),
        cmocka_unit_test(test_encrypted_for_somebody_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
