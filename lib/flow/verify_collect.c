/* Manifests are read one at a time, and an index blob once however many backups share it: a month of backups of a large
 * site shares nearly all of them. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kura/mem.h"
#include "kura/stop.h"
#include "verify_priv.h"

DEFINE_CLEANUP(Manifest, manifest_free)
DEFINE_CLEANUP(IndexReader, index_reader_free)

static size_t add_blob(Verify *verify, const BlobRef *ref)
{
    size_t position = blobset_add(&verify->blobs, ref);
    const BlobRecord *record = &verify->blobs.v[position];
    if (record->size != ref->size) {
        Error why = ERROR_INIT;
        char key[96];
        blob_key(ref, key);
        error_set(&why, ERR_CORRUPT, "\"%s\" is said to have %" PRIu32 " bytes and to have %" PRIu64, key, record->size,
                  ref->size);
        verify_damage(verify, position, "blob-damaged", &why);
    }
    return position;
}

static void add_segment(Verify *verify, const BlobRef *ref)
{
    size_t position = add_blob(verify, ref);
    if (verify->options->percent == 0 || verify->blobs.v[position].segment != BLOBSET_NONE)
        return;
    verify->blobs.v[position].segment = (uint32_t)verify->n_segments;
    xgrow(&verify->segments, &verify->cap_segments, verify->n_segments);
    verify->segments[verify->n_segments++] = (SegmentSum){0};
}

static void add_entry(Verify *verify, IndexSum *sum, const IndexEntry *entry)
{
    if (sum->first == NULL)
        sum->first = xstrdup(entry->path);
    index_entry_count(entry, &sum->totals);
    for (size_t i = 0; i < entry->n_parts; i++)
        add_blob(verify, &entry->parts[i].blob);
    verify->pack_files += entry->n_parts == 1 && entry->parts[0].blob.kind == BLOB_TAR;
}

static int read_index(Verify *verify, const BlobRef *ref, IndexSum *sum, Error *err)
{
    _cleanup_(index_reader_free_cleanup) IndexReader *reader = index_reader_new_blob(verify->repo, ref);
    _cleanup_free_ char *last = NULL;
    const IndexEntry *entry;
    int rc;
    while ((rc = index_reader_next(reader, &entry, err)) > 0) {
        add_entry(verify, sum, entry);
        free(last);
        last = xstrdup(entry->path);
    }
    sum->last = steal(last);
    return rc;
}

/* -1 only when the store fails. */
static int add_index(Verify *verify, const ManifestFileset *fileset, const BlobRef *ref, size_t *ret, Error *err)
{
    Error why = ERROR_INIT;
    size_t position = *ret = add_blob(verify, ref);
    if (verify->blobs.v[position].index != BLOBSET_NONE)
        return 0;
    IndexSum sum = {.blob = (uint32_t)position, .fileset = xstrdup(fileset->name)};
    int rc = read_index(verify, ref, &sum, &why);
    verify->blobs.v[position].index = (uint32_t)verify->n_indexes;
    xgrow(&verify->indexes, &verify->cap_indexes, verify->n_indexes);
    verify->indexes[verify->n_indexes++] = sum;
    if (rc == 0) {
        verify->blobs.v[position].state |= BLOB_GOOD;
        return 0;
    }
    verify->incomplete = true;
    if (!verify_is_damage(&why)) {
        *err = why;
        return -1;
    }
    verify_damage(verify, position, why.code == ERR_NOT_FOUND ? "blob-missing" : "blob-damaged", &why);
    return 0;
}

static void add_totals(ManifestFileset *totals, const ManifestFileset *more)
{
    totals->files += more->files;
    totals->dirs += more->dirs;
    totals->symlinks += more->symlinks;
    totals->bytes += more->bytes;
}

/* What was skipped while the backup was made has no entry, so that others cannot be compared. */
static bool same_totals(const ManifestFileset *a, const ManifestFileset *b)
{
    return a->files == b->files && a->dirs == b->dirs && a->symlinks == b->symlinks && a->bytes == b->bytes;
}

static void bad_index(Verify *verify, VerifyBackup *backup, const ManifestFileset *fileset, const char *what)
{
    backup->damaged = true;
    verify_finding(verify, "index-damaged", "Use another backup for these files.",
                   "the index of fileset \"%s\" of backup %s %s", fileset->name, backup->id, what);
}

static int add_fileset(Verify *verify, VerifyBackup *backup, const ManifestFileset *fileset, Error *err)
{
    ManifestFileset totals = {0};
    const char *last = NULL;
    bool whole = true, ordered = true;
    for (size_t i = 0; i < fileset->n_index; i++) {
        size_t position;
        if (stop_check(err) < 0 || add_index(verify, fileset, &fileset->index[i], &position, err) < 0)
            return -1;
        const IndexSum *sum = &verify->indexes[verify->blobs.v[position].index];
        whole = whole && !(verify->blobs.v[position].state & BLOB_BAD);
        ordered = ordered && (last == NULL || sum->first == NULL || strcmp(last, sum->first) < 0);
        last = sum->last ? sum->last : last;
        add_totals(&totals, &sum->totals);
    }
    if (whole && !ordered)
        bad_index(verify, backup, fileset, "is out of order");
    else if (whole && !same_totals(&totals, fileset))
        bad_index(verify, backup, fileset, "does not have the files that the manifest says");
    return 0;
}

static int add_manifest(Verify *verify, VerifyBackup *backup, const Manifest *manifest, Error *err)
{
    const ManifestDatabase *database = &manifest->database;
    for (size_t i = 0; i < database->n_toc; i++)
        add_blob(verify, &database->toc[i]);
    for (size_t i = 0; i < database->n_tables; i++)
        for (size_t j = 0; j < database->tables[i].n_segments; j++)
            add_segment(verify, &database->tables[i].segments[j].blob);
    if (database->large_objects.name != NULL && add_fileset(verify, backup, &database->large_objects, err) < 0)
        return -1;
    for (size_t i = 0; i < manifest->n_filesets; i++)
        if (add_fileset(verify, backup, &manifest->filesets[i], err) < 0)
            return -1;
    return 0;
}

static VerifyBackup *new_backup(Verify *verify, const char *id)
{
    VerifyReport *report = verify->report;
    xgrow(&report->backups, &report->cap_backups, report->n_backups);
    report->backups[report->n_backups] = (VerifyBackup){.id = xstrdup(id)};
    return &report->backups[report->n_backups++];
}

static int add_backup(Verify *verify, const char *id, Error *err)
{
    Error why = ERROR_INIT;
    _cleanup_(manifest_free_cleanup) Manifest *manifest = NULL;
    if (manifest_load(verify->repo, id, &manifest, &why) == 0) {
        if (verify->options->app != NULL && strcmp(verify->options->app, manifest->app) != 0)
            return 0;
        return add_manifest(verify, new_backup(verify, id), manifest, err);
    }
    if (!verify_is_damage(&why)) {
        *err = why;
        return -1;
    }
    VerifyBackup *backup = new_backup(verify, id);
    backup->unreadable = backup->damaged = verify->incomplete = true;
    verify_finding(verify, "backup-unreadable", why.hint[0] ? why.hint : NULL, "%s", why.message);
    return 0;
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
    VerifyReport *report = verify->report;
    report->blobs = verify->blobs.n;
    for (size_t i = 0; i < verify->blobs.n; i++)
        report->bytes += verify->blobs.v[i].size;
    return 0;
}
