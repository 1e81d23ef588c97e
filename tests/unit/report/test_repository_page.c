/* How a repository stands, and its page. */
#include "page.h"

#define DAY ((time_t)86400)

static void add_backup(RepositoryReport *report, const char *app, time_t at)
{
    report->backups = xreallocarray(report->backups, report->n_backups + 1, sizeof *report->backups);
    report->backups[report->n_backups] =
        (BackupBrief){.id = xasprintf("b%zu", report->n_backups), .app = xstrdup(app), .started = at, .finished = at};
    report->n_backups++;
}

static void add_rehearsal(RepositoryReport *report, size_t backup, Verdict verdict)
{
    const BackupBrief *of = &report->backups[backup];
    report->rehearsals = xreallocarray(report->rehearsals, report->n_rehearsals + 1, sizeof *report->rehearsals);
    report->rehearsals[report->n_rehearsals] = (RehearsalBrief){.id = xasprintf("r%zu", report->n_rehearsals),
                                                                .backup = xstrdup(of->id),
                                                                .app = xstrdup(of->app),
                                                                .started = of->started + 60,
                                                                .verdict = verdict,
                                                                .restore_seconds = 10};
    report->n_rehearsals++;
}

/* Backups that many days before now, at the same hour. */
static void add_days(RepositoryReport *report, const char *app, const int *days, size_t n)
{
    for (size_t i = 0; i < n; i++)
        add_backup(report, app, report->now - days[i] * DAY);
}
#define ADD_DAYS(report, app, ...)                                                                                     \
    add_days(report, app, (const int[]){__VA_ARGS__}, sizeof((const int[]){__VA_ARGS__}) / sizeof(int))

static void assert_verdict(const RepositoryReport *report, const char *expected)
{
    _cleanup_free_ char *verdict = report_repository_verdict(report);
    assert_string_equal(verdict, expected);
}

static void a_gap(void **state)
{
    (void)state;
    size_t n;
    RepositoryReport report = {.repository = "r", .now = FIXTURE_NOW};
    ADD_DAYS(&report, "a", 9, 8, 7, 4, 3, 1, 0);
    ReportApp *apps = report_apps(&report, &n);
    assert_int_equal(n, 1);
    assert_int_equal(apps->interval, 1);
    assert_false(apps->overdue);
    assert_int_equal(apps->n_gaps, 2);
    assert_int_equal(apps->gaps[0].from, FIXTURE_NOW / DAY * DAY - 6 * DAY);
    assert_int_equal(apps->gaps[0].until, FIXTURE_NOW / DAY * DAY - 5 * DAY);
    assert_int_equal(apps->gaps[1].from, apps->gaps[1].until);
    assert_int_equal(apps->days_missing, 3);
    assert_int_equal(apps->never_rehearsed, 7);
    report_apps_free(apps, n);
    report_done(&report);
}

/* Today still has time; a weekly backup misses no day of its week. */
static void what_is_no_gap(void **state)
{
    (void)state;
    size_t n;
    RepositoryReport report = {.repository = "r", .now = FIXTURE_NOW};
    ADD_DAYS(&report, "a", 3, 2, 1);
    ADD_DAYS(&report, "twice a day", 2, 2, 1, 1, 0, 0);
    ADD_DAYS(&report, "weekly", 24, 17, 10, 3);
    ADD_DAYS(&report, "the only one", 0);
    ReportApp *apps = report_apps(&report, &n);
    assert_int_equal(n, 4);
    assert_string_equal(apps[0].app, "a");
    assert_string_equal(apps[3].app, "weekly");
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(apps[i].n_gaps, 0);
        assert_false(apps[i].overdue);
        assert_int_equal(apps[i].interval, i == 3 ? 7 : 1);
    }
    report_apps_free(apps, n);
    report_done(&report);
}

static void overdue(void **state)
{
    (void)state;
    size_t n;
    RepositoryReport report = {.repository = "r", .now = FIXTURE_NOW};
    ADD_DAYS(&report, "daily", 5, 4, 3);
    ADD_DAYS(&report, "weekly", 26, 19, 12);
    ReportApp *apps = report_apps(&report, &n);
    assert_true(apps[0].overdue && apps[1].overdue);
    assert_int_equal(apps[0].days_missing, 2); /* yesterday and the day before; not today */
    assert_int_equal(apps[1].days_missing, 5);
    report_apps_free(apps, n);
    report_done(&report);
}

/* What is older than a year is no news. */
static void old_gaps(void **state)
{
    (void)state;
    size_t n;
    RepositoryReport report = {.repository = "r", .now = FIXTURE_NOW};
    ADD_DAYS(&report, "a", 900, 899, 898, 897, 600, 599, 370, 369, 360, 1, 0);
    ReportApp *apps = report_apps(&report, &n);
    assert_int_equal(apps->n_gaps, 2);
    assert_int_equal(apps->gaps[0].from, FIXTURE_NOW / DAY * DAY - 366 * DAY);
    report_apps_free(apps, n);
    report_done(&report);
}

/* A gap is on the calendar for a year; it is the verdict's business for a month. */
static void a_gap_long_ago(void **state)
{
    (void)state;
    RepositoryReport report = {.repository = "r", .now = FIXTURE_NOW};
    for (int day = 80; day >= 0; day--)
        if (day != 40)
            ADD_DAYS(&report, "a", day);
    add_rehearsal(&report, report.n_backups - 1, VERDICT_PASSED);
    assert_verdict(&report, "Backups are made, and the last rehearsal passed.");
    report_done(&report);
    report = (RepositoryReport){.repository = "r", .now = FIXTURE_NOW};
    ADD_DAYS(&report, "a", 32, 31, 30, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8,
             7, 6, 5, 4, 3, 2, 1, 0);
    add_rehearsal(&report, report.n_backups - 1, VERDICT_PASSED);
    assert_verdict(&report, "Backups are made and rehearsed, but some days of the last month have none.");
    report_done(&report);
}

static void verdicts(void **state)
{
    (void)state;
    RepositoryReport report = {.repository = "r", .now = FIXTURE_NOW};
    assert_verdict(&report, "There is no backup in this repository.");
    ADD_DAYS(&report, "a", 2, 1, 0);
    assert_verdict(&report, "Backups are made, but none of them was ever rehearsed.");
    add_rehearsal(&report, 2, VERDICT_PASSED);
    assert_verdict(&report, "Backups are made, and the last rehearsal passed.");
    add_rehearsal(&report, 2, VERDICT_FINDINGS);
    assert_verdict(&report, "Backups are made, but the last rehearsal found things that need a look.");
    add_rehearsal(&report, 1, VERDICT_FAILED);
    assert_verdict(&report, "The last rehearsal failed.");
    assert_string_equal(report_last_rehearsal(&report, "b2")->id, "r1");
    assert_null(report_last_rehearsal(&report, "b0"));
    add_rehearsal(&report, 2, VERDICT_PASSED);
    ADD_DAYS(&report, "b", 0);
    assert_verdict(&report, "One of 2 applications needs a look: b.");
    add_rehearsal(&report, 3, VERDICT_PASSED);
    assert_verdict(&report, "Backups of all 2 applications are made, and their last rehearsals passed.");
    ADD_DAYS(&report, "c", 9, 8);
    ADD_DAYS(&report, "d", 0);
    assert_verdict(&report, "2 of 4 applications need a look, first of all c.");
    report.now += 3 * DAY;
    assert_verdict(&report, "4 of 4 applications need a look, first of all a.");
    report_done(&report);
}

static void the_page(void **state)
{
    (void)state;
    RepositoryReport report;
    sample_repository(&report);
    _cleanup_free_ char *page = page_of_repository(&report);
    assert_in(page, "<bdi>s3://backups/misskey</bdi>");
    assert_in(page, "It holds 65 backups of 2 applications. The last one is 3 h 45 min old.");
    assert_in(page, "<caption>November 2026</caption>");
    assert_in(page, "22<i aria-hidden=true>\u2713</i><span class=unseen>, backup, rehearsal passed</span>");
    assert_in(page, "27<i aria-hidden=true>\u2013</i><span class=unseen>, no backup</span>");
    assert_in(page, "14<i aria-hidden=true>\u2715</i><span class=unseen>, backup, rehearsal failed</span>");
    assert_in(page, "4 days where one was to be expected.");
    assert_in(page, "<li>27 October 2026 to 29 October 2026</li><li>6 October 2026</li>");
    assert_in(page, "as a rule there is one every 7 days");
    assert_in(page, "<summary>36 more backups</summary>");
    assert_int_equal(times(page, "<svg class=plot role=img"), 7);
    assert_in(page, "\u201ckura rehearse latest\u201d");
}

static void odd_repositories(void **state)
{
    (void)state;
    RepositoryReport report = {.repository = "", .now = FIXTURE_NOW};
    _cleanup_free_ char *empty = page_of_repository(&report);
    assert_in(empty, "<h1>There is no backup in this repository.</h1>");
    assert_not_in(empty, "<section");
    neglected_repository(&report);
    _cleanup_free_ char *neglected = page_of_repository(&report);
    assert_in(neglected, "<h1>The next backup is overdue.</h1>");
    assert_in(neglected, "&lt;script&gt;alert(1)&lt;/script&gt;");
    report = (RepositoryReport){.repository = "r", .now = FIXTURE_NOW};
    add_backup(&report, "from the future", FIXTURE_NOW + 500 * DAY);
    _cleanup_free_ char *future = page_of_repository(&report);
    assert_in(future, "<b>0.0 s</b>");
    report = (RepositoryReport){.repository = "r", .now = FIXTURE_NOW};
    for (int i = 1500; i >= 0; i--)
        add_backup(&report, "long", FIXTURE_NOW - i * DAY);
    _cleanup_free_ char *many = page_of_repository(&report);
    assert_true(strlen(many) < 2000000);
    assert_int_equal(times(many, "<caption>"), 12); /* months */
    assert_in(many, "<summary>8 months before</summary>");
    assert_in(many, "And 501 backups that are not shown.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_gap),    cmocka_unit_test(what_is_no_gap),   cmocka_unit_test(overdue),
        cmocka_unit_test(old_gaps), cmocka_unit_test(a_gap_long_ago),   cmocka_unit_test(verdicts),
        cmocka_unit_test(the_page), cmocka_unit_test(odd_repositories),
    };
    return cmocka_run_group_tests_name("repository's page", tests, NULL, NULL);
}
