/* Another host compared with the one of a backup: a tree of files stands for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "kura/fdio.h"
#include "kura/mem.h"
#include "kura/move.h"

static char root[64];
static Manifest *manifest;
static Findings findings;

static void make_file(const char *name, const char *text, mode_t mode)
{
    Error err = ERROR_INIT;
    _cleanup_free_ char *path = xasprintf("%s%s", root, name);
    for (char *at = strchr(path + 1, '/'); at; at = strchr(at + 1, '/')) {
        *at = 0;
        mkdir(path, 0755);
        *at = '/';
    }
    if (file_make(path, text, strlen(text), mode, &err) < 0)
        fail_msg("%s", err.message);
}

static void install_postgresql(int major)
{
    static const char *const programs[] = {"postgres", "pg_dump"};
    for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
        _cleanup_free_ char *path = xasprintf("/usr/lib/postgresql/%d/bin/%s", major, programs[i]);
        make_file(path, "#!/bin/sh\n", 0755);
    }
}

static int set_up(void **state)
{
    (void)state;
    strcpy(root, "/tmp/kura-newhost.XXXXXX");
    if (mkdtemp(root) == NULL)
        return -1;
    make_file("/etc/os-release", "NAME=x\nPRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"\n", 0644);
    make_file("/etc/timezone", "Asia/Tokyo\n", 0644);
    findings = (Findings)FINDINGS_INIT;
    manifest = manifest_new();
    manifest->has_database = true;
    manifest->database.facts =
        (DbFacts){.name = xstrdup("misskey"), .server_version_num = 150018, .collate = xstrdup("C")};
    manifest->system = xcalloc(1, sizeof *manifest->system);
    hostfacts_read(root, manifest->system);
    manifest->application = xcalloc(1, sizeof *manifest->application);
    manifest->application->title = xstrdup("Misskey");
    manifest->application->version = xstrdup("2025.9.0");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    manifest_free(manifest);
    findings_done(&findings);
    _cleanup_free_ char *command = xasprintf("rm -rf %s", root);
    return system(command);
}

static const Finding *found(const char *code)
{
    for (size_t i = 0; i < findings.n; i++)
        if (strcmp(findings.v[i].code, code) == 0)
            return &findings.v[i];
    return NULL;
}

static void assert_found(const char *code, Severity severity, const char *hint)
{
    const Finding *finding = found(code);
    if (finding == NULL)
        fail_msg("%s was not found", code);
    assert_int_equal(finding->severity, severity);
    if (hint && (finding->hint == NULL || strstr(finding->hint, hint) == NULL))
        fail_msg("%s: %s", code, finding->hint ? finding->hint : "no hint");
}

static AppSite *site_of(const char *version)
{
    static AppSite site;
    static char name[] = "misskey", title[] = "Misskey";
    site = (AppSite){.name = name, .title = title, .version = (char *)version};
    return &site;
}

static void compare_with(const AppSite *site, const struct RestoreFiles *files, size_t n_files)
{
    MoveHost host = {.root = root, .site = site, .files = files, .n_files = n_files};
    move_compare(manifest, &host, &findings);
    move_host_done(&host);
}

static void nothing_is_wrong(void **state)
{
    (void)state;
    install_postgresql(17);
    compare_with(site_of("2025.9.0"), NULL, 0);
    if (findings.n)
        fail_msg("%s: %s", findings.v[0].code, findings.v[0].message);
}

static void what_is_not_installed(void **state)
{
    (void)state;
    manifest->database.facts.n_extensions = 2;
    manifest->database.facts.extensions = xcalloc(2, sizeof *manifest->database.facts.extensions);
    manifest->database.facts.extensions[0].name = xstrdup("pgroonga");
    manifest->database.facts.extensions[1].name = xstrdup("pg_trgm");
    install_postgresql(13);
    make_file("/usr/share/postgresql/13/extension/pg_trgm.control", "", 0644);
    compare_with(site_of("2025.9.0"), NULL, 0);
    assert_found("older-server", FINDING_ERROR, "Install postgresql-15");
    assert_found("tools", FINDING_ERROR, "postgresql-client-15");
    assert_found("extension-missing", FINDING_ERROR, "postgresql-13-pgdg-pgroonga");
    assert_int_equal(findings.n, 3);
}

static void no_server_at_all(void **state)
{
    (void)state;
    compare_with(NULL, NULL, 0);
    assert_found("server-missing", FINDING_WARNING, "postgresql-15");
    assert_found("application-missing", FINDING_WARNING, "2025.9.0");
}

static void other_code(void **state)
{
    (void)state;
    install_postgresql(15);
    compare_with(site_of("2025.4.1"), NULL, 0);
    assert_found("older-code", FINDING_ERROR, "Check out 2025.9.0");
    compare_with(site_of("2025.10.0"), NULL, 0);
    assert_found("newer-code", FINDING_WARNING, "Check out 2025.9.0");
}

static void another_system(void **state)
{
    (void)state;
    install_postgresql(15);
    free(manifest->system->libc);
    manifest->system->libc = xstrdup("glibc 2.28");
    free(manifest->system->timezone);
    manifest->system->timezone = xstrdup("Europe/Paris");
    compare_with(site_of("2025.9.0"), NULL, 0);
    assert_found("collation", FINDING_NOTE, "builds every index anew");
    assert_found("time-zone", FINDING_WARNING, "timedatectl set-timezone Europe/Paris");
    assert_int_equal(findings.n, 2);
}

static void a_full_disk(void **state)
{
    (void)state;
    install_postgresql(15);
    manifest->n_filesets = 1;
    manifest->filesets = xcalloc(1, sizeof *manifest->filesets);
    manifest->filesets[0] = (ManifestFileset){.name = xstrdup("media"), .root = xstrdup("/srv"), .bytes = 1ull << 60};
    const struct RestoreFiles files = {.name = "media", .dir = "/home/misskey/files"};
    compare_with(site_of("2025.9.0"), &files, 1);
    assert_found("disk-space", FINDING_ERROR, "Make room");
    assert_non_null(strstr(found("disk-space")->message, "database, media: "));
}

/* What a server was asked is not guessed from packages. */
static void a_server_knows_better(void **state)
{
    (void)state;
    MoveHost host = {.root = root, .has_server = true, .site = site_of("2025.9.0")};
    move_compare(manifest, &host, &findings);
    assert_int_equal(findings.n, 0);
    assert_string_equal(host.facts.os, "Debian GNU/Linux 13 (trixie)");
    assert_string_equal(host.facts.timezone, "Asia/Tokyo");
    move_host_done(&host);
}

#define NEWHOST_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        NEWHOST_TEST(nothing_is_wrong),      NEWHOST_TEST(what_is_not_installed),
        NEWHOST_TEST(no_server_at_all),      NEWHOST_TEST(other_code),
        NEWHOST_TEST(another_system),        NEWHOST_TEST(a_full_disk),
        NEWHOST_TEST(a_server_knows_better),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
