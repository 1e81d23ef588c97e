#include <stdio.h>
#include <string.h>

#include "harness.h"

static Error refuse_words(const char *const *words, int n)
{
    Error err = ERROR_INIT;
    Options options;
    assert_int_equal(options_parse(n, words, &options, &err), -1);
    assert_int_equal(err.code, ERR_USAGE);
    return err;
}

/* The error that a command line is refused with. */
#define refuse(...)                                                                                                    \
    refuse_words((const char *const[]){"kura", __VA_ARGS__, NULL},                                                     \
                 (int)(sizeof((const char *const[]){"kura", __VA_ARGS__}) / sizeof(char *)))

static void test_options_before_and_after(void **state)
{
    Options options;
    parse_ok(&options, "--repo", "/r", "--json", "show", "latest", "--tables");
    assert_int_equal(options.command->id, CMD_SHOW);
    assert_string_equal(options_text(&options, OPT_REPO), "/r");
    assert_true(options_flag(&options, OPT_JSON));
    assert_true(options_flag(&options, OPT_SHOW_TABLES));
    assert_false(options_flag(&options, OPT_SHOW_ROLES));
    assert_int_equal(options.args.n, 1);
    assert_string_equal(options.args.v[0], "latest");
    options_done(&options);
}

static void test_value_forms(void **state)
{
    Options options;
    parse_ok(&options, "remap", "-oout", "in.dump", "--map=a=b,c=d", "--map", "e=@drop", "-qv");
    assert_string_equal(options_text(&options, OPT_OUTPUT), "out");
    assert_int_equal(options_list(&options, OPT_MAP)->n, 2);
    assert_string_equal(options_list(&options, OPT_MAP)->v[0], "a=b,c=d");
    assert_string_equal(options_list(&options, OPT_MAP)->v[1], "e=@drop");
    assert_true(options_flag(&options, OPT_QUIET) && options_flag(&options, OPT_VERBOSE));
    options_done(&options);

    parse_ok(&options, "remap", "-o", "x", "--", "--json");
    assert_false(options_flag(&options, OPT_JSON));
    assert_string_equal(options.args.v[0], "--json");
    options_done(&options);

    parse_ok(&options, "guard", "social", "--post-ok", "--", "sh", "-c", "exit");
    assert_string_equal(options_text(&options, OPT_APP), "social");
    assert_int_equal(options.args.n, 3);
    assert_string_equal(options.args.v[0], "sh");
    assert_string_equal(options.args.v[1], "-c");
    assert_null(options.args.v[3]);
    options_done(&options);

    parse_ok(&options, "guard", "--app-dir", "x", "--", "true");
    assert_false(options_given(&options, OPT_APP));
    assert_string_equal(options.args.v[0], "true");
    options_done(&options);

    parse_ok(&options, "backup", "--split-tables=no", "--db", "");
    assert_false(options_flag(&options, OPT_SPLIT_TABLES));
    assert_true(options_given(&options, OPT_DB));
    assert_string_equal(options_text(&options, OPT_DB), "");
    options_done(&options);
}

/* --files is a flag of show and takes a value elsewhere. */
static void test_same_name_twice(void **state)
{
    Options options;
    parse_ok(&options, "--files", "show", "latest");
    assert_int_equal(options.command->id, CMD_SHOW);
    assert_true(options_flag(&options, OPT_SHOW_FILES));
    options_done(&options);

    parse_ok(&options, "--files", "media=/m", "backup", "--files", "config=/c");
    assert_int_equal(options.command->id, CMD_BACKUP);
    assert_int_equal(options_list(&options, OPT_FILES)->n, 2);
    options_done(&options);
}

/* A value may look like a command. */
static void test_value_named_like_a_command(void **state)
{
    Options options;
    parse_ok(&options, "--repo", "backup", "list");
    assert_int_equal(options.command->id, CMD_LIST);
    assert_string_equal(options_text(&options, OPT_REPO), "backup");
    options_done(&options);
}

static void test_help_and_version(void **state)
{
    Options options;
    parse_ok(&options, "backup", "--help");
    assert_int_equal(options.command->id, CMD_HELP);
    assert_string_equal(options.args.v[0], "backup");
    options_done(&options);
    parse_ok(&options, "-h");
    assert_int_equal(options.command->id, CMD_HELP);
    assert_int_equal(options.args.n, 0);
    options_done(&options);
    parse_ok(&options, "--version");
    assert_int_equal(options.command->id, CMD_VERSION);
    options_done(&options);
}

static void test_nearest_spelling(void **state)
{
    assert_string_equal(refuse("bakcup").hint, "Did you mean \"kura backup\"?");
    assert_string_equal(refuse("backup", "--exlude", "x").hint, "Did you mean --exclude?");
    assert_string_equal(refuse("restore", "latest", "--creat-roles").hint, "Did you mean --create-roles?");
    /* no abbreviations */
    assert_string_equal(refuse("restore", "latest", "--allow").message, "unknown option --allow for \"kura restore\"");
    assert_string_equal(refuse("backup", "--swap").hint, "It is an option of: restore.");
    assert_string_equal(refuse("backup", "--zzzzzz").hint, "Try \"kura help backup\".");
    assert_string_equal(refuse("xyzzy-plugh").hint, "Try \"kura help\".");
}

static void test_refused(void **state)
{
    assert_string_equal(refuse("backup", "--jobs", "0").message,
                        "invalid value \"0\" for option --jobs: a whole number from 1 to 1024 is needed");
    assert_non_null(strstr(refuse("backup", "--jobs", "1.5").message, "whole number"));
    assert_non_null(strstr(refuse("backup", "--jobs", "0x2").message, "whole number"));
    assert_non_null(strstr(refuse("backup", "--max-lag", "inf").message, "seconds"));
    assert_non_null(strstr(refuse("backup", "--max-lag", "1.").message, "seconds"));
    assert_non_null(strstr(refuse("backup", "--max-lag", "-1").message, "seconds"));
    assert_string_equal(refuse("restore", "x", "--only", "d").message,
                        "invalid value \"d\" for option --only: one of db|files is needed");
    assert_string_equal(refuse("restore", "x", "--only").message, "option --only needs a value: db|files");
    assert_string_equal(refuse("list", "--repo", "").message, "option --repo needs a value that is not empty");
    assert_string_equal(refuse("backup", "--db", "a", "--db", "b").message, "option --db is given more than once");
    assert_string_equal(refuse("list", "extra").message, "unexpected argument \"extra\"");
    assert_string_equal(refuse("show").message, "\"kura show\" needs ID|latest|ARCHIVE");
    assert_string_equal(refuse("list", "-x").message, "unknown option -x for \"kura list\"");
    assert_string_equal(refuse("--json").message, "no command is given");
    assert_string_equal(refuse("list", "--json=maybe").message,
                        "invalid value \"maybe\" for option --json: yes or no is needed");
}

static void test_numbers_and_choices(void **state)
{
    Options options;
    parse_ok(&options, "backup", "-j3", "--max-lag", "2.5", "--lock-timeout=0");
    assert_int_equal((int)options_number(&options, OPT_JOBS, 0), 3);
    assert_true(options_number(&options, OPT_MAX_LAG, -1) == 2.5);
    assert_true(options_number(&options, OPT_LOCK_TIMEOUT, -1) == 0);
    options_done(&options);

    parse_ok(&options, "export", "latest", "dir", "--compress", "none");
    assert_int_equal(options_choice(&options, OPT_COMPRESS, 0), 2);
    assert_int_equal((int)options_number(&options, OPT_JOBS, 9), 9);
    options_done(&options);
}

static double size_of(const char *text)
{
    Options options;
    parse_ok(&options, "backup", "--limit-upload", text);
    double size = options_number(&options, OPT_LIMIT_UPLOAD, -1);
    options_done(&options);
    return size;
}

static void test_sizes(void **state)
{
    assert_true(size_of("0") == 0);
    assert_true(size_of("12345") == 12345);
    assert_true(size_of("800K") == 800 * 1024);
    assert_true(size_of("1.5M") == 1.5 * 1024 * 1024);
    assert_true(size_of("1024G") == OPTION_SIZE_MAX);
    static const char *bad[] = {"5MB", "5m",  "K",   "",    "-1",   "1.5",          "1025G",
                                "5 M", "1e6", "inf", "5KK", "0x10", "9999999999999"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        Error err = refuse("backup", "--limit-upload", bad[i]);
        char message[200];
        snprintf(
            message, sizeof message,
            "invalid value \"%s\" for option --limit-upload: a number of bytes up to 1024G is needed, such as 800K or "
            "5M",
            bad[i]);
        assert_string_equal(err.message, message);
    }
}

static double share_of(const char *const *words, int n)
{
    Options options;
    parse_words(&options, words, n, __func__);
    double share = options_number(&options, OPT_READ_DATA, -1);
    assert_int_equal(options.args.n, share == 25 ? 0 : 1);
    options_done(&options);
    return share;
}

/* A value that may be left out is never the next word. */
static void test_optional_value(void **state)
{
    assert_true(share_of((const char *const[]){"kura", "verify", "--read-data", "latest", NULL}, 4) == 100);
    assert_true(share_of((const char *const[]){"kura", "--read-data", "verify", "latest", NULL}, 4) == 100);
    assert_true(share_of((const char *const[]){"kura", "verify", "--read-data=2.5", "latest", NULL}, 4) == 2.5);
    assert_true(share_of((const char *const[]){"kura", "verify", "--read-data=3.4%", "latest", NULL}, 4) == 3.4);
    assert_true(share_of((const char *const[]){"kura", "--read-data=25", "verify", NULL}, 3) == 25);
    assert_true(share_of((const char *const[]){"kura", "verify", "--read-data=0", "5", NULL}, 4) == 0);
    assert_string_equal(refuse("verify", "--read-data=101").message,
                        "invalid value \"101\" for option --read-data: a percentage from 0 to 100 is needed");
    refuse("verify", "--read-data=-1");
    refuse("verify", "--read-data=");
    refuse("verify", "--read-data=5%%");
}

static double sample_of(const char *text)
{
    Options options;
    parse_ok(&options, "rehearse", "--sample", text, "latest");
    double share = options_number(&options, OPT_SAMPLE, -1);
    options_done(&options);
    return share;
}

static void test_shares(void **state)
{
    assert_true(sample_of("2%") == 2);
    assert_true(sample_of("0.5") == 0.5);
    assert_true(sample_of("100%") == 100);
    static const char *bad[] = {"101", "%", "2%%", "-1", ""};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        refuse("rehearse", "--sample", bad[i]);
}

static void test_many_arguments(void **state)
{
    Options options;
    parse_ok(&options, "verify", "a", "b", "latest");
    assert_int_equal(options.args.n, 3);
    options_done(&options);
}

static void assert_no_secret(const Error *err)
{
    assert_null(strstr(err->message, "hunter2"));
    assert_null(strstr(err->hint, "hunter2"));
    assert_non_null(strstr(err->message, "is no option of the command line"));
    assert_non_null(strstr(err->hint, "[repository NAME]"));
}

/* A secret on the command line is refused wherever it stands, is not repeated, and its place is told. */
static void test_keys_of_the_configuration_only(void **state)
{
    Error err = refuse("list", "--s3-secret-key", "hunter2");
    assert_no_secret(&err);
    assert_non_null(strstr(err.hint, "s3-secret-key = "));
    err = refuse("list", "--s3-secret-key=hunter2");
    assert_no_secret(&err);
    err = refuse("--s3-secret-key", "hunter2", "list");
    assert_no_secret(&err);
    err = refuse("--s3-session-token=hunter2", "backup");
    assert_no_secret(&err);
    err = refuse("help", "--s3-access-key", "hunter2");
    assert_no_secret(&err);
    /* mistyped, too */
    assert_string_equal(refuse("--s3-secret_key", "hunter2", "list").message, "unknown option --s3-secret_key");
    assert_string_equal(refuse("list", "--s3-secret_key", "hunter2").message,
                        "unknown option --s3-secret_key for \"kura list\"");
}

static const char *fake_environment(const char *name)
{
    if (strcmp(name, "KURA_REPO") == 0)
        return "/from/env";
    if (strcmp(name, "KURA_JOBS") == 0)
        return "7";
    if (strcmp(name, "KURA_DB") == 0)
        return "dbname=live";
    return NULL;
}

static void test_environment(void **state)
{
    Error err = ERROR_INIT;
    Options options;
    parse_ok(&options, "backup", "--jobs", "2");
    assert_int_equal(options_environment(&options, fake_environment, &err), 0);
    assert_string_equal(options_text(&options, OPT_REPO), "/from/env");
    assert_int_equal((int)options_number(&options, OPT_JOBS, 0), 2);
    assert_string_equal(options_text(&options, OPT_DB), "dbname=live");
    options_done(&options);

    /* the target of a restore is named on the command line or not at all */
    parse_ok(&options, "restore", "latest");
    assert_int_equal(options_environment(&options, fake_environment, &err), 0);
    assert_false(options_given(&options, OPT_DB));
    assert_int_equal((int)options_number(&options, OPT_JOBS, 0), 7);
    options_done(&options);
}

/* Every option is found by its name for its commands, and no name means two things to one command. */
static void test_table_is_consistent(void **state)
{
    for (size_t i = 0; i < OPT_COUNT; i++) {
        const OptionSpec *spec = &option_specs[i];
        assert_int_not_equal(spec->commands | spec->configured, 0);
        if (option_is_key_only(spec))
            assert_ptr_equal(option_find_key_only(spec->name), spec);
        for (CommandId command = 0; command < CMD_COUNT; command++) {
            if (!option_belongs(spec, command))
                continue;
            assert_ptr_equal(option_find(command, spec->name, strlen(spec->name)), spec);
            if (spec->short_name)
                assert_ptr_equal(option_find_short(command, spec->short_name), spec);
        }
        for (unsigned section = IN_KURA; section <= IN_APP; section <<= 1)
            if (spec->sections & section)
                assert_ptr_equal(option_find_key(spec->name, section), spec);
    }
}

static void test_durations(void **state)
{
    static const struct {
        const char *text;
        double seconds;
    } good[] = {{"0s", 0}, {"90s", 90}, {"1.5m", 90}, {"26h", 93600}, {"35d", 3024000}, {"2w", 1209600}};
    static const char *const bad[] = {"", "26", "h", "-1h", "1e3s", "1 h", "1hh", "26H", "1000000w", "."};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        Options options;
        parse_ok(&options, "status", "--max-age", good[i].text);
        assert_true(options_number(&options, OPT_MAX_AGE, -1) == good[i].seconds);
        options_done(&options);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_non_null(strstr(refuse("status", "--max-age", bad[i]).message, "a duration is needed"));
}

static void test_programs_are_no_options(void **state)
{
    Error err = refuse("backup", "--before-backup", "rm -rf /");
    assert_string_equal(err.message, "--before-backup is no option of the command line");
    assert_non_null(strstr(err.hint, "configuration file"));
    err = refuse("backup", "--ping-url", "https://hunter2");
    assert_null(strstr(err.message, "hunter2"));
    assert_null(strstr(err.hint, "AWS"));
}

static void test_copy(void **state)
{
    Options options;
    parse_ok(&options, "backup", "--tag", "a", "--tag", "b", "--db", "x", "-j3");
    Options copy = options_copy(&options);
    options_done(&options);
    assert_int_equal(options_list(&copy, OPT_TAG)->n, 2);
    assert_string_equal(options_list(&copy, OPT_TAG)->v[1], "b");
    assert_true(options_number(&copy, OPT_JOBS, 0) == 3);
    assert_int_equal(copy.command->id, CMD_BACKUP);
    options_done(&copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options_before_and_after),
        cmocka_unit_test(test_value_forms),
        cmocka_unit_test(test_same_name_twice),
        cmocka_unit_test(test_value_named_like_a_command),
        cmocka_unit_test(test_help_and_version),
        cmocka_unit_test(test_nearest_spelling),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_numbers_and_choices),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_programs_are_no_options),
        cmocka_unit_test(test_copy),
        cmocka_unit_test(test_optional_value),
        cmocka_unit_test(test_shares),
        cmocka_unit_test(test_many_arguments),
        cmocka_unit_test(test_keys_of_the_configuration_only),
        cmocka_unit_test(test_environment),
        cmocka_unit_test(test_table_is_consistent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
