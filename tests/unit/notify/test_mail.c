#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kura/mail.h"
#include "kura/mem.h"

static void a_mail(void **state)
{
    Error err = ERROR_INIT;
    _cleanup_(strvec_done) StrVec to = {0};
    _cleanup_(buf_done) Buf mail = BUF_INIT(4096);
    strvec_push(&to, "root@localhost");
    strvec_push(&to, "ops+kura@example.org");
    assert_int_equal(mail_format(&to, "backup of caf\nBcc: evil@example.org\r\n\r\nhello", "text\n", &mail, &err), 0);
    assert_string_equal(buf_str(&mail), "To: root@localhost, ops+kura@example.org\n"
                                        "Subject: backup of caf?Bcc: evil@example.org????hello\n"
                                        "Auto-Submitted: auto-generated\n"
                                        "MIME-Version: 1.0\n"
                                        "Content-Type: text/plain; charset=utf-8\n"
                                        "Content-Transfer-Encoding: 8bit\n"
                                        "\n"
                                        "text\n");
}

static void assert_subject(const char *subject, const char *wanted)
{
    Error err = ERROR_INIT;
    _cleanup_(strvec_done) StrVec to = {0};
    _cleanup_(buf_done) Buf mail = BUF_INIT(4096);
    strvec_push(&to, "root");
    assert_int_equal(mail_format(&to, subject, "text\n", &mail, &err), 0);
    const char *begin = strstr(buf_str(&mail), "Subject: "), *end = strstr(buf_str(&mail), "\nAuto-Submitted");
    assert_non_null(begin);
    assert_non_null(end);
    _cleanup_free_ char *got = xstrndup(begin + 9, (size_t)(end - begin) - 9);
    assert_string_equal(got, wanted);
}

/* RFC 2047: words of at most 75 characters, whole characters in each. */
static void subjects_in_other_letters(void **state)
{
    assert_subject("caf\xc3\xa9: a=b_c?", "=?UTF-8?Q?caf=C3=A9:=20a=3Db=5Fc=3F?=");
    assert_subject("\xc3\xa9\nBcc: x@y", "=?UTF-8?Q?=C3=A9=3FBcc:=20x@y?=");
    assert_subject("\xff\x1b", "=?UTF-8?Q?=3F=3F?=");
    assert_subject("\xe3\x81\x82\xe3\x81\x82\xe3\x81\x82\xe3\x81\x82\xe3\x81\x82\xe3\x81\x82\xe3\x81\x82\xe3\x81\x82",
                   "=?UTF-8?Q?=E3=81=82=E3=81=82=E3=81=82=E3=81=82=E3=81=82=E3=81=82=E3=81=82?=\n"
                   " =?UTF-8?Q?=E3=81=82?=");
}

static void addresses(void **state)
{
    const char *const good[] = {"root", "a@b", "first.last+tag@example.org"};
    const char *const bad[] = {"", "-oQ/tmp", "a@b, c@d", "a@b c@d", "a@b\nBcc: c@d", "<a@b>", "caf\xc3\xa9@b", "a;b"};
    Error err = ERROR_INIT;
    for (size_t i = 0; i < ARRAY_SIZE(good); i++)
        assert_int_equal(mail_check_address(good[i], &err), 0);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_equal(mail_check_address(bad[i], &err), -1);
    _cleanup_(strvec_done) StrVec to = {0};
    _cleanup_(buf_done) Buf mail = BUF_INIT(4096);
    strvec_push(&to, bad[4]);
    assert_int_equal(mail_format(&to, "s", "t", &mail, &err), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_mail), cmocka_unit_test(subjects_in_other_letters),
                                       cmocka_unit_test(addresses)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
