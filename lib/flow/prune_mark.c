/* What the backups that stay refer to. All blobs of the store are in memory, 60 bytes each; of the backups only those
 * that stay are read, and a piece of an index once, however many of them share it. */
#include <stdlib.h>
#include <string.h>

#include "kura/mem.h"
#include "kura/stop.h"
#include "prune_priv.h"

DEFINE_CLEANUP(Manifest, manifest_free)
DEFINE_CLEANUP(IndexReader, index_reader_free)

/* A member of a tar: its header, a pax header with its own, what that says, and the content, filled up to 512 bytes.
 * Never less than it takes, so that a pack of which nothing is dead does not seem to have something. */
enum { TAR_BLOCK = 512, PAX_EXTRA = 128 };

static uint64_t blocks(uint64_t bytes)
{
    return (bytes + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
}

static uint64_t member_size(const IndexEntry *entry, uint64_t length)
{
    size_t names =
        strlen(entry->path) + (entry->user ? strlen(entry->user) : 0) + (entry->group ? strlen(entry->group) : 0);
    return 2 * TAR_BLOCK + blocks(PAX_EXTRA + names) + blocks(length);
}

/* ---- listing ---- */

static int see(void *ctx, const StoreObject *object, Error *err)
{
    Prune *prune = ctx;
    BlobRef ref;
    progress_add(prune->progress, 0, 1);
    if (stop_check(err) < 0)
        return -1;
    if (blob_ref_from_key(prune->repo, object->key, &ref) < 0)
        return 0;
    ref.size = object->size < UINT32_MAX ? object->size : UINT32_MAX;
    size_t at = blobtable_add(&prune->blobs, &ref);
    if (object->time == INT64_MIN || (double)prune->now - (double)object->time < prune->options->grace)
        prune->blobs.v[at].state |= BLOB_YOUNG;
    return 0;
}

static int list_blobs(Prune *prune, Error *err)
{
    progress_phase(prune->progress, "blobs", 0);
    if (repo_lock_time(prune->lock, &prune->now, err) < 0)
        return -1;
    if (store_list_objects(repo_store(prune->repo), "blobs/", see, prune, err) < 0)
        return error_wrap(err, "listing the blobs");
    prune->live = xcalloc(prune->blobs.n + 1, sizeof *prune->live);
    return 0;
}

/* ---- marking ---- */

/* The backup that is being marked. */
typedef struct Marking {
    const PruneEntry *entry;
    uint64_t missing;
} Marking;

/* The position of a blob that stays, or SIZE_MAX: it is missing. */
static size_t mark(Prune *prune, Marking *marking, const BlobRef *ref)
{
    size_t at = blobtable_find(&prune->blobs, ref);
    BlobRecord *record = at == SIZE_MAX ? NULL : &prune->blobs.v[at];
    bool first = record != NULL && !(record->state & BLOB_STAYS);
    bool there = first ? blob_size_fits(prune->repo, ref, record->size) : record != NULL && record->size == ref->size;
    if (!there) {
        marking->missing++;
        return SIZE_MAX;
    }
    if (first) {
        prune->report->kept_blobs++;
        prune->report->kept_bytes += record->size;
        record->state |= BLOB_STAYS;
        record->size = (uint32_t)ref->size;
    }
    return at;
}

int prune_each_part(Prune *prune, const BlobRef *piece, PrunePartFn fn, void *ctx, Error *err)
{
    _cleanup_(index_reader_free_cleanup) IndexReader *reader = index_reader_new_blob(prune->repo, piece);
    const IndexEntry *entry;
    int rc;
    while ((rc = index_reader_next(reader, &entry, err)) > 0) {
        if (stop_check(err) < 0)
            return -1;
        for (size_t i = 0; i < entry->n_parts; i++) {
            size_t at = blobtable_find(&prune->blobs, &entry->parts[i].blob);
            if (fn(prune, entry, &entry->parts[i], at, ctx, err) < 0)
                return -1;
        }
    }
    return rc;
}

static int mark_part(Prune *prune, const IndexEntry *entry, const struct IndexPart *part, size_t blob, void *ctx,
                     Error *err)
{
    (void)blob;
    (void)err;
    size_t at = mark(prune, ctx, &part->blob);
    if (at == SIZE_MAX || part->blob.kind != BLOB_TAR || !rangeset_add(&prune->counted, (uint32_t)at, part->offset))
        return 0;
    uint64_t live = prune->live[at] + member_size(entry, part->length);
    prune->live[at] = live < prune->blobs.v[at].size ? (uint32_t)live : prune->blobs.v[at].size;
    return 0;
}

static int mark_fileset(Prune *prune, Marking *marking, const ManifestFileset *fileset, Error *err)
{
    for (size_t i = 0; i < fileset->n_index; i++) {
        size_t at = mark(prune, marking, &fileset->index[i]);
        if (at == SIZE_MAX || (prune->blobs.v[at].state & BLOB_FOLLOWED))
            continue;
        prune->blobs.v[at].state |= BLOB_FOLLOWED;
        if (prune_each_part(prune, &fileset->index[i], mark_part, marking, err) < 0) {
            error_wrap(err, "nothing is removed, for the index of fileset \"%s\" of backup %s cannot be read",
                       fileset->name, marking->entry->id);
            return err && err->code == ERR_CORRUPT
                       ? error_hint(err,
                                    "Nobody knows which blobs it needs. \"kura verify\" tells more; if the backup is "
                                    "lost for good, give it up with \"kura prune --remove %s\".",
                                    marking->entry->id)
                       : -1;
        }
    }
    return 0;
}

static int mark_manifest(Prune *prune, Marking *marking, const Manifest *manifest, Error *err)
{
    const ManifestDatabase *database = &manifest->database;
    for (size_t i = 0; i < database->n_toc; i++)
        mark(prune, marking, &database->toc[i]);
    for (size_t i = 0; i < database->n_tables; i++)
        for (size_t j = 0; j < database->tables[i].n_segments; j++)
            mark(prune, marking, &database->tables[i].segments[j].blob);
    if (mark_fileset(prune, marking, &database->large_objects, err) < 0)
        return -1;
    for (size_t i = 0; i < manifest->n_filesets; i++)
        if (mark_fileset(prune, marking, &manifest->filesets[i], err) < 0)
            return -1;
    return 0;
}

static int is_incomplete(const Marking *marking, Error *err)
{
    error_set(err, ERR_CORRUPT, "nothing is removed, for %ju blobs of backup %s are missing or damaged",
              (uintmax_t)marking->missing, marking->entry->id);
    return error_hint(err,
                      "\"kura verify\" tells what is affected, and \"kura backup --no-cache\" stores again what the "
                      "site still has. If the backup is lost for good, give it up with \"kura prune --remove %s\".",
                      marking->entry->id);
}

static int mark_entry(Prune *prune, const PruneEntry *entry, Error *err)
{
    Marking marking = {.entry = entry};
    _cleanup_(manifest_free_cleanup) Manifest *manifest = NULL;
    progress_item(prune->progress, entry->id);
    if (stop_check(err) < 0 || manifest_load(prune->repo, entry->name, &manifest, err) < 0 ||
        mark_manifest(prune, &marking, manifest, err) < 0)
        return -1;
    return marking.missing > 0 ? is_incomplete(&marking, err) : 0;
}

static void sum_up(Prune *prune)
{
    PruneReport *report = prune->report;
    for (size_t i = 0; i < prune->blobs.n; i++) {
        const BlobRecord *record = &prune->blobs.v[i];
        bool stays = record->state & BLOB_STAYS, young = record->state & BLOB_YOUNG;
        if (stays && record->kind == BLOB_TAR)
            report->dead_bytes += record->size - prune->live[i];
        if (stays)
            continue;
        *(young ? &report->young_blobs : &report->freed_blobs) += 1;
        *(young ? &report->young_bytes : &report->freed_bytes) += record->size;
    }
}

int prune_mark(Prune *prune, Error *err)
{
    if (list_blobs(prune, err) < 0)
        return -1;
    progress_phase(prune->progress, "indexes", 0);
    for (size_t i = prune->n_entries; i-- > 0;)
        if (!prune->entries[i].goes && mark_entry(prune, &prune->entries[i], err) < 0)
            return -1;
    sum_up(prune);
    return 0;
}
