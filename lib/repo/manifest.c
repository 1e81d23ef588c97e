#include "kura/manifest.h"

#include <string.h>

#include "document_priv.h"
#include "jsonnode_priv.h"
#include "kura/mem.h"
#include "kura/words.h"
#include "manifest_priv.h"

DEFINE_CLEANUP(Manifest, manifest_free)

Manifest *manifest_new(void)
{
    Manifest *manifest = xcalloc(1, sizeof *manifest);
    manifest->revision = 1;
    return manifest;
}

void manifest_fileset_done(ManifestFileset *fileset)
{
    if (fileset == NULL)
        return;
    free(fileset->name);
    free(fileset->root);
    manifest_owner_free(fileset->owner);
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
    hostfacts_done(manifest->system);
    free(manifest->system);
    free(manifest->kura_version);
    free(manifest->started);
    free(manifest->finished);
    free(manifest->origin_repository);
    free(manifest->origin_id);
    manifest_application_free(manifest->application);
    strvec_done(&manifest->tags);
    strvec_done(&manifest->warnings);
    database_done(&manifest->database);
    for (size_t i = 0; i < manifest->n_filesets; i++)
        manifest_fileset_done(&manifest->filesets[i]);
    free(manifest->filesets);
    free(manifest);
}

const uint8_t *manifest_segment_frame(const ManifestSegment *segment, const Buf *blob, size_t *ret_len)
{
    *ret_len = segment->length ? segment->length : blob->len;
    return blob->data + segment->offset;
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
    .what = N_("backup"),
    .prefix = "backups/",
    .sealed = "sealed-manifest",
    .max = MANIFEST_MAX,
    .check = check,
    .name_parse = manifest_name_parse,
};

static int put(Repo *repo, const Manifest *manifest, bool exclusive, Error *err)
{
    _cleanup_free_ char *name = manifest_name(manifest);
    _cleanup_(json_unref) json_t *document = manifest_to_json(manifest);
    return document_put(repo, &kind, name, document, exclusive, err);
}

int manifest_commit(Repo *repo, const Manifest *manifest, Error *err)
{
    return put(repo, manifest, true, err);
}

int manifest_bring_back(Repo *repo, const Manifest *manifest, Error *err)
{
    return put(repo, manifest, false, err);
}

static int load(Repo *repo, const char *name, Manifest **ret, Error *err)
{
    _cleanup_(buf_done) Buf text = BUF_INIT(kind.max);
    _cleanup_(manifest_free_cleanup) Manifest *manifest = NULL;
    if (document_get(repo, &kind, name, &text, err) < 0)
        return -1;
    if (manifest_parse(text.data, text.len, &manifest, err) < 0)
        return error_wrap(err, "reading backup %s", name);
    _cleanup_free_ char *inside = manifest_name(manifest);
    if (strcmp(inside, name) != 0)
        return error_set(err, ERR_CORRUPT, "backup %s holds the manifest of another backup, %s", name, inside);
    *ret = steal(manifest);
    return 0;
}

/* The name of the highest revision; NULL with 0 when there is none. */
static int find_revision(Repo *repo, const char *id, char **ret, Error *err)
{
    _cleanup_(strvec_done) StrVec names = {0};
    _cleanup_free_ char *prefix = xasprintf("%s.", id);
    *ret = NULL;
    if (document_list(repo, &kind, prefix, &names, err) < 0)
        return -1;
    unsigned highest = 0;
    for (size_t i = 0; i < names.n; i++) {
        unsigned revision;
        _cleanup_free_ char *found = NULL;
        if (manifest_name_parse(names.v[i], &found, &revision) < 0 || revision <= highest)
            continue;
        highest = revision;
        free(*ret);
        *ret = xstrdup(names.v[i]);
    }
    return 0;
}

/* Nearly all are of the first revision. While there are two, which a killed prune may leave, either is right: what the
 * lower one names is there as long as it is. */
int manifest_load(Repo *repo, const char *name, Manifest **ret, Error *err)
{
    Error why = ERROR_INIT;
    if (load(repo, name, ret, &why) == 0)
        return 0;
    if (why.code == ERR_NOT_FOUND && manifest_id_valid(name)) {
        _cleanup_free_ char *revised = NULL;
        if (find_revision(repo, name, &revised, err) < 0)
            return -1;
        if (revised != NULL)
            return load(repo, revised, ret, err);
    }
    if (err)
        *err = why;
    return -1;
}

int manifest_list_names(Repo *repo, StrVec *ret, StrVec *superseded, Error *err)
{
    _cleanup_(strvec_done) StrVec names = {0};
    _cleanup_free_ char *last = NULL;
    unsigned last_revision = 0;
    if (document_list(repo, &kind, "", &names, err) < 0)
        return -1;
    for (size_t i = 0; i < names.n; i++) { /* those of one id stand together */
        char *id;
        unsigned revision;
        if (manifest_name_parse(names.v[i], &id, &revision) < 0)
            continue;
        bool same = last != NULL && strcmp(last, id) == 0;
        const char *lower = !same ? NULL : revision < last_revision ? names.v[i] : ret->v[ret->n - 1];
        if (lower != NULL && superseded != NULL)
            strvec_push(superseded, lower);
        if (same && revision > last_revision)
            free(ret->v[--ret->n]);
        if (!same || revision > last_revision) {
            strvec_push(ret, names.v[i]);
            last_revision = revision;
        }
        free(last);
        last = id;
    }
    return 0;
}

int manifest_list(Repo *repo, StrVec *ret, Error *err)
{
    size_t before = ret->n;
    if (manifest_list_names(repo, ret, NULL, err) < 0)
        return -1;
    for (size_t i = before; i < ret->n; i++)
        ret->v[i][strcspn(ret->v[i], ".")] = 0;
    return 0;
}

int manifest_settle(Repo *repo, Error *err)
{
    if (store_settle(repo_store(repo), "backups/any", err) < 0)
        return error_wrap(err, "relying on the backups that are there");
    return 0;
}

int manifest_is_there(Repo *repo, const char *name, bool *ret, Error *err)
{
    return document_is_there(repo, &kind, name, ret, err);
}

int manifest_delete(Repo *repo, const char *name, Error *err)
{
    return document_delete(repo, &kind, name, err);
}
