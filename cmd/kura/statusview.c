#include "statusview.h"

#include <string.h>

#include "kura/clock.h"
#include "kura/words.h"
#include "screen.h"
#include "table.h"
#include "text.h"

StandingLimits standing_limits(const Options *options)
{
    return (StandingLimits){
        .backup = options_number(options, OPT_MAX_AGE, 0),
        .rehearsal = options_number(options, OPT_MAX_REHEARSAL_AGE, 0),
        .verify = options_number(options, OPT_MAX_VERIFY_AGE, 0),
        .read = options_number(options, OPT_MAX_READ_AGE, 0),
    };
}

static double age(time_t moment, time_t now)
{
    return now > moment ? (double)(now - moment) : 0;
}

/* ---- text ---- */

static void add_line(Table *table, const char *name, char *text)
{
    table_row(table, name, text);
    free(text);
}

static char *run_text(RunKind kind, const RunRecord *run, time_t now)
{
    char ago[TEXT_SIZE], took[TEXT_SIZE];
    if (run_record_killed(run))
        return xasprintf(_("began at %s and was killed"), run->started);
    if (run->finished == NULL)
        return xasprintf(_("runs since %s"), run->started);
    text_age(age(clock_parse_utc(run->finished), now), ago);
    text_seconds(run->seconds, took);
    if (run->status == 0)
        return xasprintf(_("done %s ago, in %s"), ago, took);
    if (run_record_good(kind, run))
        return xasprintf(_("done %s ago, in %s, with warnings"), ago, took);
    return run->error ? xasprintf(_("failed %s ago, with exit status %d: %s"), ago, run->status, run->error)
                      : xasprintf(_("failed %s ago, with exit status %d"), ago, run->status);
}

void print_standing(FILE *out, const Standing *standing, time_t now)
{
    char ago[TEXT_SIZE];
    _cleanup_(table_free_cleanup) Table *table = table_new("|");
    _cleanup_free_ char *app = text_escaped(standing->app);
    fprintf(out, standing->further ? _("%s, further repository\n") : "%s\n", app);
    if (standing->backup)
        add_line(table, _("newest backup"),
                 xasprintf(_("%s, %s old"), standing->backup, text_age(age(standing->made, now), ago)));
    else
        table_row(table, _("newest backup"), _("none"));
    if (standing->rehearsed)
        add_line(
            table, _("newest rehearsal"),
            xasprintf(_("%s, %s ago"),
                      standing->judged ? words_get(verdict_name(standing->verdict)) : _("verdict not readable here"),
                      text_age(age(standing->rehearsal, now), ago)));
    if (standing_verified(standing) > 0)
        add_line(table, _("verified"), xasprintf(_("%s ago"), text_age(age(standing_verified(standing), now), ago)));
    if (standing->read > 0)
        add_line(table, _("read through"), xasprintf(_("%s ago"), text_age(age(standing->read, now), ago)));
    for (RunKind kind = 0; kind < RUN_KINDS; kind++) {
        _cleanup_free_ char *name = xasprintf(_("last %s here"), words_get(run_kind_name(kind)));
        if (standing->runs[kind].has_last)
            add_line(table, name, run_text(kind, &standing->runs[kind].last, now));
    }
    if (standing->location)
        table_row(table, standing->reached ? _("repository") : _("repository, not reached"), standing->location);
    table_print(table, out, 2);
}

/* ---- JSON ---- */

static json_t *json_of_moment(bool known, time_t moment)
{
    char text[32];
    if (!known)
        return json_null();
    clock_format_utc(moment, text, sizeof text);
    return json_string(text);
}

static json_t *json_of_age(bool known, time_t moment, time_t now)
{
    return known ? json_integer((json_int_t)age(moment, now)) : json_null();
}

static json_t *json_of_run(RunKind kind, const RunHistory *history)
{
    const RunRecord *last = &history->last;
    if (!history->has_last)
        return json_null();
    return json_pack("{s:o, s:o, s:f, s:i, s:b, s:b, s:o, s:o, s:I}", "started", json_text(last->started), "finished",
                     json_text(last->finished), "seconds", last->seconds, "exit_status", last->status, "good",
                     run_record_good(kind, last), "killed", run_record_killed(last), "error", json_text(last->error),
                     "last_good", json_text(history->has_good ? history->good.finished : NULL), "warnings",
                     (json_int_t)last->warnings);
}

json_t *json_of_standing(const Standing *standing, time_t now)
{
    json_t *runs = json_object();
    bool made = standing->backup != NULL;
    for (RunKind kind = 0; kind < RUN_KINDS; kind++)
        json_object_set_new(runs, run_kind_name(kind), json_of_run(kind, &standing->runs[kind]));
    time_t verified = standing_verified(standing);
    return json_pack(
        "{s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:o}", "app", json_text(standing->app),
        "repository", json_text(standing->location), "reached", standing->reached, "backup",
        json_text(standing->backup), "backup_made", json_of_moment(made, standing->made), "backup_age",
        json_of_age(made, standing->made, now), "rehearsed", json_of_moment(standing->rehearsed, standing->rehearsal),
        "rehearsal_age", json_of_age(standing->rehearsed, standing->rehearsal, now), "verdict",
        json_text(standing->judged ? verdict_name(standing->verdict) : NULL), "verified",
        json_of_moment(verified > 0, verified), "read_through", json_of_moment(standing->read > 0, standing->read),
        "damages", (json_int_t)standing->damages, "runs", runs);
}

/* ---- Nagios ---- */

/* Text ahead of the bar: one line, without a bar of its own. */
static void add_plain(Buf *out, const char *text)
{
    _cleanup_free_ char *plain = text_escaped(text);
    for (char *p = plain; *p; p++)
        buf_printf(out, NULL, "%c", *p == '|' ? '/' : *p);
}

/* 'label'=value[s];warn;crit;min: a label holds no quote and no '='. */
static void add_datum(Buf *out, const Standing *standing, const char *what, double value, double warn, double crit)
{
    _cleanup_free_ char *name =
        xasprintf("%s%s%s", standing->app, standing->further ? " " : "", standing->further ? standing->location : "");
    _cleanup_free_ char *plain = text_escaped(name);
    for (char *p = plain; *p; p++)
        if (strchr("'=|", *p))
            *p = '_';
    buf_printf(out, NULL, " '%s %s'=%.0fs;", plain, what, value);
    if (warn > 0)
        buf_printf(out, NULL, "%.0f", warn);
    buf_append_str(out, ";", NULL);
    if (crit > 0)
        buf_printf(out, NULL, "%.0f", crit);
    buf_append_str(out, ";0", NULL);
}

static void add_data(Buf *out, const Standing *standing, const StandingLimits *limits, time_t now)
{
    if (standing->backup)
        add_datum(out, standing, "backup age", age(standing->made, now), 0, limits->backup);
    if (standing->rehearsed)
        add_datum(out, standing, "rehearsal age", age(standing->rehearsal, now), limits->rehearsal, 0);
    if (standing_verified(standing) > 0)
        add_datum(out, standing, "verify age", age(standing_verified(standing), now), limits->verify, 0);
    if (standing->read > 0)
        add_datum(out, standing, "read age", age(standing->read, now), limits->read, 0);
}

static void add_good_news(Buf *out, const Standing *standings, size_t n, time_t now)
{
    char ago[TEXT_SIZE];
    for (size_t i = 0; i < n; i++) {
        text_age(age(standings[i].made, now), ago);
        _cleanup_free_ char *news =
            xasprintf(standings[i].further ? _("%s elsewhere backed up %s ago") : _("%s backed up %s ago"),
                      standings[i].app, ago);
        add_plain(out, i ? ", " : "");
        add_plain(out, news);
    }
}

static void add_bad_news(Buf *out, const Findings *findings)
{
    size_t told = 0;
    for (int severity = FINDING_ERROR; severity >= FINDING_WARNING; severity--) {
        for (size_t i = 0; i < findings->n; i++) {
            if ((int)findings->v[i].severity != severity)
                continue;
            add_plain(out, told++ ? "; " : "");
            add_plain(out, findings->v[i].message);
        }
    }
}

int print_nagios(FILE *out, const Standing *standings, const StandingLimits *limits, size_t n, const Findings *findings,
                 time_t now)
{
    static const char *const words[] = {"OK", "WARNING", "CRITICAL"};
    _cleanup_(buf_done) Buf text = BUF_INIT(1024 * 1024);
    int status = findings_count(findings, FINDING_ERROR) > 0     ? NAGIOS_CRITICAL
                 : findings_count(findings, FINDING_WARNING) > 0 ? NAGIOS_WARNING
                                                                 : NAGIOS_OK;
    if (status == NAGIOS_OK)
        add_good_news(&text, standings, n, now);
    else
        add_bad_news(&text, findings);
    buf_append_str(&text, " |", NULL);
    for (size_t i = 0; i < n; i++)
        add_data(&text, &standings[i], &limits[i], now);
    fprintf(out, "KURA %s - %s\n", words[status], buf_str(&text));
    return status;
}

void print_nagios_unknown(FILE *out, const Error *err)
{
    _cleanup_(buf_done) Buf text = BUF_INIT(64 * 1024);
    add_plain(&text, err->message);
    fprintf(out, "KURA UNKNOWN - %s\n", buf_str(&text));
}
