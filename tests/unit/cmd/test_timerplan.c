#include <string.h>

#include "harness.h"
#include "kura/mem.h"
#include "timerplan.h"

static void test_drop_ins(void **state)
{
    Error err = ERROR_INIT;
    TimerPlan plan = {0};
    TimerWants wants = {
        .app = "shop-2.0", .calendar = "*-*-* 00/6:00:00", .config = "/etc/kura/a \"b\".conf", .rehearse = true};
    strvec_push(&wants.writable, "/srv/100% \\ours");
    assert_int_equal(timerplan_add(&plan, &wants, "/etc/systemd/system", &err), 0);
    assert_int_equal(plan.units.n, 3);
    assert_string_equal(plan.units.v[0], "kura@shop-2.0.timer");
    assert_string_equal(plan.units.v[2], "kura-rehearse@shop-2.0.timer");
    assert_int_equal(plan.paths.n, 4);
    assert_string_equal(plan.paths.v[0], "/etc/systemd/system/kura@shop-2.0.service.d/kura.conf");
    assert_string_equal(plan.texts.v[0], "[Service]\nEnvironment=\"KURA_CONFIG=/etc/kura/a \\\"b\\\".conf\"\n"
                                         "ReadWritePaths=\"/srv/100%% \\\\ours\"\n");
    assert_string_equal(plan.paths.v[1], "/etc/systemd/system/kura@shop-2.0.timer.d/kura.conf");
    assert_string_equal(plan.texts.v[1], "[Timer]\nOnCalendar=\nOnCalendar=*-*-* 00/6:00:00\n");
    timerplan_done(&plan);
    strvec_done(&wants.writable);
}

/* Those that never connect need no more rights. */
static void test_another_user(void **state)
{
    Error err = ERROR_INIT;
    TimerPlan plan = {0};
    TimerWants wants = {.app = "shop", .prune = true, .rehearse = true, .become = true};
    assert_int_equal(timerplan_add(&plan, &wants, "/units", &err), 0);
    assert_int_equal(plan.paths.n, 2);
    assert_string_equal(plan.paths.v[0], "/units/kura@shop.service.d/kura.conf");
    assert_string_equal(plan.paths.v[1], "/units/kura-rehearse@shop.service.d/kura.conf");
    assert_non_null(strstr(plan.texts.v[0], "\nCapabilityBoundingSet=CAP_SETUID CAP_SETGID CAP_KILL\n"));
    timerplan_done(&plan);
}

static void test_nothing_to_drop_in(void **state)
{
    Error err = ERROR_INIT;
    TimerPlan plan = {0};
    TimerWants wants = {.app = "shop", .prune = true};
    assert_int_equal(timerplan_add(&plan, &wants, "/units", &err), 0);
    assert_int_equal(plan.paths.n, 0);
    assert_int_equal(plan.units.n, 3);
    assert_string_equal(plan.units.v[2], "kura-prune@shop.timer");
    timerplan_done(&plan);
}

static void refuse(TimerWants *wants)
{
    Error err = ERROR_INIT;
    TimerPlan plan = {0};
    assert_int_equal(timerplan_add(&plan, wants, "/units", &err), -1);
    assert_int_equal(err.code, ERR_USAGE);
    timerplan_done(&plan);
}

static void test_refused(void **state)
{
    const char *const names[] = {"", "a b", "-a", ".a", "a/../b", "a\nb", "a%b", "a;b"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        refuse(&(TimerWants){.app = names[i]});
    refuse(&(TimerWants){.app = "shop", .calendar = "daily\nUnit=evil.service"});
    TimerWants wants = {.app = "shop"};
    strvec_push(&wants.writable, "/srv\nExecStartPre=/bin/evil");
    refuse(&wants);
    strvec_done(&wants.writable);
}

static void test_cron(void **state)
{
    Error err = ERROR_INIT;
    _cleanup_(buf_done) Buf text = BUF_INIT(4096);
    assert_int_equal(timerplan_cron(&(TimerWants){.app = "shop", .rehearse = true}, &text, &err), 0);
    assert_string_equal(buf_str(&text), "15 3 * * *  root  kura -q backup --app shop >/dev/null\n"
                                        "30 4 * * *  root  kura -q verify --app shop >/dev/null\n"
                                        "0 5 * * 0   root  kura -q rehearse latest --app shop >/dev/null\n");
    assert_int_equal(timerplan_cron(&(TimerWants){.app = "a;b"}, &text, &err), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_drop_ins), cmocka_unit_test(test_another_user), cmocka_unit_test(test_nothing_to_drop_in),
        cmocka_unit_test(test_refused),  cmocka_unit_test(test_cron),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
