#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kura/clock.h"
#include "kura/mem.h"
#include "kura/retention.h"

#define NOW "2026-11-22T03:30:00Z"
enum { ITEMS_MAX = 2000 };

/* A backup as the tests write it. Its id is its moment, and "id" behind it where several have the same. */
typedef struct Given {
    const char *moment, *app, *tag, *id;
    bool pinned, bad, rehearsed, removed;
} Given;

typedef struct Judged {
    RetentionItem items[ITEMS_MAX];
    RetentionVerdict verdicts[ITEMS_MAX];
    StrVec tags[ITEMS_MAX];
    size_t n;
} Judged;

static time_t moment_of(const char *text)
{
    time_t moment = clock_parse_utc(text);
    assert_true(moment > 0);
    return moment;
}

static Judged *judge(const RetentionPolicy *policy, const Given *given, size_t n)
{
    Judged *judged = xcalloc(1, sizeof *judged);
    judged->n = n;
    for (size_t i = 0; i < n; i++) {
        if (given[i].tag)
            strvec_push(&judged->tags[i], given[i].tag);
        judged->items[i] = (RetentionItem){
            .id = given[i].id ? given[i].id : given[i].moment,
            .app = given[i].app ? given[i].app : "a",
            .moment = moment_of(given[i].moment),
            .tags = &judged->tags[i],
            .pinned = given[i].pinned,
            .good = !given[i].bad,
            .rehearsed = given[i].rehearsed,
            .removed = given[i].removed,
        };
    }
    retention_judge(policy, judged->items, n, moment_of(NOW), judged->verdicts);
    return judged;
}

static void judged_free(Judged *judged)
{
    retention_done(judged->verdicts, judged->n);
    for (size_t i = 0; i < judged->n; i++)
        strvec_done(&judged->tags[i]);
    free(judged);
}

/* Each backup gives "+reason, reason" or "-reason", in the order in which they were given. */
static void assert_verdicts(const RetentionPolicy *policy, const Given *given, size_t n, const char *const *expected)
{
    Judged *judged = judge(policy, given, n);
    for (size_t i = 0; i < n; i++) {
        const RetentionVerdict *verdict = &judged->verdicts[i];
        _cleanup_(buf_done) Buf text = BUF_INIT(1000);
        buf_append_str(&text, verdict->stays ? "+" : "-", NULL);
        for (size_t j = 0; j < verdict->reasons.codes.n; j++)
            buf_printf(&text, NULL, "%s%s", j ? ", " : "", verdict->reasons.codes.v[j]);
        if (strcmp(buf_str(&text), expected[i]) != 0)
            fail_msg("%s of %s: not \"%s\" but \"%s\"", given[i].moment, judged->items[i].app, expected[i],
                     buf_str(&text));
    }
    judged_free(judged);
}
#define ASSERT_VERDICTS(policy, given, ...)                                                                            \
    do {                                                                                                               \
        const char *const expected_[] = {__VA_ARGS__};                                                                 \
        assert_int_equal(ARRAY_SIZE(given), ARRAY_SIZE(expected_));                                                    \
        assert_verdicts(policy, given, ARRAY_SIZE(given), expected_);                                                  \
    } while (0)

static void rules_that_are_none(void **state)
{
    (void)state;
    StrVec tags = {0};
    assert_false(retention_is_given(&(RetentionPolicy){.tags = &tags}));
    assert_false(retention_is_given(&(RetentionPolicy){0}));
    assert_true(retention_is_given(&(RetentionPolicy){.last = 1}));
    assert_true(retention_is_given(&(RetentionPolicy){.spans[RETAIN_YEARLY] = 1}));
    assert_true(retention_is_given(&(RetentionPolicy){.within = 1}));
    strvec_push(&tags, "x");
    assert_true(retention_is_given(&(RetentionPolicy){.tags = &tags}));
    strvec_done(&tags);
    retention_judge(&(RetentionPolicy){.last = 1}, NULL, 0, 0, NULL);
}

static void the_last_ones(void **state)
{
    (void)state;
    const Given given[] = {{"2026-11-20T03:00:00Z"}, {"2026-11-22T03:00:00Z"}, {"2026-11-21T03:00:00Z"}};
    ASSERT_VERDICTS((&(RetentionPolicy){.last = 2}), given, "-older than what is kept", "+last, last good", "+last");
    ASSERT_VERDICTS((&(RetentionPolicy){.last = 9}), given, "+last", "+last, last good", "+last");
}

static void several_in_one_hour_and_day(void **state)
{
    (void)state;
    const Given given[] = {{"2026-11-22T03:05:00Z"}, {"2026-11-22T03:10:00Z"}, {"2026-11-22T02:59:59Z"},
                           {"2026-11-21T23:59:59Z"}, {"2026-11-21T00:00:00Z"}, {"2026-11-20T23:59:59Z"}};
    ASSERT_VERDICTS((&(RetentionPolicy){.spans[RETAIN_HOURLY] = 2, .spans[RETAIN_DAILY] = 2}), given,
                    "-newer one of hourly 2026-11-22T03", "+hourly 2026-11-22T03, daily 2026-11-22, last good",
                    "+hourly 2026-11-22T02", "+daily 2026-11-21", "-newer one of daily 2026-11-21",
                    "-older than what is kept");
}

/* A span without a backup takes nobody's place: a site that was down for a month keeps its older backups. */
static void gaps_do_not_count(void **state)
{
    (void)state;
    const Given given[] = {
        {"2026-11-22T03:00:00Z"}, {"2026-09-01T03:00:00Z"}, {"2026-08-31T03:00:00Z"}, {"2025-01-01T00:00:00Z"}};
    ASSERT_VERDICTS((&(RetentionPolicy){.spans[RETAIN_DAILY] = 3}), given, "+daily 2026-11-22, last good",
                    "+daily 2026-09-01", "+daily 2026-08-31", "-older than what is kept");
}

/* ISO 8601: the week of a year's first Thursday is its first. */
static void weeks_at_the_turn_of_the_year(void **state)
{
    (void)state;
    const Given given[] = {{"2026-01-05T03:00:00Z"},  /* a Monday */
                           {"2026-01-04T03:00:00Z"},  /* the Sunday before */
                           {"2025-12-29T00:00:00Z"},  /* the Monday of that week */
                           {"2025-12-28T23:59:59Z"},  /* a Sunday */
                           {"2021-01-03T03:00:00Z"}}; /* of the 53rd week of 2020 */
    ASSERT_VERDICTS((&(RetentionPolicy){.spans[RETAIN_WEEKLY] = 4}), given, "+weekly 2026-W02, last good",
                    "+weekly 2026-W01", "-newer one of weekly 2026-W01", "+weekly 2025-W52", "+weekly 2020-W53");
}

static void months_and_years(void **state)
{
    (void)state;
    const Given given[] = {{"2026-11-22T03:00:00Z"}, {"2026-11-01T00:00:00Z"}, {"2026-10-31T23:59:59Z"},
                           {"2024-02-29T03:00:00Z"}, {"2023-12-31T23:59:59Z"}, {"2023-01-01T00:00:00Z"}};
    ASSERT_VERDICTS((&(RetentionPolicy){.spans[RETAIN_MONTHLY] = 2, .spans[RETAIN_YEARLY] = 3}), given,
                    "+monthly 2026-11, yearly 2026, last good", "-newer one of monthly 2026-11", "+monthly 2026-10",
                    "+yearly 2024", "+yearly 2023", "-newer one of yearly 2023");
}

/* The time zone of the host does not matter, nor does its summer time. */
static void the_host_has_a_time_zone(void **state)
{
    (void)state;
    const Given given[] = {{"2026-03-29T00:30:00Z"},
                           {"2026-03-29T01:30:00Z"},
                           {"2026-03-28T23:30:00Z"},
                           {"2026-10-25T00:30:00Z"},
                           {"2026-10-25T01:30:00Z"}};
    const RetentionPolicy policy = {.spans[RETAIN_HOURLY] = 3, .spans[RETAIN_DAILY] = 3};
    static const char *const zones[] = {"UTC", "Europe/Berlin", "Asia/Tokyo", "America/St_Johns"};
    for (size_t i = 0; i < ARRAY_SIZE(zones); i++) {
        setenv("TZ", zones[i], 1);
        tzset();
        ASSERT_VERDICTS(&policy, given, "-newer one of daily 2026-03-29", "+hourly 2026-03-29T01, daily 2026-03-29",
                        "+daily 2026-03-28", "+hourly 2026-10-25T00",
                        "+hourly 2026-10-25T01, daily 2026-10-25, last good");
    }
    unsetenv("TZ");
    tzset();
}

static void within_counts_from_the_newest(void **state)
{
    (void)state;
    const Given given[] = {{"2026-06-30T03:00:00Z"}, {"2026-06-29T03:00:00Z"}, {"2026-06-29T02:59:59Z"}};
    ASSERT_VERDICTS((&(RetentionPolicy){.within = 86400}), given, "+within, last good", "+within",
                    "-older than what is kept");
}

static void equal_moments(void **state)
{
    (void)state;
    const Given given[] = {{"2026-11-22T03:00:00Z", .id = "20261122T030000Z-a-aaaa"},
                           {"2026-11-22T03:00:00Z", .id = "20261122T030000Z-a-bbbb"}};
    ASSERT_VERDICTS((&(RetentionPolicy){.spans[RETAIN_HOURLY] = 5}), given, "-newer one of hourly 2026-11-22T03",
                    "+hourly 2026-11-22T03, last good");
}

static void the_future_takes_nobodys_place(void **state)
{
    (void)state;
    const Given given[] = {{"2036-01-01T00:00:00Z"},
                           {"2026-11-22T03:40:00Z"},
                           {"2026-11-22T03:40:01Z"},
                           {"2026-11-22T03:00:00Z"},
                           {"2026-11-21T03:00:00Z"}};
    ASSERT_VERDICTS((&(RetentionPolicy){.last = 1, .within = 60}), given, "+in the future", "+last, within, last good",
                    "+in the future", "-older than what is kept", "-older than what is kept");
    /* All of them: a clock that fell back to 1970 makes nothing go. */
    Judged *judged = xcalloc(1, sizeof *judged);
    for (size_t i = 0; i < 2; i++)
        judged->items[i] = (RetentionItem){.id = "x", .app = "a", .moment = 1790000000, .tags = &judged->tags[i]};
    retention_judge(&(RetentionPolicy){.last = 1}, judged->items, 2, 0, judged->verdicts);
    assert_true(judged->verdicts[0].stays && judged->verdicts[1].stays);
    assert_false(judged->verdicts[0].by_policy);
    judged->n = 2;
    judged_free(judged);
}

static void applications_are_judged_apart(void **state)
{
    (void)state;
    const Given given[] = {{"2026-11-22T03:00:00Z", "a"},
                           {"2026-11-22T03:00:01Z", "b"},
                           {"2026-11-21T03:00:00Z", "a"},
                           {"2020-01-01T00:00:00Z", "c"}};
    ASSERT_VERDICTS((&(RetentionPolicy){.spans[RETAIN_DAILY] = 1}), given, "+daily 2026-11-22, last good",
                    "+daily 2026-11-22, last good", "-older than what is kept", "+daily 2020-01-01, last good");
}

static void tags_and_pins(void **state)
{
    (void)state;
    const Given given[] = {{"2026-11-22T03:00:00Z"},
                           {"2026-11-21T03:00:00Z", .tag = "pre-upgrade"},
                           {"2026-11-20T03:00:00Z", .tag = "pre"},
                           {"2026-11-19T03:00:00Z", .pinned = true}};
    StrVec tags = {0};
    strvec_push(&tags, "pre-upgrade");
    strvec_push(&tags, "other");
    ASSERT_VERDICTS((&(RetentionPolicy){.last = 1, .tags = &tags}), given, "+last, last good", "+tag pre-upgrade",
                    "-older than what is kept", "+pinned");
    strvec_done(&tags);
}

/* Protection is no rule of the policy: one that keeps nothing is seen as such. */
static void what_is_protected(void **state)
{
    (void)state;
    StrVec tags = {0};
    const Given given[] = {{"2026-11-22T03:00:00Z", .bad = true},
                           {"2026-11-21T03:00:00Z"},
                           {"2026-11-20T03:00:00Z"},
                           {"2026-11-19T03:00:00Z", .rehearsed = true},
                           {"2026-11-18T03:00:00Z", .rehearsed = true}};
    strvec_push(&tags, "none");
    const RetentionPolicy policy = {.tags = &tags};
    ASSERT_VERDICTS(&policy, given, "-older than what is kept", "+last good", "-older than what is kept",
                    "+last rehearsed", "-older than what is kept");
    Judged *judged = judge(&policy, given, ARRAY_SIZE(given));
    for (size_t i = 0; i < ARRAY_SIZE(given); i++)
        assert_false(judged->verdicts[i].by_policy);
    judged_free(judged);
    strvec_done(&tags);
}

static void what_a_person_removes(void **state)
{
    (void)state;
    const Given given[] = {{"2026-11-22T03:00:00Z", .removed = true, .bad = true},
                           {"2026-11-21T03:00:00Z", .removed = true},
                           {"2026-11-20T03:00:00Z"},
                           {"2026-11-19T03:00:00Z", .removed = true, .pinned = true},
                           {"2036-11-19T03:00:00Z", .removed = true, .bad = true}};
    ASSERT_VERDICTS((&(RetentionPolicy){.last = 1}), given, "-to be removed", "+last good", "+last", "+pinned",
                    "-to be removed");
}

/* Three years of nights: as many stay as the rules say, and none that stays goes later for want of a newer one. */
static void years_of_nights(void **state)
{
    (void)state;
    const RetentionPolicy policy = {
        .spans = {[RETAIN_DAILY] = 14, [RETAIN_WEEKLY] = 8, [RETAIN_MONTHLY] = 12, [RETAIN_YEARLY] = 3}};
    static char ids[ITEMS_MAX][32];
    bool kept[ITEMS_MAX] = {0};
    Judged *judged = xcalloc(1, sizeof *judged);
    time_t first = moment_of("2023-11-22T03:15:00Z");
    size_t live = 0, order[ITEMS_MAX];
    for (size_t night = 0; night < 1096; night++) {
        time_t now = first + (time_t)night * 86400;
        clock_format_utc(now, ids[night], sizeof ids[night]);
        kept[night] = true;
        live = 0;
        for (size_t i = 0; i <= night; i++) {
            if (!kept[i])
                continue;
            order[live] = i;
            judged->items[live++] = (RetentionItem){
                .id = ids[i], .app = "a", .moment = first + (time_t)i * 86400, .tags = &judged->tags[0], .good = true};
        }
        retention_judge(&policy, judged->items, live, now, judged->verdicts);
        for (size_t i = 0; i < live; i++)
            kept[order[i]] = judged->verdicts[i].stays;
        retention_done(judged->verdicts, live);
    }
    size_t stay = 0;
    for (size_t i = 0; i < 1096; i++)
        stay += kept[i];
    /* 14 days; of the 8 weeks 3 end in them; of the 12 months 1; 2026 is of the days, 2025 of the months. */
    assert_int_equal(stay, 14 + 5 + 11 + 1);
    assert_true(kept[1095] && kept[1082] && !kept[1081]);
    free(judged);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_that_are_none),
        cmocka_unit_test(the_last_ones),
        cmocka_unit_test(several_in_one_hour_and_day),
        cmocka_unit_test(gaps_do_not_count),
        cmocka_unit_test(weeks_at_the_turn_of_the_year),
        cmocka_unit_test(months_and_years),
        cmocka_unit_test(the_host_has_a_time_zone),
        cmocka_unit_test(within_counts_from_the_newest),
        cmocka_unit_test(equal_moments),
        cmocka_unit_test(the_future_takes_nobodys_place),
        cmocka_unit_test(applications_are_judged_apart),
        cmocka_unit_test(tags_and_pins),
        cmocka_unit_test(what_is_protected),
        cmocka_unit_test(what_a_person_removes),
        cmocka_unit_test(years_of_nights),
    };
    return cmocka_run_group_tests_name("retention", tests, NULL, NULL);
}
