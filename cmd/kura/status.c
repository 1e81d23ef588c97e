#include <string.h>
#include <time.h>

#include "commands.h"
#include "kura/stop.h"
#include "other.h"
#include "statusview.h"

/* ---- one application ---- */

typedef struct Statuses {
    Session *session;
    time_t now;
    RunState **states; /* of this host */
    size_t n_states;
    Standing *standings;
    StandingLimits *limits;
    size_t n;
} Statuses;

static const RunState *state_of(const Statuses *statuses, const char *app)
{
    for (size_t i = 0; i < statuses->n_states; i++)
        if (strcmp(statuses->states[i]->app, app) == 0)
            return statuses->states[i];
    return NULL;
}

/* Applications that share a repository share its locks, too. */
static void move_findings(const Findings *from, Findings *to)
{
    for (size_t i = 0; i < from->n; i++) {
        const Finding *finding = &from->v[i];
        bool told = false;
        for (size_t j = 0; j < to->n; j++)
            told = told || strcmp(to->v[j].message, finding->message) == 0;
        if (!told)
            findings_add(to, finding->severity, finding->code, finding->hint, "%s", finding->message);
    }
}

static int look_at_repository(Repo *repo, Standing *standing, Findings *findings, Error *err)
{
    return standing_look(repo, standing, err) < 0 ? -1 : repo_lock_survey(repo, findings, err);
}

static void look(const Statuses *statuses, Session *session, Standing *standing)
{
    Error why = ERROR_INIT;
    standing->location = xstrdup_null(options_text(session->options, OPT_REPO));
    standing_take_runs(standing, state_of(statuses, standing->app), state_of(statuses, ""));
    standing->reached = session_open_repo(session, &why) == 0 &&
                        look_at_repository(session->repo, standing, &session->findings, &why) == 0;
    if (!standing->reached)
        standing->trouble = xstrdup(why.message);
    standing_take_memory(standing);
}

/* Another repository that backups of the application go into. */
static void look_further(Session *session, const char *name, Standing *standing)
{
    Error why = ERROR_INIT;
    Other other;
    standing->further = true;
    standing->reached = other_open(session, name, REPO_READ, &other, &why) == 0 &&
                        look_at_repository(other.repo, standing, &session->findings, &why) == 0;
    const char *location = options_text(&other.options, OPT_REPO);
    standing->location = xstrdup(location ? location : name);
    standing->trouble = standing->reached ? NULL : xstrdup(why.message);
    other_close(&other);
}

static Standing *new_standing(Statuses *statuses, const char *app, const Options *options)
{
    statuses->standings = xreallocarray(statuses->standings, statuses->n + 1, sizeof *statuses->standings);
    statuses->limits = xreallocarray(statuses->limits, statuses->n + 1, sizeof *statuses->limits);
    statuses->limits[statuses->n] = standing_limits(options);
    statuses->standings[statuses->n] = (Standing){.app = xstrdup(app)};
    return &statuses->standings[statuses->n++];
}

static void look_at_all_of(Statuses *statuses, Session *session, const char *app)
{
    const StrVec *names = options_list(session->options, OPT_REPO);
    size_t from = statuses->n;
    look(statuses, session, new_standing(statuses, app, session->options));
    for (size_t i = 1; i < names->n; i++)
        look_further(session, names->v[i], new_standing(statuses, app, session->options));
    for (size_t i = from; i < statuses->n; i++)
        standing_judge(&statuses->standings[i], &statuses->limits[i], statuses->now, &session->findings);
}

/* Under the section of the application, as if it alone were asked for. */
static int add_app(Statuses *statuses, const char *app, Error *err)
{
    Session session, *parent = statuses->session;
    Options options = options_copy(parent->options);
    int rc = 0;
    if (!options_given(&options, OPT_APP))
        rc = options_set(&options, &option_specs[OPT_APP], SOURCE_COMMAND_LINE, app, "option --app", err);
    if (rc == 0)
        rc = config_apply(parent->config, &options, err);
    session_init(&session, &options, parent->config, parent->out);
    if (rc == 0) {
        look_at_all_of(statuses, &session, app);
        move_findings(&session.findings, &parent->findings);
        rc = stop_check(err);
    }
    session_done(&session);
    options_done(&options);
    return rc;
}

/* ---- all of them ---- */

static void list_apps(const Statuses *statuses, StrVec *ret)
{
    const char *app = options_text(statuses->session->options, OPT_APP);
    if (app) {
        strvec_push(ret, app);
        return;
    }
    config_list(statuses->session->config, IN_APP, ret);
    for (size_t i = 0; i < statuses->n_states; i++)
        if (statuses->states[i]->app[0] && !strvec_contains(ret, statuses->states[i]->app))
            strvec_push(ret, statuses->states[i]->app);
}

static void tell(Statuses *statuses)
{
    Session *session = statuses->session;
    if (options_flag(session->options, OPT_NAGIOS)) {
        session->nagios = print_nagios(session->out, statuses->standings, statuses->limits, statuses->n,
                                       &session->findings, statuses->now);
        session->findings_told = true;
        return;
    }
    json_t *apps = json_array();
    for (size_t i = 0; i < statuses->n; i++) {
        if (session->json)
            json_array_append_new(apps, json_of_standing(&statuses->standings[i], statuses->now));
        else
            print_standing(session->out, &statuses->standings[i], statuses->now);
    }
    session_set(session, "apps", apps);
}

static int look_at_all(Statuses *statuses, Error *err)
{
    _cleanup_(strvec_done) StrVec apps = {0};
    int rc = 0;
    list_apps(statuses, &apps);
    if (apps.n == 0) {
        error_set(err, ERR_USAGE, "no application is known on this host");
        return error_hint(err, "Give --app, or write an [app NAME] section into %s.", CONFIG_DEFAULT_PATH);
    }
    for (size_t i = 0; rc == 0 && i < apps.n; i++)
        rc = add_app(statuses, apps.v[i], err);
    if (rc == 0)
        tell(statuses);
    for (size_t i = 0; i < statuses->n; i++)
        standing_done(&statuses->standings[i]);
    free(statuses->standings);
    free(statuses->limits);
    return rc;
}

/* The state directory may be named in [kura]. */
static int find_state_dir(Session *session, char **ret, Error *err)
{
    Options options = options_copy(session->options);
    int rc = config_apply(session->config, &options, err);
    Session configured = {.options = &options};
    *ret = session_state_dir(&configured);
    options_done(&options);
    return rc;
}

static int load_states(Statuses *statuses, Error *err)
{
    Error why = ERROR_INIT;
    size_t bad = 0;
    Findings *findings = &statuses->session->findings;
    _cleanup_free_ char *dir = NULL;
    if (find_state_dir(statuses->session, &dir, err) < 0)
        return -1;
    if (dir && runstate_load_all(dir, &statuses->states, &statuses->n_states, &bad, &why) < 0)
        findings_add(findings, FINDING_NOTE, "state-unreadable", NULL, "%s", why.message);
    if (bad > 0)
        findings_add(findings, FINDING_WARNING, "state-damaged", "The next run of each begins it anew.",
                     "%zu documents in the state directory \"%s\" cannot be read", bad, dir);
    return 0;
}

int command_status(Session *session, Error *err)
{
    Statuses statuses = {.session = session, .now = time(NULL)};
    int rc = load_states(&statuses, err);
    if (rc == 0)
        rc = look_at_all(&statuses, err);
    runstates_free(statuses.states, statuses.n_states);
    return rc;
}
