#include "kura/prune.h"

#include <string.h>

#include "commands.h"
#include "kura/kept.h"
#include "kura/log.h"
#include "kura/mem.h"
#include "kura/stop.h"
#include "kura/words.h"
#include "view_kept.h"
#include "view_prune.h"

enum { GRACE_DEFAULT = 24 * 3600, MAX_UNUSED_DEFAULT = 5, NEVER_REWRITE = 100 };

/* ---- databases that are kept ---- */

static int check_kept_use(const Options *options, Error *err)
{
    if (!options_given(options, OPT_DB)) {
        error_set(err, ERR_USAGE, "--old-databases needs --db");
        return error_hint(err, "Give the database that the old ones are kept for.");
    }
    if (options_flag(options, OPT_DROP) && !options_given(options, OPT_OLDER_THAN) &&
        !options_given(options, OPT_KEEP_DATABASES)) {
        error_set(err, ERR_USAGE, "--drop needs --older-than or --keep-databases");
        return error_hint(err, "--older-than 0 chooses all; without --drop you see what would go.");
    }
    if (options_flag(options, OPT_PLAN))
        return error_set(err, ERR_USAGE, "--old-databases without --drop is the plan; there is no --plan");
    return 0;
}

static int prune_databases(Session *session, Error *err)
{
    const Options *options = session->options;
    KeptPruneOptions prune = {
        .db = options_text(options, OPT_DB),
        .older_than = options_number(options, OPT_OLDER_THAN, -1),
        .keep = (size_t)options_number(options, OPT_KEEP_DATABASES, 0),
        .drop = options_flag(options, OPT_DROP),
    };
    _cleanup_(kept_prune_report_done) KeptPruneReport report = {0};
    if (check_kept_use(options, err) < 0)
        return -1;
    int rc = kept_prune(&prune, &report, &session->findings, err);
    if (rc < 0 && report.verdicts == NULL)
        return -1;
    if (session->json)
        session_set(session, "databases", json_of_kept_databases(&report));
    else
        print_kept_databases(session->out, &report);
    if (report.databases.n == 0)
        log_info("kura keeps no database for \"%s\"", report.database);
    return rc;
}

/* ---- backups ---- */

static const OptionId rules[] = {OPT_KEEP_LAST,    OPT_KEEP_HOURLY, OPT_KEEP_DAILY,  OPT_KEEP_WEEKLY,
                                 OPT_KEEP_MONTHLY, OPT_KEEP_YEARLY, OPT_KEEP_WITHIN, OPT_KEEP_TAG};

static bool is_rule(const OptionSpec *spec)
{
    for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
        if (spec->id == rules[i])
            return true;
    return false;
}

/* An application with a policy of its own must not be judged by that of all. */
static int check_own_policies(const Session *session, Error *err)
{
    const Config *config = session->config;
    if (options_given(session->options, OPT_APP))
        return 0;
    for (size_t i = 0; i < config->n_values; i++) {
        const ConfigSection *section = &config->sections[config->values[i].section];
        if (section->kind != IN_APP || !is_rule(config->values[i].spec))
            continue;
        error_set(err, ERR_USAGE, "application \"%s\" has a policy of its own", section->name);
        return error_hint(err, "Prune each application for itself: \"kura prune --app %s\" and so on.", section->name);
    }
    return 0;
}

static int check_use(const Session *session, Error *err)
{
    static const OptionId others[] = {OPT_DB, OPT_OLDER_THAN, OPT_KEEP_DATABASES, OPT_DROP};
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        if (options_given(session->options, others[i]))
            return error_set(err, ERR_USAGE, "--%s goes with --old-databases", option_specs[others[i]].name);
    return check_own_policies(session, err);
}

/* Whether the last backup of this host into the repository failed. One that found another under way did not. */
static bool has_failed(const RunState *state, const char *location)
{
    const RunHistory *backups = &state->runs[RUN_BACKUP];
    const RunRecord *last = &backups->last;
    if (!backups->has_last || last->repository == NULL || strcmp(last->repository, location) != 0 ||
        run_record_good(RUN_BACKUP, last))
        return false;
    return last->finished ? last->status != error_exit_status(ERR_LOCKED) : run_record_killed(last);
}

static int refuse_failed(const RunState *state, Error *err)
{
    const RunRecord *last = &state->runs[RUN_BACKUP].last;
    bool named = state->app[0] != 0;
    const char *why = last->error ? last->error : _("it was killed");
    if (named)
        error_set(err, ERR_FAILED,
                  "nothing is removed, for the last backup of \"%s\" on this host, begun %s, failed: %s", state->app,
                  last->started, why);
    else
        error_set(err, ERR_FAILED, "nothing is removed, for the last backup on this host, begun %s, failed: %s",
                  last->started, why);
    return error_hint(err, "Make one that succeeds first: \"kura backup%s%s\".", named ? " --app " : "", state->app);
}

/* What this host knows of its own backups of what is to be pruned. */
static int check_runs(const Session *session, Error *err)
{
    RunState **states;
    size_t n, bad;
    const char *app = options_text(session->options, OPT_APP), *location = session_location(session, err);
    _cleanup_free_ char *dir = session_state_dir(session);
    if (location == NULL)
        return -1;
    if (dir == NULL)
        return 0;
    if (runstate_load_all(dir, &states, &n, &bad, err) < 0)
        return error_wrap(err, "looking for backups that failed");
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < n; i++)
        if ((app == NULL || strcmp(app, states[i]->app) == 0) && has_failed(states[i], location))
            rc = refuse_failed(states[i], err);
    runstates_free(states, n);
    return rc;
}

static RetentionPolicy policy_of(const Options *options)
{
    return (RetentionPolicy){
        .last = (unsigned)options_number(options, OPT_KEEP_LAST, 0),
        .spans = {[RETAIN_HOURLY] = (unsigned)options_number(options, OPT_KEEP_HOURLY, 0),
                  [RETAIN_DAILY] = (unsigned)options_number(options, OPT_KEEP_DAILY, 0),
                  [RETAIN_WEEKLY] = (unsigned)options_number(options, OPT_KEEP_WEEKLY, 0),
                  [RETAIN_MONTHLY] = (unsigned)options_number(options, OPT_KEEP_MONTHLY, 0),
                  [RETAIN_YEARLY] = (unsigned)options_number(options, OPT_KEEP_YEARLY, 0)},
        .within = options_number(options, OPT_KEEP_WITHIN, 0),
        .tags = options_list(options, OPT_KEEP_TAG),
    };
}

static int prune_backups(Session *session, Error *err)
{
    const Options *options = session->options;
    _cleanup_(prune_report_done) PruneReport report = {0};
    PruneOptions prune = {
        .policy = policy_of(options),
        .app = options_text(options, OPT_APP),
        .remove = options_list(options, OPT_REMOVE),
        .grace = options_number(options, OPT_GRACE, GRACE_DEFAULT),
        .plan = options_flag(options, OPT_PLAN),
    };
    bool rewrites = !prune.plan && options_number(options, OPT_MAX_UNUSED, NEVER_REWRITE) < NEVER_REWRITE;
    if (check_use(session, err) < 0 ||
        (!prune.plan && retention_is_given(&prune.policy) && check_runs(session, err) < 0) ||
        session_open_repo_for(session, rewrites ? REPO_WRITE : REPO_READ, err) < 0)
        return -1;
    prune.max_unused =
        options_number(options, OPT_MAX_UNUSED, repo_is_encrypted(session->repo) ? NEVER_REWRITE : MAX_UNUSED_DEFAULT);
    if (prune_run(session->repo, &prune, &report, &session->findings, &session->progress, err) < 0)
        return -1;
    session->run.new_bytes = report.freed_bytes + report.packs_freed;
    session->run.repository_bytes = report.kept_bytes - report.packs_freed + report.young_bytes;
    if (session->json)
        session_set(session, "prune", json_of_prune(&report, prune.plan));
    else
        print_prune(session->out, &report, prune.plan);
    return 0;
}

int command_prune(Session *session, Error *err)
{
    return options_flag(session->options, OPT_OLD_DATABASES) ? prune_databases(session, err)
                                                             : prune_backups(session, err);
}
