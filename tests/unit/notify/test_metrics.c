#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kura/mem.h"
#include "kura/metrics.h"

static RunState sample(const char *app)
{
    RunRecord good = {.started = (char *)"2026-11-22T03:15:00Z",
                      .finished = (char *)"2026-11-22T03:17:42Z",
                      .seconds = 162.5,
                      .pid = 1,
                      .rows = 12345678901,
                      .files = 3,
                      .warnings = 2,
                      .status = 3};
    RunRecord failed = good, rehearsal = good;
    failed.finished = (char *)"2026-11-23T03:17:42Z";
    failed.status = 1;
    rehearsal.verdict = (char *)"findings";
    RunState state = {.app = (char *)app};
    state.runs[RUN_BACKUP] = (RunHistory){.has_last = true, .last = failed, .has_good = true, .good = good};
    state.runs[RUN_REHEARSE] = (RunHistory){.has_last = true, .last = rehearsal, .has_good = true, .good = rehearsal};
    state.runs[RUN_VERIFY] = (RunHistory){.has_last = true, .last = {.started = good.started, .pid = 1}};
    return state;
}

static void assert_line(const Buf *text, const char *line)
{
    _cleanup_free_ char *whole = xasprintf("\n%s\n", line);
    if (strstr(buf_str(text), whole) == NULL)
        fail_msg("not there: %s\nbut: %s", line, buf_str(text));
}

static void assert_no(const Buf *text, const char *part)
{
    assert_null(strstr(buf_str(text), part));
}

static void values(void **state)
{
    Error err = ERROR_INIT;
    RunState shop = sample("shop");
    RunState *const all[] = {&shop};
    _cleanup_(buf_done) Buf text = BUF_INIT(1 << 20);
    assert_int_equal(metrics_format(all, 1, &text, &err), 0);
    assert_line(&text, "# TYPE kura_last_success_timestamp_seconds gauge");
    assert_line(&text, "kura_last_success_timestamp_seconds{app=\"shop\",command=\"backup\"} 1795317462");
    assert_line(&text, "kura_last_run_timestamp_seconds{app=\"shop\",command=\"backup\"} 1795403862");
    assert_line(&text, "kura_last_run_exit_status{app=\"shop\",command=\"backup\"} 1");
    assert_line(&text, "kura_last_run_duration_seconds{app=\"shop\",command=\"rehearse\"} 162.5");
    assert_line(&text, "kura_run_unfinished{app=\"shop\",command=\"verify\"} 1");
    assert_line(&text, "kura_run_unfinished{app=\"shop\",command=\"backup\"} 0");
    assert_line(&text, "kura_backup_rows{app=\"shop\"} 12345678901");
    assert_line(&text, "kura_rehearsal_verdict{app=\"shop\",verdict=\"findings\"} 1");
    assert_line(&text, "kura_rehearsal_verdict{app=\"shop\",verdict=\"passed\"} 0");
    assert_no(&text, "kura_last_run_timestamp_seconds{app=\"shop\",command=\"verify\"}");
    assert_no(&text, "command=\"prune\"");
    assert_no(&text, "kura_prune_freed_bytes{");
}

static void labels(void **state)
{
    Error err = ERROR_INIT;
    RunState odd = sample("a\"b\\c\nd\xff\xe5\x8f\xb0"), none = sample("");
    RunState *const all[] = {&none, &odd};
    _cleanup_(buf_done) Buf text = BUF_INIT(1 << 20);
    assert_int_equal(metrics_format(all, 2, &text, &err), 0);
    assert_line(&text,
                "kura_backup_files{app=\"\"} 3\nkura_backup_files{app=\"a\\\"b\\\\c\\nd\\\\xff\xe5\x8f\xb0\"} 3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(values), cmocka_unit_test(labels)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
