/* Changing an application's configuration for another host: what changes, what stays, what is shown. */
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

#include "kura/appedit.h"
#include "kura/fdio.h"
#include "kura/mem.h"

static Error err;
static Findings findings = FINDINGS_INIT;
static char dir[64], beside[80];

static void put(const char *base, const char *name, const char *text)
{
    _cleanup_free_ char *path = xasprintf("%s/%s", base, name);
    for (char *at = strchr(path + 1, '/'); at; at = strchr(at + 1, '/')) {
        *at = 0;
        mkdir(path, 0755);
        *at = '/';
    }
    unlink(path);
    if (file_make(path, text, strlen(text), 0640, &err) < 0)
        fail_msg("%s", err.message);
}

static void get(const char *name, Buf *out)
{
    char chunk[4096];
    _cleanup_free_ char *path = xasprintf("%s/%s", dir, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    for (size_t n; (n = fread(chunk, 1, sizeof chunk, file)) > 0;)
        buf_append(out, chunk, n, NULL);
    fclose(file);
}

static int set_up(void **state)
{
    (void)state;
    err = (Error)ERROR_INIT;
    strcpy(dir, "/tmp/kura-edit.XXXXXX");
    if (mkdtemp(dir) == NULL)
        return -1;
    snprintf(beside, sizeof beside, "%s.kura-new", dir);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    findings_done(&findings);
    findings = (Findings)FINDINGS_INIT;
    _cleanup_free_ char *command = xasprintf("rm -rf %s %s", dir, beside);
    return system(command);
}

static AppSite *site_of(const char *profile, bool restored)
{
    AppSite *site;
    if (app_site_read_beside(dir, &(AppBeside){.dir = restored ? beside : NULL}, profile, &site, &findings, &err) < 0)
        fail_msg("%s", err.message);
    return site;
}

static void retarget(const AppSite *site, const AppTarget *target, AppEdits *ret)
{
    if (app_retarget(site, target, ret, &findings, &err) < 0)
        fail_msg("%s", err.message);
}

/* ---- YAML ---- */

static const char misskey[] = "# ours\n"
                              "url: https://example.com/\n"
                              "db:\n"
                              "  host: db.internal   # the old one\n"
                              "  db: misskey\n"
                              "  user: \"mk\"\n"
                              "  pass: 'it''s: #1'\n"
                              "dbReplications: true\n"
                              "dbSlaves:\n"
                              "  - {host: 192.0.2.7, port: 5432, db: misskey, user: r, pass: other}\n"
                              "redis: {host: redis.internal, port: 6379, pass: hidden}\n";

static void yaml_in_place(void **state)
{
    (void)state;
    put(dir, ".config/default.yml", misskey);
    AppSite *site = site_of("misskey", false);
    StrVec set = {0};
    _cleanup_(app_edits_done) AppEdits edits = {0};
    _cleanup_(buf_done) Buf text = BUF_INIT(65536), diff = BUF_INIT(65536);
    strvec_push(&set, "redis.host=10.0.0.9");
    const AppTarget target = {
        .host = "db2.internal", .port = "5433", .database = "misskey", .user = "mk: \"prod\"", .set = &set};
    retarget(site, &target, &edits);
    assert_int_equal(app_edit_text(&edits, ".config/default.yml", misskey, strlen(misskey), &text, &err), 0);
    assert_string_equal(buf_str(&text), "# ours\n"
                                        "url: https://example.com/\n"
                                        "db:\n"
                                        "  host: db2.internal   # the old one\n"
                                        "  port: 5433\n"
                                        "  db: misskey\n"
                                        "  user: \"mk: \\\"prod\\\"\"\n"
                                        "  pass: 'it''s: #1'\n"
                                        "dbReplications: false\n"
                                        "dbSlaves:\n"
                                        "  - {host: 192.0.2.7, port: 5432, db: misskey, user: r, pass: other}\n"
                                        "redis: {host: 10.0.0.9, port: 6379, pass: hidden}\n");
    assert_int_equal(app_edit_diff(site, &edits, ".config/default.yml", misskey, strlen(misskey), &diff, &err), 0);
    assert_string_equal(buf_str(&diff), "--- a/.config/default.yml\n"
                                        "+++ b/.config/default.yml\n"
                                        "@@ -4 +4 @@ db.host\n"
                                        "-  host: db.internal   # the old one\n"
                                        "+  host: db2.internal   # the old one\n"
                                        "@@ -4,0 +5 @@ db.port\n"
                                        "+  port: 5433\n"
                                        "@@ -6 +7 @@ db.user\n"
                                        "-  user: \"mk\"\n"
                                        "+  user: \"mk: \\\"prod\\\"\"\n"
                                        "@@ -8 +9 @@ dbReplications\n"
                                        "-dbReplications: true\n"
                                        "+dbReplications: false\n"
                                        "@@ -11 +12 @@ redis.host\n"
                                        "-redis: {host: redis.internal, port: ***, pass: ***}\n"
                                        "+redis: {host: 10.0.0.9, port: ***, pass: ***}\n");
    strvec_done(&set);
    app_site_free(site);
}

/* A local database stays local, however kura itself reaches it. */
static void local_stays_local(void **state)
{
    (void)state;
    put(dir, ".config/default.yml", "url: https://e/\ndb: {host: localhost, port: 5432, db: a, user: b, pass: c}\n");
    AppSite *site = site_of("misskey", false);
    _cleanup_(app_edits_done) AppEdits edits = {0}, other = {0};
    retarget(site, &(AppTarget){.host = "/var/run/postgresql", .port = "5432", .database = "a", .user = "b"}, &edits);
    assert_int_equal(edits.n, 0);
    retarget(site, &(AppTarget){.host = "/var/run/postgresql", .port = "5433"}, &other);
    assert_int_equal(other.n, 1);
    assert_string_equal(other.v[0].key, "db.port");
    app_site_free(site);
}

/* ---- dotenv ---- */

#define RUBY "module Mastodon\n  module Version\n    def major\n      4\n    end\n  end\nend\n"
#define LOCK "    dotenv (3.1.4)\n"

static void dotenv_in_place(void **state)
{
    static const char env[] = "LOCAL_DOMAIN=town.example\r\n"
                              "DB_HOST=db.internal\r\n"
                              "DB_USER='mastodon'\r\n"
                              "export DB_NAME=\"town\"\r\n"
                              "DB_PASS='p#ss $HOME'\r\n"
                              "  REPLICA_DB_NAME=town # old\r\n"
                              "REDIS_URL=redis://:hidden@cache.internal:6379/1";
    (void)state;
    put(dir, "lib/mastodon/version.rb", RUBY);
    put(dir, "Gemfile.lock", LOCK);
    put(dir, ".env.production", env);
    AppSite *site = site_of("mastodon", false);
    StrVec set = {0};
    _cleanup_(app_edits_done) AppEdits edits = {0};
    _cleanup_(buf_done) Buf text = BUF_INIT(65536), diff = BUF_INIT(65536);
    strvec_push(&set, "REDIS_URL=redis://:hidden@127.0.0.1:6379/1");
    retarget(site,
             &(AppTarget){.host = "/run/postgresql", .port = "5433", .database = "o'town", .user = "m b", .set = &set},
             &edits);
    assert_int_equal(app_edit_text(&edits, ".env.production", env, strlen(env), &text, &err), 0);
    assert_string_equal(buf_str(&text), "LOCAL_DOMAIN=town.example\r\n"
                                        "DB_HOST=localhost\r\n"
                                        "DB_PORT=5433\n"
                                        "DB_USER='m b'\r\n"
                                        "export DB_NAME=\"o'town\"\r\n"
                                        "DB_PASS='p#ss $HOME'\r\n"
                                        "  # REPLICA_DB_NAME=town # old\r\n"
                                        "REDIS_URL=redis://:hidden@127.0.0.1:6379/1");
    assert_int_equal(app_edit_diff(site, &edits, ".env.production", env, strlen(env), &diff, &err), 0);
    assert_null(strstr(buf_str(&diff), "hidden"));
    assert_non_null(strstr(buf_str(&diff), "+REDIS_URL=redis://:***@127.0.0.1:6379/1\n"));
    assert_non_null(strstr(buf_str(&diff), "+  # REPLICA_DB_NAME=town # old\n"));
    assert_null(strstr(buf_str(&diff), "p#ss"));
    strvec_done(&set);
    app_site_free(site);
}

/* Of a value over several lines the first one alone must not become a comment: the others would count. */
static void what_goes_over_lines_stays(void **state)
{
    static const char env[] = "DB_HOST=a\nREPLICA_DB_NAME=\"x\nDB_HOST=b\"\n";
    (void)state;
    put(dir, "lib/mastodon/version.rb", RUBY);
    put(dir, "Gemfile.lock", LOCK);
    put(dir, ".env.production", env);
    AppSite *site = site_of("mastodon", false);
    _cleanup_(app_edits_done) AppEdits edits = {0};
    _cleanup_(buf_done) Buf text = BUF_INIT(65536);
    retarget(site, &(AppTarget){0}, &edits);
    assert_int_equal(app_edit_text(&edits, ".env.production", env, strlen(env), &text, &err), -1);
    assert_non_null(strstr(err.message, "REPLICA_DB_NAME cannot be changed where it stands"));
    app_site_free(site);
}

/* On a bare host the code, which decides how comments are read, is not there yet. */
static void values_without_the_code(void **state)
{
    (void)state;
    AppSite *site;
    put(dir, ".env.production", "LOCAL_DOMAIN=a\nDB_PASS=p#x\n");
    if (app_site_read_beside(dir, &(AppBeside){.assume_code = true}, "mastodon", &site, &findings, &err) < 0)
        fail_msg("%s", err.message);
    assert_string_equal(site->database.password, "p");
    app_site_free(site);
    site = site_of("mastodon", false);
    assert_string_equal(site->database.password, "p#x");
    app_site_free(site);
}

/* Parameters of a URL hold passwords, too. */
static void no_password_is_shown(void **state)
{
    static const char env[] = "DATABASE_URL=postgres://mast@db.internal/town?password=hunter2&sslmode=require\n",
                      flow[] = "db: {pass: 'one\n   hunter2', host: db.internal, db: misskey, user: mk}\n";
    (void)state;
    put(dir, "lib/mastodon/version.rb", RUBY);
    put(dir, "Gemfile.lock", LOCK);
    put(dir, ".env.production", env);
    put(dir, ".config/default.yml", flow);
    _cleanup_(app_edits_done) AppEdits edits = {0}, others = {0};
    _cleanup_(buf_done) Buf diff = BUF_INIT(65536);
    AppSite *site = site_of("mastodon", false);
    retarget(site, &(AppTarget){.host = "db2"}, &edits);
    assert_int_equal(app_edit_diff(site, &edits, ".env.production", env, strlen(env), &diff, &err), 0);
    assert_non_null(strstr(buf_str(&diff), "+DATABASE_URL=postgres://mast@db2/town?***\n"));
    app_site_free(site);
    site = site_of("misskey", false);
    retarget(site, &(AppTarget){.host = "db2"}, &others);
    assert_int_equal(app_edit_diff(site, &others, ".config/default.yml", flow, strlen(flow), &diff, &err), 0);
    assert_non_null(strstr(buf_str(&diff), "+***, host: db2, "));
    assert_null(strstr(buf_str(&diff), "hunter2"));
    app_site_free(site);
}

static void urls_part_by_part(void **state)
{
    static const char env[] = "DATABASE_URL=postgres://mast%40:s%3Acret@db.internal:6432/town?sslmode=require\n";
    (void)state;
    put(dir, "lib/mastodon/version.rb", RUBY);
    put(dir, "Gemfile.lock", LOCK);
    put(dir, ".env.production", env);
    AppSite *site = site_of("mastodon", false);
    _cleanup_(app_edits_done) AppEdits edits = {0}, none = {0};
    _cleanup_(buf_done) Buf text = BUF_INIT(65536), diff = BUF_INIT(65536);
    retarget(site, &(AppTarget){.host = "db2", .port = "5432", .database = "town/2", .user = "new"}, &edits);
    assert_int_equal(app_edit_text(&edits, ".env.production", env, strlen(env), &text, &err), 0);
    assert_string_equal(buf_str(&text), "DATABASE_URL=postgres://new:s%3Acret@db2:5432/town%2F2?sslmode=require\n");
    assert_int_equal(app_edit_diff(site, &edits, ".env.production", env, strlen(env), &diff, &err), 0);
    assert_null(strstr(buf_str(&diff), "cret"));
    retarget(site, &(AppTarget){.host = "db.internal", .port = "6432", .database = "town", .user = "mast@"}, &none);
    assert_int_equal(none.n, 0);
    app_site_free(site);
}

/* What libpq takes from behind the "?" counts for more than what stands before it. */
static void urls_with_parameters(void **state)
{
    static const struct {
        const char *before, *after;
    } cases[] = {
        {"postgres:///town?host=/run/postgresql&port=5433&user=old&sslmode=prefer",
         "postgres://new@db2:5432/town2?sslmode=prefer"},
        {"postgres://h/town?sslmode=prefer&dbname=old#x", "postgres://new@db2/town2?sslmode=prefer#x"},
        {"postgres://h/town?host=h3", "postgres://new@db2/town2"},
        {"postgres://h/town?hostaddr=10.0.0.3&target_session_attrs=any&hosts=x",
         "postgres://new@db2/town2?target_session_attrs=any&hosts=x"},
    };
    (void)state;
    put(dir, "lib/mastodon/version.rb", RUBY);
    put(dir, "Gemfile.lock", LOCK);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_free_ char *env = xasprintf("DATABASE_URL=%s\n", cases[i].before);
        _cleanup_free_ char *wanted = xasprintf("DATABASE_URL=%s\n", cases[i].after);
        put(dir, ".env.production", env);
        AppSite *site = site_of("mastodon", false);
        _cleanup_(app_edits_done) AppEdits edits = {0};
        _cleanup_(buf_done) Buf text = BUF_INIT(65536);
        retarget(site, &(AppTarget){.host = "db2", .port = "5432", .database = "town2", .user = "new"}, &edits);
        assert_int_equal(app_edit_text(&edits, ".env.production", env, strlen(env), &text, &err), 0);
        assert_string_equal(buf_str(&text), wanted);
        app_site_free(site);
    }
}

/* ---- in its place ---- */

static void applied_and_read_again(void **state)
{
    struct stat st;
    (void)state;
    put(dir, ".config/default.yml", "url: https://other/\n");
    put(beside, ".config/default.yml", misskey);
    put(beside, ".config/extra.pem", "a key\n");
    AppSite *site = site_of("misskey", true);
    _cleanup_(app_edits_done) AppEdits edits = {0};
    _cleanup_(strvec_done) StrVec written = {0}, kept = {0}, again = {0};
    _cleanup_(buf_done) Buf text = BUF_INIT(65536);
    assert_string_equal(app_setting(site, "url")->value, "https://example.com/");
    retarget(site, &(AppTarget){.host = "db2.internal", .port = "5440", .user = "mk_prod"}, &edits);
    if (app_edits_apply(site, &edits, beside, &written, &kept, &err) < 0)
        fail_msg("%s", err.message);
    app_site_free(site);
    assert_int_equal(written.n, 2);
    assert_int_equal(kept.n, 1);
    assert_non_null(strstr(kept.v[0], "/.config/default.yml.before-kura"));
    get(".config/default.yml.before-kura", &text);
    assert_string_equal(buf_str(&text), "url: https://other/\n");
    site = site_of("misskey", false);
    assert_string_equal(site->database.host, "db2.internal");
    assert_string_equal(site->database.port, "5440");
    assert_string_equal(site->database.user, "mk_prod");
    assert_string_equal(site->database.password, "it's: #1");
    assert_false(site->reads_replicas);
    assert_int_equal(stat(written.v[0], &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    app_site_free(site);

    /* once more: everything is right already */
    site = site_of("misskey", true);
    if (app_edits_apply(site, &edits, beside, &again, &kept, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(again.n, 0);
    app_site_free(site);
}

/* What is read otherwise than it was written does not stay: another file goes before. */
static void put_back_when_it_reads_otherwise(void **state)
{
    (void)state;
    put(dir, "lib/mastodon/version.rb", RUBY);
    put(dir, "Gemfile.lock", LOCK);
    put(dir, ".env.production", "LOCAL_DOMAIN=a\nDB_HOST=one\nDB_HOST=two\n");
    AppSite *site = site_of("mastodon", false);
    AppSetting first = *app_setting(site, "DB_HOST");
    AppPlace other = first.place;
    other.offset = strlen("LOCAL_DOMAIN=a\nDB_HOST=") + (first.place.offset > 25 ? 0 : strlen("one\nDB_HOST="));
    first.place.offset = other.offset; /* the one that does not count */
    _cleanup_(app_edits_done) AppEdits edits = {0};
    _cleanup_(strvec_done) StrVec written = {0}, kept = {0};
    _cleanup_(buf_done) Buf text = BUF_INIT(65536);
    app_edits_set(&edits, &first, "three");
    assert_int_equal(app_edits_apply(site, &edits, NULL, &written, &kept, &err), -1);
    assert_non_null(strstr(err.message, "DB_HOST is read otherwise than it was written"));
    get(".env.production", &text);
    assert_string_equal(buf_str(&text), "LOCAL_DOMAIN=a\nDB_HOST=one\nDB_HOST=two\n");
    _cleanup_free_ char *left = xasprintf("%s/.env.production.before-kura", dir);
    assert_int_equal(access(left, F_OK), -1);
    app_site_free(site);
}

/* Whoever runs the application can put links anywhere in its directory; whoever applies may be root. */
static void assert_not_through_link(const char *link, const char *victim)
{
    AppSite *site = site_of("misskey", true);
    _cleanup_(app_edits_done) AppEdits edits = {0};
    _cleanup_(strvec_done) StrVec written = {0}, kept = {0};
    _cleanup_free_ char *path = xasprintf("%s/extra.sh", victim);
    retarget(site, &(AppTarget){.host = "db2.internal"}, &edits);
    assert_int_equal(symlink(victim, link), 0);
    err = (Error)ERROR_INIT;
    assert_int_equal(app_edits_apply(site, &edits, beside, &written, &kept, &err), -1);
    assert_non_null(strstr(err.hint, "Links on the way are not followed"));
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(unlink(link), 0);
    app_site_free(site);
}

static void links_lead_nowhere(void **state)
{
    (void)state;
    _cleanup_free_ char *victim = xasprintf("%s/victim", dir), *below = xasprintf("%s/more", dir);
    put(dir, "victim/file", "");
    put(beside, ".config/default.yml", misskey);
    put(beside, "more/extra.sh", "echo\n");
    assert_not_through_link(below, victim);
    _cleanup_free_ char *config = xasprintf("%s/.config", dir);
    assert_int_equal(rmdir(config), 0);
    assert_not_through_link(config, victim);
}

/* What a link stands for must not be copied to where another user can read it. */
static void what_is_behind_a_link_is_not_copied(void **state)
{
    (void)state;
    _cleanup_(app_edits_done) AppEdits edits = {0};
    _cleanup_(strvec_done) StrVec written = {0}, kept = {0};
    _cleanup_free_ char *link = xasprintf("%s/.config/default.yml", beside);
    put(dir, "elsewhere.yml", misskey);
    put(beside, ".config/other", "");
    _cleanup_free_ char *target = xasprintf("%s/elsewhere.yml", dir);
    assert_int_equal(symlink(target, link), 0);
    AppSite *site = site_of("misskey", true);
    retarget(site, &(AppTarget){.host = "db2.internal"}, &edits);
    assert_int_equal(app_edits_apply(site, &edits, beside, &written, &kept, &err), -1);
    assert_non_null(strstr(err.message, "is not a regular file"));
    app_site_free(site);
}

/* Set-user-id is nothing that a configuration needs. */
static void odd_modes_do_not_travel(void **state)
{
    (void)state;
    struct stat st;
    _cleanup_(app_edits_done) AppEdits edits = {0};
    _cleanup_(strvec_done) StrVec written = {0}, kept = {0};
    put(beside, ".config/default.yml", misskey);
    _cleanup_free_ char *path = xasprintf("%s/.config/default.yml", beside);
    assert_int_equal(chmod(path, 06750), 0);
    AppSite *site = site_of("misskey", true);
    retarget(site, &(AppTarget){.host = "db2.internal"}, &edits);
    if (app_edits_apply(site, &edits, beside, &written, &kept, &err) < 0)
        fail_msg("%s", err.message);
    assert_int_equal(stat(written.v[0], &st), 0);
    assert_int_equal(st.st_mode & 07777, 0750);
    app_site_free(site);
}

static void assert_set_refused(const AppSite *site, const char *set, const char *message)
{
    StrVec list = {0};
    _cleanup_(app_edits_done) AppEdits edits = {0};
    strvec_push(&list, set);
    assert_int_equal(app_retarget(site, &(AppTarget){.set = &list}, &edits, &findings, &err), -1);
    assert_int_equal(err.code, ERR_USAGE);
    assert_non_null(strstr(err.message, message));
    strvec_done(&list);
}

static void wrong_settings(void **state)
{
    (void)state;
    put(dir, ".config/default.yml", misskey);
    AppSite *site = site_of("misskey", false);
    assert_set_refused(site, "redis.host", "is not KEY=VALUE");
    assert_set_refused(site, "no.such=1", "no file of the application's configuration has \"no.such\"");
    StrVec list = {0};
    _cleanup_(app_edits_done) AppEdits edits = {0};
    _cleanup_(buf_done) Buf text = BUF_INIT(65536);
    strvec_push(&list, "url=a\nb");
    retarget(site, &(AppTarget){.set = &list}, &edits);
    assert_int_equal(app_edit_text(&edits, ".config/default.yml", misskey, strlen(misskey), &text, &err), -1);
    assert_int_equal(app_edit_text(&edits, ".config/default.yml", "short", 5, &text, &err), -1);
    assert_int_equal(err.code, ERR_CORRUPT);
    strvec_done(&list);
    app_site_free(site);
}

#define EDIT_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EDIT_TEST(yaml_in_place),           EDIT_TEST(local_stays_local),
        EDIT_TEST(dotenv_in_place),         EDIT_TEST(urls_part_by_part),
        EDIT_TEST(no_password_is_shown),    EDIT_TEST(values_without_the_code),
        EDIT_TEST(applied_and_read_again),  EDIT_TEST(put_back_when_it_reads_otherwise),
        EDIT_TEST(links_lead_nowhere),      EDIT_TEST(what_is_behind_a_link_is_not_copied),
        EDIT_TEST(odd_modes_do_not_travel), EDIT_TEST(what_goes_over_lines_stays),
        EDIT_TEST(urls_with_parameters),    EDIT_TEST(wrong_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
