#include <string.h>

#include "harness.h"
#include "newconfig.h"
#include "session.h"
#include "site.h"

/* What an application's configuration said, as lib/app gives it. */
static AppSite *make_site(void)
{
    AppSite *site = xcalloc(1, sizeof *site);
    site->name = xstrdup("synapse");
    site->title = xstrdup("Synapse");
    site->dir = xstrdup("/");
    site->database = (AppServer){.host = xstrdup("db.example"),
                                 .port = xstrdup("5433"),
                                 .database = xstrdup("chat"),
                                 .user = xstrdup("chat"),
                                 .password = xstrdup("it's \\ secret")};
    site->n_filesets = 3;
    site->filesets = xcalloc(3, sizeof *site->filesets);
    site->filesets[0] = (AppFileset){.name = xstrdup("media"), .root = xstrdup("/")};
    site->filesets[1] = (AppFileset){.name = xstrdup("config"), .root = xstrdup("/"), .secret = true};
    site->filesets[2] = (AppFileset){.name = xstrdup("absent"), .root = xstrdup("/nonexistent/media")};
    strvec_push(&site->exclude_table_data, "keys_json");
    strvec_push(&site->media_queries, "media=SELECT 'a=b'");
    strvec_push(&site->media_queries, "media=SELECT 'c'");
    strvec_push(&site->media_queries, "absent=SELECT 'd'");
    return site;
}

static void begin(Session *session, Options *options, const Config *config)
{
    session_init(session, options, config, stdout);
    session->site = make_site();
}

static void end(Session *session, Options *options)
{
    session_done(session);
    options_done(options);
}

static void the_database_is_the_applications(void **state)
{
    Error err = ERROR_INIT;
    Session session;
    Options options;
    Config config = {0};
    const char *db;
    parse_ok(&options, "backup", "--app-dir", "/");
    begin(&session, &options, &config);
    assert_int_equal(session_db(&session, &db, &err), 0);
    assert_non_null(strstr(db, "db.example"));
    assert_non_null(strstr(db, "it\\'s \\\\ secret"));
    assert_string_equal(session_app(&session), "synapse");
    end(&session, &options);

    parse_ok(&options, "backup", "--app-dir", "/", "--db", "", "--app", "mine");
    begin(&session, &options, &config);
    assert_int_equal(session_db(&session, &db, &err), 0);
    assert_string_equal(db, "");
    assert_string_equal(session_app(&session), "mine");
    end(&session, &options);

    parse_ok(&options, "backup", "--profile", "synapse");
    begin(&session, &options, &config);
    assert_int_equal(session_db(&session, &db, &err), -1);
    assert_int_equal(err.code, ERR_USAGE);
    end(&session, &options);
}

static void without_an_application_nothing_changes(void **state)
{
    Error err = ERROR_INIT;
    Session session;
    Options options;
    Config config = {0};
    FileArgs files;
    AppSite *site;
    const char *db;
    parse_ok(&options, "backup", "--files", "x=/tmp");
    session_init(&session, &options, &config, stdout);
    assert_int_equal(session_site(&session, &site, &err), 0);
    assert_null(site);
    assert_int_equal(session_db(&session, &db, &err), 0);
    assert_null(db);
    assert_null(session_app(&session));
    assert_int_equal(session_files(&session, &files, &err), 0);
    assert_int_equal(files.n, 1);
    assert_null(files.v[0].app);
    assert_int_equal(session.findings.n, 0);
    file_args_done(&files);
    end(&session, &options);
}

static void named_filesets_go_before_its_own(void **state)
{
    Error err = ERROR_INIT;
    Session session;
    Options options;
    Config config = {0};
    FileArgs files;
    parse_ok(&options, "backup", "--app-dir", "/", "--files", "more=/more", "--files", "media=/mine");
    begin(&session, &options, &config);
    assert_int_equal(session_files(&session, &files, &err), 0);
    assert_int_equal(files.n, 3);
    assert_string_equal(files.v[0].name, "more");
    assert_string_equal(files.v[1].dir, "/mine");
    assert_null(files.v[1].app);
    assert_string_equal(files.v[2].name, "config");
    assert_true(files.v[2].app->secret);
    assert_int_equal(session.findings.n, 1);
    assert_string_equal(session.findings.v[0].code, "fileset-missing");
    file_args_done(&files);
    end(&session, &options);
}

static void rows_and_queries_add_up(void **state)
{
    Session session;
    Options options;
    Config config = {0};
    StrVec tables = {0}, queries = {0};
    ManifestFileset filesets[] = {{.name = (char *)"media"}, {.name = (char *)"other"}};
    const Manifest manifest = {.filesets = filesets, .n_filesets = 2};
    parse_ok(&options, "backup", "--app-dir", "/", "--exclude-table-data", "events");
    begin(&session, &options, &config);
    site_exclude_table_data(&session, &tables);
    assert_int_equal(tables.n, 2);
    assert_true(strvec_contains(&tables, "events") && strvec_contains(&tables, "keys_json"));
    strvec_done(&tables);
    site_media_queries(&session, &manifest, &queries);
    assert_int_equal(queries.n, 2); /* the backup has no fileset "absent" */
    strvec_done(&queries);
    end(&session, &options);

    parse_ok(&options, "rehearse", "latest", "--app-dir", "/", "--media-query", "media=SELECT 'mine'");
    begin(&session, &options, &config);
    queries = (StrVec){0};
    site_media_queries(&session, &manifest, &queries);
    assert_int_equal(queries.n, 1);
    assert_string_equal(queries.v[0], "media=SELECT 'mine'");
    strvec_done(&queries);
    end(&session, &options);
}

/* Only who names the application for this very restore has its live site restored into. */
static void a_configured_application_is_no_target(void **state)
{
    Error err = ERROR_INIT;
    Options options;
    Config config;
    Session session;
    static const char text[] = "[app chat]\napp-dir = /\n";
    assert_int_equal(config_parse(text, sizeof text - 1, "kura.conf", &config, &err), 0);
    parse_ok(&options, "restore", "latest", "--app", "chat");
    assert_int_equal(config_apply(&config, &options, &err), 0);
    begin(&session, &options, &config);
    assert_string_equal(options_text(&options, OPT_APP_DIR), "/");
    assert_false(site_is_target(&session));
    end(&session, &options);
    parse_ok(&options, "restore", "latest", "--app-dir", "/");
    begin(&session, &options, &config);
    assert_true(site_is_target(&session));
    end(&session, &options);
    config_done(&config);
}

static void the_new_sections(void **state)
{
    Error err = ERROR_INIT;
    Options options;
    Config config = {0};
    Session session;
    NewConfig made;
    parse_ok(&options, "init", "--app-dir", "/", "--with-cache", "--config", "/nonexistent/kura.conf");
    begin(&session, &options, &config);
    assert_int_equal(newconfig_make(&session, &made, &err), 0);
    assert_string_equal(
        buf_str(&made.text),
        "[app synapse]\n"
        "# Its own configuration is read at each run: database, password, directories.\n"
        "app-dir = /\n"
        "profile = synapse\n"
        "with-cache = yes\n"
        "# Where kura rehearse makes its scratch databases; the application's own server unless this is "
        "set:\n"
        "# server = host=/run/postgresql user=postgres\n");
    assert_int_equal(made.state, NEWCONFIG_SHOWN);
    assert_null(made.repository);
    Config again;
    assert_int_equal(config_parse(buf_str(&made.text), made.text.len, "new", &again, &err), 0);
    assert_int_equal(again.n_values, 3);
    config_done(&again);
    newconfig_done(&made);
    end(&session, &options);

    static const char *const bad[] = {"", "a]b", "a\nb", "  "};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        parse_ok(&options, "init", "--app-dir", "/");
        begin(&session, &options, &config);
        free(session.site->name);
        session.site->name = xstrdup(bad[i]);
        assert_int_equal(newconfig_make(&session, &made, &err), -1);
        assert_int_equal(err.code, ERR_USAGE);
        newconfig_done(&made);
        end(&session, &options);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_database_is_the_applications),
        cmocka_unit_test(without_an_application_nothing_changes),
        cmocka_unit_test(named_filesets_go_before_its_own),
        cmocka_unit_test(rows_and_queries_add_up),
        cmocka_unit_test(a_configured_application_is_no_target),
        cmocka_unit_test(the_new_sections),
    };
    return cmocka_run_group_tests_name("site", tests, NULL, NULL);
}
