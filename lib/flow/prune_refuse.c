/* What stands against removing anything: objects that nobody here understands, failures that nobody has looked at. */
#include <string.h>

#include "kura/clock.h"
#include "kura/mem.h"
#include "kura/rehearsal.h"
#include "kura/stop.h"
#include "kura/verifystate.h"
#include "prune_priv.h"

DEFINE_CLEANUP(Rehearsal, rehearsal_free)

enum { STAMP_LENGTH = 16 }; /* of an id: its moment */

/* ---- objects ---- */

static bool is_known(const Prune *prune, const char *name)
{
    for (size_t i = 0; i < prune->n_entries; i++)
        if (strcmp(prune->entries[i].name, name) == 0)
            return true;
    return strvec_contains(&prune->superseded, name);
}

/* A kura to come may keep there what this one does not take for a backup. */
static int check_object(void *ctx, const char *key, uint64_t size, Error *err)
{
    (void)size;
    const char *name = key + strlen("backups/"), *end = strstr(name, ".json");
    _cleanup_free_ char *stem = xstrndup(name, end ? (size_t)(end - name) : strlen(name));
    if (is_known(ctx, stem))
        return 0;
    error_set(err, ERR_UNSUPPORTED, "nothing is removed, for \"%s\" is no backup that this kura understands", key);
    return error_hint(err,
                      "A newer kura may have written it: prune with that one. If it is none of kura's, remove it.");
}

int prune_check_objects(const Prune *prune, Error *err)
{
    return store_list(repo_store(prune->repo), "backups/", check_object, (void *)prune, err);
}

/* ---- verification ---- */

/* A damage counts as long as a backup that stays needs the blob. One that was missing and is there now has been seen by
 * prune itself, and so has a backup that could not be read. */
static bool still_counts(const Prune *prune, const VerifyKnown *damage)
{
    BlobRef ref;
    if (strcmp(damage->code, "blob-missing") == 0 || blob_ref_from_key(prune->repo, damage->object, &ref) < 0)
        return false;
    size_t at = blobtable_find(&prune->blobs, &ref);
    return at != SIZE_MAX && (prune->blobs.v[at].state & BLOB_STAYS);
}

static int refuse_damaged(const VerifyKnown *damage, Error *err)
{
    char since[32];
    clock_format_utc(damage->since, since, sizeof since);
    error_set(err, ERR_CORRUPT, "nothing is removed, for \"%s\" was found damaged at %s", damage->object, since);
    return error_hint(err,
                      "\"kura verify\" reads it again and tells what is affected. \"kura repair-repository\" rebuilds "
                      "what can be; what is lost for good is given up with \"kura prune --remove %s\".",
                      damage->backups.n ? damage->backups.v[0] : "ID");
}

int prune_check_verified(const Prune *prune, Error *err)
{
    Error why = ERROR_INIT;
    _cleanup_(verifystate_done) VerifyState state = {0};
    if (verifystate_load(prune->repo, &state, &why) < 0) {
        if (!error_is_unreadable(&why)) {
            *err = why;
            return -1;
        }
        findings_add(prune->findings, FINDING_WARNING, "verify-state-unreadable", why.hint[0] ? why.hint : NULL,
                     "damages that a verification found are not known here: %s", why.message);
        return 0;
    }
    for (size_t i = 0; i < state.n_damages; i++)
        if (still_counts(prune, &state.damages[i]))
            return refuse_damaged(&state.damages[i], err);
    return 0;
}

/* ---- rehearsals ---- */

/* What rehearsals of one application have told so far; they are read from the newest to the oldest. */
typedef struct Told {
    const char *app;
    const PruneEntry *newest; /* backup */
    const PruneEntry *proven; /* the newest backup whose newest rehearsal passed; NULL: none yet */
} Told;

typedef struct Rehearsals {
    Prune *prune;
    Told *apps;
    size_t n;
    StrVec seen; /* backups whose newest rehearsal was read */
} Rehearsals;

static Told *told_of(const Rehearsals *rehearsals, const char *app)
{
    for (size_t i = 0; i < rehearsals->n; i++)
        if (strcmp(rehearsals->apps[i].app, app) == 0)
            return &rehearsals->apps[i];
    return NULL;
}

static void list_apps(Rehearsals *rehearsals)
{
    const Prune *prune = rehearsals->prune;
    rehearsals->apps = xcalloc(prune->n_entries + 1, sizeof *rehearsals->apps);
    for (size_t i = 0; i < prune->n_entries; i++) {
        const PruneEntry *entry = &prune->entries[i];
        if (entry->lost)
            continue;
        Told *told = told_of(rehearsals, entry->app);
        if (told == NULL)
            told = &rehearsals->apps[rehearsals->n++];
        *told = (Told){.app = entry->app, .newest = entry};
    }
}

/* A rehearsal is younger than its backup: one that is older than a proven backup cannot prove a newer one. */
static bool is_needed(const Rehearsals *rehearsals, const char *id)
{
    for (size_t i = 0; i < rehearsals->n; i++) {
        const Told *told = &rehearsals->apps[i];
        if (manifest_id_fits_app(rehearsals->prune->repo, id, told->app) &&
            (told->proven == NULL || strncmp(id, told->proven->id, STAMP_LENGTH) >= 0))
            return true;
    }
    return false;
}

static int refuse_failed(const Rehearsal *rehearsal, Error *err)
{
    error_set(err, ERR_FAILED, "nothing is removed, for the newest backup of \"%s\" failed its rehearsal of %s",
              rehearsal->app, rehearsal->started);
    return error_hint(err,
                      "See why with \"kura report\". Rehearse backup %s again once the cause is gone, or make another "
                      "backup.",
                      rehearsal->backup);
}

static int take(Rehearsals *rehearsals, const Rehearsal *rehearsal, Error *err)
{
    Told *told = told_of(rehearsals, rehearsal->app);
    PruneEntry *entry = prune_entry(rehearsals->prune, rehearsal->backup);
    if (told == NULL || entry == NULL || entry->lost || strvec_contains(&rehearsals->seen, entry->id))
        return 0;
    strvec_push(&rehearsals->seen, entry->id);
    if (entry == told->newest && rehearsal->verdict == VERDICT_FAILED && entry->in_scope && !entry->removed)
        return refuse_failed(rehearsal, err);
    if (rehearsal->verdict != VERDICT_PASSED)
        return 0;
    entry->rehearsed = true;
    if (told->proven == NULL || strcmp(entry->id, told->proven->id) > 0)
        told->proven = entry;
    return 0;
}

static int read_one(Rehearsals *rehearsals, const char *id, Error *err)
{
    Error why = ERROR_INIT;
    _cleanup_(rehearsal_free_cleanup) Rehearsal *rehearsal = NULL;
    if (stop_check(err) < 0)
        return -1;
    if (rehearsal_load(rehearsals->prune->repo, id, &rehearsal, &why) == 0)
        return take(rehearsals, rehearsal, err);
    if (why.code != ERR_CORRUPT && why.code != ERR_UNSUPPORTED) {
        *err = why;
        return -1;
    }
    findings_add(rehearsals->prune->findings, FINDING_WARNING, "rehearsal-unreadable", why.hint[0] ? why.hint : NULL,
                 "%s", why.message);
    return 0;
}

int prune_read_rehearsals(Prune *prune, Error *err)
{
    Rehearsals rehearsals = {.prune = prune};
    _cleanup_(strvec_done) StrVec ids = {0};
    int rc = rehearsal_list(prune->repo, &ids, err);
    list_apps(&rehearsals);
    for (size_t i = ids.n; rc == 0 && i-- > 0;)
        if (is_needed(&rehearsals, ids.v[i]))
            rc = read_one(&rehearsals, ids.v[i], err);
    strvec_done(&rehearsals.seen);
    free(rehearsals.apps);
    return rc;
}
