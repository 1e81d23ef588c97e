#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kura/clock.h"
#include "kura/log.h"
#include "kura/progress.h"

static void a_moment_goes_to_text_and_back_whatever_the_time_zone(void **state)
{
    setenv("TZ", "Asia/Tokyo", 1);
    tzset();
    char text[21];
    clock_format_utc(1795317300, text, sizeof text);
    assert_string_equal(text, "2026-11-22T03:15:00Z");
    const time_t moments[] = {0, 951782400 /* 29 February 2000 */, 1795317300, 4102444799};
    for (size_t i = 0; i < sizeof moments / sizeof moments[0]; i++) {
        clock_format_utc(moments[i], text, sizeof text);
        assert_true(clock_parse_utc(text) == moments[i]);
    }
}

static void only_the_exact_form_is_a_moment(void **state)
{
    const char *bad[] = {"",
                         "2026-11-22",
                         "2026-11-22T03:15:00",
                         "2026-11-22T03:15:00Z ",
                         "2026-11-22 03:15:00Z",
                         "2026-02-30T03:15:00Z",
                         "2026-13-01T03:15:00Z",
                         "2026-11-22T24:15:00Z",
                         "2026-11-22T03:15:60Z",
                         " 026-11-22T03:15:00Z",
                         "2026-11- 2T03:15:00Z"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_true(clock_parse_utc(bad[i]) == -1);
}

static void what_does_not_fit_is_empty(void **state)
{
    char text[21] = "untouched";
    clock_format_utc((time_t)1 << 40, text, sizeof text);
    assert_string_equal(text, "");
}

static void monotonic_never_goes_back(void **state)
{
    double before = clock_monotonic();
    for (int i = 0; i < 1000; i++) {
        double now = clock_monotonic();
        assert_true(now >= before);
        before = now;
    }
}

static void a_phase_zeroes_the_counters(void **state)
{
    Progress progress = PROGRESS_INIT;
    ProgressSnapshot seen;
    progress_phase(&progress, "rows", 1000);
    progress_item(&progress, "public.note");
    progress_add(&progress, 10, 1);
    progress_add(&progress, 20, 2);
    progress_snapshot(&progress, &seen);
    assert_string_equal(seen.phase, "rows");
    assert_string_equal(seen.item, "public.note");
    assert_int_equal(seen.bytes_done, 30);
    assert_int_equal(seen.bytes_total, 1000);
    assert_int_equal(seen.rows_done, 3);
    progress_phase(&progress, "media", 0);
    progress_snapshot(&progress, &seen);
    assert_string_equal(seen.phase, "media");
    assert_string_equal(seen.item, "");
    assert_int_equal(seen.bytes_done, 0);
    assert_int_equal(seen.rows_done, 0);
}

static void nobody_watches(void **state)
{
    ProgressSnapshot seen;
    progress_phase(NULL, "rows", 1);
    progress_item(NULL, "x");
    progress_add(NULL, 1, 1);
    progress_snapshot(NULL, &seen);
    assert_string_equal(seen.phase, "");
    assert_int_equal(seen.bytes_done, 0);
}

static void remember(void *ctx, LogLevel level, const char *message)
{
    char **last = ctx;
    free(*last);
    *last = strdup(message);
}

static void log_lines_below_the_least_level_are_dropped(void **state)
{
    char *last = NULL;
    log_info("nobody hears this");
    log_set_sink(remember, &last, LOG_INFO);
    log_debug("too low");
    assert_null(last);
    log_warning("table %s", "note");
    assert_string_equal(last, "table note");
    log_set_sink(NULL, NULL, LOG_INFO);
    log_warning("dropped");
    assert_string_equal(last, "table note");
    free(last);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_moment_goes_to_text_and_back_whatever_the_time_zone),
        cmocka_unit_test(only_the_exact_form_is_a_moment),
        cmocka_unit_test(what_does_not_fit_is_empty),
        cmocka_unit_test(monotonic_never_goes_back),
        cmocka_unit_test(a_phase_zeroes_the_counters),
        cmocka_unit_test(nobody_watches),
        cmocka_unit_test(log_lines_below_the_least_level_are_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
