#include <string.h>

#include "jsonnode_priv.h"
#include "kura/clock.h"
#include "kura/mem.h"
#include "kura/rehearsal.h"
#include "kura/runstate.h"

#define DOCUMENT "run-state"

static const double seconds_max = 1e10;

DEFINE_CLEANUP(RunState, runstate_free)

/* ---- writing ---- */

static json_t *record_to_json(const RunRecord *record)
{
    json_t *json = json_object();
    json_set_text(json, "started", record->started);
    json_set_text(json, "finished", record->finished);
    json_object_set_new(json, "seconds", json_real(record->seconds));
    json_set_u64(json, "pid", (uint64_t)record->pid);
    json_set_u64(json, "status", (uint64_t)record->status);
    json_set_text(json, "error", record->error);
    json_set_text(json, "repository", record->repository);
    json_set_text(json, "backup", record->backup);
    json_set_text(json, "verdict", record->verdict);
    json_set_u64(json, "warnings", record->warnings);
    json_set_u64(json, "rows", record->rows);
    json_set_u64(json, "row_bytes", record->row_bytes);
    json_set_u64(json, "files", record->files);
    json_set_u64(json, "file_bytes", record->file_bytes);
    json_set_u64(json, "new_bytes", record->new_bytes);
    json_set_u64(json, "backup_bytes", record->backup_bytes);
    json_set_u64(json, "repository_bytes", record->repository_bytes);
    return json;
}

static json_t *history_to_json(const RunHistory *history)
{
    return json_pack("{s:o, s:o}", "last", history->has_last ? record_to_json(&history->last) : json_null(), "good",
                     history->has_good ? record_to_json(&history->good) : json_null());
}

int runstate_format(const RunState *state, Buf *out, Error *err)
{
    _cleanup_(json_unref) json_t *document = jsondoc_new(DOCUMENT);
    json_set_text(document, "app", state->app);
    for (RunKind kind = 0; kind < RUN_KINDS; kind++)
        json_object_set_new(document, run_kind_name(kind), history_to_json(&state->runs[kind]));
    return jsondoc_format(document, out, err);
}

/* ---- reading ---- */

static int read_moment(const JsonNode *node, const char *key, char **ret, Error *err)
{
    if (jnode_text_or_null(node, key, ret, err) < 0)
        return -1;
    if (*ret && clock_parse_utc(*ret) < 0)
        return jnode_fail(node, err, "has a member \"%s\" that is no moment", key);
    return 0;
}

static int read_verdict(const JsonNode *node, char **ret, Error *err)
{
    if (jnode_text_or_null(node, "verdict", ret, err) < 0)
        return -1;
    Verdict verdict;
    if (*ret == NULL || verdict_parse(*ret, &verdict))
        return 0;
    return jnode_fail(node, err, "has an unknown verdict: \"%.40s\"", *ret);
}

static int read_counts(const JsonNode *node, RunRecord *ret, Error *err)
{
    const struct {
        const char *key;
        uint64_t *value;
    } counts[] = {
        {"warnings", &ret->warnings},         {"rows", &ret->rows},
        {"row_bytes", &ret->row_bytes},       {"files", &ret->files},
        {"file_bytes", &ret->file_bytes},     {"new_bytes", &ret->new_bytes},
        {"backup_bytes", &ret->backup_bytes}, {"repository_bytes", &ret->repository_bytes},
    };
    for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
        if (jnode_u64(node, counts[i].key, INT64_MAX, counts[i].value, err) < 0)
            return -1;
    return 0;
}

static int read_record(const JsonNode *node, RunRecord *ret, Error *err)
{
    int64_t status;
    if (read_moment(node, "started", &ret->started, err) < 0 || read_moment(node, "finished", &ret->finished, err) < 0)
        return -1;
    if (ret->started == NULL)
        return jnode_fail(node, err, "has a member \"started\" that is no moment");
    if (jnode_real(node, "seconds", 0, seconds_max, &ret->seconds, err) < 0 ||
        jnode_int(node, "pid", 1, INT32_MAX, &ret->pid, err) < 0 ||
        jnode_int(node, "status", 0, UINT8_MAX, &status, err) < 0 ||
        jnode_text_or_null(node, "error", &ret->error, err) < 0 ||
        jnode_text_or_null(node, "repository", &ret->repository, err) < 0 ||
        jnode_text_or_null(node, "backup", &ret->backup, err) < 0 || read_verdict(node, &ret->verdict, err) < 0)
        return -1;
    ret->status = (int)status;
    return read_counts(node, ret, err);
}

static int read_record_or_null(const JsonNode *node, const char *key, bool *ret_has, RunRecord *ret, Error *err)
{
    JsonNode record;
    int rc = jnode_object_or_null(node, key, &record, err);
    *ret_has = rc == 0;
    return rc == 0 ? read_record(&record, ret, err) : rc < 0 ? -1 : 0;
}

static int read_history(const JsonNode *root, RunKind kind, RunHistory *ret, Error *err)
{
    JsonNode node;
    if (jnode_object(root, run_kind_name(kind), &node, err) < 0 ||
        read_record_or_null(&node, "last", &ret->has_last, &ret->last, err) < 0)
        return -1;
    return read_record_or_null(&node, "good", &ret->has_good, &ret->good, err);
}

int runstate_parse(const void *text, size_t len, RunState **ret, Error *err)
{
    _cleanup_(json_unref) json_t *document = NULL;
    _cleanup_(runstate_free_cleanup) RunState *state = xcalloc(1, sizeof *state);
    if (jsondoc_parse(text, len, DOCUMENT, &document, err) < 0)
        return -1;
    JsonNode root = jnode_root(document);
    if (jnode_text(&root, "app", &state->app, err) < 0)
        return -1;
    for (RunKind kind = 0; kind < RUN_KINDS; kind++)
        if (read_history(&root, kind, &state->runs[kind], err) < 0)
            return -1;
    *ret = steal(state);
    return 0;
}
