/* Other places where a blob may be whole. */
#include <string.h>

#include "kura/log.h"
#include "kura/mem.h"
#include "kura/stop.h"
#include "repairrepo_priv.h"

int repairrepo_from_caches(RepairRepo *repair, Error *err)
{
    for (size_t i = 0; i < repair->n_wanted; i++) {
        Wanted *wanted = &repair->wanted[i];
        for (size_t j = 0; j < repair->n_caches && !wanted->found; j++) {
            _cleanup_(buf_done) Buf data = BUF_INIT(BLOB_STORED_MAX);
            if (cache_get_blob(repair->caches[j], &wanted->ref, &data) == 0 &&
                repairrepo_cure(repair, wanted, CURE_CACHE, &data, err) < 0)
                return -1;
        }
    }
    return stop_check(err);
}

/* ---- a copy ---- */

static bool is_damage(const Error *why)
{
    return why->code == ERR_CORRUPT || why->code == ERR_TRUNCATED || why->code == ERR_NOT_FOUND;
}

/* Fetches a blob of the copy, and gives it to whoever it is the cure of. */
static int try_blob(RepairRepo *repair, const BlobRef *theirs, Error *err)
{
    Error why = ERROR_INIT;
    _cleanup_(buf_done) Buf data = BUF_INIT(BLOB_STORED_MAX);
    if (blob_get(repair->options->from, theirs, &data, &why) < 0) {
        if (is_damage(&why)) {
            log_debug("%s", why.message);
            return stop_check(err);
        }
        *err = why;
        return -1;
    }
    for (size_t i = 0; i < repair->n_wanted; i++) {
        Wanted *wanted = &repair->wanted[i];
        if (!wanted->found && wanted->ref.kind == theirs->kind &&
            blob_is(repair->repo, &wanted->ref, data.data, data.len))
            return repairrepo_cure(repair, wanted, CURE_COPY, &data, err);
    }
    return stop_check(err);
}

/* Where names tell nothing, a blob of the kind and size of one that is wanted may be it: its content tells. */
static int see(void *ctx, const char *key, uint64_t size, Error *err)
{
    RepairRepo *repair = ctx;
    Repo *from = repair->options->from;
    BlobRef theirs, ours;
    if (stop_check(err) < 0)
        return -1;
    if (blob_ref_from_key(from, key, &theirs) < 0)
        return 0;
    int unknown = blob_renamed(from, repair->repo, &theirs, &ours, err);
    if (unknown < 0)
        return -1;
    uint64_t tried = UINT64_MAX;
    for (size_t i = 0; i < repair->n_wanted; i++) {
        const Wanted *wanted = &repair->wanted[i];
        theirs.size = wanted->ref.size;
        if (wanted->found || wanted->ref.kind != theirs.kind || theirs.size == tried ||
            !blob_size_fits(from, &theirs, size) || (!unknown && strcmp(ours.hash, wanted->ref.hash) != 0))
            continue;
        if (try_blob(repair, &theirs, err) < 0)
            return -1;
        tried = theirs.size;
    }
    return 0;
}

int repairrepo_from_copy(RepairRepo *repair, Error *err)
{
    size_t missing = 0;
    for (size_t i = 0; i < repair->n_wanted; i++)
        missing += !repair->wanted[i].found;
    if (repair->options->from == NULL || missing == 0)
        return 0;
    return store_list(repo_store(repair->options->from), "blobs/", see, repair, err) < 0
               ? error_wrap(err, "looking into the copy")
               : 0;
}
