/* What a run leaves to the next one, and to backups: how far the reading came, and what is damaged. Between reading the
 * state and writing it another host may have written it: what it knew is taken over first. Whose reading came further
 * stays; a write that is lost in the moment between costs that some blobs are read twice. */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kura/clock.h"
#include "kura/log.h"
#include "kura/mem.h"
#include "kura/stop.h"
#include "verify_priv.h"

enum { SAVE_EVERY = 180 /* seconds */ };

static int load(Verify *verify, VerifyState *ret, Error *err)
{
    Error why = ERROR_INIT;
    if (verifystate_load(verify->repo, ret, &why) == 0)
        return 0;
    if (!error_is_unreadable(&why)) {
        *err = why;
        return -1;
    }
    log_debug("%s", why.message);
    if (!verify->state_told)
        findings_add(verify->findings, FINDING_WARNING, "verify-state", "It is written anew: reading begins again.",
                     "%s", why.message);
    verify->state_told = true;
    *ret = (VerifyState){0};
    return 0;
}

static void take_cycle(VerifyCycle *cycle, const VerifyCycle *from)
{
    *cycle = *from;
    cycle->app = NULL;
    cycle->completed = xcalloc(from->n_completed + 1, sizeof *cycle->completed);
    if (from->n_completed)
        memcpy(cycle->completed, from->completed, from->n_completed * sizeof *cycle->completed);
}

int verify_recall(Verify *verify, Error *err)
{
    const VerifyOptions *options = verify->options;
    verify->has_cycle = options->percent > 0 && !verify->named;
    verify->saved = clock_monotonic();
    if (load(verify, &verify->state, err) < 0)
        return -1;
    const VerifyCycle *cycle = verifystate_cycle(&verify->state, options->app);
    if (cycle)
        take_cycle(&verify->cycle, cycle);
    verify->base = verify->cycle.started;
    verify->reading = options->percent > 0 || verify->state.n_damages > 0;
    return 0;
}

/* ---- merging ---- */

static bool is_ahead(const Verify *verify, const VerifyCycle *theirs)
{
    const VerifyCycle *mine = &verify->cycle;
    if (theirs->started == mine->started)
        return strcmp(theirs->cursor, mine->cursor) > 0;
    if (theirs->started == verify->base) /* they are where we began */
        return false;
    return theirs->started == 0 || theirs->started > mine->started;
}

static void merge_cycle(const Verify *verify, VerifyState *state)
{
    VerifyCycle *theirs = verifystate_want_cycle(state, verify->options->app);
    for (size_t i = 0; i < verify->cycle.n_completed; i++)
        if (verify->cycle.completed[i].finished > verifycycle_completed(theirs))
            verifycycle_complete(theirs, &verify->cycle.completed[i]);
    if (is_ahead(verify, theirs))
        return;
    const VerifyCycle *mine = &verify->cycle;
    theirs->started = mine->started;
    memcpy(theirs->cursor, mine->cursor, sizeof theirs->cursor);
    theirs->done_bytes = mine->done_bytes;
    theirs->all_bytes = mine->all_bytes;
    theirs->read_blobs = mine->read_blobs;
    theirs->read_bytes = mine->read_bytes;
}

/* A blob is forgotten when it is whole, or needed no more; what was not looked at stays. */
static bool keep_blob(const Verify *verify, const VerifyKnown *damage, const BlobRef *ref)
{
    size_t position = blobtable_find(&verify->blobs, ref);
    if (position == SIZE_MAX)
        return verify->named || verify->options->app || verify->incomplete;
    uint8_t state = verify->blobs.v[position].state;
    if (state & BLOB_BAD)
        return true;
    return !(state & BLOB_GOOD) && !((state & BLOB_PRESENT) && strcmp(damage->code, "blob-missing") == 0);
}

/* How a manifest is named among the damages. */
static char *object_of(const char *id)
{
    return xasprintf("backups/%s", id);
}

static bool keep_damage(void *ctx, const VerifyKnown *damage)
{
    const Verify *verify = ctx;
    BlobRef ref;
    if (blob_ref_from_key(verify->repo, damage->object, &ref) == 0)
        return keep_blob(verify, damage, &ref);
    for (size_t i = 0; i < verify->report->n_backups; i++) {
        _cleanup_free_ char *object = object_of(verify->report->backups[i].id);
        if (strcmp(object, damage->object) == 0)
            return verify->report->backups[i].unreadable;
    }
    return verify->named;
}

static void take_names(StrVec *names, bool *more, const VerifyNames *from)
{
    strvec_done(names);
    for (size_t i = 0; i < from->kept.n && i < VERIFYSTATE_NAMES_MAX; i++)
        strvec_push(names, from->kept.v[i]);
    *more |= from->more || from->kept.n > VERIFYSTATE_NAMES_MAX;
}

static VerifyKnown *add_damage(VerifyState *state, const char *object, const char *code)
{
    VerifyKnown *known = verifystate_add_damage(state, object, code, state->updated);
    if (known && strcmp(known->code, code) != 0) {
        free(known->code);
        known->code = xstrdup(code);
    }
    return known;
}

static void add_blob(const Verify *verify, size_t blob, const VerifyDamage *damage, VerifyState *state)
{
    char key[BLOB_KEY_SIZE];
    BlobRef ref = blobtable_ref(&verify->blobs, blob);
    blob_key(verify->repo, &ref, key);
    const char *code = damage                                       ? damage->code
                       : verify->blobs.v[blob].state & BLOB_PRESENT ? "blob-damaged"
                                                                    : "blob-missing";
    VerifyKnown *known = add_damage(state, key, code);
    if (known == NULL || damage == NULL || damage->affected.kept.n == 0)
        return;
    known->more = false;
    take_names(&known->backups, &known->more, &damage->backups);
    take_names(&known->affected, &known->more, &damage->affected);
}

/* What was found so far; once all is judged, everything, and what is whole is forgotten. */
static void merge_damages(Verify *verify, bool judged, VerifyState *state)
{
    const VerifyReport *report = verify->report;
    if (judged) {
        verifystate_keep(state, keep_damage, verify);
        state->more_damages = false;
    }
    for (size_t i = 0; i < report->n_damages; i++)
        add_blob(verify, report->damages[i].blob, &report->damages[i], state);
    for (size_t i = 0; judged && report->missing + report->damaged > report->n_damages && i < verify->blobs.n; i++)
        if ((verify->blobs.v[i].state & BLOB_BAD) && verify_damage_of(verify, i) == NULL)
            add_blob(verify, i, NULL, state);
    for (size_t i = 0; judged && i < report->n_backups; i++) {
        _cleanup_free_ char *object = object_of(report->backups[i].id);
        if (report->backups[i].unreadable)
            add_damage(state, object, "backup-unreadable");
    }
}

/* ---- saving ---- */

static int save(Verify *verify, bool judged, Error *err)
{
    char host[256] = "";
    VerifyState state;
    if (load(verify, &state, err) < 0)
        return -1;
    gethostname(host, sizeof host - 1);
    free(state.host);
    state.host = xstrdup(host);
    state.updated = time(NULL);
    pthread_mutex_lock(&verify->mutex);
    if (verify->has_cycle)
        merge_cycle(verify, &state);
    merge_damages(verify, judged, &state);
    pthread_mutex_unlock(&verify->mutex);
    int rc = verifystate_save(verify->repo, &state, err);
    if (rc == 0 && judged) {
        verifystate_done(&verify->state);
        verify->state = state;
    } else {
        verifystate_done(&state);
    }
    return rc;
}

void verify_remember_now_and_then(Verify *verify)
{
    Error why = ERROR_INIT;
    pthread_mutex_lock(&verify->mutex);
    bool due = verify->has_cycle && clock_monotonic() >= verify->saved + SAVE_EVERY;
    if (due)
        verify->saved = clock_monotonic();
    pthread_mutex_unlock(&verify->mutex);
    if (due && save(verify, false, &why) < 0)
        log_debug("%s", why.message);
}

void verify_remember_interrupted(Verify *verify)
{
    Error why = ERROR_INIT;
    if (!verify->has_cycle || verify->sequence == NULL)
        return;
    stop_hold();
    if (save(verify, false, &why) < 0)
        log_warning("%s: what was read is read again", why.message);
    stop_release();
}

void verify_remember(Verify *verify)
{
    Error why = ERROR_INIT;
    const VerifyReport *report = verify->report;
    bool damaged = report->missing + report->damaged > 0 || verify->incomplete;
    if (!verify->has_cycle && !damaged && verify->state.n_damages == 0 && !verify->state.more_damages)
        return; /* there is nothing to tell */
    if (save(verify, true, &why) < 0)
        findings_add(verify->findings, FINDING_WARNING, "verify-state",
                     "What was found is told here, but the next run and the next backup do not know of it.", "%s",
                     why.message);
}

void verify_report_cycle(Verify *verify)
{
    VerifyReport *report = verify->report;
    const VerifyCycle *cycle = verifystate_cycle(&verify->state, verify->options->app);
    for (size_t i = 0; i < report->n_damages; i++) {
        char key[BLOB_KEY_SIZE];
        BlobRef ref = blobtable_ref(&verify->blobs, report->damages[i].blob);
        blob_key(verify->repo, &ref, key);
        const VerifyKnown *known = verifystate_damage(&verify->state, key);
        report->damages[i].since = known ? known->since : time(NULL);
    }
    if (cycle == NULL)
        return;
    report->cycle_share = verifycycle_share(cycle);
    report->cycle_started = cycle->started;
    report->cycle_completed = verifycycle_completed(cycle);
}
