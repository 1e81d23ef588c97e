#include "timerplan.h"

#include <ctype.h>
#include <string.h>

#include "kura/mem.h"

enum { TEXT_MAX = 64 * 1024, NAME_MAX_LENGTH = 200 };

void timerplan_done(TimerPlan *plan)
{
    strvec_done(&plan->paths);
    strvec_done(&plan->texts);
    strvec_done(&plan->units);
}

void timerwants_done(TimerWants *wants)
{
    strvec_done(&wants->writable);
    strvec_done(&wants->groups);
}

/* Letters that systemd, cron and a shell all leave alone. */
static int check_app(const char *app, Error *err)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    if (app[0] && app[0] != '-' && app[0] != '.' && strspn(app, plain) == strlen(app) && strlen(app) < NAME_MAX_LENGTH)
        return 0;
    error_set(err, ERR_USAGE, "\"%s\" cannot be the instance of a systemd unit", app);
    return error_hint(err, "Use an application name of letters, digits, hyphens, underscores and dots.");
}

static int check_plain(const char *what, const char *text, Error *err)
{
    for (const char *p = text; *p; p++)
        if (iscntrl((unsigned char)*p))
            return error_set(err, ERR_USAGE, "%s holds a control character", what);
    return 0;
}

/* In double quotes, as systemd.syntax(7) has it; a percent sign would be a specifier. */
static void add_quoted(Buf *out, const char *text)
{
    buf_append_str(out, "\"", NULL);
    for (; *text; text++)
        buf_printf(out, NULL, "%s%c", *text == '"' || *text == '\\' ? "\\" : *text == '%' ? "%" : "", *text);
    buf_append_str(out, "\"", NULL);
}

static void add_file(TimerPlan *plan, const char *unit_dir, const char *unit, const Buf *text)
{
    strvec_pushf(&plan->paths, "%s/%s.d/kura.conf", unit_dir, unit);
    strvec_push(&plan->texts, buf_str(text));
}

static const char become_lines[] =
    "# to act as the system user of the database's role, which the server may let in no other way\n"
    "CapabilityBoundingSet=CAP_SETUID CAP_SETGID CAP_KILL\n"
    "SystemCallFilter=@setuid capset\n";

static int add_service(TimerPlan *plan, const TimerWants *wants, const char *unit_dir, const char *unit, Error *err)
{
    _cleanup_(buf_done) Buf text = BUF_INIT(TEXT_MAX);
    _cleanup_free_ char *name = xasprintf("%s.service", unit);
    buf_append_str(&text, "[Service]\n", NULL);
    if (wants->config) {
        _cleanup_free_ char *setting = xasprintf("KURA_CONFIG=%s", wants->config);
        if (check_plain("the name of the configuration file", wants->config, err) < 0)
            return -1;
        buf_append_str(&text, "Environment=", NULL);
        add_quoted(&text, setting);
        buf_append_str(&text, "\n", NULL);
    }
    for (size_t i = 0; i < wants->writable.n; i++) {
        if (check_plain("a directory", wants->writable.v[i], err) < 0)
            return -1;
        buf_append_str(&text, "ReadWritePaths=", NULL);
        add_quoted(&text, wants->writable.v[i]);
        buf_append_str(&text, "\n", NULL);
    }
    for (size_t i = 0; i < wants->groups.n; i++)
        buf_printf(&text, NULL, "SupplementaryGroups=%s\n", wants->groups.v[i]);
    if (wants->become)
        buf_append_str(&text, become_lines, NULL);
    if (wants->writable.n > 0 || wants->config || wants->groups.n > 0 || wants->become)
        add_file(plan, unit_dir, name, &text);
    return 0;
}

static int add_calendar(TimerPlan *plan, const char *calendar, const char *unit_dir, const char *timer, Error *err)
{
    _cleanup_(buf_done) Buf text = BUF_INIT(TEXT_MAX);
    if (calendar == NULL)
        return 0;
    if (check_plain("--calendar", calendar, err) < 0 ||
        buf_printf(&text, err, "[Timer]\nOnCalendar=\nOnCalendar=%s\n", calendar) < 0)
        return -1;
    add_file(plan, unit_dir, timer, &text);
    return 0;
}

static int add_unit(TimerPlan *plan, const TimerWants *wants, const char *calendar, const char *prefix,
                    const char *unit_dir, Error *err)
{
    _cleanup_free_ char *unit = xasprintf("%s@%s", prefix, wants->app), *timer = xasprintf("%s.timer", unit);
    if (add_service(plan, wants, unit_dir, unit, err) < 0 || add_calendar(plan, calendar, unit_dir, timer, err) < 0)
        return -1;
    strvec_push(&plan->units, timer);
    return 0;
}

int timerplan_add(TimerPlan *plan, const TimerWants *wants, const char *unit_dir, Error *err)
{
    TimerWants repository_only = *wants;
    repository_only.become = false;
    if (check_app(wants->app, err) < 0 || add_unit(plan, wants, wants->calendar, "kura", unit_dir, err) < 0 ||
        add_unit(plan, &repository_only, NULL, "kura-verify", unit_dir, err) < 0)
        return -1;
    if (wants->prune && add_unit(plan, &repository_only, NULL, "kura-prune", unit_dir, err) < 0)
        return -1;
    return wants->rehearse ? add_unit(plan, wants, NULL, "kura-rehearse", unit_dir, err) : 0;
}

int timerplan_cron(const TimerWants *wants, Buf *out, Error *err)
{
    if (check_app(wants->app, err) < 0)
        return -1;
    buf_printf(out, NULL, "15 3 * * *  root  kura -q backup --app %s >/dev/null\n", wants->app);
    buf_printf(out, NULL, "30 4 * * *  root  kura -q verify --app %s >/dev/null\n", wants->app);
    if (wants->rehearse)
        buf_printf(out, NULL, "0 5 * * 0   root  kura -q rehearse latest --app %s >/dev/null\n", wants->app);
    if (wants->prune)
        buf_printf(out, NULL, "15 6 * * *  root  kura -q prune --app %s >/dev/null\n", wants->app);
    return buf_append(out, "", 0, err);
}
