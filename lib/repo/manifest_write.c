#include "dbfacts_priv.h"
#include "kura/mem.h"
#include "manifest_priv.h"
#include "repo_priv.h"

static json_t *blobs_to_json(const BlobRef *blobs, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        json_t *json = json_object();
        blob_ref_to_json(&blobs[i], json);
        json_array_append_new(list, json);
    }
    return list;
}

static json_t *segment_to_json(const ManifestSegment *segment)
{
    json_t *json = json_object();
    blob_ref_to_json(&segment->blob, json);
    if (segment->length > 0) {
        json_set_u64(json, "offset", segment->offset);
        json_set_u64(json, "length", segment->length);
    }
    json_set_u64(json, "raw", segment->raw);
    json_set_u64(json, "rows", segment->rows);
    if (segment->continues) /* rare, and there are many segments */
        json_set_bool(json, "continues", true);
    return json;
}

static json_t *root_to_json(const ManifestTable *table)
{
    if (table->root_name == NULL)
        return json_null();
    json_t *json = json_object();
    json_set_text(json, "schema", table->root_schema);
    json_set_text(json, "name", table->root_name);
    return json;
}

static json_t *table_to_json(const ManifestTable *table)
{
    json_t *json = json_object(), *segments = json_array();
    char digest[33];
    rowdigest_format(&table->digest, digest);
    json_set_text(json, "schema", table->schema);
    json_set_text(json, "name", table->name);
    json_set_u64(json, "oid", table->oid);
    json_object_set_new(json, "dump_id", json_integer(table->dump_id));
    json_object_set_new(json, "root", root_to_json(table));
    json_set_text(json, "condition", table->condition);
    json_set_u64(json, "rows", table->digest.rows);
    json_set_u64(json, "raw", table->digest.bytes);
    json_set_text(json, "digest", digest);
    for (size_t i = 0; i < table->n_segments; i++)
        json_array_append_new(segments, segment_to_json(&table->segments[i]));
    json_object_set_new(json, "segments", segments);
    return json;
}

static json_t *index_to_json(const ManifestFileset *fileset)
{
    json_t *list = blobs_to_json(fileset->index, fileset->n_index);
    for (size_t i = 0; fileset->index_first && i < fileset->n_index; i++)
        if (fileset->index_first[i])
            json_set_text(json_array_get(list, i), "first", fileset->index_first[i]);
    return list;
}

static json_t *fileset_to_json(const ManifestFileset *fileset)
{
    json_t *json = json_object();
    json_set_text(json, "name", fileset->name);
    json_set_text(json, "root", fileset->root);
    if (fileset->owner)
        json_object_set_new(json, "root_owner", manifest_owner_to_json(fileset->owner));
    json_set_u64(json, "files", fileset->files);
    json_set_u64(json, "dirs", fileset->dirs);
    json_set_u64(json, "symlinks", fileset->symlinks);
    json_set_u64(json, "others", fileset->others);
    json_set_u64(json, "bytes", fileset->bytes);
    json_set_u64(json, "vanished", fileset->vanished);
    json_set_u64(json, "changed", fileset->changed);
    if (fileset->left_out_files) {
        json_set_u64(json, "left_out_files", fileset->left_out_files);
        json_set_u64(json, "left_out_bytes", fileset->left_out_bytes);
    }
    json_object_set_new(json, "index", index_to_json(fileset));
    return json;
}

static json_t *origin_to_json(const Manifest *manifest)
{
    json_t *json = json_object();
    json_set_text(json, "repository", manifest->origin_repository);
    json_set_text(json, "id", manifest->origin_id);
    return json;
}

static json_t *database_to_json(const ManifestDatabase *database)
{
    json_t *json = json_object(), *toc = json_object(), *tables = json_array();
    const ManifestFileset *large = &database->large_objects;
    json_object_set_new(json, "facts", dbfacts_to_json(&database->facts));
    json_set_text(json, "pg_dump_version", database->pg_dump_version);
    json_set_text(json, "snapshot", database->snapshot);
    json_set_u64(toc, "raw", database->toc_raw);
    json_object_set_new(toc, "blobs", blobs_to_json(database->toc, database->n_toc));
    json_object_set_new(json, "toc", toc);
    json_object_set_new(json, "large_objects", large->name ? fileset_to_json(large) : json_null());
    for (size_t i = 0; i < database->n_tables; i++)
        json_array_append_new(tables, table_to_json(&database->tables[i]));
    json_object_set_new(json, "tables", tables);
    return json;
}

json_t *manifest_to_json(const Manifest *manifest)
{
    json_t *json = jsondoc_new("manifest"), *filesets = json_array();
    json_set_text(json, "id", manifest->id);
    if (manifest->revision > 1)
        json_set_u64(json, "revision", manifest->revision);
    json_set_text(json, "app", manifest->app);
    json_set_text(json, "host", manifest->host);
    json_set_text(json, "kura_version", manifest->kura_version);
    json_set_text(json, "started", manifest->started);
    json_set_text(json, "finished", manifest->finished);
    if (manifest->origin_id)
        json_object_set_new(json, "origin", origin_to_json(manifest));
    if (manifest->system)
        json_object_set_new(json, "system", manifest_system_to_json(manifest->system));
    if (manifest->application)
        json_object_set_new(json, "application", manifest_application_to_json(manifest->application));
    json_set_texts(json, "tags", &manifest->tags);
    json_set_texts(json, "warnings", &manifest->warnings);
    json_set_u64(json, "stored_new", manifest->stored_new);
    json_set_u64(json, "stored_all", manifest->stored_all);
    for (size_t i = 0; i < manifest->n_filesets; i++)
        json_array_append_new(filesets, fileset_to_json(&manifest->filesets[i]));
    json_object_set_new(json, "filesets", filesets);
    json_object_set_new(json, "database", manifest->has_database ? database_to_json(&manifest->database) : json_null());
    return json;
}
