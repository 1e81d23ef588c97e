#include <math.h>

#include "jsonnode_priv.h"
#include "rehearsal_priv.h"

/* What is no number is left out, and the document then refused. */
static void set_seconds(json_t *object, const char *key, double seconds)
{
    json_object_set_new(object, key, json_real(round(seconds * 1000) / 1000));
}

static void set_number(json_t *object, const char *key, int number)
{
    json_object_set_new(object, key, json_integer(number));
}

static json_t *phase_to_json(const RehearsalPhase *phase)
{
    json_t *json = json_object();
    json_set_text(json, "name", phase->name);
    set_seconds(json, "start", phase->start);
    set_seconds(json, "seconds", phase->seconds);
    return json;
}

static json_t *proof_to_json(const RehearsalProof *proof)
{
    json_t *json = json_object();
    json_set_text(json, "name", proof->name);
    json_set_text(json, "title", proof->title);
    json_set_text(json, "unit", proof->unit);
    json_set_u64(json, "checked", proof->checked);
    json_set_u64(json, "failed", proof->failed);
    json_set_text(json, "skipped", proof->skipped);
    return json;
}

static json_t *table_to_json(const RehearsalTable *table)
{
    json_t *json = json_object();
    json_set_text(json, "schema", table->schema);
    json_set_text(json, "name", table->name);
    json_set_u64(json, "rows", table->rows);
    json_set_u64(json, "bytes", table->bytes);
    return json;
}

static json_t *fileset_to_json(const RehearsalFileset *fileset)
{
    json_t *json = json_object();
    json_set_text(json, "name", fileset->name);
    json_set_u64(json, "files", fileset->files);
    json_set_u64(json, "bytes", fileset->bytes);
    json_set_u64(json, "sampled_files", fileset->sampled_files);
    json_set_u64(json, "sampled_bytes", fileset->sampled_bytes);
    return json;
}

static json_t *finding_to_json(const Finding *finding)
{
    json_t *json = json_object();
    json_set_text(json, "severity", rehearsal_severities[finding->severity]);
    json_set_text(json, "code", finding->code);
    json_set_text(json, "message", finding->message);
    json_set_text(json, "hint", finding->hint);
    return json;
}

static json_t *change_to_json(const RehearsalSchemaChange *change)
{
    json_t *json = json_object();
    json_set_text(json, "kind", rehearsal_change_kinds[change->kind]);
    json_set_text(json, "what", change->what);
    json_set_text(json, "name", change->name);
    json_set_text(json, "before", change->before);
    json_set_text(json, "after", change->after);
    return json;
}

static json_t *lock_to_json(const RehearsalLock *lock)
{
    json_t *json = json_object();
    json_set_text(json, "table", lock->table);
    json_set_text(json, "mode", lock->mode);
    set_seconds(json, "seconds", lock->seconds);
    return json;
}

static json_t *rows_to_json(const RehearsalRows *rows)
{
    json_t *json = json_object();
    json_set_text(json, "table", rows->table);
    json_set_u64(json, "before", rows->before);
    json_set_u64(json, "after", rows->after);
    return json;
}

/* A member that is an array: one object for each element. */
#define SET_LIST(json, key, list, n, to_json)                                                                          \
    do {                                                                                                               \
        json_t *array_ = json_array();                                                                                 \
        for (size_t i_ = 0; i_ < (n); i_++)                                                                            \
            json_array_append_new(array_, to_json(&(list)[i_]));                                                       \
        json_object_set_new(json, key, array_);                                                                        \
    } while (0)

static json_t *run_to_json(const RehearsalRun *run)
{
    json_t *json = json_object();
    json_set_text(json, "command", run->command);
    json_set_bool(json, "timed_out", run->timed_out);
    set_number(json, "status", run->status);
    set_seconds(json, "seconds", run->seconds);
    json_set_text(json, "output", run->output);
    json_set_bool(json, "truncated", run->truncated);
    SET_LIST(json, "changes", run->changes, run->n_changes, change_to_json);
    SET_LIST(json, "locks", run->locks, run->n_locks, lock_to_json);
    SET_LIST(json, "rows", run->rows, run->n_rows, rows_to_json);
    return json;
}

static void set_head(json_t *json, const Rehearsal *rehearsal)
{
    json_set_text(json, "id", rehearsal->id);
    json_set_text(json, "backup", rehearsal->backup);
    json_set_text(json, "app", rehearsal->app);
    json_set_text(json, "host", rehearsal->host);
    json_set_text(json, "kura_version", rehearsal->kura_version);
    json_set_text(json, "started", rehearsal->started);
    json_set_text(json, "finished", rehearsal->finished);
    set_seconds(json, "seconds", rehearsal->seconds);
    json_set_text(json, "verdict", verdict_name(rehearsal->verdict));
    json_set_text(json, "error", rehearsal->error);
    json_set_text(json, "hint", rehearsal->hint);
    json_set_text(json, "kept", rehearsal->kept);
}

static void set_figures(json_t *json, const Rehearsal *rehearsal)
{
    json_set_text(json, "backup_started", rehearsal->backup_started);
    json_set_text(json, "backup_finished", rehearsal->backup_finished);
    set_number(json, "source_version_num", rehearsal->source_version_num);
    set_number(json, "server_version_num", rehearsal->server_version_num);
    set_seconds(json, "backup_age", rehearsal->backup_age);
    if (rehearsal->newest_row_age < 0)
        json_object_set_new(json, "newest_row_age", json_null());
    else
        set_seconds(json, "newest_row_age", rehearsal->newest_row_age);
    json_set_text(json, "newest_row_where", rehearsal->newest_row_where);
    set_seconds(json, "restore_seconds", rehearsal->restore_seconds);
    json_set_u64(json, "estimated_bytes", rehearsal->estimated_bytes);
    json_set_u64(json, "database_bytes", rehearsal->database_bytes);
}

json_t *rehearsal_to_json(const Rehearsal *rehearsal)
{
    json_t *json = jsondoc_new("rehearsal");
    set_head(json, rehearsal);
    set_figures(json, rehearsal);
    SET_LIST(json, "phases", rehearsal->phases, rehearsal->n_phases, phase_to_json);
    SET_LIST(json, "proofs", rehearsal->proofs, rehearsal->n_proofs, proof_to_json);
    SET_LIST(json, "filesets", rehearsal->filesets, rehearsal->n_filesets, fileset_to_json);
    SET_LIST(json, "findings", rehearsal->findings, rehearsal->n_findings, finding_to_json);
    json_object_set_new(json, "run", rehearsal->has_run ? run_to_json(&rehearsal->run) : json_null());
    SET_LIST(json, "tables", rehearsal->tables, rehearsal->n_tables, table_to_json);
    return json;
}
