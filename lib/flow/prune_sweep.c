/* Removal. Manifests come first, each before the next step: from then on nothing refers to its blobs. */
#include <stdlib.h>
#include <string.h>

#include "kura/log.h"
#include "kura/mem.h"
#include "kura/rehearsal.h"
#include "kura/stop.h"
#include "prune_priv.h"

enum { BATCH = 1000, REHEARSAL_AGE = 366 * 86400 };

int prune_not_removed(Error *err)
{
    if (err == NULL || err->code == ERR_INTERRUPTED || err->code == ERR_LOCKED || err->code == ERR_CONNECTION)
        return -1;
    return error_hint(err, "The key or the bucket may forbid removal, as an append-only key or Object Lock does. Prune "
                           "from another host, with a key that may remove; no backup is harmed.");
}

static int remove_manifest(Prune *prune, const char *name, Error *err)
{
    if (stop_check(err) < 0 || repo_lock_check(prune->lock, err) < 0)
        return -1;
    return manifest_delete(prune->repo, name, err) < 0 ? prune_not_removed(err) : 0;
}

/* A lower revision goes before the higher one, which it would stand for else. */
static int remove_manifests(Prune *prune, Error *err)
{
    for (size_t i = 0; i < prune->superseded.n; i++)
        if (remove_manifest(prune, prune->superseded.v[i], err) < 0)
            return -1;
    for (size_t i = 0; i < prune->n_entries; i++) {
        if (!prune->entries[i].goes)
            continue;
        if (remove_manifest(prune, prune->entries[i].name, err) < 0)
            return -1;
        log_info("removed backup %s", prune->entries[i].id);
    }
    return 0;
}

/* ---- blobs ---- */

typedef struct Batch {
    char keys[BATCH][BLOB_KEY_SIZE];
    const char *pointers[BATCH];
    size_t n;
    uint64_t bytes;
} Batch;

static int flush(Prune *prune, Batch *batch, Error *err)
{
    if (batch->n == 0)
        return 0;
    if (stop_check(err) < 0 || repo_lock_check(prune->lock, err) < 0)
        return -1;
    if (store_delete_many(repo_store(prune->repo), batch->pointers, batch->n, err) < 0)
        return prune_not_removed(err);
    progress_add(prune->progress, batch->bytes, batch->n);
    batch->n = 0;
    batch->bytes = 0;
    return 0;
}

int prune_remove_blobs(Prune *prune, bool (*gone)(const BlobRecord *record), Error *err)
{
    _cleanup_free_ Batch *batch = xcalloc(1, sizeof *batch);
    for (size_t i = 0; i < prune->blobs.n; i++) {
        if (!gone(&prune->blobs.v[i]))
            continue;
        BlobRef ref = blobtable_ref(&prune->blobs, i);
        blob_key(prune->repo, &ref, batch->keys[batch->n]);
        batch->pointers[batch->n] = batch->keys[batch->n];
        batch->n++;
        batch->bytes += ref.size;
        if (batch->n == BATCH && flush(prune, batch, err) < 0)
            return -1;
    }
    return flush(prune, batch, err);
}

static bool is_orphan(const BlobRecord *record)
{
    return !(record->state & (BLOB_STAYS | BLOB_YOUNG));
}

/* ---- rehearsals ---- */

typedef struct OldRehearsals {
    const Prune *prune;
    StrVec keys;
} OldRehearsals;

static int note_old(void *ctx, const StoreObject *object, Error *err)
{
    (void)err;
    OldRehearsals *old = ctx;
    if (object->time != INT64_MIN && old->prune->now - object->time > REHEARSAL_AGE)
        strvec_push(&old->keys, object->key);
    return 0;
}

/* The report compares a rehearsal with those before it, also of backups that are gone: a year of them stays. */
static int remove_rehearsals(Prune *prune, Error *err)
{
    OldRehearsals old = {.prune = prune};
    int rc = store_list_objects(repo_store(prune->repo), "rehearsals/", note_old, &old, err);
    for (size_t i = 0; rc == 0 && i < old.keys.n; i++) {
        const char *name = old.keys.v[i] + strlen("rehearsals/");
        _cleanup_free_ char *id = xstrndup(name, strcspn(name, "."));
        Rehearsal *rehearsal;
        if (rehearsal_load(prune->repo, id, &rehearsal, NULL) < 0)
            continue;
        const PruneEntry *entry = prune_entry(prune, rehearsal->backup);
        bool needed = entry != NULL && !entry->goes;
        rehearsal_free(rehearsal);
        if (needed)
            continue;
        rc = repo_lock_check(prune->lock, err) < 0 ? -1 : store_delete(repo_store(prune->repo), old.keys.v[i], err);
        prune->report->rehearsals += rc == 0;
    }
    strvec_done(&old.keys);
    return rc;
}

/* First what killed runs did is made durable: a manifest that one of them wrote must survive a crash when what it
 * stands for is gone, and one that a prune removed must not come back when its blobs are. */
int prune_sweep(Prune *prune, Error *err)
{
    progress_phase(prune->progress, "removal", prune->report->freed_bytes);
    if (manifest_settle(prune->repo, err) < 0 || remove_manifests(prune, err) < 0 ||
        prune_remove_blobs(prune, is_orphan, err) < 0 || remove_rehearsals(prune, err) < 0)
        return -1;
    return store_tidy(repo_store(prune->repo), err);
}
