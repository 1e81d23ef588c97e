#include "copy_priv.h"
#include "kura/mem.h"
#include "kura/prefetch.h"
#include "rewrite.h"

DEFINE_CLEANUP(Prefetch, prefetch_free)

static void lacking_item(const void *list, size_t i, PrefetchItem *ret)
{
    const Lacking *lacking = list;
    *ret = (PrefetchItem){.blob = blobtable_ref(&lacking->blobs, lacking->v[i])};
}

int copy_send(Copy *copy, const Lacking *lacking, Error *err)
{
    _cleanup_(buf_done) Buf blob = BUF_INIT(BLOB_STORED_MAX);
    _cleanup_(prefetch_free_cleanup) Prefetch *ahead = prefetch_new(copy->from, lacking->n, lacking_item, lacking);
    progress_phase(copy->progress, "copy", lacking->bytes);
    for (size_t i = 0; i < lacking->n; i++) {
        BlobRef ref = blobtable_ref(&lacking->blobs, lacking->v[i]), renamed;
        if (prefetch_next(ahead, &blob, err) < 0)
            return copy_source_error(copy, err);
        if (uploader_submit(copy->uploader, ref.kind, &blob, &renamed, err) < 0)
            return -1;
        copynames_learn(&copy->names, &ref, &renamed);
        progress_add(copy->progress, ref.size, 0);
    }
    return 0;
}

/* ---- references ---- */

static int rename_ref(void *ctx, const BlobRef *blob, uint64_t offset, uint64_t length, BlobRef *ret_blob,
                      uint64_t *ret_offset, Error *err)
{
    const Copy *copy = ctx;
    int rc = copynames_find(&copy->names, blob, ret_blob, err);
    *ret_offset = offset;
    return rc <= 0 ? rc : error_set(err, ERR_CORRUPT, "blob \"%s\" is no content of the backup", blob->hash);
}

int copy_rewrite(Copy *copy, const Manifest *manifest, Manifest **ret, Error *err)
{
    progress_phase(copy->progress, "indexes", 0);
    if (manifest_rewrite(copy->from, copy->to, copy->uploader, manifest, rename_ref, copy, ret, err) < 0)
        return copy_source_error(copy, err);
    return 0;
}

/* ---- reading back ---- */

typedef struct ReadBack {
    BlobRef *v;
    size_t n, cap;
} ReadBack;

static void expect(ReadBack *list, const BlobRef *refs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        xgrow(&list->v, &list->cap, list->n);
        list->v[list->n++] = refs[i];
    }
}

static void read_back_item(const void *list, size_t i, PrefetchItem *ret)
{
    const ReadBack *back = list;
    *ret = (PrefetchItem){.blob = back->v[i]};
}

static int read_back(Copy *copy, const ReadBack *list, Error *err)
{
    _cleanup_(buf_done) Buf blob = BUF_INIT(BLOB_STORED_MAX);
    _cleanup_(prefetch_free_cleanup) Prefetch *ahead = prefetch_new(copy->to, list->n, read_back_item, list);
    progress_phase(copy->progress, "verify", 0);
    for (size_t i = 0; i < list->n; i++) {
        if (prefetch_next(ahead, &blob, err) < 0)
            return error_wrap(err, "reading back what was copied");
        progress_add(copy->progress, list->v[i].size, 0);
    }
    return 0;
}

int copy_verify(Copy *copy, const Lacking *lacking, const Manifest *manifest, Error *err)
{
    ReadBack list = {0};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < lacking->n; i++) {
        BlobRef ref = blobtable_ref(&lacking->blobs, lacking->v[i]), renamed;
        rc = copynames_find(&copy->names, &ref, &renamed, err);
        expect(&list, &renamed, 1);
    }
    expect(&list, manifest->database.large_objects.index, manifest->database.large_objects.n_index);
    for (size_t i = 0; i < manifest->n_filesets; i++)
        expect(&list, manifest->filesets[i].index, manifest->filesets[i].n_index);
    if (rc == 0)
        rc = read_back(copy, &list, err);
    free(list.v);
    return rc;
}
