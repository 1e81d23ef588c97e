#include "night.h"

#include <math.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "finish.h"
#include "hooks.h"
#include "kura/clock.h"
#include "kura/fdio.h"
#include "kura/log.h"
#include "kura/metrics.h"
#include "kura/ping.h"
#include "kura/program.h"
#include "kura/stop.h"
#include "notice.h"

enum { METRICS_MAX = 4 * 1024 * 1024 };

/* Whether this host remembers how the run ended. */
static bool is_remembered(const Options *options, RunKind *ret)
{
    if (options_flag(options, OPT_PLAN) || options_flag(options, OPT_OLD_DATABASES))
        return false;
    for (RunKind kind = 0; kind < RUN_KINDS; kind++) {
        if (strcmp(run_kind_name(kind), options->command->name) == 0) {
            *ret = kind;
            return true;
        }
    }
    return false;
}

static char *now_text(void)
{
    char text[32];
    clock_format_utc(time(NULL), text, sizeof text);
    return xstrdup(text);
}

/* ---- what the host remembers ---- */

/* No run fails because nobody will know of it later. */
static void remember(const Session *session, RunKind kind, const RunRecord *run)
{
    Error why = ERROR_INIT;
    _cleanup_free_ char *dir = session_state_dir(session);
    if (dir == NULL)
        log_warning("how this run ends is not remembered: neither HOME nor --state-dir tells where");
    else if (runstate_record(dir, options_text(session->options, OPT_APP), kind, run, &why) < 0)
        log_warning("how this run ends is not remembered: %s", why.message);
}

static int write_metrics(const char *dir, const char *path, Error *err)
{
    RunState **states;
    size_t n, bad;
    _cleanup_(buf_done) Buf text = BUF_INIT(METRICS_MAX);
    if (runstate_load_all(dir, &states, &n, &bad, err) < 0)
        return -1;
    int rc = metrics_format(states, n, &text, err);
    runstates_free(states, n);
    return rc < 0 ? -1 : file_put(path, text.data, text.len, 0644, err);
}

static void tell_metrics(const Session *session)
{
    Error why = ERROR_INIT;
    const char *path = options_text(session->options, OPT_METRICS_FILE);
    _cleanup_free_ char *dir = session_state_dir(session);
    if (path && dir && write_metrics(dir, path, &why) < 0)
        log_warning("no metrics are written: %s", why.message);
}

/* ---- pings ---- */

typedef struct Ping {
    OptionId own;       /* the option with a URL of its own */
    const char *suffix; /* of ping-url */
} Ping;

static const Ping ping_start = {OPT_PING_START_URL, "/start"}, ping_success = {OPT_PING_SUCCESS_URL, ""},
                  ping_failure = {OPT_PING_FAILURE_URL, "/fail"};

/* To be freed; NULL: nobody is to be told. */
static char *url_of(const Options *options, const Ping *ping)
{
    const char *own = options_text(options, ping->own), *common = options_text(options, OPT_PING_URL);
    const char *pattern = own ? own : common, *app = options_text(options, OPT_APP);
    if (pattern == NULL || (options->command->id != CMD_BACKUP && strstr(pattern, "{command}") == NULL))
        return NULL;
    return ping_url(pattern, own ? "" : ping->suffix, app ? app : "", options->command->name);
}

static int check_pings(const Options *options, Error *err)
{
    const Ping *const all[] = {&ping_start, &ping_success, &ping_failure};
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        _cleanup_free_ char *url = url_of(options, all[i]);
        if (url && ping_check(url, options_flag(options, OPT_PING_ALLOW_HTTP), err) < 0)
            return error_wrap(err, "key \"%s\"",
                              options_given(options, all[i]->own) ? option_specs[all[i]->own].name : "ping-url");
    }
    return 0;
}

static void ping(const Options *options, const Ping *which, const char *text)
{
    Error why = ERROR_INIT;
    _cleanup_free_ char *url = url_of(options, which);
    if (url && ping_send(url, text, &why) < 0)
        log_warning("%s", why.message);
}

/* ---- the two ends ---- */

int night_begin(Session *session, Error *err)
{
    RunKind kind;
    const Options *options = session->options;
    bool remembered = is_remembered(options, &kind);
    session->began = clock_monotonic();
    session->run.started = now_text();
    session->run.pid = getpid();
    session->run.repository = xstrdup_null(options_text(options, OPT_REPO));
    if (hooks_check(session, err) < 0 || check_pings(options, err) < 0)
        return -1;
    session->trusted = true;
    if (remembered) {
        remember(session, kind, &session->run);
        ping(options, &ping_start, "");
    }
    return hooks_before(session, err);
}

static void settle(Session *session, int rc, const Error *err)
{
    RunRecord *run = &session->run;
    if (run->started == NULL) { /* the configuration could not be read */
        run->started = now_text();
        run->pid = getpid();
        session->began = clock_monotonic();
    }
    if (run->finished == NULL)
        run->finished = now_text();
    if (rc < 0 && run->error == NULL)
        run->error = xstrdup(err->message);
    run->seconds = round((clock_monotonic() - session->began) * 1000) / 1000;
    run->status = session_status(session, rc, err);
    run->warnings = findings_count(&session->findings, FINDING_WARNING);
}

/* As a person reads it, so that a monitor's own page tells enough. */
static void tell(Session *session, RunKind kind)
{
    const RunRecord *run = &session->run;
    _cleanup_free_ char *text = notice_text(session, run);
    ping(session->options, run_record_good(kind, run) ? &ping_success : &ping_failure, text);
    if (run->status != 0)
        hooks_notify(session, run);
}

void night_end(Session *session, int rc, const Error *err)
{
    RunKind kind;
    stop_hold(); /* a stop ends the run, and not what tells of it; all of this has deadlines */
    settle(session, rc, err);
    if (session->trusted) {
        hooks_after(session, &session->run);
        settle(session, rc, err);
    }
    if (is_remembered(session->options, &kind)) {
        remember(session, kind, &session->run);
        tell_metrics(session);
        if (session->trusted)
            tell(session, kind);
    }
    stop_release();
}
