/* Manifests are read one at a time; of each only the blobs it names are kept, and which indexes belong together. */
#include <inttypes.h>
#include <string.h>

#include "kura/mem.h"
#include "kura/stop.h"
#include "kura/words.h"
#include "verify_priv.h"

DEFINE_CLEANUP(Manifest, manifest_free)

enum { SEGMENTS_MOST = 1024 }; /* of one blob */

/* With the mutex held, or before there are threads. */
static size_t add_blob(Verify *verify, const BlobRef *ref)
{
    size_t position = blobtable_add(&verify->blobs, ref);
    const BlobRecord *record = &verify->blobs.v[position];
    if (record->size != ref->size) {
        Error why = ERROR_INIT;
        char key[BLOB_KEY_SIZE];
        blob_key(verify->repo, ref, key);
        error_set(&why, ERR_CORRUPT, "\"%s\" is said to have %" PRIu32 " bytes and to have %" PRIu64, key, record->size,
                  ref->size);
        verify_damage_locked(verify, position, "blob-damaged", &why);
    }
    return position;
}

size_t verify_find_segment(const Verify *verify, size_t blob, const ManifestSegment *segment)
{
    for (uint32_t at = verify->blobs.v[blob].segment; at != BLOBTABLE_NONE; at = verify->segments[at].next)
        if (verify->segments[at].offset == segment->offset && verify->segments[at].length == segment->length)
            return at;
    return SIZE_MAX;
}

/* Nobody bundles that many: finding them would take long. */
static void too_many_segments(Verify *verify, size_t position)
{
    Error why = ERROR_INIT;
    char key[BLOB_KEY_SIZE];
    BlobRef ref = blobtable_ref(&verify->blobs, position);
    blob_key(verify->repo, &ref, key);
    error_set(&why, ERR_CORRUPT, "\"%s\" is said to hold more than %d segments", key, SEGMENTS_MOST);
    verify_damage_locked(verify, position, "blob-damaged", &why);
}

static size_t count_segments(const Verify *verify, size_t position)
{
    size_t n = 0;
    for (uint32_t at = verify->blobs.v[position].segment; at != BLOBTABLE_NONE; at = verify->segments[at].next)
        n++;
    return n;
}

static void add_segment(Verify *verify, const ManifestSegment *segment)
{
    size_t position = add_blob(verify, &segment->blob);
    if (!verify->reading || verify_find_segment(verify, position, segment) != SIZE_MAX)
        return;
    if (count_segments(verify, position) == SEGMENTS_MOST) {
        too_many_segments(verify, position);
        return;
    }
    BlobRecord *record = &verify->blobs.v[position];
    xgrow(&verify->segments, &verify->cap_segments, verify->n_segments);
    verify->segments[verify->n_segments] =
        (SegmentSum){.offset = (uint32_t)segment->offset, .length = (uint32_t)segment->length, .next = record->segment};
    record->segment = (uint32_t)verify->n_segments++;
}

static void add_totals(ManifestFileset *totals, const ManifestFileset *more)
{
    totals->files += more->files;
    totals->dirs += more->dirs;
    totals->symlinks += more->symlinks;
    totals->bytes += more->bytes;
}

/* The position of an index blob. */
static uint32_t add_index(Verify *verify, const ManifestFileset *fileset, const BlobRef *ref)
{
    size_t position = add_blob(verify, ref);
    BlobRecord *record = &verify->blobs.v[position];
    if (record->index == BLOBTABLE_NONE) {
        record->index = (uint32_t)verify->n_indexes;
        xgrow(&verify->indexes, &verify->cap_indexes, verify->n_indexes);
        verify->indexes[verify->n_indexes++] =
            (IndexSum){.blob = (uint32_t)position, .fileset = xstrdup(fileset->name)};
    }
    return record->index;
}

static void add_fileset(Verify *verify, size_t backup, const ManifestFileset *fileset)
{
    FilesetUse use = {.backup = backup, .name = xstrdup(fileset->name), .n_indexes = fileset->n_index};
    add_totals(&use.totals, fileset);
    use.indexes = xcalloc(use.n_indexes, sizeof *use.indexes);
    for (size_t i = 0; i < use.n_indexes; i++)
        use.indexes[i] = add_index(verify, fileset, &fileset->index[i]);
    xgrow(&verify->filesets, &verify->cap_filesets, verify->n_filesets);
    verify->filesets[verify->n_filesets++] = use;
}

static void add_manifest(Verify *verify, size_t backup, const Manifest *manifest)
{
    const ManifestDatabase *database = &manifest->database;
    for (size_t i = 0; i < database->n_toc; i++)
        add_blob(verify, &database->toc[i]);
    for (size_t i = 0; i < database->n_tables; i++)
        for (size_t j = 0; j < database->tables[i].n_segments; j++)
            add_segment(verify, &database->tables[i].segments[j]);
    if (database->large_objects.name != NULL)
        add_fileset(verify, backup, &database->large_objects);
    for (size_t i = 0; i < manifest->n_filesets; i++)
        add_fileset(verify, backup, &manifest->filesets[i]);
}

/* Its position. */
static size_t new_backup(Verify *verify, const char *id)
{
    VerifyReport *report = verify->report;
    xgrow(&report->backups, &report->cap_backups, report->n_backups);
    report->backups[report->n_backups] = (VerifyBackup){.id = xstrdup(id)};
    return report->n_backups++;
}

static int add_backup(Verify *verify, const char *id, Error *err)
{
    Error why = ERROR_INIT;
    _cleanup_(manifest_free_cleanup) Manifest *manifest = NULL;
    if (manifest_load(verify->repo, id, &manifest, &why) == 0) {
        if (verify->options->app != NULL && strcmp(verify->options->app, manifest->app) != 0)
            return 0;
        if (!strvec_contains(&verify->apps, manifest->app))
            strvec_push(&verify->apps, manifest->app);
        add_manifest(verify, new_backup(verify, id), manifest);
        return 0;
    }
    if (!verify_is_damage(verify, &why)) {
        *err = why;
        return -1;
    }
    size_t position = new_backup(verify, id);
    VerifyBackup *backup = &verify->report->backups[position];
    backup->unreadable = backup->damaged = verify->incomplete = true;
    verify_finding(verify, "backup-unreadable", why.hint[0] ? why.hint : NULL, "%s", why.message);
    return 0;
}

static void add_entry(Verify *verify, size_t index, const IndexEntry *entry, void *ctx)
{
    IndexSum *sum = &verify->indexes[index];
    if (sum->first == NULL)
        sum->first = xstrdup(entry->path);
    free(sum->last);
    sum->last = xstrdup(entry->path);
    index_entry_count(entry, &sum->totals);
    for (size_t i = 0; i < entry->n_parts; i++)
        add_blob(verify, &entry->parts[i].blob);
    verify->pack_files += entry->n_parts == 1 && entry->parts[0].blob.kind == BLOB_TAR;
}

/* What was skipped while the backup was made has no entry, so that others cannot be compared. */
static bool same_totals(const ManifestFileset *a, const ManifestFileset *b)
{
    return a->files == b->files && a->dirs == b->dirs && a->symlinks == b->symlinks && a->bytes == b->bytes;
}

/* Each index blob is in order; are they together, and is there what the manifest says? */
static void check_fileset(Verify *verify, const FilesetUse *use)
{
    ManifestFileset totals = {0};
    const char *last = NULL;
    bool ordered = true;
    for (size_t i = 0; i < use->n_indexes; i++) {
        const IndexSum *sum = &verify->indexes[use->indexes[i]];
        if (verify->blobs.v[sum->blob].state & BLOB_BAD)
            return; /* that is told already */
        ordered = ordered && (last == NULL || sum->first == NULL || strcmp(last, sum->first) < 0);
        last = sum->last ? sum->last : last;
        add_totals(&totals, &sum->totals);
    }
    if (ordered && same_totals(&totals, &use->totals))
        return;
    VerifyBackup *backup = &verify->report->backups[use->backup];
    backup->damaged = true;
    verify_finding(verify, "index-damaged", "Use another backup for these files.",
                   ordered
                       ? N_("the index of fileset \"%s\" of backup %s does not have the files that the manifest says")
                       : N_("the index of fileset \"%s\" of backup %s is out of order"),
                   use->name, backup->id);
}

int verify_collect(Verify *verify, const StrVec *ids, Error *err)
{
    progress_phase(verify->progress, "backups", 0);
    for (size_t i = 0; i < ids->n; i++) {
        progress_item(verify->progress, ids->v[i]);
        if (stop_check(err) < 0 || add_backup(verify, ids->v[i], err) < 0)
            return -1;
        progress_add(verify->progress, 0, 1);
    }
    if (verify_each_index(verify, add_entry, NULL, err) < 0)
        return -1;
    for (size_t i = 0; i < verify->n_filesets; i++)
        check_fileset(verify, &verify->filesets[i]);
    VerifyReport *report = verify->report;
    report->blobs = verify->blobs.n;
    for (size_t i = 0; i < verify->blobs.n; i++)
        report->bytes += verify->blobs.v[i].size;
    return 0;
}
