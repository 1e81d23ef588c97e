/* Reading a rehearsal. Nothing is computed with it but sums and charts, so that what is checked is presence, types and
 * ranges. */
#include <math.h>
#include <string.h>

#include "jsonnode_priv.h"
#include "kura/clock.h"
#include "manifest_priv.h"
#include "rehearsal_priv.h"

static int read_seconds(const JsonNode *node, const char *key, double min, double *ret, Error *err)
{
    double seconds;
    if (jnode_real(node, key, min, REHEARSAL_SECONDS_MAX, &seconds, err) < 0)
        return -1;
    *ret = round(seconds * 1000) / 1000;
    return 0;
}

static int read_count(const JsonNode *node, const char *key, uint64_t *ret, Error *err)
{
    return jnode_u64(node, key, INT64_MAX, ret, err);
}

/* The place of a member's text among names, NULL-terminated. */
static int read_name(const JsonNode *node, const char *key, const char *const *names, int *ret, Error *err)
{
    _cleanup_free_ char *text = NULL;
    if (jnode_text(node, key, &text, err) < 0)
        return -1;
    for (int i = 0; names[i]; i++) {
        if (strcmp(names[i], text) == 0) {
            *ret = i;
            return 0;
        }
    }
    return jnode_fail(node, err, "has an unknown %s: \"%.100s\"", key, text);
}

static int read_phase(const JsonNode *node, RehearsalPhase *ret, Error *err)
{
    if (jnode_text(node, "name", &ret->name, err) < 0 || read_seconds(node, "start", 0, &ret->start, err) < 0)
        return -1;
    return read_seconds(node, "seconds", 0, &ret->seconds, err);
}

static int read_proof(const JsonNode *node, RehearsalProof *ret, Error *err)
{
    if (jnode_text(node, "name", &ret->name, err) < 0 || jnode_text(node, "title", &ret->title, err) < 0 ||
        jnode_text(node, "unit", &ret->unit, err) < 0 || read_count(node, "checked", &ret->checked, err) < 0 ||
        read_count(node, "failed", &ret->failed, err) < 0)
        return -1;
    return jnode_text_or_null(node, "skipped", &ret->skipped, err);
}

static int read_table(const JsonNode *node, RehearsalTable *ret, Error *err)
{
    if (jnode_text(node, "schema", &ret->schema, err) < 0 || jnode_text(node, "name", &ret->name, err) < 0 ||
        read_count(node, "rows", &ret->rows, err) < 0)
        return -1;
    return read_count(node, "bytes", &ret->bytes, err);
}

static int read_fileset(const JsonNode *node, RehearsalFileset *ret, Error *err)
{
    if (jnode_text(node, "name", &ret->name, err) < 0 || read_count(node, "files", &ret->files, err) < 0 ||
        read_count(node, "bytes", &ret->bytes, err) < 0 ||
        read_count(node, "sampled_files", &ret->sampled_files, err) < 0)
        return -1;
    return read_count(node, "sampled_bytes", &ret->sampled_bytes, err);
}

static int read_finding(const JsonNode *node, Finding *ret, Error *err)
{
    int severity;
    if (read_name(node, "severity", rehearsal_severities, &severity, err) < 0 ||
        jnode_text(node, "code", &ret->code, err) < 0 || jnode_text(node, "message", &ret->message, err) < 0)
        return -1;
    ret->severity = (Severity)severity;
    return jnode_text_or_null(node, "hint", &ret->hint, err);
}

static int read_change(const JsonNode *node, RehearsalSchemaChange *ret, Error *err)
{
    int kind;
    if (read_name(node, "kind", rehearsal_change_kinds, &kind, err) < 0 ||
        jnode_text(node, "what", &ret->what, err) < 0 || jnode_text(node, "name", &ret->name, err) < 0 ||
        jnode_text_or_null(node, "before", &ret->before, err) < 0)
        return -1;
    ret->kind = (SchemaChangeKind)kind;
    return jnode_text_or_null(node, "after", &ret->after, err);
}

static int read_lock(const JsonNode *node, RehearsalLock *ret, Error *err)
{
    if (jnode_text(node, "table", &ret->table, err) < 0 || jnode_text(node, "mode", &ret->mode, err) < 0)
        return -1;
    return read_seconds(node, "seconds", 0, &ret->seconds, err);
}

static int read_changed_rows(const JsonNode *node, RehearsalRows *ret, Error *err)
{
    if (jnode_text(node, "table", &ret->table, err) < 0 || read_count(node, "before", &ret->before, err) < 0)
        return -1;
    return read_count(node, "after", &ret->after, err);
}

/* Defines read_<name>(node, key, ret, ret_n, err): an array of what `read` reads. The count is set first, so that what
 * was read is freed after a failure. */
#define DEFINE_LIST(name, Type, read)                                                                                  \
    static int read_##name(const JsonNode *node, Type **ret, size_t *ret_n, Error *err)                                \
    {                                                                                                                  \
        JsonNode list;                                                                                                 \
        size_t n;                                                                                                      \
        if (jnode_array(node, #name, &list, &n, err) < 0)                                                              \
            return -1;                                                                                                 \
        *ret = xcalloc(n, sizeof **ret);                                                                               \
        *ret_n = n;                                                                                                    \
        for (size_t i = 0; i < n; i++) {                                                                               \
            JsonNode item = jnode_item(&list, i);                                                                      \
            if (read(&item, &(*ret)[i], err) < 0)                                                                      \
                return -1;                                                                                             \
        }                                                                                                              \
        return 0;                                                                                                      \
    }

DEFINE_LIST(phases, RehearsalPhase, read_phase)
DEFINE_LIST(proofs, RehearsalProof, read_proof)
DEFINE_LIST(tables, RehearsalTable, read_table)
DEFINE_LIST(filesets, RehearsalFileset, read_fileset)
DEFINE_LIST(findings, Finding, read_finding)
DEFINE_LIST(changes, RehearsalSchemaChange, read_change)
DEFINE_LIST(locks, RehearsalLock, read_lock)
DEFINE_LIST(rows, RehearsalRows, read_changed_rows)

static int read_run(const JsonNode *node, RehearsalRun *ret, Error *err)
{
    int64_t status;
    if (jnode_text(node, "command", &ret->command, err) < 0 ||
        jnode_bool(node, "timed_out", &ret->timed_out, err) < 0 ||
        jnode_int(node, "status", 0, UINT8_MAX, &status, err) < 0 ||
        read_seconds(node, "seconds", 0, &ret->seconds, err) < 0 || jnode_text(node, "output", &ret->output, err) < 0 ||
        jnode_bool(node, "truncated", &ret->truncated, err) < 0)
        return -1;
    ret->status = (int)status;
    if (strlen(ret->output) > REHEARSAL_OUTPUT_MAX)
        return jnode_fail(node, err, "has an output of more than %d bytes", REHEARSAL_OUTPUT_MAX);
    if (read_changes(node, &ret->changes, &ret->n_changes, err) < 0 ||
        read_locks(node, &ret->locks, &ret->n_locks, err) < 0)
        return -1;
    return read_rows(node, &ret->rows, &ret->n_rows, err);
}

static int read_run_or_null(const JsonNode *root, Rehearsal *ret, Error *err)
{
    JsonNode run;
    int rc = jnode_object_or_null(root, "run", &run, err);
    ret->has_run = rc == 0;
    return rc == 0 ? read_run(&run, &ret->run, err) : rc < 0 ? -1 : 0;
}

static int read_moment(const JsonNode *root, const char *key, char **ret, Error *err)
{
    if (jnode_text(root, key, ret, err) < 0)
        return -1;
    return clock_parse_utc(*ret) >= 0 ? 0 : jnode_fail(root, err, "has a member \"%s\" that is no moment", key);
}

static int read_id(const JsonNode *root, const char *key, char **ret, Error *err)
{
    if (jnode_text(root, key, ret, err) < 0)
        return -1;
    return manifest_id_valid(*ret) ? 0
                                   : jnode_fail(root, err, "has a member \"%s\" that is no id: \"%.100s\"", key, *ret);
}

static int read_head(const JsonNode *root, Rehearsal *ret, Error *err)
{
    int verdict;
    if (read_id(root, "id", &ret->id, err) < 0 || read_id(root, "backup", &ret->backup, err) < 0 ||
        jnode_text(root, "app", &ret->app, err) < 0 || jnode_text(root, "host", &ret->host, err) < 0 ||
        jnode_text(root, "kura_version", &ret->kura_version, err) < 0 ||
        read_moment(root, "started", &ret->started, err) < 0 ||
        read_moment(root, "finished", &ret->finished, err) < 0 ||
        read_seconds(root, "seconds", 0, &ret->seconds, err) < 0 ||
        read_name(root, "verdict", rehearsal_verdicts, &verdict, err) < 0 ||
        jnode_text_or_null(root, "error", &ret->error, err) < 0 ||
        jnode_text_or_null(root, "hint", &ret->hint, err) < 0)
        return -1;
    ret->verdict = (Verdict)verdict;
    return jnode_text_or_null(root, "kept", &ret->kept, err);
}

static int read_version(const JsonNode *root, const char *key, int *ret, Error *err)
{
    int64_t version;
    if (jnode_int(root, key, 0, INT32_MAX, &version, err) < 0)
        return -1;
    *ret = (int)version;
    return 0;
}

static int read_newest_row(const JsonNode *root, Rehearsal *ret, Error *err)
{
    if (!json_is_null(json_object_get(root->json, "newest_row_age")) &&
        read_seconds(root, "newest_row_age", 0, &ret->newest_row_age, err) < 0)
        return -1;
    return jnode_text_or_null(root, "newest_row_where", &ret->newest_row_where, err);
}

/* The clocks of two hosts may differ, so that a backup may be younger than nothing. */
static int read_figures(const JsonNode *root, Rehearsal *ret, Error *err)
{
    if (read_moment(root, "backup_started", &ret->backup_started, err) < 0 ||
        read_moment(root, "backup_finished", &ret->backup_finished, err) < 0 ||
        read_version(root, "source_version_num", &ret->source_version_num, err) < 0 ||
        read_version(root, "server_version_num", &ret->server_version_num, err) < 0 ||
        read_seconds(root, "backup_age", -REHEARSAL_SECONDS_MAX, &ret->backup_age, err) < 0 ||
        read_newest_row(root, ret, err) < 0 ||
        read_seconds(root, "restore_seconds", 0, &ret->restore_seconds, err) < 0 ||
        read_count(root, "estimated_bytes", &ret->estimated_bytes, err) < 0)
        return -1;
    return read_count(root, "database_bytes", &ret->database_bytes, err);
}

static int read_rehearsal(const JsonNode *root, Rehearsal *ret, Error *err)
{
    if (read_head(root, ret, err) < 0 || read_figures(root, ret, err) < 0 ||
        read_phases(root, &ret->phases, &ret->n_phases, err) < 0 ||
        read_proofs(root, &ret->proofs, &ret->n_proofs, err) < 0 ||
        read_filesets(root, &ret->filesets, &ret->n_filesets, err) < 0 ||
        read_findings(root, &ret->findings, &ret->n_findings, err) < 0 || read_run_or_null(root, ret, err) < 0)
        return -1;
    return read_tables(root, &ret->tables, &ret->n_tables, err);
}

int rehearsal_parse(const void *text, size_t len, Rehearsal **ret, Error *err)
{
    _cleanup_(json_unref) json_t *document = NULL;
    _cleanup_(rehearsal_free_cleanup) Rehearsal *rehearsal = rehearsal_new();
    if (jsondoc_parse(text, len, "rehearsal", &document, err) < 0)
        return -1;
    JsonNode root = jnode_root(document);
    if (read_rehearsal(&root, rehearsal, err) < 0)
        return -1;
    *ret = steal(rehearsal);
    return 0;
}
