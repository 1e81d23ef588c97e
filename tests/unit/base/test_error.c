#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kura/error.h"
#include "kura/findings.h"

static void chain_reads_from_the_outer_step_to_the_cause(void **state)
{
    Error err = ERROR_INIT;
    assert_int_equal(error_set(&err, ERR_CORRUPT, "byte %d is wrong", 7), -1);
    error_hint(&err, "Copy it again.");
    assert_int_equal(error_wrap(&err, "reading \"%s\"", "toc.dat"), -1);
    assert_string_equal(err.message, "reading \"toc.dat\": byte 7 is wrong");
    assert_string_equal(err.hint, "Copy it again.");
    assert_int_equal(err.code, ERR_CORRUPT);
}

static void setting_anew_forgets_the_old(void **state)
{
    Error err = ERROR_INIT;
    error_errno(&err, EACCES, "opening \"x\"");
    assert_int_equal(err.code, ERR_PERMISSION);
    assert_int_equal(err.sys_errno, EACCES);
    error_hint(&err, "A hint.");
    error_set(&err, ERR_FAILED, "other");
    assert_string_equal(err.hint, "");
    assert_int_equal(err.sys_errno, 0);
    error_clear(&err);
    assert_int_equal(err.code, ERR_NONE);
    assert_string_equal(err.message, "");
}

static void errno_gives_code_text_and_remedy(void **state)
{
    Error err = ERROR_INIT;
    error_errno(&err, ENOENT, "opening \"%s\"", "a");
    assert_string_equal(err.message, "opening \"a\": No such file or directory");
    assert_int_equal(err.code, ERR_NOT_FOUND);
    error_errno(&err, ENOSPC, "writing");
    assert_int_equal(err.code, ERR_IO);
    assert_non_null(strstr(err.hint, "Free some space"));
    error_errno(&err, EIO, "writing");
    assert_non_null(strstr(err.hint, "dmesg"));
}

static void texts_of_an_error_may_go_into_itself(void **state)
{
    Error err = ERROR_INIT;
    error_set(&err, ERR_IO, "first");
    error_set(&err, ERR_FAILED, "second after %s", err.message);
    assert_string_equal(err.message, "second after first");
    error_wrap(&err, "third, %s", err.message);
    assert_string_equal(err.message, "third, second after first: second after first");
    error_hint(&err, "One.");
    error_hint(&err, "%s Two.", err.hint);
    assert_string_equal(err.hint, "One. Two.");
}

static void long_messages_are_cut(void **state)
{
    Error err = ERROR_INIT;
    char text[sizeof err.message * 2];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    error_set(&err, ERR_IO, "%s", text);
    error_wrap(&err, "step");
    assert_int_equal(strlen(err.message), sizeof err.message - 1);
    assert_memory_equal(err.message, "step: xxx", 9);
}

/* Whatever is cut, what is left is UTF-8. */
static void cuts_are_between_characters(void **state)
{
    static const char *const characters[] = {"é", "蔵", "😀"};
    for (size_t c = 0; c < sizeof characters / sizeof *characters; c++) {
        char text[8192] = "";
        size_t len = strlen(characters[c]);
        while (strlen(text) + len < sizeof text)
            strcat(text, characters[c]);
        for (size_t shift = 0; shift < len; shift++) {
            Error err;
            error_set(&err, ERR_FAILED, "%.*s%s", (int)shift, "xxx", text);
            error_hint(&err, "%.*s%s", (int)shift, "xxx", text);
            assert_int_equal((strlen(err.message) - shift) % len, 0);
            assert_int_equal((strlen(err.hint) - shift) % len, 0);
            assert_true(strlen(err.message) + len >= sizeof err.message);
            error_wrap(&err, "%.*s", (int)(len - shift), "xxxx");
            assert_int_equal((strlen(err.message) - len - strlen(": ")) % len, 0);
        }
    }
}

static void nobody_listens(void **state)
{
    assert_int_equal(error_set(NULL, ERR_IO, "x"), -1);
    assert_int_equal(error_errno(NULL, EIO, "x"), -1);
    assert_int_equal(error_wrap(NULL, "x"), -1);
    assert_int_equal(error_hint(NULL, "x"), -1);
}

static void codes_have_status_and_name(void **state)
{
    assert_int_equal(error_exit_status(ERR_NONE), 0);
    assert_int_equal(error_exit_status(ERR_LOCKED), 11);
    assert_int_equal(error_exit_status(ERR_INTERRUPTED), 130);
    assert_string_equal(error_code_name(ERR_NO_REPOSITORY), "no_repository");
    assert_string_equal(error_code_name(ERR_TOOL), "tool");
}

static void what_cannot_be_read_is_told_apart(void **state)
{
    (void)state;
    static const ErrorCode unreadable[] = {ERR_CORRUPT, ERR_TRUNCATED, ERR_UNSUPPORTED};
    static const ErrorCode others[] = {ERR_NONE, ERR_NOT_FOUND, ERR_KEY, ERR_IO, ERR_CONNECTION, ERR_INTERRUPTED};
    for (size_t i = 0; i < sizeof unreadable / sizeof *unreadable; i++)
        assert_true(error_is_unreadable(&(Error){.code = unreadable[i]}));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(error_is_unreadable(&(Error){.code = others[i]}));
}

static void findings_are_kept_in_order_and_counted_by_severity(void **state)
{
    Findings findings = FINDINGS_INIT;
    findings_add(&findings, FINDING_NOTE, "a-note", NULL, "note %d", 1);
    findings_add(&findings, FINDING_ERROR, "role-missing", "Create it: 100%.", "role \"%s\" is missing", "app");
    findings_add(&findings, FINDING_WARNING, "warned", NULL, "warning");
    assert_int_equal(findings_count(&findings, FINDING_NOTE), 3);
    assert_int_equal(findings_count(&findings, FINDING_WARNING), 2);
    assert_int_equal(findings_count(&findings, FINDING_ERROR), 1);
    assert_string_equal(findings.v[1].code, "role-missing");
    assert_string_equal(findings.v[1].message, "role \"app\" is missing");
    assert_string_equal(findings.v[1].hint, "Create it: 100%.");
    assert_null(findings.v[0].hint);
    findings_done(&findings);
    assert_int_equal(findings_count(&findings, FINDING_NOTE), 0);
    findings_add(&findings, FINDING_NOTE, "again", NULL, "usable again");
    assert_int_equal(findings.n, 1);
    findings_done(&findings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chain_reads_from_the_outer_step_to_the_cause),
        cmocka_unit_test(setting_anew_forgets_the_old),
        cmocka_unit_test(errno_gives_code_text_and_remedy),
        cmocka_unit_test(texts_of_an_error_may_go_into_itself),
        cmocka_unit_test(long_messages_are_cut),
        cmocka_unit_test(cuts_are_between_characters),
        cmocka_unit_test(nobody_listens),
        cmocka_unit_test(codes_have_status_and_name),
        cmocka_unit_test(what_cannot_be_read_is_told_apart),
        cmocka_unit_test(findings_are_kept_in_order_and_counted_by_severity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
