#include "kura/words.h"
#include "repository_page.h"

enum { DAY = 24 * 60 * 60, MONTHS_SHOWN = 4, MONTHS_MAX = 12 };

typedef enum DayState { DAY_NONE, DAY_MISSING, DAY_MADE, DAY_PASSED, DAY_FINDINGS, DAY_FAILED, DAY_STATES } DayState;

static const struct {
    const char *class, *sign, *words;
} states[DAY_STATES] = {
    [DAY_NONE] = {"none", "", ""},
    [DAY_MISSING] = {"missing", "\u2013", N_("no backup")},
    [DAY_MADE] = {"made", "\u2022", N_("backup, not rehearsed")},
    [DAY_PASSED] = {"good", "\u2713", N_("backup, rehearsal passed")},
    [DAY_FINDINGS] = {"look", "!", N_("backup, rehearsal with findings")},
    [DAY_FAILED] = {"bad", "\u2715", N_("backup, rehearsal failed")},
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
        html(h, "<i aria-hidden=true>{}</i><span class=unseen>, {}</span>", states[state].sign,
             words_get(states[state].words));
    html(h, "</span></td>");
}

static void month_table(Html *h, const Calendar *calendar, time_t first)
{
    static const char *const weekdays[][2] = {
        {N_("Mo"), N_("Monday")}, {N_("Tu"), N_("Tuesday")},  {N_("We"), N_("Wednesday")}, {N_("Th"), N_("Thursday")},
        {N_("Fr"), N_("Friday")}, {N_("Sa"), N_("Saturday")}, {N_("Su"), N_("Sunday")}};
    struct tm tm;
    gmtime_r(&first, &tm);
    int before = (tm.tm_wday + 6) % 7;
    time_t after = first_of_month(first, -1);
    html(h, "<table class=month><caption>{}</caption><thead><tr>", html_month(h, first));
    for (int i = 0; i < 7; i++)
        html(h, "<th scope=col><abbr title=\"{=}\">{}</abbr></th>", words_get(weekdays[i][1]),
             words_get(weekdays[i][0]));
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
             words_get(states[i].words));
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
        html(h, "<details><summary>{}</summary>",
             html_words(h, _("%s before"),
                        html_counted(h, (uint64_t)(oldest - shown),
                                     ngettext("%s month", "%s months", (uint64_t)(oldest - shown)))));
        months(h, &with, oldest, shown + 1);
        html(h, "</details>\n");
    }
}
