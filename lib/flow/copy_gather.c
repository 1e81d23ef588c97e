#include "copy_priv.h"
#include "kura/fileset.h"
#include "kura/mem.h"

DEFINE_CLEANUP(IndexReader, index_reader_free)

typedef struct Gather {
    Copy *copy;
    Lacking *lacking;
} Gather;

void lacking_done(Lacking *lacking)
{
    blobtable_done(&lacking->blobs);
    free(lacking->v);
}

/* Whether the other repository has it, as far as one can know without reading it. */
static int is_there(const Copy *copy, const BlobRef *ref, bool *ret, Error *err)
{
    BlobRef renamed;
    int rc = copynames_find(&copy->names, ref, &renamed, err);
    *ret = false;
    if (rc != 0)
        return rc < 0 ? -1 : 0;
    if (uploader_has(copy->uploader, &renamed, ret, err) < 0)
        return -1;
    if (*ret)
        uploader_rely(copy->uploader, &renamed);
    return 0;
}

static int add_blob(const Gather *gather, const BlobRef *ref, Error *err)
{
    Copy *copy = gather->copy;
    Lacking *lacking = gather->lacking;
    bool there;
    size_t n = lacking->blobs.n, position = blobtable_add(&lacking->blobs, ref);
    if (lacking->blobs.n == n)
        return 0;
    if (is_there(copy, ref, &there, err) < 0)
        return -1;
    if (there)
        return 0;
    n = copy->planned.n;
    if (copy->options->plan && (blobtable_add(&copy->planned, ref), copy->planned.n == n))
        return 0;
    xgrow(&lacking->v, &lacking->cap, lacking->n);
    lacking->v[lacking->n++] = (uint32_t)position;
    lacking->bytes += ref->size;
    return 0;
}

static int add_blobs(const Gather *gather, const BlobRef *refs, size_t n, Error *err)
{
    for (size_t i = 0; i < n; i++)
        if (add_blob(gather, &refs[i], err) < 0)
            return -1;
    return 0;
}

static int add_parts(const Gather *gather, const IndexEntry *entry, Error *err)
{
    for (size_t i = 0; i < entry->n_parts; i++)
        if (add_blob(gather, &entry->parts[i].blob, err) < 0)
            return -1;
    return 0;
}

static int add_fileset(const Gather *gather, const ManifestFileset *fileset, Error *err)
{
    Copy *copy = gather->copy;
    _cleanup_(index_reader_free_cleanup) IndexReader *reader = index_reader_new(copy->from, fileset);
    const IndexEntry *entry;
    int rc;
    while ((rc = index_reader_next(reader, &entry, err)) > 0)
        if (add_parts(gather, entry, err) < 0)
            return -1;
    if (rc < 0)
        return copy_source_error(copy, err);
    /* Otherwise they will be others. */
    return blob_names_shared(copy->from, copy->to) ? add_blobs(gather, fileset->index, fileset->n_index, err) : 0;
}

static int add_table(const Gather *gather, const ManifestTable *table, Error *err)
{
    for (size_t i = 0; i < table->n_segments; i++)
        if (add_blob(gather, &table->segments[i].blob, err) < 0)
            return -1;
    return 0;
}

int copy_gather(Copy *copy, const Manifest *manifest, Lacking *ret, Error *err)
{
    const Gather gather = {.copy = copy, .lacking = ret};
    const ManifestDatabase *database = &manifest->database;
    blobtable_init(&ret->blobs);
    if (add_blobs(&gather, database->toc, database->n_toc, err) < 0)
        return -1;
    for (size_t i = 0; i < database->n_tables; i++)
        if (add_table(&gather, &database->tables[i], err) < 0)
            return -1;
    if (add_fileset(&gather, &database->large_objects, err) < 0)
        return -1;
    for (size_t i = 0; i < manifest->n_filesets; i++)
        if (add_fileset(&gather, &manifest->filesets[i], err) < 0)
            return -1;
    return 0;
}
