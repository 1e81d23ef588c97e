/* Few blobs are asked for one by one, many by one listing of the whole repository. */
#include "kura/mem.h"
#include "kura/stop.h"
#include "verify_priv.h"

enum { FEW = 1000 };

/* Asks for one blob. -1 only when the store fails. */
static int ask(Verify *verify, size_t position, Error *err)
{
    Error why = ERROR_INIT;
    BlobRef ref = blobtable_ref(&verify->blobs, position);
    if (blob_check(verify->repo, &ref, &why) == 0) {
        verify->blobs.v[position].state |= BLOB_PRESENT;
        return 0;
    }
    if (!verify_is_damage(verify, &why)) {
        *err = why;
        return -1;
    }
    verify_damage(verify, position, why.code == ERR_NOT_FOUND ? "blob-missing" : "blob-damaged", &why);
    return 0;
}

typedef struct Asking {
    Verify *verify;
    atomic_size_t next;
} Asking;

static int ask_many(void *ctx, Pool *pool, size_t worker, Error *err)
{
    Asking *asking = ctx;
    Verify *verify = asking->verify;
    for (size_t i; (i = asking->next++) < verify->blobs.n;) {
        if (verify->blobs.v[i].state & BLOB_BAD)
            continue;
        if (pool_check(pool, err) < 0 || ask(verify, i, err) < 0)
            return -1;
        progress_add(verify->progress, 0, 1);
    }
    return 0;
}

typedef struct Listing {
    Verify *verify;
    uint64_t orphans, orphan_bytes, strangers;
} Listing;

static void add_orphan(Listing *listing, const StoreObject *object)
{
    VerifyReport *report = listing->verify->report;
    listing->orphans++;
    listing->orphan_bytes += object->size;
    if (!listing->verify->options->list_orphans || report->n_orphans == VERIFY_ORPHANS_MAX)
        return;
    xgrow(&report->orphan_list, &report->cap_orphans, report->n_orphans);
    report->orphan_list[report->n_orphans++] =
        (VerifyOrphan){.key = xstrdup(object->key), .size = object->size, .time = object->time};
}

static int see(void *ctx, const StoreObject *object, Error *err)
{
    Listing *listing = ctx;
    Verify *verify = listing->verify;
    BlobRef ref;
    progress_add(verify->progress, 0, 1);
    if (stop_check(err) < 0)
        return -1;
    if (blob_ref_from_key(verify->repo, object->key, &ref) < 0) {
        listing->strangers++;
        return 0;
    }
    size_t position = blobtable_find(&verify->blobs, &ref);
    if (position == SIZE_MAX) {
        add_orphan(listing, object);
        return 0;
    }
    ref = blobtable_ref(&verify->blobs, position);
    if (blob_size_fits(verify->repo, &ref, object->size))
        verify->blobs.v[position].state |= BLOB_PRESENT;
    return 0;
}

static void note_orphans(Verify *verify, const Listing *listing)
{
    VerifyReport *report = verify->report;
    if (listing->strangers > 0)
        findings_add(verify->findings, FINDING_NOTE, "objects-unknown", NULL,
                     "%ju objects below \"blobs/\" are no blobs of this repository", (uintmax_t)listing->strangers);
    report->orphans_known = !verify->incomplete;
    if (verify->incomplete)
        return;
    report->orphans = listing->orphans;
    report->orphan_bytes = listing->orphan_bytes;
    if (listing->orphans > 0)
        findings_add(verify->findings, FINDING_NOTE, "orphans", NULL,
                     "%ju blobs with %ju bytes belong to no backup: an interrupted backup left them, or one is being "
                     "made now",
                     (uintmax_t)listing->orphans, (uintmax_t)listing->orphan_bytes);
}

/* What the listing did not show, or with another size, is asked for once more: that has the last word and the words for
 * it. Past what is reported one by one it is only counted. */
static int list_all(Verify *verify, bool count_orphans, Error *err)
{
    Listing listing = {.verify = verify};
    if (store_list_objects(repo_store(verify->repo), "blobs/", see, &listing, err) < 0)
        return error_wrap(err, "listing the blobs");
    for (size_t i = 0; i < verify->blobs.n; i++) {
        if (verify->blobs.v[i].state & (BLOB_PRESENT | BLOB_BAD))
            continue;
        Error unseen = ERROR_INIT;
        if (verify->report->n_damages == VERIFY_DAMAGES_MAX)
            verify_damage(verify, i, "blob-missing", &unseen);
        else if (stop_check(err) < 0 || ask(verify, i, err) < 0)
            return -1;
    }
    if (count_orphans)
        note_orphans(verify, &listing);
    return 0;
}

int verify_present(Verify *verify, bool count_orphans, Error *err)
{
    progress_phase(verify->progress, "blobs", 0);
    if (count_orphans || verify->blobs.n > FEW)
        return list_all(verify, count_orphans, err);
    Asking asking = {.verify = verify};
    return pool_run(verify->jobs, ask_many, &asking, err);
}
