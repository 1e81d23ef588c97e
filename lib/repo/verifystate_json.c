/* The document of a verification's state. Who writes to the store can write it: every text is bounded, every name is
 * one that this repository could have. */
#include <string.h>

#include "jsonnode_priv.h"
#include "kura/clock.h"
#include "kura/mem.h"
#include "kura/verifystate.h"

enum { NAME_MAX_BYTES = 64 * 1024 };

/* ---- writing ---- */

static void set_moment(json_t *object, const char *key, time_t moment)
{
    char text[32];
    if (moment == 0) {
        json_set_text(object, key, NULL);
        return;
    }
    clock_format_utc(moment, text, sizeof text);
    json_set_text(object, key, text);
}

static json_t *json_of_cycle(const VerifyCycle *cycle)
{
    json_t *object = json_object(), *completed = json_array();
    json_set_text(object, "app", cycle->app);
    set_moment(object, "started", cycle->started);
    json_set_text(object, "cursor", cycle->cursor[0] ? cycle->cursor : NULL);
    json_set_u64(object, "done_bytes", cycle->done_bytes);
    json_set_u64(object, "all_bytes", cycle->all_bytes);
    json_set_u64(object, "read_blobs", cycle->read_blobs);
    json_set_u64(object, "read_bytes", cycle->read_bytes);
    for (size_t i = 0; i < cycle->n_completed; i++) {
        json_t *item = json_object();
        set_moment(item, "started", cycle->completed[i].started);
        set_moment(item, "finished", cycle->completed[i].finished);
        json_set_u64(item, "blobs", cycle->completed[i].blobs);
        json_set_u64(item, "bytes", cycle->completed[i].bytes);
        json_array_append_new(completed, item);
    }
    json_object_set_new(object, "completed", completed);
    return object;
}

static json_t *json_of_damage(const VerifyKnown *damage)
{
    json_t *object = json_object();
    json_set_text(object, "object", damage->object);
    json_set_text(object, "code", damage->code);
    set_moment(object, "since", damage->since);
    json_set_texts(object, "backups", &damage->backups);
    json_set_texts(object, "affected", &damage->affected);
    json_set_bool(object, "more", damage->more);
    return object;
}

json_t *verifystate_to_json(const VerifyState *state)
{
    json_t *document = jsondoc_new("verify-state"), *cycles = json_array(), *damages = json_array();
    set_moment(document, "updated", state->updated);
    json_set_text(document, "host", state->host ? state->host : "");
    for (size_t i = 0; i < state->n_cycles; i++)
        json_array_append_new(cycles, json_of_cycle(&state->cycles[i]));
    json_object_set_new(document, "cycles", cycles);
    for (size_t i = 0; i < state->n_damages; i++)
        json_array_append_new(damages, json_of_damage(&state->damages[i]));
    json_object_set_new(document, "damages", damages);
    json_set_bool(document, "more_damages", state->more_damages);
    return document;
}

/* ---- reading ---- */

/* A member that is a moment, or null where `none` allows that. */
static int read_moment(const JsonNode *node, const char *key, bool none, time_t *ret, Error *err)
{
    _cleanup_free_ char *text = NULL;
    if ((none ? jnode_text_or_null(node, key, &text, err) : jnode_text(node, key, &text, err)) < 0)
        return -1;
    *ret = text ? clock_parse_utc(text) : 0;
    return (text == NULL && none) || *ret > 0 ? 0 : jnode_fail(node, err, "has a member \"%s\" that is no moment", key);
}

static int read_array(const JsonNode *node, const char *key, size_t max, JsonNode *ret, size_t *ret_n, Error *err)
{
    if (jnode_array(node, key, ret, ret_n, err) < 0)
        return -1;
    return *ret_n <= max ? 0 : jnode_fail(ret, err, "has more than %zu elements", max);
}

static int read_names(const JsonNode *node, const char *key, StrVec *ret, Error *err)
{
    JsonNode array;
    size_t n;
    if (read_array(node, key, VERIFYSTATE_NAMES_MAX, &array, &n, err) < 0 || jnode_texts(node, key, ret, err) < 0)
        return -1;
    for (size_t i = 0; i < ret->n; i++)
        if (strlen(ret->v[i]) > NAME_MAX_BYTES)
            return jnode_fail(&array, err, "has a name that is too long");
    return 0;
}

static int read_cursor(const JsonNode *node, VerifyCycle *ret, Error *err)
{
    _cleanup_free_ char *text = NULL;
    if (jnode_text_or_null(node, "cursor", &text, err) < 0)
        return -1;
    if (text == NULL)
        return 0;
    if (!sha256_is_hex(text))
        return jnode_fail(node, err, "has a cursor that is no hash");
    memcpy(ret->cursor, text, sizeof ret->cursor);
    return 0;
}

static int read_completed(const JsonNode *node, VerifyCycle *ret, Error *err)
{
    JsonNode array;
    size_t n;
    if (read_array(node, "completed", VERIFYSTATE_COMPLETED_MAX, &array, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        JsonNode item = jnode_item(&array, i);
        VerifyCompleted completed;
        if (read_moment(&item, "started", false, &completed.started, err) < 0 ||
            read_moment(&item, "finished", false, &completed.finished, err) < 0 ||
            jnode_u64(&item, "blobs", INT64_MAX, &completed.blobs, err) < 0 ||
            jnode_u64(&item, "bytes", INT64_MAX, &completed.bytes, err) < 0)
            return -1;
        verifycycle_complete(ret, &completed);
    }
    return 0;
}

static int read_cycle(const JsonNode *node, VerifyState *state, Error *err)
{
    _cleanup_free_ char *app = NULL;
    if (jnode_text_or_null(node, "app", &app, err) < 0)
        return -1;
    if (app && strlen(app) > NAME_MAX_BYTES)
        return jnode_fail(node, err, "has a name that is too long");
    if (verifystate_cycle(state, app))
        return jnode_fail(node, err, "is of an application that has one already");
    VerifyCycle *cycle = verifystate_want_cycle(state, app);
    return read_moment(node, "started", true, &cycle->started, err) < 0 || read_cursor(node, cycle, err) < 0 ||
                   jnode_u64(node, "done_bytes", INT64_MAX, &cycle->done_bytes, err) < 0 ||
                   jnode_u64(node, "all_bytes", INT64_MAX, &cycle->all_bytes, err) < 0 ||
                   jnode_u64(node, "read_blobs", INT64_MAX, &cycle->read_blobs, err) < 0 ||
                   jnode_u64(node, "read_bytes", INT64_MAX, &cycle->read_bytes, err) < 0
               ? -1
               : read_completed(node, cycle, err);
}

static int read_damage(const JsonNode *node, VerifyState *state, Error *err)
{
    static const char *const codes[] = {"blob-missing", "blob-damaged", "files-damaged", "backup-unreadable"};
    _cleanup_free_ char *object = NULL, *code = NULL;
    time_t since;
    bool known = false;
    if (jnode_text(node, "object", &object, err) < 0 || jnode_text(node, "code", &code, err) < 0 ||
        read_moment(node, "since", false, &since, err) < 0)
        return -1;
    if (!store_key_valid(object))
        return jnode_fail(node, err, "names no object");
    for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
        known |= strcmp(codes[i], code) == 0;
    if (!known)
        return jnode_fail(node, err, "has an unknown code: \"%.100s\"", code);
    if (state->n_damages > 0 && strcmp(state->damages[state->n_damages - 1].object, object) >= 0)
        return jnode_fail(node, err, "is out of order");
    VerifyKnown *damage = verifystate_add_damage(state, object, code, since);
    return read_names(node, "backups", &damage->backups, err) < 0 ||
                   read_names(node, "affected", &damage->affected, err) < 0
               ? -1
               : jnode_bool(node, "more", &damage->more, err);
}

static int read_each(const JsonNode *root, const char *key, size_t max,
                     int (*fn)(const JsonNode *node, VerifyState *state, Error *err), VerifyState *state, Error *err)
{
    JsonNode array;
    size_t n;
    if (read_array(root, key, max, &array, &n, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        JsonNode item = jnode_item(&array, i);
        if (fn(&item, state, err) < 0)
            return -1;
    }
    return 0;
}

static int read_state(const JsonNode *root, VerifyState *ret, Error *err)
{
    if (read_moment(root, "updated", false, &ret->updated, err) < 0 || jnode_text(root, "host", &ret->host, err) < 0 ||
        read_each(root, "cycles", VERIFYSTATE_CYCLES_MAX, read_cycle, ret, err) < 0 ||
        read_each(root, "damages", VERIFYSTATE_DAMAGES_MAX, read_damage, ret, err) < 0)
        return -1;
    return jnode_bool(root, "more_damages", &ret->more_damages, err);
}

int verifystate_parse(const void *text, size_t len, VerifyState *ret, Error *err)
{
    _cleanup_(json_unref) json_t *document = NULL;
    VerifyState state = {0};
    if (jsondoc_parse(text, len, "verify-state", &document, err) < 0)
        return -1;
    JsonNode root = jnode_root(document);
    if (read_state(&root, &state, err) < 0) {
        verifystate_done(&state);
        return -1;
    }
    *ret = state;
    return 0;
}
