/* An index blob is read once a pass, however many backups share it: a month of backups of a large site shares nearly
 * all of them. */
#include "kura/mem.h"
#include "verify_priv.h"

DEFINE_CLEANUP(IndexReader, index_reader_free)

typedef struct Pass {
    Verify *verify;
    VerifyEntryFn fn;
    void *ctx;
    atomic_size_t next;
} Pass;

/* Takes the next index blob that is not known to be bad. */
static bool take_next(Pass *pass, size_t *ret_index, BlobRef *ret)
{
    Verify *verify = pass->verify;
    while ((*ret_index = pass->next++) < verify->n_indexes) {
        uint32_t blob = verify->indexes[*ret_index].blob;
        pthread_mutex_lock(&verify->mutex);
        bool bad = verify->blobs.v[blob].state & BLOB_BAD;
        *ret = blobtable_ref(&verify->blobs, blob);
        pthread_mutex_unlock(&verify->mutex);
        if (!bad)
            return true;
    }
    return false;
}

static int read_index(Pass *pass, Pool *pool, size_t index, const BlobRef *ref, Error *err)
{
    Verify *verify = pass->verify;
    _cleanup_(index_reader_free_cleanup) IndexReader *reader = index_reader_new_blob(verify->repo, ref);
    const IndexEntry *entry;
    int rc;
    while ((rc = index_reader_next(reader, &entry, err)) > 0) {
        if (pool_check(pool, err) < 0)
            return -1;
        pthread_mutex_lock(&verify->mutex);
        pass->fn(verify, index, entry, pass->ctx);
        pthread_mutex_unlock(&verify->mutex);
    }
    return rc;
}

/* With the mutex held. */
static void end_index(Verify *verify, size_t index, const Error *why)
{
    if (why == NULL) {
        verify->blobs.v[verify->indexes[index].blob].state |= BLOB_GOOD;
        return;
    }
    verify->incomplete = true;
    verify_damage_locked(verify, verify->indexes[index].blob,
                         why->code == ERR_NOT_FOUND ? "blob-missing" : "blob-damaged", why);
}

static int read_indexes(void *ctx, Pool *pool, size_t worker, Error *err)
{
    Pass *pass = ctx;
    BlobRef ref;
    for (size_t index; take_next(pass, &index, &ref);) {
        Error why = ERROR_INIT;
        int rc = read_index(pass, pool, index, &ref, &why);
        if (rc < 0 && !verify_is_damage(pass->verify, &why)) {
            *err = why;
            return -1;
        }
        pthread_mutex_lock(&pass->verify->mutex);
        end_index(pass->verify, index, rc < 0 ? &why : NULL);
        pthread_mutex_unlock(&pass->verify->mutex);
    }
    return 0;
}

int verify_each_index(Verify *verify, VerifyEntryFn fn, void *ctx, Error *err)
{
    Pass pass = {.verify = verify, .fn = fn, .ctx = ctx};
    return verify->n_indexes == 0 ? 0 : pool_run(verify->jobs, read_indexes, &pass, err);
}
