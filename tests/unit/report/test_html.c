/* What gets into a page, and how. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "html.h"
#include "kura/mem.h"
#include "kura/words.h"

static Error err;

static Html page_of(Buf *out)
{
    return (Html){.out = out, .err = &err};
}

#define assert_written(expected, ...)                                                                                  \
    do {                                                                                                               \
        Buf out_ = BUF_INIT(1000);                                                                                     \
        Html h_ = page_of(&out_);                                                                                      \
        html(&h_, __VA_ARGS__);                                                                                        \
        assert_int_equal(html_end(&h_), 0);                                                                            \
        assert_string_equal(buf_str(&out_), expected);                                                                 \
        buf_done(&out_);                                                                                               \
    } while (0)

#define HIDDEN(text) "<span class=hidden-char>" text "</span>"

static void markup(void **state)
{
    (void)state;
    assert_written("<p>", "<p>");
    assert_written("<p>&lt;b&gt;</p>", "<p>{}</p>", "<b>");
    assert_written("<p id=\"a&quot;b&#39;c&amp;\">", "<p id=\"{=}\">", "a\"b'c&");
    assert_written("one{ two}", "{}{ {}}", "one", "two");
    assert_written("", "{}", "");
    assert_written("", "{}", NULL);
}

static void a_placeholder_in_a_value_is_text(void **state)
{
    (void)state;
    assert_written("{}{=}{|} x", "{} {}", "{}{=}{|}", "x");
}

static void what_hides_is_seen(void **state)
{
    (void)state;
    assert_written("a" HIDDEN("\\x1b") "[2J", "{}", "a\x1b[2J");
    assert_written(HIDDEN("\\n") HIDDEN("\\t") HIDDEN("\\x0d"), "{}", "\n\t\r");
    assert_written("a\n\tb" HIDDEN("\\x0d"), "{|}", "a\n\tb\r");
    assert_written(HIDDEN("\\xe2\\x80\\xae") "x", "{}", "\u202ex");
    assert_written(HIDDEN("\\xff") HIDDEN("\\xc3"), "{}", "\xff\xc3");
    assert_written("\\x1b \\xff \\n", "{=}", "\x1b \xff \n");
    assert_written("\\x1b", "{}", "\\x1b"); /* a backslash that is there: no mark */
}

static void other_scripts_stay(void **state)
{
    (void)state;
    assert_written("\u53f0\u5e33 \u0627\u0644\u0645\u0633\u062a \U0001f5c4", "{}",
                   "\u53f0\u5e33 \u0627\u0644\u0645\u0633\u062a \U0001f5c4");
}

static void assert_text(const char *text, const char *expected)
{
    assert_string_equal(text, expected);
}

static void quantities(void **state)
{
    (void)state;
    Buf out = BUF_INIT(1);
    Html h = page_of(&out);
    assert_text(html_number(&h, 0), "0");
    assert_text(html_number(&h, 100), "100");
    assert_text(html_number(&h, 12.5), "12.5");
    assert_text(html_number(&h, 1.0 / 3), "0.333");
    assert_text(html_number(&h, -2.25), "-2.25");
    assert_text(html_counted(&h, 1, ngettext("%s table", "%s tables", 1)), "1 table");
    assert_text(html_counted(&h, 0, ngettext("%s table", "%s tables", 0)), "0 tables");
    assert_text(html_counted(&h, 1234567, ngettext("%s table", "%s tables", 1234567)), "1,234,567 tables");
    assert_text(html_age(&h, 7200), "2 h 00 min");
    assert_text(html_age(&h, 3.9 * 86400), "3 days");
    assert_text(html_age(&h, -5), "0.0 s");
    assert_text(html_day(&h, 1795330800), "22 November 2026");
    assert_text(html_minute(&h, 1795330800), "22 November 2026, 07:00 UTC");
    assert_text(html_stamp(&h, 1795330800), "2026-11-22T07:00:00Z");
}

/* Later writes of a page that grew too large change nothing, and the reason is kept. */
static void the_first_failure_stays(void **state)
{
    (void)state;
    Buf out = BUF_INIT(10);
    Html h = page_of(&out);
    html(&h, "12345");
    html(&h, "{}", "123456789");
    html(&h, "67");
    assert_int_equal(html_end(&h), -1);
    assert_true(out.len <= 10);
    assert_true(err.message[0] != 0);
    assert_memory_equal(out.data, "12345", 5);
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(markup),
        cmocka_unit_test(a_placeholder_in_a_value_is_text),
        cmocka_unit_test(what_hides_is_seen),
        cmocka_unit_test(other_scripts_stay),
        cmocka_unit_test(quantities),
        cmocka_unit_test(the_first_failure_stays),
    };
    return cmocka_run_group_tests_name("html", tests, NULL, NULL);
}
