#include "previous.h"

#include <string.h>

#include "flow_priv.h"
#include "kura/cache.h"
#include "kura/fileset.h"
#include "kura/log.h"
#include "kura/mem.h"
#include "kura/stop.h"

typedef struct Search {
    Repo *repo;
    Uploader *uploader;
    const char *app;
    const BackupOptions *options;
    Previous *previous;
    bool wants_database;
    bool unreadable; /* there are backups that only an identity could read */
} Search;

void previous_done(Previous *previous)
{
    strvec_done(&previous->names);
    for (size_t i = 0; i < previous->n_filesets; i++)
        manifest_fileset_done(&previous->filesets[i]);
    free(previous->filesets);
    *previous = (Previous){0};
}

const ManifestFileset *previous_fileset(const Previous *previous, const char *name)
{
    for (size_t i = 0; i < previous->n_filesets; i++)
        if (strcmp(previous->filesets[i].name, name) == 0)
            return &previous->filesets[i];
    return NULL;
}

static void know_blobs(Uploader *uploader, const BlobRef *blobs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        uploader_know(uploader, &blobs[i]);
}

static int know_database(Search *search, const ManifestDatabase *database, Error *err)
{
    for (size_t i = 0; i < database->n_tables; i++)
        for (size_t j = 0; j < database->tables[i].n_segments; j++)
            uploader_know(search->uploader, &database->tables[i].segments[j].blob);
    know_blobs(search->uploader, database->toc, database->n_toc);
    know_blobs(search->uploader, database->large_objects.index, database->large_objects.n_index);
    Error why = ERROR_INIT;
    if (fileset_know(search->repo, search->uploader, &database->large_objects, &why) == 0)
        return 0;
    log_debug("large objects of the backup before: %s", why.message);
    return stop_check(err);
}

static bool wants_fileset(const Search *search, const char *name)
{
    if (previous_fileset(search->previous, name))
        return false;
    for (size_t i = 0; i < search->options->n_files; i++)
        if (strcmp(search->options->files[i].name, name) == 0)
            return true;
    return false;
}

static bool wants_more(const Search *search)
{
    return search->wants_database || search->previous->n_filesets < search->options->n_files;
}

/* Takes out of a manifest what is still wanted. */
static int take(Search *search, Manifest *manifest, Error *err)
{
    Previous *previous = search->previous;
    if (search->wants_database && manifest->has_database) {
        search->wants_database = false;
        if (know_database(search, &manifest->database, err) < 0)
            return -1;
    }
    for (size_t i = 0; i < manifest->n_filesets; i++) {
        ManifestFileset *fileset = &manifest->filesets[i];
        if (!wants_fileset(search, fileset->name))
            continue;
        know_blobs(search->uploader, fileset->index, fileset->n_index);
        previous->filesets[previous->n_filesets++] = *fileset;
        *fileset = (ManifestFileset){0};
    }
    return 0;
}

/* A backup that cannot be read costs time, not this backup. NULL with 0: passed over. */
static int load(Search *search, const char *name, Manifest **ret, Error *err)
{
    Error why = ERROR_INIT;
    *ret = cache_load_manifest(repo_cache(search->repo), name);
    if (*ret)
        return 0;
    if (!repo_can_read(search->repo)) {
        search->unreadable = true;
        return 0;
    }
    if (manifest_load(search->repo, name, ret, &why) == 0)
        return 0;
    *ret = NULL;
    if (why.code == ERR_INTERRUPTED) {
        *err = why;
        return -1;
    }
    log_warning("passing over backup \"%s\": %s", name, why.message);
    return 0;
}

static int search_backups(Search *search, Error *err)
{
    const StrVec *names = &search->previous->names;
    for (size_t i = names->n; i-- > 0 && wants_more(search);) {
        Manifest *manifest;
        if (!manifest_id_fits_app(search->repo, names->v[i], search->app))
            continue;
        if (load(search, names->v[i], &manifest, err) < 0)
            return -1;
        int rc = manifest && strcmp(manifest->app, search->app) == 0 ? take(search, manifest, err) : 0;
        manifest_free(manifest);
        if (rc < 0)
            return -1;
    }
    return 0;
}

static void tell_unreadable(const Search *search, Findings *findings)
{
    if (search->unreadable && wants_more(search))
        findings_add(findings, FINDING_NOTE, "previous-unknown",
                     "This backup is complete, but files that did not change are read and stored again. Keep the cache "
                     "from one backup to the next, or give the identity.",
                     "the backup before is encrypted, and the cache of this host does not have it");
}

int previous_find(Repo *repo, Uploader *uploader, const char *app, const BackupOptions *options, Previous *ret,
                  Findings *findings, Error *err)
{
    bool remote = store_is_remote(repo_store(repo));
    Previous previous = {.filesets = xcalloc(options->n_files, sizeof *previous.filesets)};
    Search search = {.repo = repo,
                     .uploader = uploader,
                     .app = app,
                     .options = options,
                     .previous = &previous,
                     .wants_database = options->db && remote && !options->ask_always};
    int rc = flow_doubt_damages(repo, uploader, err);
    if (rc == 0)
        rc = manifest_list_names(repo, &previous.names, NULL, err);
    if (rc == 0 && previous.names.n == 0)
        rc = uploader_know_all(uploader, err);
    if (rc == 0)
        rc = search_backups(&search, err);
    if (rc < 0) {
        previous_done(&previous);
        return -1;
    }
    tell_unreadable(&search, findings);
    *ret = previous;
    return 0;
}
