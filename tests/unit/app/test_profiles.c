/* Description files of users, and directories that are no application's. */
#include <fcntl.h>
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

#include "../../store/tempdir.h"
#include "kura/app.h"
#include "kura/mem.h"

static char *dir, *profiles, *site_dir;
static Findings findings;
static Error err;
static AppSite *site;

static int set_up(void **state)
{
    dir = tempdir_new();
    profiles = xasprintf("%s/profiles", dir);
    site_dir = xasprintf("%s/site", dir);
    assert_int_equal(mkdir(profiles, 0700), 0);
    assert_int_equal(mkdir(site_dir, 0700), 0);
    assert_int_equal(setenv("KURA_PROFILES", profiles, 1), 0);
    findings = (Findings)FINDINGS_INIT;
    site = NULL;
    return 0;
}

static int tear_down(void **state)
{
    app_site_free(site);
    findings_done(&findings);
    tempdir_remove(dir);
    free(dir);
    free(profiles);
    free(site_dir);
    return 0;
}

static void put(const char *where, const char *name, const char *text)
{
    _cleanup_free_ char *path = xasprintf("%s/%s", where, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int read_site(const char *profile)
{
    app_site_free(site);
    site = NULL;
    err = (Error)ERROR_INIT;
    return app_site_read(site_dir, profile, &site, &findings, &err);
}

static void refused(const char *profile, const char *message, const char *hint)
{
    assert_int_equal(read_site(profile), -1);
    if (strstr(err.message, message) == NULL || strstr(err.hint, hint) == NULL)
        fail_msg("\"%s\", hint \"%s\"", err.message, err.hint);
}

static void a_profile_of_a_user(void **state)
{
    put(profiles, "forum.yaml",
        "name: forum\ntitle: Forum\nrecognise: [[forum.ini], [a, b]]\n"
        "settings:\n  - {file: forum.ini, format: ini, as: main/}\n  - {files: [x.env, y.env], format: env}\n"
        "database:\n  host: [\"${NONE}\", \"${main/db.host}\", localhost]\n  port: ${PORT}\n  database: "
        "f_${main/db.name}\n"
        "  user: plain\nservices:\n  - always\n  - {value: on, when: main/db.on=yes*}\n  - {value: off, when: "
        "main/db.on=no}\n"
        "  - {value: both, when: [PORT, \"exists:forum.ini\"]}\n  - {value: never, unless: [NONE, PORT]}\n  - "
        "${NONE}\n");
    put(site_dir, "forum.ini", "[db]\nhost = h\nname = n\non = yes!\n");
    put(site_dir, "y.env", "PORT=7\n");
    assert_int_equal(read_site(NULL), 0);
    assert_string_equal(site->name, "forum");
    assert_string_equal(site->database.host, "h");
    assert_string_equal(site->database.host_key, "main/db.host");
    assert_string_equal(site->database.port, "7");
    assert_string_equal(site->database.database, "f_n");
    assert_string_equal(site->database.user, "plain");
    assert_int_equal(site->services.n, 3);
    assert_string_equal(site->services.v[1], "on");
    assert_string_equal(site->services.v[2], "both");

    _cleanup_(strvec_done) StrVec names = {0};
    assert_int_equal(app_profile_names(&names, &err), 0);
    assert_string_equal(names.v[0], "forum");
    assert_true(strvec_contains(&names, "misskey") && strvec_contains(&names, "generic"));
}

static void a_users_profile_goes_before_the_built_in_one(void **state)
{
    put(profiles, "misskey.yaml", "name: misskey\ntitle: Mine\ndatabase: {database: own}\n");
    assert_int_equal(read_site("misskey"), 0);
    assert_string_equal(site->title, "Mine");
    assert_string_equal(site->database.database, "own");
}

static void mistakes_in_profiles_are_told(void **state)
{
    static const char *const wrong[][2] = {
        {"name: p\ndatabase: {hots: x}\n", "p.yaml:2: a profile has no \"database.hots\""},
        {"name: p\nfilesets: [{name: a, path: x}]\n", "a profile has no \"filesets[0].path\""},
        {"name: other\n", "does not say \"name: p\""},
        {"title: P\n", "does not say \"name: p\""},
        {"name: p\nsettings: [{file: f, format: xml}]\n", "names no format"},
        {"name: p\nsettings: [{file: f, format: match, find: {a: \"(\"}}]\n", "invalid regular expression"},
        {"name: [p\n", "invalid YAML"},
    };
    put(site_dir, "f", "x\n");
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        put(profiles, "p.yaml", wrong[i][0]);
        refused("p", wrong[i][1], "");
    }
    refused("none", "there is no profile \"none\"", "misskey, mastodon");
    refused("../p", "there is no profile \"../p\"", "misskey, mastodon");
}

static void the_generic_one_knows_nothing(void **state)
{
    assert_int_equal(read_site("generic"), 0);
    assert_null(site->database.database);
    assert_int_equal(site->n_filesets, 0);
}

static void what_is_no_application(void **state)
{
    refused(NULL, "no application is recognised in", "Profiles are ");
    refused("misskey", "no configuration of Misskey is in", "directory");
    put(site_dir, "package.json", "{\n  \"name\": \"misskey\"\n}\n");
    refused("misskey", "no configuration of Misskey is in", "directory");
    put(site_dir, "homeserver.yaml", "database: {name: psycopg2}\n");
    refused(NULL, "names no database", "");
    put(dir, "file", "");
    _cleanup_free_ char *file = xasprintf("%s/file", dir), *none = xasprintf("%s/none", dir);
    assert_int_equal(app_site_read(file, NULL, &site, &findings, &err), -1);
    assert_non_null(strstr(err.message, "is not a directory"));
    assert_int_equal(app_site_read(none, NULL, &site, &findings, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
}

/* None of these may block, or be read at length. */
static void files_that_are_none(void **state)
{
    _cleanup_free_ char *config = xasprintf("%s/.config", site_dir), *yml = xasprintf("%s/default.yml", config);
    assert_int_equal(mkdir(config, 0700), 0);
    assert_int_equal(mkfifo(yml, 0600), 0);
    refused(NULL, "is not a regular file", "");
    assert_int_equal(unlink(yml), 0);
    assert_int_equal(symlink("/dev/zero", yml), 0);
    refused(NULL, "is not a regular file", "");
    assert_int_equal(unlink(yml), 0);
    assert_int_equal(symlink(yml, yml), 0);
    refused("misskey", "could not read", "");
    assert_int_equal(unlink(yml), 0);
    assert_int_equal(mkdir(yml, 0700), 0);
    refused(NULL, "is not a regular file", "");
    assert_int_equal(rmdir(yml), 0);
    int fd = open(yml, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0 && ftruncate(fd, (off_t)1 << 40) == 0 && close(fd) == 0);
    refused(NULL, "too large for a configuration", "limit");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_profile_of_a_user, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_users_profile_goes_before_the_built_in_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(mistakes_in_profiles_are_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_generic_one_knows_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_application, set_up, tear_down),
        cmocka_unit_test_setup_teardown(files_that_are_none, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
