/* What of an application's state needs a person. */
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "kura/mem.h"
#include "kura/standing.h"
#include "statusview.h"

static const time_t now = 1795392000; /* 2026-11-23T00:00:00Z */
enum { HOUR = 3600, DAY = 24 * HOUR };

static Standing healthy(void)
{
    return (Standing){.app = (char *)"shop",
                      .location = (char *)"/srv/kura",
                      .reached = true,
                      .backup = (char *)"20261122T201500Z-shop-x7k2",
                      .made = now - 5 * HOUR,
                      .rehearsed = true,
                      .rehearsal = now - 3 * DAY,
                      .judged = true,
                      .verdict = VERDICT_PASSED};
}

static RunHistory ended(int status)
{
    RunRecord run = {.started = (char *)"2026-11-22T20:15:00Z",
                     .finished = (char *)"2026-11-22T20:20:00Z",
                     .pid = 1,
                     .status = status,
                     .error = status ? (char *)"the disk is full" : NULL};
    return (RunHistory){.has_last = true, .last = run, .has_good = status == 0, .good = run};
}

/* The codes of what is found, each with E or W before it. */
static void assert_judged(const Standing *standing, const StandingLimits *limits, const char *wanted)
{
    Findings findings = FINDINGS_INIT;
    char text[1024] = "";
    standing_judge(standing, limits, now, &findings);
    for (size_t i = 0; i < findings.n; i++) {
        strcat(text, findings.v[i].severity == FINDING_ERROR ? "E:" : "W:");
        strcat(text, findings.v[i].code);
        strcat(text, " ");
    }
    findings_done(&findings);
    assert_string_equal(text, wanted);
}

static const StandingLimits strict = {.backup = 26 * HOUR, .rehearsal = 35 * DAY, .verify = 8 * DAY};
static const StandingLimits any = {0};

static void test_healthy(void **state)
{
    Standing standing = healthy();
    standing.runs[RUN_VERIFY] = ended(0);
    assert_judged(&standing, &strict, "");
    assert_judged(&standing, &any, "");
}

static void test_backups(void **state)
{
    Standing standing = healthy();
    standing.made = now - 26 * HOUR - 1;
    assert_judged(&standing, &(StandingLimits){.backup = 26 * HOUR}, "E:backup-too-old ");
    standing.made++;
    assert_judged(&standing, &(StandingLimits){.backup = 26 * HOUR}, "");
    standing.made = now + 500;
    assert_judged(&standing, &(StandingLimits){.backup = 26 * HOUR}, "");
    standing.made = now + 5000;
    assert_judged(&standing, &any, "W:backup-of-the-future ");
    standing.backup = NULL;
    assert_judged(&standing, &any, "E:no-backup ");
    standing.reached = false;
    standing.trouble = (char *)"no route to host";
    assert_judged(&standing, &any, "W:repository-unreachable E:no-backup ");
}

static void test_runs(void **state)
{
    Standing standing = healthy();
    standing.runs[RUN_BACKUP] = ended(3);
    assert_judged(&standing, &any, "");
    standing.runs[RUN_BACKUP] = ended(1);
    standing.runs[RUN_PRUNE] = ended(11);
    assert_judged(&standing, &any, "W:run-failed W:run-failed ");
    standing.runs[RUN_PRUNE] = (RunHistory){0};
    standing.runs[RUN_BACKUP].last.finished = NULL;
    standing.runs[RUN_BACKUP].last.pid = getpid();
    assert_judged(&standing, &any, "");
    standing.runs[RUN_BACKUP].last.pid = INT32_MAX;
    assert_judged(&standing, &any, "W:run-killed ");
}

static void test_rehearsals(void **state)
{
    Standing standing = healthy();
    standing.runs[RUN_VERIFY] = ended(0);
    standing.verdict = VERDICT_FAILED;
    assert_judged(&standing, &strict, "E:rehearsal-failed ");
    standing.verdict = VERDICT_FINDINGS;
    standing.rehearsal = now - 36 * DAY;
    assert_judged(&standing, &strict, "W:rehearsal-too-old ");
    standing.rehearsed = standing.judged = false;
    assert_judged(&standing, &strict, "W:never-rehearsed ");
    standing.runs[RUN_REHEARSE] = ended(1); /* it ended before it could begin */
    assert_judged(&standing, &any, "W:run-failed ");
}

static void test_verifications(void **state)
{
    const StandingLimits month = {.read = 31 * DAY};
    Standing standing = healthy();
    assert_judged(&standing, &strict, "W:verify-too-old ");
    standing.runs[RUN_VERIFY] = ended(0);
    standing.runs[RUN_VERIFY].good.finished = (char *)"2026-11-14T20:20:00Z";
    assert_judged(&standing, &strict, "W:verify-too-old ");
    standing.verified = now - DAY; /* by another host */
    assert_judged(&standing, &strict, "");
    assert_judged(&standing, &month, "W:read-too-old ");
    standing.read = now - 31 * DAY;
    assert_judged(&standing, &month, "");
    standing.read--;
    assert_judged(&standing, &month, "W:read-too-old ");
    standing.verified = 0;
    standing.runs[RUN_VERIFY] = ended(3);
    assert_judged(&standing, &any, "E:damage-found ");
    standing.verified = now; /* mended since */
    assert_judged(&standing, &any, "");
    standing.damages = 2;
    assert_judged(&standing, &any, "E:damage-known ");
    standing = healthy();
    standing.runs[RUN_VERIFY] = ended(10);
    assert_judged(&standing, &any, "W:run-failed ");
}

static void test_further_repositories(void **state)
{
    Standing standing = healthy();
    standing.further = true;
    standing.rehearsed = standing.judged = false;
    assert_judged(&standing, &strict, "");
    standing.made = now - 2 * DAY;
    assert_judged(&standing, &strict, "E:backup-too-old ");
}

static void assert_nagios(const Standing *standing, int wanted_status, const char *wanted)
{
    char *text;
    size_t len;
    Findings findings = FINDINGS_INIT;
    FILE *out = open_memstream(&text, &len);
    standing_judge(standing, &strict, now, &findings);
    int status = print_nagios(out, standing, &strict, 1, &findings, now);
    fclose(out);
    assert_string_equal(text, wanted);
    assert_int_equal(status, wanted_status);
    free(text);
    findings_done(&findings);
}

static void test_nagios(void **state)
{
    Standing standing = healthy();
    standing.runs[RUN_VERIFY] = ended(0);
    assert_nagios(&standing, NAGIOS_OK,
                  "KURA OK - shop backed up 5 h 00 min ago | 'shop backup age'=18000s;;93600;0 "
                  "'shop rehearsal age'=259200s;3024000;;0 'shop verify age'=13200s;691200;;0\n");
    standing.rehearsed = standing.judged = false;
    standing.runs[RUN_VERIFY] = (RunHistory){0};
    standing.app = (char *)"a|b='c\n";
    standing.backup = NULL;
    assert_nagios(&standing, NAGIOS_CRITICAL,
                  "KURA CRITICAL - there is no backup of \"a/b='c\\n\"; no backup of \"a/b='c\\n\" was ever rehearsed; "
                  "the backups of \"a/b='c\\n\" were never verified |\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_healthy),       cmocka_unit_test(test_backups),
        cmocka_unit_test(test_runs),          cmocka_unit_test(test_rehearsals),
        cmocka_unit_test(test_verifications), cmocka_unit_test(test_further_repositories),
        cmocka_unit_test(test_nagios),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
