/* Manifests that cannot be read. The cache of this host or a copy may have one. It comes back once all blobs that it
 * names are there: a prune that could not read it may have come between, and a backup may believe it. */
#include <string.h>

#include "kura/log.h"
#include "kura/mem.h"
#include "repairrepo_priv.h"

DEFINE_CLEANUP(Manifest, manifest_free)

/* Calls fn for each blob that a manifest names by itself. */
static void each_blob(const Manifest *manifest, void (*fn)(void *ctx, const BlobRef *ref), void *ctx)
{
    const ManifestDatabase *database = &manifest->database;
    for (size_t i = 0; i < database->n_toc; i++)
        fn(ctx, &database->toc[i]);
    for (size_t i = 0; i < database->n_tables; i++)
        for (size_t j = 0; j < database->tables[i].n_segments; j++)
            fn(ctx, &database->tables[i].segments[j].blob);
    for (size_t i = 0; i < database->large_objects.n_index; i++)
        fn(ctx, &database->large_objects.index[i]);
    for (size_t i = 0; i < manifest->n_filesets; i++)
        for (size_t j = 0; j < manifest->filesets[i].n_index; j++)
            fn(ctx, &manifest->filesets[i].index[j]);
}

/* The copy's manifest tells where it came from; the original's did not. */
static Manifest *from_copy(RepairRepo *repair, const char *id)
{
    Repo *from = repair->options->from;
    Manifest *manifest;
    Error why = ERROR_INIT;
    if (from == NULL || !blob_names_shared(from, repair->repo))
        return NULL;
    if (manifest_load(from, id, &manifest, &why) < 0) {
        log_debug("%s", why.message);
        return NULL;
    }
    free(manifest->origin_repository);
    free(manifest->origin_id);
    manifest->origin_repository = manifest->origin_id = NULL;
    return manifest;
}

static void want_absent(void *ctx, const BlobRef *ref)
{
    RepairRepo *repair = ctx;
    if (blob_check(repair->repo, ref, NULL) < 0)
        repairrepo_miss(repair, ref);
}

static void search(RepairRepo *repair, LostManifest *lost)
{
    lost->cure = CURE_CACHE;
    for (size_t i = 0; i < repair->n_caches && lost->found == NULL; i++)
        lost->found = cache_load_manifest(repair->caches[i], lost->name);
    if (lost->found == NULL) {
        lost->cure = CURE_COPY;
        lost->found = from_copy(repair, lost->id);
    }
    if (lost->found)
        each_blob(lost->found, want_absent, repair);
    else
        lost->cure = CURE_SET_ASIDE;
}

/* One that a newer kura wrote, or that this identity does not fit, is not damaged. */
static void add_lost(RepairRepo *repair, const char *name, const char *id)
{
    Error why = ERROR_INIT;
    _cleanup_(manifest_free_cleanup) Manifest *unreadable = NULL;
    _cleanup_free_ char *label = xasprintf("backups/%s", id);
    if (manifest_load(repair->repo, id, &unreadable, &why) == 0)
        return;
    RepairObject *object = repairrepo_object(repair, label, "backup-unreadable");
    free(object->why);
    object->why = xstrdup(why.message);
    if (why.code != ERR_CORRUPT && why.code != ERR_TRUNCATED)
        return;
    xgrow(&repair->lost, &repair->cap_lost, repair->n_lost);
    LostManifest *lost = &repair->lost[repair->n_lost++];
    *lost = (LostManifest){.name = xstrdup(name), .id = id, .place = (size_t)(object - repair->report->objects)};
    search(repair, lost);
}

static bool is_of(const char *name, const char *id)
{
    size_t len = strlen(id);
    return strncmp(name, id, len) == 0 && (name[len] == 0 || name[len] == '.');
}

int repairrepo_find_manifests(RepairRepo *repair, Error *err)
{
    const VerifyReport *report = repair->verify->report;
    _cleanup_(strvec_done) StrVec names = {0};
    if (!repair->verify->incomplete)
        return 0;
    if (manifest_list_names(repair->repo, &names, NULL, err) < 0)
        return -1;
    for (size_t i = 0; i < report->n_backups; i++)
        for (size_t j = 0; report->backups[i].unreadable && j < names.n; j++)
            if (is_of(names.v[j], report->backups[i].id))
                add_lost(repair, names.v[j], report->backups[i].id);
    return 0;
}

/* ---- into place ---- */

typedef struct Absent {
    Repo *repo;
    size_t n;
} Absent;

static void count_absent(void *ctx, const BlobRef *ref)
{
    Absent *absent = ctx;
    absent->n += blob_check(absent->repo, ref, NULL) < 0;
}

static bool has_content(Repo *repo, const Manifest *manifest)
{
    Absent absent = {.repo = repo};
    each_blob(manifest, count_absent, &absent);
    return absent.n == 0;
}

typedef struct Keys {
    const char *name;
    StrVec found;
} Keys;

static int add_key(void *ctx, const char *key, uint64_t size, Error *err)
{
    Keys *keys = ctx;
    const char *suffix = key + strlen("backups/") + strlen(keys->name);
    if (strcmp(suffix, ".json") == 0 || strcmp(suffix, ".json.age") == 0)
        strvec_push(&keys->found, key);
    return 0;
}

static int copy_aside(RepairRepo *repair, const char *name, Error *err)
{
    Keys keys = {.name = name};
    _cleanup_free_ char *prefix = xasprintf("backups/%s.json", name);
    int rc = store_list(repo_store(repair->repo), prefix, add_key, &keys, err);
    for (size_t i = 0; rc == 0 && i < keys.found.n; i++)
        rc = repairrepo_copy_aside(repair, keys.found.v[i], err);
    strvec_done(&keys.found);
    return rc;
}

/* What is right comes over what is damaged, or before that goes: killed at any instant, the backup is still listed, and
 * the next run goes on. */
static int put_into_place(RepairRepo *repair, const LostManifest *lost, bool whole, Error *err)
{
    _cleanup_free_ char *name = whole ? manifest_name(lost->found) : NULL;
    if (copy_aside(repair, lost->name, err) < 0 || (whole && manifest_bring_back(repair->repo, lost->found, err) < 0))
        return -1;
    repair->n_done++;
    return name && strcmp(name, lost->name) == 0 ? 0 : manifest_delete(repair->repo, lost->name, err);
}

static int cure(RepairRepo *repair, LostManifest *lost, Error *err)
{
    RepairObject *object = &repair->report->objects[lost->place];
    object->cure = lost->cure;
    if (!repair->options->apply)
        return 0;
    bool whole = lost->found && has_content(repair->repo, lost->found);
    object->cure = whole ? lost->cure : CURE_SET_ASIDE;
    if (put_into_place(repair, lost, whole, err) < 0)
        return -1;
    object->done = true;
    return 0;
}

int repairrepo_cure_manifests(RepairRepo *repair, Error *err)
{
    for (size_t i = 0; i < repair->n_lost; i++)
        if (cure(repair, &repair->lost[i], err) < 0)
            return -1;
    return 0;
}
