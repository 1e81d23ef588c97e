/* Finding out how an application stands: from the repository, and from what this host remembers of its runs. */
#include <string.h>

#include "kura/clock.h"
#include "kura/manifest.h"
#include "kura/mem.h"
#include "kura/standing.h"
#include "kura/verifystate.h"

DEFINE_CLEANUP(Rehearsal, rehearsal_free)

/* ---- what this host remembers ---- */

static bool is_as_new(const RunHistory *a, const RunHistory *b)
{
    return a->has_last && (!b->has_last || strcmp(a->last.started, b->last.started) >= 0);
}

static bool same_repository(const RunHistory *history, const char *location)
{
    return history->has_last && location && history->last.repository && strcmp(history->last.repository, location) == 0;
}

/* Runs on the whole repository, for no application, count for each that is in it. */
void standing_take_runs(Standing *standing, const RunState *own, const RunState *common)
{
    for (RunKind kind = 0; kind < RUN_KINDS; kind++) {
        if (own)
            standing->runs[kind] = own->runs[kind];
        bool whole = kind == RUN_VERIFY || kind == RUN_PRUNE || kind == RUN_COPY;
        if (whole && common && is_as_new(&common->runs[kind], &standing->runs[kind]) &&
            same_repository(&common->runs[kind], standing->location))
            standing->runs[kind] = common->runs[kind];
    }
}

static void take_remembered_backup(Standing *standing)
{
    const RunHistory *history = &standing->runs[RUN_BACKUP];
    if (!history->has_good || history->good.backup == NULL || manifest_id_moment(history->good.backup) < 0)
        return;
    standing->backup = xstrdup(history->good.backup);
    standing->made = manifest_id_moment(standing->backup);
}

/* This host's own newest rehearsal, unless the repository has a later one. */
static void take_remembered_rehearsal(Standing *standing)
{
    const RunRecord *last = &standing->runs[RUN_REHEARSE].last;
    Verdict verdict;
    if (!standing->runs[RUN_REHEARSE].has_last || last->finished == NULL || last->verdict == NULL ||
        !verdict_parse(last->verdict, &verdict) || standing->judged ||
        (standing->rehearsed && standing->rehearsal > clock_parse_utc(last->finished)))
        return;
    standing->rehearsed = standing->judged = true;
    standing->rehearsal = clock_parse_utc(last->started);
    standing->verdict = verdict;
}

void standing_take_memory(Standing *standing)
{
    if (!standing->reached && standing->backup == NULL)
        take_remembered_backup(standing);
    take_remembered_rehearsal(standing);
}

/* ---- what the repository has ---- */

/* The newest of these ids, which are sorted, that is of the application; NULL: there is none. */
static const char *newest_of(const Repo *repo, const StrVec *ids, const char *app)
{
    for (size_t i = ids->n; i-- > 0;)
        if (manifest_id_fits_app(repo, ids->v[i], app))
            return ids->v[i];
    return NULL;
}

static int look_at_rehearsals(Repo *repo, Standing *standing, Error *err)
{
    _cleanup_(strvec_done) StrVec ids = {0};
    _cleanup_(rehearsal_free_cleanup) Rehearsal *rehearsal = NULL;
    Error why = ERROR_INIT;
    if (rehearsal_list(repo, &ids, err) < 0)
        return -1;
    const char *id = newest_of(repo, &ids, standing->app);
    if (id == NULL)
        return 0;
    standing->rehearsed = true;
    standing->rehearsal = manifest_id_moment(id);
    if (!repo_can_read(repo) || rehearsal_load(repo, id, &rehearsal, &why) < 0)
        return 0;
    standing->judged = true;
    standing->verdict = rehearsal->verdict;
    return 0;
}

static bool is_of_app(const Repo *repo, const VerifyKnown *damage, const char *app)
{
    bool found = damage->more;
    for (size_t i = 0; i < damage->backups.n; i++)
        found = found || manifest_id_fits_app(repo, damage->backups.v[i], app);
    return found;
}

static time_t later(time_t a, const VerifyCycle *cycle)
{
    time_t b = cycle ? verifycycle_completed(cycle) : 0;
    return a > b ? a : b;
}

/* What verify knows. A memory that cannot be read says nothing of the backups. */
static void look_at_verification(Repo *repo, Standing *standing)
{
    VerifyState state = {0};
    Error why = ERROR_INIT;
    if (verifystate_load(repo, &state, &why) < 0)
        return;
    standing->verified = state.updated;
    standing->read = later(later(0, verifystate_cycle(&state, NULL)), verifystate_cycle(&state, standing->app));
    for (size_t i = 0; i < state.n_damages; i++)
        standing->damages += is_of_app(repo, &state.damages[i], standing->app);
    verifystate_done(&state);
}

int standing_look(Repo *repo, Standing *standing, Error *err)
{
    _cleanup_(strvec_done) StrVec ids = {0};
    if (manifest_list(repo, &ids, err) < 0 || look_at_rehearsals(repo, standing, err) < 0)
        return -1;
    const char *id = newest_of(repo, &ids, standing->app);
    standing->backup = xstrdup_null(id);
    standing->made = id ? manifest_id_moment(id) : 0;
    look_at_verification(repo, standing);
    return 0;
}
