#include "kura/verifystate.h"

#include <string.h>

#include "crypt_priv.h"
#include "kura/mem.h"

#define KEY "verify/state.json"
enum { STATE_MAX = 64 * 1024 * 1024 };

static void cycle_done(VerifyCycle *cycle)
{
    free(cycle->app);
    free(cycle->completed);
}

static void known_done(VerifyKnown *damage)
{
    free(damage->object);
    free(damage->code);
    strvec_done(&damage->backups);
    strvec_done(&damage->affected);
}

void verifystate_done(VerifyState *state)
{
    for (size_t i = 0; i < state->n_cycles; i++)
        cycle_done(&state->cycles[i]);
    for (size_t i = 0; i < state->n_damages; i++)
        known_done(&state->damages[i]);
    free(state->cycles);
    free(state->damages);
    free(state->host);
    *state = (VerifyState){0};
}

/* ---- cycles ---- */

const VerifyCycle *verifystate_cycle(const VerifyState *state, const char *app)
{
    for (size_t i = 0; i < state->n_cycles; i++) {
        const char *of = state->cycles[i].app;
        if (app == NULL || of == NULL ? app == of : strcmp(app, of) == 0)
            return &state->cycles[i];
    }
    return NULL;
}

VerifyCycle *verifystate_want_cycle(VerifyState *state, const char *app)
{
    const VerifyCycle *found = verifystate_cycle(state, app);
    if (found)
        return &state->cycles[found - state->cycles];
    if (state->n_cycles == VERIFYSTATE_CYCLES_MAX) {
        cycle_done(&state->cycles[0]);
        memmove(&state->cycles[0], &state->cycles[1], --state->n_cycles * sizeof *state->cycles);
    }
    xgrow(&state->cycles, &state->cap_cycles, state->n_cycles);
    state->cycles[state->n_cycles] = (VerifyCycle){.app = xstrdup_null(app)};
    return &state->cycles[state->n_cycles++];
}

double verifycycle_share(const VerifyCycle *cycle)
{
    if (cycle->started == 0 || cycle->all_bytes == 0)
        return 0;
    return cycle->done_bytes >= cycle->all_bytes ? 1 : (double)cycle->done_bytes / (double)cycle->all_bytes;
}

time_t verifycycle_completed(const VerifyCycle *cycle)
{
    return cycle->n_completed ? cycle->completed[cycle->n_completed - 1].finished : 0;
}

void verifycycle_complete(VerifyCycle *cycle, const VerifyCompleted *completed)
{
    if (cycle->n_completed == VERIFYSTATE_COMPLETED_MAX)
        memmove(&cycle->completed[0], &cycle->completed[1], --cycle->n_completed * sizeof *cycle->completed);
    cycle->completed = xreallocarray(cycle->completed, cycle->n_completed + 1, sizeof *cycle->completed);
    cycle->completed[cycle->n_completed++] = *completed;
}

/* ---- damages ---- */

/* Where an object is in the list, or belongs. */
static size_t place_of(const VerifyState *state, const char *object)
{
    size_t low = 0, high = state->n_damages;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(state->damages[middle].object, object) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

VerifyKnown *verifystate_damage(const VerifyState *state, const char *object)
{
    size_t place = place_of(state, object);
    return place < state->n_damages && strcmp(state->damages[place].object, object) == 0 ? &state->damages[place]
                                                                                         : NULL;
}

VerifyKnown *verifystate_add_damage(VerifyState *state, const char *object, const char *code, time_t since)
{
    VerifyKnown *known = verifystate_damage(state, object);
    if (known)
        return known;
    if (state->n_damages == VERIFYSTATE_DAMAGES_MAX) {
        state->more_damages = true;
        return NULL;
    }
    size_t place = place_of(state, object);
    xgrow(&state->damages, &state->cap_damages, state->n_damages);
    memmove(&state->damages[place + 1], &state->damages[place], (state->n_damages - place) * sizeof *state->damages);
    state->damages[place] = (VerifyKnown){.object = xstrdup(object), .code = xstrdup(code), .since = since};
    state->n_damages++;
    return &state->damages[place];
}

void verifystate_keep(VerifyState *state, bool (*keep)(void *ctx, const VerifyKnown *damage), void *ctx)
{
    size_t kept = 0;
    for (size_t i = 0; i < state->n_damages; i++) {
        if (keep(ctx, &state->damages[i]))
            state->damages[kept++] = state->damages[i];
        else
            known_done(&state->damages[i]);
    }
    state->n_damages = kept;
}

/* ---- the object ---- */

static const char *key_of(const Repo *repo)
{
    return repo->crypt ? KEY SEALED_SUFFIX : KEY;
}

static int read_object(Repo *repo, const Buf *object, VerifyState *ret, Error *err)
{
    if (repo->crypt == NULL)
        return verifystate_parse(object->data, object->len, ret, err);
    _cleanup_(buf_done) Buf text = BUF_INIT(STATE_MAX);
    Error why = ERROR_INIT;
    if (crypt_open_lock(repo, object->data, object->len, &text, &why) < 0)
        return error_set(err, repo->crypt->own ? ERR_CORRUPT : ERR_KEY, "nobody of this repository wrote it: %s",
                         why.message);
    return verifystate_parse(text.data, text.len, ret, err);
}

int verifystate_load(Repo *repo, VerifyState *ret, Error *err)
{
    Error why = ERROR_INIT;
    VerifyState state = {0};
    _cleanup_(buf_done) Buf object = BUF_INIT(STATE_MAX + SEALED_EXTRA_MAX);
    if (store_get(repo->store, key_of(repo), 0, UINT64_MAX, &object, &why) == 0)
        read_object(repo, &object, &state, &why);
    if (why.code == ERR_NONE || why.code == ERR_NOT_FOUND) {
        *ret = state;
        return 0;
    }
    if (err)
        *err = why;
    return error_wrap(err, "reading \"%s\" of the repository \"%s\"", key_of(repo), store_name(repo->store));
}

int verifystate_save(Repo *repo, const VerifyState *state, Error *err)
{
    _cleanup_(json_unref) json_t *document = verifystate_to_json(state);
    _cleanup_(buf_done) Buf text = BUF_INIT(STATE_MAX), sealed = BUF_INIT(STATE_MAX + SEALED_EXTRA_MAX);
    const Buf *object = repo->crypt ? &sealed : &text;
    if (jsondoc_format(document, &text, err) < 0 ||
        (repo->crypt && crypt_seal_lock(repo, text.data, text.len, &sealed, err) < 0) ||
        store_put(repo->store, key_of(repo), object->data, object->len, false, err) < 0)
        return error_wrap(err, "writing \"%s\" of the repository \"%s\"", key_of(repo), store_name(repo->store));
    return 0;
}
