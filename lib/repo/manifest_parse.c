/* Reading a manifest. Everything that somebody computes with later is checked here: sizes fit a blob, a table's
 * segments add up to the table, no entry of the archive and no name is taken twice, names are safe to use in a path. */
#include <stdlib.h>
#include <string.h>

#include "dbfacts_priv.h"
#include "kura/clock.h"
#include "kura/mem.h"
#include "manifest_priv.h"
#include "repo_priv.h"

enum { FILESETS_MAX = 1000 }; /* keeps the search for equal names short */
#define FILESET_ALPHABET "abcdefghijklmnopqrstuvwxyz0123456789_-"

DEFINE_CLEANUP(Manifest, manifest_free)

/* Blobs that hold zstd frames: everything a manifest names itself. */
static int check_zstd(const JsonNode *node, const BlobRef *blob, Error *err)
{
    return blob->kind == BLOB_ZSTD ? 0 : jnode_fail(node, err, "names a blob that is not a zstd one");
}

static int read_zstd_blobs(const JsonNode *node, const char *key, BlobRef **ret, size_t *ret_n, Error *err)
{
    if (jnode_blobs(node, key, ret, ret_n, err) < 0)
        return -1;
    for (size_t i = 0; i < *ret_n; i++)
        if (check_zstd(node, &(*ret)[i], err) < 0)
            return -1;
    return 0;
}

/* The frame of a blob that holds several. */
static int read_range(const JsonNode *node, ManifestSegment *ret, Error *err)
{
    if (json_object_get(node->json, "offset") == NULL && json_object_get(node->json, "length") == NULL)
        return 0;
    if (jnode_u64(node, "offset", ret->blob.size, &ret->offset, err) < 0 ||
        jnode_u64(node, "length", ret->blob.size - ret->offset, &ret->length, err) < 0)
        return -1;
    return ret->length > 0 ? 0 : jnode_fail(node, err, "has no bytes in its blob");
}

static int read_segment(const JsonNode *node, ManifestSegment *ret, Error *err)
{
    /* A row takes a byte at least: its newline. */
    if (jnode_blob(node, &ret->blob, err) < 0 || check_zstd(node, &ret->blob, err) < 0 ||
        read_range(node, ret, err) < 0 || jnode_u64(node, "raw", BLOB_MAX, &ret->raw, err) < 0 ||
        jnode_u64(node, "rows", ret->raw, &ret->rows, err) < 0)
        return -1;
    return json_object_get(node->json, "continues") ? jnode_bool(node, "continues", &ret->continues, err) : 0;
}

static int read_segments(const JsonNode *table, ManifestTable *ret, Error *err)
{
    JsonNode list;
    uint64_t rows = 0, raw = 0;
    if (jnode_array(table, "segments", &list, &ret->n_segments, err) < 0)
        return -1;
    ret->segments = xcalloc(ret->n_segments, sizeof *ret->segments);
    for (size_t i = 0; i < ret->n_segments; i++) {
        JsonNode item = jnode_item(&list, i);
        if (read_segment(&item, &ret->segments[i], err) < 0)
            return -1;
        rows += ret->segments[i].rows;
        raw += ret->segments[i].raw;
    }
    if (ret->n_segments > 0 && ret->segments[0].continues)
        return jnode_fail(&list, err, "begin with one that continues another");
    if (rows != ret->digest.rows || raw != ret->digest.bytes)
        return jnode_fail(&list, err, "do not add up to the rows and bytes of their table");
    return 0;
}

static int read_digest(const JsonNode *table, RowDigest *ret, Error *err)
{
    _cleanup_free_ char *hex = NULL;
    if (jnode_text(table, "digest", &hex, err) < 0)
        return -1;
    if (rowdigest_parse(hex, ret) < 0)
        return jnode_fail(table, err, "has a digest that is not 32 hexadecimal digits");
    if (jnode_u64(table, "rows", INT64_MAX, &ret->rows, err) < 0)
        return -1;
    return jnode_u64(table, "raw", INT64_MAX, &ret->bytes, err);
}

static int read_root(const JsonNode *table, ManifestTable *ret, Error *err)
{
    JsonNode root;
    int rc = jnode_object_or_null(table, "root", &root, err);
    if (rc != 0)
        return rc < 0 ? -1 : 0;
    if (jnode_text(&root, "schema", &ret->root_schema, err) < 0)
        return -1;
    return jnode_text(&root, "name", &ret->root_name, err);
}

static int read_table(const JsonNode *node, ManifestTable *ret, Error *err)
{
    int64_t oid, dump_id;
    if (jnode_text(node, "schema", &ret->schema, err) < 0 || jnode_text(node, "name", &ret->name, err) < 0 ||
        jnode_int(node, "oid", 0, UINT32_MAX, &oid, err) < 0 ||
        jnode_int(node, "dump_id", 1, INT32_MAX, &dump_id, err) < 0 || read_root(node, ret, err) < 0 ||
        jnode_text_or_null(node, "condition", &ret->condition, err) < 0 || read_digest(node, &ret->digest, err) < 0)
        return -1;
    ret->oid = (uint32_t)oid;
    ret->dump_id = (int)dump_id;
    return read_segments(node, ret, err);
}

static int by_number(const void *a, const void *b)
{
    int left = *(const int *)a, right = *(const int *)b;
    return (left > right) - (left < right);
}

/* Two tables with one entry of the archive would be loaded into each other. */
static int check_dump_ids(const JsonNode *list, const ManifestDatabase *database, Error *err)
{
    size_t n = database->n_tables;
    _cleanup_free_ int *ids = xcalloc(n, sizeof *ids);
    for (size_t i = 0; i < n; i++)
        ids[i] = database->tables[i].dump_id;
    qsort(ids, n, sizeof *ids, by_number);
    for (size_t i = 1; i < n; i++)
        if (ids[i] == ids[i - 1])
            return jnode_fail(list, err, "has two tables of dump_id %d", ids[i]);
    return 0;
}

static int read_tables(const JsonNode *node, ManifestDatabase *ret, Error *err)
{
    JsonNode list;
    size_t n;
    if (jnode_array(node, "tables", &list, &n, err) < 0)
        return -1;
    ret->tables = xcalloc(n, sizeof *ret->tables);
    ret->n_tables = n;
    for (size_t i = 0; i < n; i++) {
        JsonNode item = jnode_item(&list, i);
        if (read_table(&item, &ret->tables[i], err) < 0)
            return -1;
    }
    return check_dump_ids(&list, ret, err);
}

/* Where the pieces of an index begin, as far as the manifest tells: in order. */
static int read_index_firsts(const JsonNode *node, ManifestFileset *ret, Error *err)
{
    JsonNode list;
    size_t n;
    const char *before = NULL;
    if (jnode_array(node, "index", &list, &n, err) < 0)
        return -1;
    ret->index_first = xcalloc(n, sizeof *ret->index_first);
    for (size_t i = 0; i < n; i++) {
        JsonNode item = jnode_item(&list, i);
        if (json_object_get(item.json, "first") == NULL)
            continue;
        if (jnode_text(&item, "first", &ret->index_first[i], err) < 0)
            return -1;
        if (before && strcmp(before, ret->index_first[i]) >= 0)
            return jnode_fail(&item, err, "begins before the piece in front of it");
        before = ret->index_first[i];
    }
    return 0;
}

/* Backups that leave nothing out, or were made before it was counted, do not tell. */
static int read_left_out(const JsonNode *node, ManifestFileset *ret, Error *err)
{
    if (json_object_get(node->json, "left_out_files") == NULL)
        return 0;
    return jnode_u64(node, "left_out_files", INT64_MAX, &ret->left_out_files, err) < 0 ||
                   jnode_u64(node, "left_out_bytes", INT64_MAX, &ret->left_out_bytes, err) < 0
               ? -1
               : 0;
}

static int read_fileset(const JsonNode *node, ManifestFileset *ret, Error *err)
{
    if (jnode_text(node, "name", &ret->name, err) < 0 || jnode_text_or_null(node, "root", &ret->root, err) < 0 ||
        manifest_owner_read(node, &ret->owner, err) < 0 || jnode_u64(node, "files", INT64_MAX, &ret->files, err) < 0 ||
        jnode_u64(node, "dirs", INT64_MAX, &ret->dirs, err) < 0 ||
        jnode_u64(node, "symlinks", INT64_MAX, &ret->symlinks, err) < 0 ||
        jnode_u64(node, "others", INT64_MAX, &ret->others, err) < 0 ||
        jnode_u64(node, "bytes", INT64_MAX, &ret->bytes, err) < 0 ||
        jnode_u64(node, "vanished", INT64_MAX, &ret->vanished, err) < 0 ||
        jnode_u64(node, "changed", INT64_MAX, &ret->changed, err) < 0 || read_left_out(node, ret, err) < 0 ||
        read_zstd_blobs(node, "index", &ret->index, &ret->n_index, err) < 0 || read_index_firsts(node, ret, err) < 0)
        return -1;
    if (ret->name[0] == 0 || strspn(ret->name, FILESET_ALPHABET) != strlen(ret->name))
        return jnode_fail(node, err, "has a name that is no name of a fileset: \"%.100s\"", ret->name);
    return 0;
}

static int check_fileset_names(const JsonNode *list, const Manifest *manifest, Error *err)
{
    for (size_t i = 0; i < manifest->n_filesets; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(manifest->filesets[i].name, manifest->filesets[j].name) == 0)
                return jnode_fail(list, err, "has two filesets named \"%.100s\"", manifest->filesets[i].name);
    return 0;
}

static int read_filesets(const JsonNode *root, Manifest *ret, Error *err)
{
    JsonNode list;
    size_t n;
    if (jnode_array(root, "filesets", &list, &n, err) < 0)
        return -1;
    if (n > FILESETS_MAX)
        return jnode_fail(&list, err, "has more than %d elements", FILESETS_MAX);
    ret->filesets = xcalloc(n, sizeof *ret->filesets);
    ret->n_filesets = n;
    for (size_t i = 0; i < n; i++) {
        JsonNode item = jnode_item(&list, i);
        if (read_fileset(&item, &ret->filesets[i], err) < 0)
            return -1;
    }
    return check_fileset_names(&list, ret, err);
}

static int read_toc(const JsonNode *node, ManifestDatabase *ret, Error *err)
{
    JsonNode toc;
    if (jnode_object(node, "toc", &toc, err) < 0 || jnode_u64(&toc, "raw", INT64_MAX, &ret->toc_raw, err) < 0 ||
        read_zstd_blobs(&toc, "blobs", &ret->toc, &ret->n_toc, err) < 0)
        return -1;
    return ret->n_toc > 0 ? 0 : jnode_fail(&toc, err, "has no blobs");
}

static int read_database(const JsonNode *node, ManifestDatabase *ret, Error *err)
{
    JsonNode facts, large;
    if (jnode_object(node, "facts", &facts, err) < 0 || dbfacts_read(&facts, &ret->facts, err) < 0 ||
        jnode_text(node, "pg_dump_version", &ret->pg_dump_version, err) < 0 ||
        jnode_text_or_null(node, "snapshot", &ret->snapshot, err) < 0 || read_toc(node, ret, err) < 0)
        return -1;
    int rc = jnode_object_or_null(node, "large_objects", &large, err);
    if (rc < 0 || (rc == 0 && read_fileset(&large, &ret->large_objects, err) < 0))
        return -1;
    return read_tables(node, ret, err);
}

static int read_moment(const JsonNode *root, const char *key, char **ret, Error *err)
{
    if (jnode_text(root, key, ret, err) < 0)
        return -1;
    return clock_parse_utc(*ret) >= 0 ? 0 : jnode_fail(root, err, "has a member \"%s\" that is no moment", key);
}

static int read_origin(const JsonNode *root, Manifest *ret, Error *err)
{
    JsonNode origin;
    if (json_object_get(root->json, "origin") == NULL)
        return 0;
    if (jnode_object(root, "origin", &origin, err) < 0 ||
        jnode_text(&origin, "repository", &ret->origin_repository, err) < 0 ||
        jnode_text(&origin, "id", &ret->origin_id, err) < 0)
        return -1;
    return manifest_id_valid(ret->origin_id)
               ? 0
               : jnode_fail(&origin, err, "has an id that is no id of a backup: \"%.100s\"", ret->origin_id);
}

static int read_revision(const JsonNode *root, Manifest *ret, Error *err)
{
    int64_t revision;
    if (json_object_get(root->json, "revision") == NULL)
        return 0;
    if (jnode_int(root, "revision", 1, MANIFEST_REVISION_MAX, &revision, err) < 0)
        return -1;
    ret->revision = (unsigned)revision;
    return 0;
}

static int read_head(const JsonNode *root, Manifest *ret, Error *err)
{
    if (jnode_text(root, "id", &ret->id, err) < 0)
        return -1;
    if (!manifest_id_valid(ret->id))
        return jnode_fail(root, err, "has an id that is no id of a backup: \"%.100s\"", ret->id);
    if (read_revision(root, ret, err) < 0 || read_origin(root, ret, err) < 0 ||
        jnode_text(root, "app", &ret->app, err) < 0 || jnode_text(root, "host", &ret->host, err) < 0 ||
        jnode_text(root, "kura_version", &ret->kura_version, err) < 0 ||
        read_moment(root, "started", &ret->started, err) < 0 ||
        read_moment(root, "finished", &ret->finished, err) < 0 || jnode_texts(root, "tags", &ret->tags, err) < 0 ||
        jnode_texts(root, "warnings", &ret->warnings, err) < 0 ||
        jnode_u64(root, "stored_new", INT64_MAX, &ret->stored_new, err) < 0)
        return -1;
    return jnode_u64(root, "stored_all", INT64_MAX, &ret->stored_all, err);
}

static int read_manifest(const JsonNode *root, Manifest *ret, Error *err)
{
    JsonNode database;
    if (read_head(root, ret, err) < 0 || manifest_application_read(root, &ret->application, err) < 0 ||
        manifest_system_read(root, &ret->system, err) < 0 || read_filesets(root, ret, err) < 0)
        return -1;
    int rc = jnode_object_or_null(root, "database", &database, err);
    if (rc != 0)
        return rc < 0 ? -1 : 0;
    ret->has_database = true;
    return read_database(&database, &ret->database, err);
}

int manifest_parse(const void *text, size_t len, Manifest **ret, Error *err)
{
    _cleanup_(json_unref) json_t *document = NULL;
    _cleanup_(manifest_free_cleanup) Manifest *manifest = manifest_new();
    if (jsondoc_parse(text, len, "manifest", &document, err) < 0)
        return -1;
    JsonNode root = jnode_root(document);
    if (read_manifest(&root, manifest, err) < 0)
        return -1;
    *ret = steal(manifest);
    return 0;
}
