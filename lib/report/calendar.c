#include "repository_page.h"

enum { DAY = 24 * 60 * 60, MONTHS_SHOWN = 4, MONTHS_MAX = 12 };

typedef enum DayState { DAY_NONE, DAY_MISSING, DAY_MADE, DAY_PASSED, DAY_FINDINGS, DAY_FAILED, DAY_STATES } DayState;

static const struct {
    const char *class, *sign, *words;
} states[DAY_STATES] = {
    [DAY_NONE] = {"none", "", ""},
    [DAY_MISSING] = {"missing", "\u2013", "no backup"},
    [DAY_MADE] = {"made", "\u2022", "backup, not rehearsed"},
    [DAY_PASSED] = {"good", "\u2713", "backup, rehearsal passed"},
    [DAY_FINDINGS] = {"look", "!", "backup, rehearsal with findings"},
    [DAY_FAILED] = {"bad", "\u2715", "backup, rehearsal failed"},
};

typedef struct Calendar {
    const RepositoryReport *report;
    const ReportApp *app;
} Calendar;

static time_t first_of_month(time_t moment, int months_before)
{
    struct tm tm;
    gmtime_r(&moment, &tm);
    tm = (struct tm){.tm_year = tm.tm_year, .tm_mon = tm.tm_mon - months_before, .tm_mday = 1};
    return timegm(&tm);
}

/* Of several backups of a day the last one counts. */
static DayState state_of(const Calendar *calendar, time_t day)
{
    const ReportApp *app = calendar->app;
    for (size_t i = app->n_backups; i-- > 0;) {
        if (app->backups[i]->started / DAY != day / DAY)
            continue;
        const RehearsalBrief *rehearsal = report_last_rehearsal(calendar->report, app->backups[i]->id);
        return rehearsal ? DAY_PASSED + (DayState)rehearsal->verdict : DAY_MADE;
    }
    for (size_t i = 0; i < app->n_gaps; i++)
        if (day >= app->gaps[i].from && day <= app->gaps[i].until)
            return DAY_MISSING;
    return DAY_NONE;
}

static void day_cell(Html *h, const Calendar *calendar, time_t day)
{
    struct tm tm;
    DayState state = state_of(calendar, day);
    gmtime_r(&day, &tm);
    html(h, "<td><span class=\"day {=}\">{}", states[state].class, html_number(h, tm.tm_mday));
    if (state != DAY_NONE)
        html(h, "<i aria-hidden=true>{}</i><span class=unseen>, {}</span>", states[state].sign, states[state].words);
    html(h, "</span></td>");
}

static void month_table(Html *h, const Calendar *calendar, time_t first)
{
    static const char *const weekdays[][2] = {{"Mo", "Monday"},   {"Tu", "Tuesday"}, {"We", "Wednesday"},
                                              {"Th", "Thursday"}, {"Fr", "Friday"},  {"Sa", "Saturday"},
                                              {"Su", "Sunday"}};
    struct tm tm;
    char month[32];
    gmtime_r(&first, &tm);
    strftime(month, sizeof month, "%B %Y", &tm);
    int before = (tm.tm_wday + 6) % 7;
    time_t after = first_of_month(first, -1);
    html(h, "<table class=month><caption>{}</caption><thead><tr>", month);
    for (int i = 0; i < 7; i++)
        html(h, "<th scope=col><abbr title=\"{=}\">{}</abbr></th>", weekdays[i][1], weekdays[i][0]);
    html(h, "</tr></thead><tbody><tr>");
    for (int i = 0; i < before; i++)
        html(h, "<td></td>");
    for (time_t day = first; day < after; day += DAY) {
        if (day > first && (before + (day - first) / DAY) % 7 == 0)
            html(h, "</tr><tr>");
        day_cell(h, calendar, day);
    }
    html(h, "</tr></tbody></table>\n");
}

static void legend(Html *h)
{
    html(h, "<ul class=legend>");
    for (int i = DAY_STATES - 1; i > DAY_NONE; i--)
        html(h, "<li><span class=\"day {=}\" aria-hidden=true><i>{}</i></span>{}</li>", states[i].class, states[i].sign,
             states[i].words);
    html(h, "</ul>\n");
}

static void months(Html *h, const Calendar *calendar, int from, int until)
{
    html(h, "<div class=months>\n");
    for (int i = from; i >= until; i--)
        month_table(h, calendar, first_of_month(calendar->report->now, i));
    html(h, "</div>\n");
}

void calendar(Html *h, const RepositoryReport *report, const ReportApp *app)
{
    Calendar with = {.report = report, .app = app};
    int oldest = 0;
    while (oldest + 1 < MONTHS_MAX && first_of_month(report->now, oldest) > app->backups[0]->started)
        oldest++;
    int shown = oldest < MONTHS_SHOWN ? oldest : MONTHS_SHOWN - 1;
    legend(h);
    months(h, &with, shown, 0);
    if (oldest > shown) {
        html(h, "<details><summary>{} before</summary>",
             html_counted(h, (uint64_t)(oldest - shown), "month", "months"));
        months(h, &with, oldest, shown + 1);
        html(h, "</details>\n");
    }
}
