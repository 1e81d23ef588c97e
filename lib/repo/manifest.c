#include "kura/manifest.h"

#include <string.h>

#include "document_priv.h"
#include "jsonnode_priv.h"
#include "kura/mem.h"
#include "manifest_priv.h"

DEFINE_CLEANUP(Manifest, manifest_free)

Manifest *manifest_new(void)
{
    return xcalloc(1, sizeof(Manifest));
}

void manifest_fileset_done(ManifestFileset *fileset)
{
    if (fileset == NULL)
        return;
    free(fileset->name);
    free(fileset->root);
    for (size_t i = 0; fileset->index_first && i < fileset->n_index; i++)
        free(fileset->index_first[i]);
    free(fileset->index_first);
    free(fileset->index);
    *fileset = (ManifestFileset){0};
}

static void table_done(ManifestTable *table)
{
    free(table->schema);
    free(table->name);
    free(table->root_schema);
    free(table->root_name);
    free(table->condition);
    free(table->segments);
}

static void database_done(ManifestDatabase *database)
{
    dbfacts_done(&database->facts);
    free(database->pg_dump_version);
    free(database->snapshot);
    free(database->toc);
    for (size_t i = 0; i < database->n_tables; i++)
        table_done(&database->tables[i]);
    free(database->tables);
    manifest_fileset_done(&database->large_objects);
}

void manifest_free(Manifest *manifest)
{
    if (manifest == NULL)
        return;
    free(manifest->id);
    free(manifest->app);
    free(manifest->host);
    free(manifest->kura_version);
    free(manifest->started);
    free(manifest->finished);
    strvec_done(&manifest->tags);
    strvec_done(&manifest->warnings);
    database_done(&manifest->database);
    for (size_t i = 0; i < manifest->n_filesets; i++)
        manifest_fileset_done(&manifest->filesets[i]);
    free(manifest->filesets);
    free(manifest);
}

BackupTotals backup_totals(const Manifest *manifest)
{
    BackupTotals totals = {0};
    for (size_t i = 0; i < manifest->database.n_tables; i++) {
        totals.rows += manifest->database.tables[i].digest.rows;
        totals.row_bytes += manifest->database.tables[i].digest.bytes;
    }
    totals.row_bytes += manifest->database.large_objects.bytes;
    for (size_t i = 0; i < manifest->n_filesets; i++) {
        totals.files += manifest->filesets[i].files;
        totals.file_bytes += manifest->filesets[i].bytes;
    }
    return totals;
}

static int check(const void *text, size_t len, Error *err)
{
    _cleanup_(manifest_free_cleanup) Manifest *copy = NULL;
    return manifest_parse(text, len, &copy, err);
}

static const DocumentKind kind = {
    .what = "backup",
    .prefix = "backups/",
    .sealed = "sealed-manifest",
    .max = MANIFEST_MAX,
    .check = check,
};

int manifest_commit(Repo *repo, const Manifest *manifest, Error *err)
{
    _cleanup_(json_unref) json_t *document = manifest_to_json(manifest);
    return document_put(repo, &kind, manifest->id, document, err);
}

int manifest_load(Repo *repo, const char *id, Manifest **ret, Error *err)
{
    _cleanup_(buf_done) Buf text = BUF_INIT(kind.max);
    _cleanup_(manifest_free_cleanup) Manifest *manifest = NULL;
    if (document_get(repo, &kind, id, &text, err) < 0)
        return -1;
    if (manifest_parse(text.data, text.len, &manifest, err) < 0)
        return error_wrap(err, "reading backup %s", id);
    if (strcmp(manifest->id, id) != 0)
        return error_set(err, ERR_CORRUPT, "backup %s holds the manifest of another backup, %s", id, manifest->id);
    *ret = steal(manifest);
    return 0;
}

int manifest_list(Repo *repo, StrVec *ret, Error *err)
{
    return document_list(repo, &kind, ret, err);
}
