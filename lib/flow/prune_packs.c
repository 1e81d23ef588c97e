/* Packs of which most is dead. New packs of their members come first, then, backup by backup, the pieces of indexes
 * that refer to them and a manifest of the next revision; the old revision goes when that is committed, and the old
 * packs when no manifest refers to them any more. Killed in between, a run leaves packs that nobody needs, or two
 * revisions of which either is right. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "kura/log.h"
#include "kura/mem.h"
#include "kura/repack.h"
#include "kura/stop.h"
#include "prune_priv.h"
#include "rewrite.h"

DEFINE_CLEANUP(Manifest, manifest_free)

#define MIB (1024ull * 1024)
/* A pack pays with its dead bytes for the moving of the others. */
enum { DEAD_LEAST = 20 }; /* per cent */
/* What moves in one run: places of a million files of 8 KiB take 24 MB. The rest is for the next run. */
#define MOVED_MAX (8192 * MIB)
#define UPLOAD_BYTES (64 * MIB)
enum { UPLOAD_THREADS = 4 };

/* A member of an old pack and where it moves. */
typedef struct Move {
    uint32_t victim, offset, length;
    uint32_t pack, new_offset;
} Move;

struct Victims {
    size_t *packs; /* positions in the table of blobs */
    size_t n;
    Move *moves; /* by victim and offset, once they are sorted */
    size_t n_moves, cap_moves;
    size_t *first; /* of each victim's moves, and behind the last */
    Repacker *repacker;
};
typedef struct Victims Victims;

void prune_victims_free(Victims *victims)
{
    if (victims == NULL)
        return;
    free(victims->packs);
    free(victims->moves);
    free(victims->first);
    repacker_free(victims->repacker);
    free(victims);
}

/* ---- choosing ---- */

typedef struct Candidate {
    size_t blob;
    uint32_t dead;
    double share;
} Candidate;

static int by_share(const void *a, const void *b)
{
    double left = ((const Candidate *)a)->share, right = ((const Candidate *)b)->share;
    return (left < right) - (left > right);
}

static Candidate *list_candidates(const Prune *prune, size_t *ret_n)
{
    size_t cap = 0;
    Candidate *list = NULL;
    *ret_n = 0;
    for (size_t i = 0; i < prune->blobs.n; i++) {
        const BlobRecord *record = &prune->blobs.v[i];
        uint32_t dead = record->size - prune->live[i];
        if (record->kind != BLOB_TAR || (record->state & (BLOB_STAYS | BLOB_YOUNG)) != BLOB_STAYS ||
            (uint64_t)dead * 100 < (uint64_t)record->size * DEAD_LEAST)
            continue;
        xgrow(&list, &cap, *ret_n);
        list[(*ret_n)++] = (Candidate){.blob = i, .dead = dead, .share = (double)dead / record->size};
    }
    return list;
}

/* The worst first, until what is dead in the others is little enough. */
void prune_choose_packs(Prune *prune)
{
    PruneReport *report = prune->report;
    double bearable = (double)report->kept_bytes * prune->options->max_unused / 100;
    uint64_t dead = report->dead_bytes, moved = 0;
    size_t n;
    if (prune->options->max_unused >= 100 || (double)dead <= bearable)
        return;
    _cleanup_free_ Candidate *list = list_candidates(prune, &n);
    if (n == 0)
        return;
    qsort(list, n, sizeof *list, by_share);
    Victims *victims = prune->victims = xcalloc(1, sizeof *victims);
    victims->packs = xcalloc(n, sizeof *victims->packs);
    for (size_t i = 0; i < n && (double)dead > bearable && moved < MOVED_MAX; i++) {
        BlobRecord *record = &prune->blobs.v[list[i].blob];
        record->state |= BLOB_VICTIM;
        record->index = (uint32_t)victims->n;
        victims->packs[victims->n++] = list[i].blob;
        dead -= list[i].dead;
        moved += record->size - list[i].dead;
        report->packs++;
        report->packs_bytes += record->size;
        report->packs_freed += list[i].dead;
    }
}

/* ---- moving members ---- */

typedef struct Gathering {
    RangeSet seen;
    size_t piece; /* position of the piece of an index that is being read */
} Gathering;

static int gather_part(Prune *prune, const IndexEntry *entry, const struct IndexPart *part, size_t blob, void *ctx,
                       Error *err)
{
    (void)entry;
    (void)err;
    Gathering *gathering = ctx;
    if (blob == SIZE_MAX || !(prune->blobs.v[blob].state & BLOB_VICTIM))
        return 0;
    Victims *victims = prune->victims;
    uint32_t victim = prune->blobs.v[blob].index;
    prune->blobs.v[gathering->piece].state |= BLOB_TOUCHED;
    if (!rangeset_add(&gathering->seen, victim, part->offset))
        return 0;
    xgrow(&victims->moves, &victims->cap_moves, victims->n_moves);
    victims->moves[victims->n_moves++] =
        (Move){.victim = victim, .offset = (uint32_t)part->offset, .length = (uint32_t)part->length};
    return 0;
}

static int by_place(const void *a, const void *b)
{
    const Move *left = a, *right = b;
    if (left->victim != right->victim)
        return left->victim < right->victim ? -1 : 1;
    return (left->offset > right->offset) - (left->offset < right->offset);
}

static void sort_moves(Victims *victims)
{
    if (victims->n_moves > 0)
        qsort(victims->moves, victims->n_moves, sizeof *victims->moves, by_place);
    victims->first = xcalloc(victims->n + 1, sizeof *victims->first);
    for (size_t i = 0, at = 0; i <= victims->n; i++) {
        while (at < victims->n_moves && victims->moves[at].victim < i)
            at++;
        victims->first[i] = at;
    }
}

/* All pieces of indexes that backups which stay refer to were followed when they were marked. */
static int gather(Prune *prune, Error *err)
{
    Gathering gathering = {0};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < prune->blobs.n; i++) {
        if (!(prune->blobs.v[i].state & BLOB_FOLLOWED))
            continue;
        BlobRef ref = blobtable_ref(&prune->blobs, i);
        gathering.piece = i;
        rc = prune_each_part(prune, &ref, gather_part, &gathering, err);
    }
    rangeset_done(&gathering.seen);
    sort_moves(prune->victims);
    return rc;
}

static int move_pack(Prune *prune, size_t victim, Buf *pack, Error *err)
{
    Victims *victims = prune->victims;
    BlobRef ref = blobtable_ref(&prune->blobs, victims->packs[victim]);
    if (stop_check(err) < 0 || blob_get(prune->repo, &ref, pack, err) < 0 ||
        repacker_open(victims->repacker, pack, err) < 0)
        return -1;
    for (size_t i = victims->first[victim]; i < victims->first[victim + 1]; i++) {
        Move *move = &victims->moves[i];
        size_t number;
        uint64_t offset;
        if (repacker_take(victims->repacker, move->offset, move->length, &number, &offset, err) < 0)
            return error_wrap(err, "pack %s", ref.hash);
        move->pack = (uint32_t)number;
        move->new_offset = (uint32_t)offset;
    }
    progress_add(prune->progress, ref.size, 1);
    return 0;
}

static int move_members(Prune *prune, Error *err)
{
    _cleanup_(buf_done) Buf pack = BUF_INIT(BLOB_STORED_MAX);
    Uploader *uploader = uploader_new(prune->repo, UPLOAD_THREADS, UPLOAD_BYTES);
    prune->victims->repacker = repacker_new(uploader);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < prune->victims->n; i++)
        rc = move_pack(prune, i, &pack, err);
    if (rc == 0)
        rc = repacker_finish(prune->victims->repacker, err);
    if (rc == 0)
        rc = uploader_finish(uploader, NULL, err);
    uploader_free(uploader);
    return rc;
}

/* Equal bytes have equal names: what came out may be a pack that was there. */
static void spare_needed(Prune *prune)
{
    for (size_t i = 0; i < repacker_count(prune->victims->repacker); i++) {
        size_t at = blobtable_find(&prune->blobs, repacker_pack(prune->victims->repacker, i));
        if (at != SIZE_MAX)
            prune->blobs.v[at].state |= BLOB_NEEDED;
    }
}

/* ---- manifests ---- */

static const Move *find_move(const Victims *victims, uint32_t victim, uint64_t offset)
{
    const Move key = {.victim = victim, .offset = (uint32_t)offset};
    size_t first = victims->first[victim], n = victims->first[victim + 1] - first;
    return n ? bsearch(&key, victims->moves + first, n, sizeof key, by_place) : NULL;
}

static int new_place(void *ctx, const BlobRef *blob, uint64_t offset, uint64_t length, BlobRef *ret_blob,
                     uint64_t *ret_offset, Error *err)
{
    Prune *prune = ctx;
    size_t at = blobtable_find(&prune->blobs, blob);
    *ret_blob = *blob;
    *ret_offset = offset;
    if (at == SIZE_MAX || !(prune->blobs.v[at].state & BLOB_VICTIM))
        return 0;
    const Move *move = find_move(prune->victims, prune->blobs.v[at].index, offset);
    if (move == NULL || move->length != length)
        return error_set(err, ERR_CORRUPT, "pack %s holds no %ju bytes at %ju", blob->hash, (uintmax_t)length,
                         (uintmax_t)offset);
    *ret_blob = *repacker_pack(prune->victims->repacker, move->pack);
    *ret_offset = move->new_offset;
    return 0;
}

/* And so is a piece of an index that comes out as one that was there, itself perhaps. */
static void spare_index(Prune *prune, const ManifestFileset *fileset)
{
    for (size_t i = 0; i < fileset->n_index; i++) {
        size_t at = blobtable_find(&prune->blobs, &fileset->index[i]);
        if (at != SIZE_MAX)
            prune->blobs.v[at].state |= BLOB_NEEDED;
    }
}

static bool fileset_is_touched(const Prune *prune, const ManifestFileset *fileset)
{
    for (size_t i = 0; i < fileset->n_index; i++) {
        size_t at = blobtable_find(&prune->blobs, &fileset->index[i]);
        if (at != SIZE_MAX && (prune->blobs.v[at].state & BLOB_TOUCHED))
            return true;
    }
    return false;
}

static bool is_touched(const Prune *prune, const Manifest *manifest)
{
    bool touched = fileset_is_touched(prune, &manifest->database.large_objects);
    for (size_t i = 0; i < manifest->n_filesets; i++)
        touched = touched || fileset_is_touched(prune, &manifest->filesets[i]);
    return touched;
}

/* The new manifest, with what it refers to stored; *ret may be set on failure too. */
static int rewrite(Prune *prune, const Manifest *manifest, Manifest **ret, Error *err)
{
    Uploader *uploader = uploader_new(prune->repo, UPLOAD_THREADS, UPLOAD_BYTES);
    int rc = manifest_rewrite(prune->repo, prune->repo, uploader, manifest, new_place, prune, ret, err);
    if (rc == 0)
        rc = uploader_finish(uploader, NULL, err);
    uploader_free(uploader);
    return rc;
}

/* As with a backup: the lock is looked at before the new manifest is committed, and before the old one goes. */
static int replace(Prune *prune, const char *old, const Manifest *manifest, Error *err)
{
    if (stop_check(err) < 0 || repo_lock_check(prune->lock, err) < 0 ||
        manifest_commit(prune->repo, manifest, err) < 0 || repo_lock_check(prune->lock, err) < 0)
        return -1;
    return manifest_delete(prune->repo, old, err) < 0 ? prune_not_removed(err) : 0;
}

static int rewrite_entry(Prune *prune, const PruneEntry *entry, Error *err)
{
    _cleanup_(manifest_free_cleanup) Manifest *manifest = NULL, *new = NULL;
    if (stop_check(err) < 0 || manifest_load(prune->repo, entry->name, &manifest, err) < 0)
        return -1;
    if (!is_touched(prune, manifest))
        return 0;
    if (rewrite(prune, manifest, &new, err) < 0)
        return -1;
    new->revision++;
    spare_index(prune, &new->database.large_objects);
    for (size_t i = 0; i < new->n_filesets; i++)
        spare_index(prune, &new->filesets[i]);
    return replace(prune, entry->name, new, err);
}

/* Where nothing can be removed, nothing is moved: that would only make the repository larger. */
static int try_removal(Prune *prune, Error *err)
{
    static const char key[] = "probe/prune";
    Store *store = repo_store(prune->repo);
    if (store_put(store, key, "", 0, false, err) < 0)
        return -1;
    return store_delete(store, key, err) < 0 ? prune_not_removed(err) : 0;
}

static bool is_moved(const BlobRecord *record)
{
    return (record->state & (BLOB_VICTIM | BLOB_NEEDED)) == BLOB_VICTIM;
}

/* A piece of an index that touched a victim has another in its place; no backup names it any more. */
static bool is_replaced(const BlobRecord *record)
{
    return (record->state & (BLOB_TOUCHED | BLOB_NEEDED | BLOB_YOUNG)) == BLOB_TOUCHED;
}

int prune_rewrite_packs(Prune *prune, Error *err)
{
    if (prune->victims == NULL)
        return 0;
    progress_phase(prune->progress, "packs", prune->report->packs_bytes);
    if (try_removal(prune, err) < 0 || gather(prune, err) < 0 || move_members(prune, err) < 0)
        return -1;
    spare_needed(prune);
    progress_phase(prune->progress, "manifests", 0);
    for (size_t i = prune->n_entries; i-- > 0;)
        if (!prune->entries[i].goes && rewrite_entry(prune, &prune->entries[i], err) < 0)
            return -1;
    log_info("rewrote %zu packs into %zu", prune->victims->n, repacker_count(prune->victims->repacker));
    return prune_remove_blobs(prune, is_moved, err) < 0 ? -1 : prune_remove_blobs(prune, is_replaced, err);
}
