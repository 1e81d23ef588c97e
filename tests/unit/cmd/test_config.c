#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "harness.h"
#include "ini.h"

static void parse_config(const char *text, Config *ret)
{
    Error err = ERROR_INIT;
    if (config_parse(text, strlen(text), "kura.conf", ret, &err) < 0)
        fail_msg("%s", err.message);
}

static Error refuse_config(const char *text)
{
    Error err = ERROR_INIT;
    Config config;
    assert_int_equal(config_parse(text, strlen(text), "kura.conf", &config, &err), -1);
    assert_int_equal(err.code, ERR_USAGE);
    return err;
}

static void apply(const Config *config, Options *options)
{
    Error err = ERROR_INIT;
    if (config_apply(config, options, &err) < 0)
        fail_msg("%s", err.message);
}

static const char *no_environment(const char *name)
{
    return NULL;
}

static const char *jobs_environment(const char *name)
{
    return strcmp(name, "KURA_JOBS") == 0 ? "4" : NULL;
}

static const char levels[] = "[kura]\n"
                             "jobs = 1\n"
                             "max-lag = 10\n"
                             "exclude = kura-*\n"
                             "\n"
                             "[repository main]\n"
                             "location = /srv/kura\n"
                             "jobs = 2\n"
                             "# a comment\n"
                             "[app misskey]\n"
                             "jobs = 3\n"
                             "db = host=/run dbname=misskey password='a;b#c'\n"
                             "files = media=/srv/media\n"
                             "files = config=/srv/.config\n"
                             "  split-tables =  yes  \n";

static int jobs_of(const Config *config, const char *(*getenv_fn)(const char *), const char *const *words, int n)
{
    Error err = ERROR_INIT;
    Options options;
    parse_words(&options, words, n, __func__);
    assert_int_equal(options_environment(&options, getenv_fn, &err), 0);
    apply(config, &options);
    int jobs = (int)options_number(&options, OPT_JOBS, 0);
    options_done(&options);
    return jobs;
}

/* Command line, environment, app, repository, [kura]: the first of these that speaks is heard. */
static void test_precedence(void **state)
{
    Config config;
    parse_config(levels, &config);
    const char *const all[] = {"kura", "backup", "--app", "misskey", "--jobs", "5", NULL};
    assert_int_equal(jobs_of(&config, jobs_environment, all, 6), 5);
    assert_int_equal(jobs_of(&config, jobs_environment, all, 4), 4);
    assert_int_equal(jobs_of(&config, no_environment, all, 4), 3);
    assert_int_equal(jobs_of(&config, no_environment, all, 2), 2);
    const char *const elsewhere[] = {"kura", "backup", "--repo", "/other", NULL};
    assert_int_equal(jobs_of(&config, no_environment, elsewhere, 4), 1);
    config_done(&config);
}

static void test_app_section(void **state)
{
    Config config;
    Options options;
    parse_config(levels, &config);
    parse_ok(&options, "backup", "--app", "misskey", "--exclude", "x", "--exclude", "y");
    apply(&config, &options);
    assert_string_equal(options_text(&options, OPT_DB), "host=/run dbname=misskey password='a;b#c'");
    assert_int_equal(options_list(&options, OPT_FILES)->n, 2);
    assert_string_equal(options_list(&options, OPT_FILES)->v[1], "config=/srv/.config");
    assert_true(options_flag(&options, OPT_SPLIT_TABLES));
    assert_true(options_number(&options, OPT_MAX_LAG, -1) == 10);
    /* a list is replaced as a whole */
    assert_int_equal(options_list(&options, OPT_EXCLUDE)->n, 2);
    assert_string_equal(options_list(&options, OPT_EXCLUDE)->v[0], "x");
    options_done(&options);

    /* never restored into what is backed up, unless told so on the command line */
    parse_ok(&options, "restore", "latest", "--app", "misskey");
    apply(&config, &options);
    assert_false(options_given(&options, OPT_DB));
    assert_false(options_given(&options, OPT_FILES));
    assert_int_equal((int)options_number(&options, OPT_JOBS, 0), 3);
    options_done(&options);
    config_done(&config);
}

static void assert_location(const Config *config, const char *const *words, int n, const char *location)
{
    Options options;
    parse_words(&options, words, n, __func__);
    apply(config, &options);
    if (location == NULL)
        assert_false(options_given(&options, OPT_REPO));
    else
        assert_string_equal(options_text(&options, OPT_REPO), location);
    options_done(&options);
}

static void test_repository_choice(void **state)
{
    Config one, two;
    parse_config(levels, &one);
    parse_config("[repository a]\nlocation=/a\n[repository b]\nlocation=/b\n[app x]\nrepo = b\n", &two);
    const char *const plain[] = {"kura", "list", NULL};
    assert_location(&one, plain, 2, "/srv/kura");
    assert_location(&two, plain, 2, NULL);
    const char *const named[] = {"kura", "list", "--repo", "a", NULL};
    assert_location(&two, named, 4, "/a");
    assert_location(&one, named, 4, "a");
    const char *const path[] = {"kura", "list", "--repo", "./a", NULL};
    assert_location(&two, path, 4, "./a");
    const char *const app[] = {"kura", "list", "--app", "x", NULL};
    assert_location(&two, app, 4, "/b");
    config_done(&one);
    config_done(&two);
}

static const char s3[] = "[kura]\n"
                         "s3-region = eu-central-1\n"
                         "limit-upload = 5M\n"
                         "[repository cloud]\n"
                         "location = s3://bucket/a/prefix\n"
                         "s3-endpoint = https://s3.example\n"
                         "s3-path-style = yes\n"
                         "s3-access-key = id\n"
                         "s3-secret-key = se=cret # really\n"
                         "s3-session-token = token\n"
                         "[repository disk]\n"
                         "location = /srv/kura\n";

static void test_s3_section(void **state)
{
    Config config;
    Options options;
    parse_config(s3, &config);
    parse_ok(&options, "list", "--repo", "cloud", "--s3-path-style", "no");
    apply(&config, &options);
    assert_string_equal(options_text(&options, OPT_REPO), "s3://bucket/a/prefix");
    assert_string_equal(options_text(&options, OPT_S3_ENDPOINT), "https://s3.example");
    assert_string_equal(options_text(&options, OPT_S3_REGION), "eu-central-1");
    assert_string_equal(options_text(&options, OPT_S3_ACCESS_KEY), "id");
    assert_string_equal(options_text(&options, OPT_S3_SECRET_KEY), "se=cret # really");
    assert_string_equal(options_text(&options, OPT_S3_SESSION_TOKEN), "token");
    assert_int_equal(options_choice(&options, OPT_S3_PATH_STYLE, 0), 2);
    assert_true(options_number(&options, OPT_LIMIT_UPLOAD, 0) == 5 * 1024 * 1024);
    options_done(&options);

    /* the keys of one repository are not offered to another one, nor to a location */
    parse_ok(&options, "list", "--repo", "disk");
    apply(&config, &options);
    assert_false(options_given(&options, OPT_S3_SECRET_KEY));
    options_done(&options);
    parse_ok(&options, "list", "--repo", "s3://bucket/a/prefix");
    apply(&config, &options);
    assert_string_equal(options_text(&options, OPT_REPO), "s3://bucket/a/prefix");
    assert_false(options_given(&options, OPT_S3_SECRET_KEY));
    assert_string_equal(options_text(&options, OPT_S3_REGION), "eu-central-1");
    options_done(&options);
    config_done(&config);
}

static void test_s3_refused(void **state)
{
    assert_string_equal(refuse_config("[kura]\ns3-secret-key = hunter2\n").message,
                        "kura.conf:2: unknown key \"s3-secret-key\" in section [kura]");
    assert_string_equal(refuse_config("[app x]\ns3-access-key = hunter2\n").message,
                        "kura.conf:2: unknown key \"s3-access-key\" in section [app x]");
    Error err = refuse_config("[repository r]\nlocation = s3://b\ns3-secret-key = hunter2\ns3-secret-key = hunter2\n");
    assert_string_equal(err.message, "kura.conf:4: key \"s3-secret-key\" is given on line 3 already");
    err = refuse_config("[repository r]\nlocation = s3://b\ns3-secret-key = hunter2\n");
    assert_string_equal(err.message, "kura.conf: section [repository r] lacks the key \"s3-access-key\"");
    err = refuse_config("[repository r]\nlocation = s3://b\ns3-access-key = id\ns3-session-token = hunter2\n");
    assert_string_equal(err.message, "kura.conf: section [repository r] lacks the key \"s3-secret-key\"");
    err = refuse_config("[repository r]\nlocation = s3://b\ns3-session-token = hunter2\n");
    assert_string_equal(err.message, "kura.conf: section [repository r] lacks the key \"s3-access-key\"");
    err = refuse_config("[repository r]\nlocation = s3://b\ns3-secret-key =\n");
    assert_string_equal(err.message, "kura.conf:3: key \"s3-secret-key\" needs a value that is not empty");
}

static void test_unknown_names(void **state)
{
    Error err = refuse_config("[kura]\n\nexlude = x\n");
    assert_string_equal(err.message, "kura.conf:3: unknown key \"exlude\" in section [kura]");
    assert_string_equal(err.hint, "Did you mean \"exclude\"?");
    err = refuse_config("[repository r]\nlocatoin = x\n");
    assert_string_equal(err.hint, "Did you mean \"location\"?");
    err = refuse_config("[repositroy r]\n");
    assert_string_equal(err.message, "kura.conf:1: unknown section [repositroy r]");
    assert_string_equal(err.hint, "Did you mean [repository NAME]?");
    /* a key in the wrong section */
    err = refuse_config("[kura]\ndb = x\n");
    assert_string_equal(err.message, "kura.conf:2: unknown key \"db\" in section [kura]");
    assert_string_equal(refuse_config("[app]\n").message, "kura.conf:1: unknown section [app]");
    assert_string_equal(refuse_config("[kura x]\n").message, "kura.conf:1: unknown section [kura x]");
}

static void test_refused(void **state)
{
    assert_string_equal(refuse_config("jobs = 1\n").message,
                        "kura.conf:1: key \"jobs\" stands before the first section");
    assert_string_equal(refuse_config("[kura]\njobs\n").message, "kura.conf:2: line without a key and \"=\"");
    assert_string_equal(refuse_config("[kura]\n= 1\n").message, "kura.conf:2: line without a key and \"=\"");
    assert_string_equal(refuse_config("[kura\n").message, "kura.conf:1: section without \"]\" at its end");
    assert_string_equal(
        refuse_config("[app x]\njobs = many\n").message,
        "invalid value \"many\" for kura.conf:2: key \"jobs\": a whole number from 1 to 1024 is needed");
    assert_string_equal(refuse_config("[app x]\njobs = 1\njobs = 2\n").message,
                        "kura.conf:3: key \"jobs\" is given on line 2 already");
    assert_string_equal(refuse_config("[repository x]\njobs = 1\n").message,
                        "kura.conf: section [repository x] has no key \"location\"");
    assert_string_equal(refuse_config("[repository x]\nlocation =\n").message,
                        "kura.conf:2: key \"location\" needs a value that is not empty");
}

static void test_zero_byte(void **state)
{
    Error err = ERROR_INIT;
    Config config;
    assert_int_equal(config_parse("[kura]\n\0\n", 9, "kura.conf", &config, &err), -1);
    assert_non_null(strstr(err.message, "zero byte"));
}

/* Connection strings and names are long; nothing is cut. */
static void test_long_line(void **state)
{
    Config config;
    char value[3000], text[4000];
    memset(value, 'x', sizeof value - 1);
    value[sizeof value - 1] = 0;
    snprintf(text, sizeof text, "[app a]\r\ndb = %s", value);
    parse_config(text, &config);
    assert_int_equal(config.n_values, 1);
    assert_string_equal(config.values[0].text, value);
    assert_string_equal(config.sections[0].name, "a");
    config_done(&config);
}

static void write_file(const char *path, const char *text, mode_t mode)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(chmod(path, mode), 0);
}

static size_t findings_of_file(const char *path)
{
    Error err = ERROR_INIT;
    Config config;
    Findings findings = FINDINGS_INIT;
    if (config_load(path, false, &config, &findings, &err) < 0)
        fail_msg("%s", err.message);
    size_t n = findings.n;
    if (n > 0)
        assert_string_equal(findings.v[0].code, "config-readable");
    findings_done(&findings);
    config_done(&config);
    return n;
}

static void test_readable_password(void **state)
{
    char path[] = "/tmp/kura-test-conf-XXXXXX";
    close(mkstemp(path));
    write_file(path, "[app a]\ndb = dbname=x password=secret\n", 0644);
    assert_int_equal(findings_of_file(path), 1);
    write_file(path, "[app a]\ndb = postgresql://u:p@h/d\n", 0604);
    assert_int_equal(findings_of_file(path), 1);
    write_file(path, "[app a]\ndb = dbname=x password=secret\n", 0640);
    assert_int_equal(findings_of_file(path), 0);
    write_file(path, "[app a]\ndb = dbname=x user=y\n", 0644);
    assert_int_equal(findings_of_file(path), 0);
    write_file(path, s3, 0604);
    assert_int_equal(findings_of_file(path), 1);
    write_file(path, s3, 0600);
    assert_int_equal(findings_of_file(path), 0);
    unlink(path);
}

static void test_missing_file(void **state)
{
    Error err = ERROR_INIT;
    Config config;
    Findings findings = FINDINGS_INIT;
    assert_int_equal(config_load("/nonexistent/kura.conf", true, &config, &findings, &err), 0);
    assert_int_equal(config.n_values, 0);
    assert_int_equal(config_load("/nonexistent/kura.conf", false, &config, &findings, &err), -1);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_int_equal(findings.n, 0);
    findings_done(&findings);
}

/* Where copies go: what its own section says comes first, what the other one says does not count. */
static void another_repository(void **state)
{
    static const char text[] = "[kura]\ns3-region = all\njobs = 3\nrepo = one\nrepo = two\n"
                               "[repository one]\nlocation = s3://one\ns3-endpoint = https://one\nkey-file = /one\n"
                               "[repository two]\nlocation = s3://two\ns3-profile = two\ns3-region = near\n";
    static const char *const words[] = {"kura", "copy", "--to", "two", "--s3-profile", "here", "--identity", "/id"};
    Error err = ERROR_INIT;
    Config config;
    Options options, other;
    parse_config(text, &config);
    assert_int_equal(options_parse(ARRAY_SIZE(words), words, &options, &err), 0);
    apply(&config, &options);
    const StrVec *repos = options_list(&options, OPT_REPO);
    assert_int_equal(repos->n, 2);
    assert_string_equal(repos->v[0], "s3://one");
    assert_string_equal(repos->v[1], "two");
    assert_string_equal(options_text(&options, OPT_S3_PROFILE), "here");

    assert_int_equal(config_other_repository(&config, &options, "two", &other, &err), 0);
    assert_string_equal(options_text(&other, OPT_REPO), "s3://two");
    assert_string_equal(options_text(&other, OPT_S3_PROFILE), "two");
    assert_string_equal(options_text(&other, OPT_S3_REGION), "near");
    assert_string_equal(options_text(&other, OPT_IDENTITY), "/id");
    assert_null(options_text(&other, OPT_S3_ENDPOINT));
    assert_null(options_text(&other, OPT_KEY_FILE));
    options_done(&other);

    assert_int_equal(config_other_repository(&config, &options, "/srv/two", &other, &err), 0);
    assert_string_equal(options_text(&other, OPT_REPO), "/srv/two");
    assert_string_equal(options_text(&other, OPT_S3_REGION), "all");
    options_done(&other);
    options_done(&options);
    config_done(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_repository),     cmocka_unit_test(test_precedence),
        cmocka_unit_test(test_app_section),       cmocka_unit_test(test_repository_choice),
        cmocka_unit_test(test_unknown_names),     cmocka_unit_test(test_s3_section),
        cmocka_unit_test(test_s3_refused),        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_zero_byte),         cmocka_unit_test(test_long_line),
        cmocka_unit_test(test_readable_password), cmocka_unit_test(test_missing_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
