/* The manual pages, as built, name every option, key, variable, command and exit status. Arguments: kura.1 and
 * kura.conf.5. */
#include <stdio.h>
#include <string.h>

#include "file.h"
#include "harness.h"

static Buf kura_1 = BUF_INIT(1024 * 1024), kura_conf_5 = BUF_INIT(1024 * 1024);

static void assert_names(const Buf *page, const char *line)
{
    if (strstr(buf_str(page), line) == NULL)
        fail_msg("the manual lacks: %s", line);
}

static void test_options(void **state)
{
    char line[200];
    for (size_t i = 0; i < OPT_COUNT; i++) {
        const OptionSpec *spec = &option_specs[i];
        if (option_is_key_only(spec)) {
            snprintf(line, sizeof line, "Fl -%s", spec->name);
            assert_null(strstr(buf_str(&kura_1), line));
            continue;
        }
        char shortly[] = "Fl x , ";
        shortly[3] = spec->short_name;
        const char *before = option_is_optional(spec) ? " Ns Op = Ns Ar " : spec->arg[0] ? " Ar " : "";
        snprintf(line, sizeof line, "\n.It %sFl -%s%s%s\n", spec->short_name ? shortly : "", spec->name, before,
                 spec->arg);
        assert_names(&kura_1, line);
    }
}

static void test_commands(void **state)
{
    char line[200];
    for (size_t i = 0; i < CMD_COUNT; i++) {
        snprintf(line, sizeof line, "\n.Ss %s: %s\n", command_specs[i].name, command_specs[i].help);
        assert_names(&kura_1, line);
    }
}

static void test_environment(void **state)
{
    char line[200];
    for (size_t i = 0; i < OPT_COUNT; i++) {
        if (!option_specs[i].env[0])
            continue;
        snprintf(line, sizeof line, "\n.It Ev %s\n", option_specs[i].env);
        assert_names(&kura_1, line);
    }
}

static void test_keys(void **state)
{
    char line[200];
    for (size_t i = 0; i < OPT_COUNT; i++) {
        if (!option_specs[i].sections)
            continue;
        snprintf(line, sizeof line, "\n.It Ic %s No = Ar", option_specs[i].name);
        assert_names(&kura_conf_5, line);
    }
    assert_names(&kura_conf_5, "\n.It Ic location No = Ar");
}

static void test_exit_statuses(void **state)
{
    static const struct {
        const char *name;
        int status;
    } errors[] = {
#define ERROR(name, status, text) {#name, status},
#include "kura/errors.def"
#undef ERROR
    };
    char line[200];
    for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
        snprintf(line, sizeof line, "\n.It %d\n", errors[i].status);
        assert_names(&kura_1, line);
        if (errors[i].status == 0)
            continue;
        snprintf(line, sizeof line, "\n.It Li %s Pq %d\n", error_code_name((ErrorCode)i), errors[i].status);
        assert_names(&kura_1, line);
    }
    assert_names(&kura_1, "\n.It 129\n");
    assert_names(&kura_1, "\n.It 143\n");
}

int main(int argc, char *argv[])
{
    Error err = ERROR_INIT;
    if (argc != 3 || file_read(argv[1], &kura_1, NULL, &err) < 0 || file_read(argv[2], &kura_conf_5, NULL, &err) < 0) {
        fprintf(stderr, "usage: test_man kura.1 kura.conf.5: %s\n", err.message);
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options), cmocka_unit_test(test_commands),      cmocka_unit_test(test_environment),
        cmocka_unit_test(test_keys),    cmocka_unit_test(test_exit_statuses),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    buf_done(&kura_1);
    buf_done(&kura_conf_5);
    return failed;
}
