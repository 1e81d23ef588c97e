#include "kura/manifest.h"

#include <stdio.h>
#include <string.h>

#include "crypt_priv.h"
#include "kura/mem.h"
#include "manifest_priv.h"

#define PREFIX "backups/"
#define SUFFIX ".json"
enum { KEY_SIZE = 160 };

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

static const char *suffix(const Repo *repo)
{
    return repo->crypt ? SUFFIX SEALED_SUFFIX : SUFFIX;
}

static void manifest_key(const Repo *repo, const char *id, char key[KEY_SIZE])
{
    snprintf(key, KEY_SIZE, PREFIX "%s%s", id, suffix(repo));
}

/* The last guard before a backup exists: it must be possible to read it back. */
static int check_readable(const Buf *text, Error *err)
{
    _cleanup_(manifest_free_cleanup) Manifest *copy = NULL;
    return manifest_parse(text->data, text->len, &copy, err) < 0
               ? error_wrap(err, "the new manifest would not be readable")
               : 0;
}

int manifest_commit(Repo *repo, const Manifest *manifest, Error *err)
{
    char key[KEY_SIZE];
    _cleanup_(json_unref) json_t *document = manifest_to_json(manifest);
    _cleanup_(buf_done) Buf text = BUF_INIT(MANIFEST_MAX);
    if (jsondoc_format(document, &text, err) < 0)
        return error_wrap(err, "writing the manifest");
    if (check_readable(&text, err) < 0)
        return -1;
    manifest_key(repo, manifest->id, key);
    _cleanup_(buf_done) Buf sealed = BUF_INIT(MANIFEST_WRAPPED_MAX + SEALED_EXTRA_MAX);
    if (repo->crypt && manifest_seal(repo, &text, &sealed, err) < 0)
        return error_wrap(err, "committing backup %s", manifest->id);
    const Buf *object = repo->crypt ? &sealed : &text;
    if (store_put(repo->store, key, object->data, object->len, true, err) < 0)
        return error_wrap(err, "committing backup %s", manifest->id);
    return 0;
}

static int no_backup(Repo *repo, const char *id, Error *err)
{
    error_set(err, ERR_NOT_FOUND, "there is no backup \"%s\" in the repository \"%s\"", id, store_name(repo->store));
    return error_hint(err, "\"kura list\" shows what there is.");
}

/* The document, decrypted. *out is empty. */
static int get_document(Repo *repo, const char *key, Buf *out, Error *err)
{
    if (repo->crypt == NULL)
        return store_get(repo->store, key, 0, UINT64_MAX, out, err);
    _cleanup_(buf_done) Buf sealed = BUF_INIT(MANIFEST_WRAPPED_MAX + SEALED_EXTRA_MAX);
    if (crypt_identities(repo, err) == NULL) /* before anything is fetched */
        return -1;
    return store_get(repo->store, key, 0, UINT64_MAX, &sealed, err) < 0 ? -1 : manifest_unseal(repo, &sealed, out, err);
}

int manifest_load(Repo *repo, const char *id, Manifest **ret, Error *err)
{
    char key[KEY_SIZE];
    _cleanup_(buf_done) Buf text = BUF_INIT(MANIFEST_MAX);
    _cleanup_(manifest_free_cleanup) Manifest *manifest = NULL;
    Error why = ERROR_INIT;
    if (!manifest_id_valid(id))
        return no_backup(repo, id, err);
    manifest_key(repo, id, key);
    if (get_document(repo, key, &text, &why) < 0) {
        if (why.code == ERR_NOT_FOUND)
            return no_backup(repo, id, err);
        if (err)
            *err = why;
        return error_wrap(err, "reading backup %s", id);
    }
    if (manifest_parse(text.data, text.len, &manifest, err) < 0)
        return error_wrap(err, "reading backup %s", id);
    if (strcmp(manifest->id, id) != 0)
        return error_set(err, ERR_CORRUPT, "\"%s\" holds the manifest of another backup, %s", key, manifest->id);
    *ret = steal(manifest);
    return 0;
}

typedef struct Listing {
    const char *suffix;
    StrVec *ids;
} Listing;

static int add_id(void *ctx, const char *key, uint64_t size, Error *err)
{
    (void)size;
    (void)err;
    Listing *listing = ctx;
    size_t len = strlen(key), fixed = strlen(PREFIX) + strlen(listing->suffix);
    if (len <= fixed || strcmp(key + len - strlen(listing->suffix), listing->suffix) != 0)
        return 0;
    _cleanup_free_ char *id = xstrndup(key + strlen(PREFIX), len - fixed);
    if (manifest_id_valid(id))
        strvec_push(listing->ids, id);
    return 0;
}

int manifest_list(Repo *repo, StrVec *ret, Error *err)
{
    Listing listing = {.suffix = suffix(repo), .ids = ret};
    return store_list(repo->store, PREFIX, add_id, &listing, err);
}
