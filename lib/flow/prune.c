#include "kura/prune.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kura/clock.h"
#include "kura/mem.h"
#include "kura/pin.h"
#include "kura/stop.h"
#include "kura/words.h"
#include "prune_priv.h"

DEFINE_CLEANUP(Manifest, manifest_free)

void prune_report_done(PruneReport *report)
{
    for (size_t i = 0; i < report->n_backups; i++) {
        free(report->backups[i].id);
        free(report->backups[i].app);
        free(report->backups[i].started);
        retention_reasons_done(&report->backups[i].reasons);
    }
    free(report->backups);
    *report = (PruneReport){0};
}

static void prune_done(Prune *prune)
{
    for (size_t i = 0; i < prune->n_entries; i++) {
        free(prune->entries[i].name);
        free(prune->entries[i].id);
        free(prune->entries[i].app);
        free(prune->entries[i].started);
        strvec_done(&prune->entries[i].tags);
    }
    free(prune->entries);
    strvec_done(&prune->superseded);
    strvec_done(&prune->pinned);
    blobtable_done(&prune->blobs);
    free(prune->live);
    rangeset_done(&prune->counted);
    prune_victims_free(prune->victims);
    repo_unlock(prune->lock);
}

PruneEntry *prune_entry(const Prune *prune, const char *id)
{
    for (size_t i = 0; i < prune->n_entries; i++)
        if (strcmp(prune->entries[i].id, id) == 0)
            return &prune->entries[i];
    return NULL;
}

/* ---- reading ---- */

static int unreadable(const PruneEntry *entry, Error *err)
{
    error_wrap(err, "nothing is removed, for a backup cannot be read");
    if (err && err->code == ERR_KEY)
        return -1;
    return error_hint(err,
                      "Nobody knows which blobs it needs. \"kura verify\" tells more; if the backup is lost for good, "
                      "give it up with \"kura prune --remove %s\".",
                      entry->id);
}

static int read_entry(Prune *prune, PruneEntry *entry, Error *err)
{
    Error why = ERROR_INIT;
    _cleanup_(manifest_free_cleanup) Manifest *manifest = NULL;
    if (manifest_load(prune->repo, entry->name, &manifest, &why) < 0) {
        bool damaged = error_is_unreadable(&why);
        entry->lost = entry->removed && damaged;
        if (entry->lost)
            return 0;
        if (err)
            *err = why;
        return damaged || why.code == ERR_KEY ? unreadable(entry, err) : -1;
    }
    entry->app = xstrdup(manifest->app);
    entry->started = xstrdup(manifest->started);
    entry->tags = manifest->tags;
    manifest->tags = (StrVec){0};
    return 0;
}

static int read_entries(Prune *prune, Error *err)
{
    _cleanup_(strvec_done) StrVec names = {0};
    const PruneOptions *options = prune->options;
    if (manifest_list_names(prune->repo, &names, &prune->superseded, err) < 0 ||
        pin_list(prune->repo, &prune->pinned, err) < 0)
        return -1;
    for (size_t i = 0; i < names.n; i++) {
        xgrow(&prune->entries, &prune->cap_entries, prune->n_entries);
        PruneEntry *entry = &prune->entries[prune->n_entries++];
        *entry = (PruneEntry){.name = xstrdup(names.v[i])};
        entry->id = xstrndup(names.v[i], strcspn(names.v[i], "."));
        entry->removed = options->remove && strvec_contains(options->remove, entry->id);
        progress_item(prune->progress, entry->id);
        if (stop_check(err) < 0 || read_entry(prune, entry, err) < 0)
            return -1;
        entry->in_scope = entry->lost || options->app == NULL || strcmp(entry->app, options->app) == 0;
    }
    return 0;
}

/* ---- judging ---- */

static int check_app(const Prune *prune, Error *err)
{
    const char *app = prune->options->app;
    for (size_t i = 0; i < prune->n_entries; i++)
        if (prune->entries[i].in_scope)
            return 0;
    if (app == NULL)
        return 0;
    error_set(err, ERR_NOT_FOUND, "there is no backup of \"%s\" in the repository \"%s\"", app,
              store_name(repo_store(prune->repo)));
    return error_hint(err, "\"kura list\" shows what there is.");
}

static int check_removed(const Prune *prune, Error *err)
{
    const StrVec *remove = prune->options->remove;
    for (size_t i = 0; remove != NULL && i < remove->n; i++) {
        const PruneEntry *entry = prune_entry(prune, remove->v[i]);
        if (entry == NULL || !entry->in_scope)
            return entry ? error_set(err, ERR_NOT_FOUND, "there is no backup \"%s\" of application %s to remove",
                                     remove->v[i], prune->options->app)
                         : error_set(err, ERR_NOT_FOUND, "there is no backup \"%s\" to remove", remove->v[i]);
        if (strvec_contains(&prune->pinned, entry->id)) {
            error_set(err, ERR_EXISTS, "backup %s is pinned and not removed", entry->id);
            return error_hint(err, "\"kura unpin %s\" takes the pin away.", entry->id);
        }
    }
    return 0;
}

static bool has_other(const Prune *prune, const PruneEntry *entry)
{
    for (size_t i = 0; i < prune->n_entries; i++)
        if (!prune->entries[i].removed && strcmp(prune->entries[i].app, entry->app) == 0)
            return true;
    return false;
}

/* All are taken to be good: those that stay are looked at before anything is removed, and the last of them stays. One
 * that is given up does not count as long as there is another. */
static RetentionItem item_of(const Prune *prune, const PruneEntry *entry)
{
    return (RetentionItem){
        .id = entry->id,
        .app = entry->app,
        .moment = clock_parse_utc(entry->started),
        .tags = &entry->tags,
        .pinned = strvec_contains(&prune->pinned, entry->id),
        .good = !entry->removed || !has_other(prune, entry),
        .rehearsed = entry->rehearsed && !entry->removed,
        .removed = entry->removed,
    };
}

static void report_backup(Prune *prune, PruneEntry *entry, RetentionVerdict *verdict)
{
    PruneReport *report = prune->report;
    report->backups[report->n_backups] = (PruneBackup){
        .id = xstrdup(entry->id),
        .app = xstrdup_null(entry->app),
        .started = xstrdup_null(entry->started),
        .stays = verdict != NULL && verdict->stays,
    };
    PruneBackup *backup = &report->backups[report->n_backups++];
    if (verdict == NULL) {
        retention_tell(&backup->reasons, N_("to be removed"), NULL);
    } else {
        backup->reasons = verdict->reasons;
        verdict->reasons = (RetentionReasons){0};
    }
    entry->goes = !backup->stays;
    report->n_going += entry->goes;
}

static int keeps_nothing(const char *app, size_t n, Error *err)
{
    error_set(err, ERR_USAGE, "the policy would keep none of the %zu backups of \"%s\"", n, app);
    return error_hint(err, "Add a rule that keeps some, such as --keep-last 1.");
}

/* Of each application that has backups which the policy may judge one at least is kept by it. */
static int check_policy(const RetentionItem *items, const RetentionVerdict *verdicts, size_t n, Error *err)
{
    for (size_t i = 0; i < n; i++) {
        size_t kept = 0, all = 0;
        for (size_t j = 0; j < n; j++) {
            if (strcmp(items[i].app, items[j].app) != 0 || items[j].removed || verdicts[j].ahead)
                continue;
            all++;
            kept += verdicts[j].by_policy;
        }
        if (all > 0 && kept == 0)
            return keeps_nothing(items[i].app, all, err);
    }
    return 0;
}

static int check_last_good(const RetentionItem *items, const RetentionVerdict *verdicts, size_t n, Error *err)
{
    for (size_t i = 0; i < n; i++) {
        if (!items[i].removed || !verdicts[i].stays)
            continue;
        error_set(err, ERR_USAGE, "backup %s is the last good one of \"%s\" and is not removed", items[i].id,
                  items[i].app);
        return error_hint(err, "Make another one first.");
    }
    return 0;
}

static int judge(Prune *prune, Error *err)
{
    RetentionPolicy policy = prune->options->policy;
    if (!retention_is_given(&policy)) /* who gives up a backup by name wants the others to stay */
        policy.last = UINT_MAX;
    size_t n = 0;
    _cleanup_free_ RetentionItem *items = xcalloc(prune->n_entries + 1, sizeof *items);
    _cleanup_free_ RetentionVerdict *verdicts = xcalloc(prune->n_entries + 1, sizeof *verdicts);
    for (size_t i = 0; i < prune->n_entries; i++)
        if (prune->entries[i].in_scope && !prune->entries[i].lost)
            items[n++] = item_of(prune, &prune->entries[i]);
    retention_judge(&policy, items, n, time(NULL), verdicts);
    int rc = check_policy(items, verdicts, n, err) < 0 || check_last_good(items, verdicts, n, err) < 0 ? -1 : 0;
    prune->report->backups = xcalloc(prune->n_entries + 1, sizeof *prune->report->backups);
    for (size_t i = 0, at = 0; rc == 0 && i < prune->n_entries; i++) {
        PruneEntry *entry = &prune->entries[i];
        if (entry->in_scope)
            report_backup(prune, entry, entry->lost ? NULL : &verdicts[at++]);
    }
    retention_done(verdicts, n);
    return rc;
}

/* ---- all of it ---- */

static int check_given(const PruneOptions *options, Error *err)
{
    if (retention_is_given(&options->policy) || (options->remove && options->remove->n > 0))
        return 0;
    error_set(err, ERR_USAGE, "no policy says which backups to keep");
    return error_hint(err, "Give --keep-daily, --keep-weekly and so on, or write them into the configuration; "
                           "--plan shows what a policy would do.");
}

static int run(Prune *prune, Error *err)
{
    progress_phase(prune->progress, "backups", 0);
    if (read_entries(prune, err) < 0 || prune_check_objects(prune, err) < 0 || check_app(prune, err) < 0 ||
        check_removed(prune, err) < 0 || prune_read_rehearsals(prune, err) < 0 || judge(prune, err) < 0 ||
        prune_mark(prune, err) < 0 || prune_check_verified(prune, err) < 0)
        return -1;
    prune_choose_packs(prune);
    if (prune->options->plan)
        return 0;
    return prune_sweep(prune, err) < 0 ? -1 : prune_rewrite_packs(prune, err);
}

int prune_run(Repo *repo, const PruneOptions *options, PruneReport *ret, Findings *findings, Progress *progress,
              Error *err)
{
    *ret = (PruneReport){0};
    Prune prune = {.repo = repo, .options = options, .report = ret, .findings = findings, .progress = progress};
    blobtable_init(&prune.blobs);
    int rc = -1;
    if (check_given(options, err) == 0 &&
        repo_lock(repo, !options->plan, options->plan ? "prune --plan" : "prune", &prune.lock, err) == 0)
        rc = run(&prune, err);
    prune_done(&prune);
    if (rc < 0)
        prune_report_done(ret);
    return rc;
}
