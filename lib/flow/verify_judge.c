/* From damaged blobs to what a person would miss. Manifests, and where packs or chunks are damaged the indexes, are
 * read once more instead of being kept: on most nights there is nothing to find. */
#include <stdlib.h>
#include <string.h>

#include "kura/datablocks.h"
#include "kura/mem.h"
#include "kura/stop.h"
#include "kura/words.h"
#include "verify_priv.h"

DEFINE_CLEANUP(Manifest, manifest_free)

#define ROW_MAX (1024u * 1024 * 1024) /* PostgreSQL's own limit of a row's text */

/* ---- tables ---- */

typedef enum Proof { PROVEN, NOT_READ, DIFFERS } Proof;

static const BlobRecord *record_of(const Verify *verify, const BlobRef *ref)
{
    return &verify->blobs.v[blobtable_find(&verify->blobs, ref)];
}

static const SegmentSum *sum_of(const Verify *verify, const ManifestSegment *segment)
{
    return &verify->segments[verify_find_segment(verify, blobtable_find(&verify->blobs, &segment->blob), segment)];
}

static int add_row(void *ctx, const char *row, size_t len, Error *err)
{
    rowdigest_add(ctx, row, len);
    return 0;
}

static int feed(void *ctx, const void *piece, size_t len, Error *err)
{
    return rowsplitter_feed(ctx, piece, len, err);
}

/* Segments that share a row, which then is longer than one: they are read together, a second time. */
static int add_chain(Verify *verify, const ManifestSegment *segments, size_t n, RowDigest *sum, Error *err)
{
    _cleanup_(buf_done) Buf data = BUF_INIT(BLOB_STORED_MAX);
    RowSplitter splitter = {.row = add_row, .ctx = sum, .partial = BUF_INIT(ROW_MAX)};
    int rc = 0;
    for (size_t i = 0; i < n && rc == 0; i++) {
        rc = stop_check(err) < 0 || blob_get(verify->repo, &segments[i].blob, &data, err) < 0 ? -1 : 0;
        if (rc < 0)
            break;
        size_t len;
        const uint8_t *frame = manifest_segment_frame(&segments[i], &data, &len);
        rc = repo_decompress_pieces(frame, len, BLOB_MAX, feed, &splitter, err);
    }
    buf_done(&splitter.partial);
    return rc;
}

/* Whether the segments are what the manifest says of each. */
static Proof compare_segments(const Verify *verify, const ManifestTable *table)
{
    for (size_t i = 0; i < table->n_segments; i++)
        if (!(record_of(verify, &table->segments[i].blob)->state & BLOB_GOOD))
            return NOT_READ;
    for (size_t i = 0; i < table->n_segments; i++) {
        const ManifestSegment *segment = &table->segments[i];
        const SegmentSum *sum = sum_of(verify, segment);
        bool goes_on = i + 1 < table->n_segments && table->segments[i + 1].continues;
        if (sum->rows != segment->rows || sum->raw != segment->raw || sum->open_end != goes_on)
            return DIFFERS;
    }
    return PROVEN;
}

static int prove(Verify *verify, const ManifestTable *table, Proof *ret, Error *err)
{
    RowDigest digest = {0};
    *ret = compare_segments(verify, table);
    for (size_t i = 0, end; *ret == PROVEN && i < table->n_segments; i = end) {
        for (end = i + 1; end < table->n_segments && table->segments[end].continues;)
            end++;
        const SegmentSum *sum = sum_of(verify, &table->segments[i]);
        const RowDigest rows = {.low = sum->low, .high = sum->high, .rows = sum->rows, .bytes = sum->raw};
        if (end == i + 1)
            rowdigest_merge(&digest, &rows);
        else if (add_chain(verify, &table->segments[i], end - i, &digest, err) < 0)
            return -1;
    }
    if (*ret == PROVEN && !rowdigest_equal(&digest, &table->digest))
        *ret = DIFFERS;
    return 0;
}

/* Whether a blob is bad; then its damage learns who needs it. */
static bool is_bad(Verify *verify, const VerifyBackup *backup, const BlobRef *ref, const char *format, const char *name)
{
    size_t position = blobtable_find(&verify->blobs, ref);
    if (!(verify->blobs.v[position].state & BLOB_BAD))
        return false;
    VerifyDamage *damage = verify_damage_of(verify, position);
    if (damage != NULL) {
        _cleanup_free_ char *what = xasprintf(words_get(format), name);
        verify_name(&damage->affected, "%s", what);
        verify_name(&damage->backups, "%s", backup->id);
    }
    return true;
}

static int judge_table(Verify *verify, VerifyBackup *backup, const ManifestTable *table, Error *err)
{
    _cleanup_free_ char *name = xasprintf("%s.%s", table->schema, table->name);
    bool bad = false;
    for (size_t i = 0; i < table->n_segments; i++)
        bad |= is_bad(verify, backup, &table->segments[i].blob, N_("table %s"), name);
    if (!bad && verify->reading) {
        Proof proof;
        if (prove(verify, table, &proof, err) < 0)
            return error_wrap(err, "table \"%s\" of backup %s", name, backup->id);
        bad = proof == DIFFERS;
        verify->report->tables_proven += proof == PROVEN;
        if (bad)
            verify_finding(verify, "table-damaged", "Use another backup for this table.",
                           "the rows of table \"%s\" of backup %s are not those that its manifest tells of", name,
                           backup->id);
    }
    backup->tables += bad;
    backup->damaged |= bad;
    return 0;
}

/* ---- files ---- */

static bool is_affected(const Verify *verify, const struct IndexPart *part, size_t *ret_blob)
{
    *ret_blob = blobtable_find(&verify->blobs, &part->blob);
    if (*ret_blob == SIZE_MAX || !(verify->blobs.v[*ret_blob].state & BLOB_BAD))
        return false;
    const PackFile wanted = {.blob = (uint32_t)*ret_blob, .offset = (uint32_t)part->offset};
    return !(verify->blobs.v[*ret_blob].state & BLOB_SOME_FILES) ||
           (verify->n_bad_files > 0 &&
            bsearch(&wanted, verify->bad_files, verify->n_bad_files, sizeof wanted, packfiles_compare) != NULL);
}

static bool leads_to(const VerifyDamage *damage, size_t index)
{
    for (size_t i = 0; i < damage->n_indexes; i++)
        if (damage->indexes[i] == index)
            return true;
    return false;
}

static void mark_entry(Verify *verify, size_t index, const IndexEntry *entry, void *ctx)
{
    bool bad = false;
    size_t blob;
    for (size_t i = 0; i < entry->n_parts; i++) {
        if (!is_affected(verify, &entry->parts[i], &blob))
            continue;
        bad = true;
        VerifyDamage *damage = verify_damage_of(verify, blob);
        if (damage == NULL)
            continue;
        verify_name(&damage->affected, "file %s/%s", verify->indexes[index].fileset, entry->path);
        if (!leads_to(damage, index)) {
            xgrow(&damage->indexes, &damage->cap_indexes, damage->n_indexes);
            damage->indexes[damage->n_indexes++] = (uint32_t)index;
        }
    }
    verify->indexes[index].bad_files += bad;
}

static void judge_fileset(Verify *verify, VerifyBackup *backup, const FilesetUse *use)
{
    for (size_t i = 0; i < use->n_indexes; i++) {
        const IndexSum *sum = &verify->indexes[use->indexes[i]];
        BlobRef ref = blobtable_ref(&verify->blobs, sum->blob);
        backup->damaged |= is_bad(verify, backup, &ref, N_("index of fileset %s"), use->name);
        backup->files += sum->bad_files;
        backup->damaged |= sum->bad_files > 0;
        for (size_t j = 0; sum->bad_files > 0 && j < verify->report->n_damages; j++)
            if (leads_to(&verify->report->damages[j], use->indexes[i]))
                verify_name(&verify->report->damages[j].backups, "%s", backup->id);
    }
}

/* ---- backups ---- */

static int judge_backup(Verify *verify, VerifyBackup *backup, Error *err)
{
    _cleanup_(manifest_free_cleanup) Manifest *manifest = NULL;
    if (manifest_load(verify->repo, backup->id, &manifest, err) < 0)
        return -1;
    const ManifestDatabase *database = &manifest->database;
    for (size_t i = 0; i < database->n_toc; i++)
        backup->damaged |= is_bad(verify, backup, &database->toc[i], N_("table of contents"), "");
    for (size_t i = 0; i < database->n_tables; i++)
        if (judge_table(verify, backup, &database->tables[i], err) < 0)
            return -1;
    if (verify->options->percent > 0)
        verify->report->tables += database->n_tables;
    return 0;
}

static bool files_suffer(const Verify *verify)
{
    for (size_t i = 0; i < verify->blobs.n; i++)
        if ((verify->blobs.v[i].state & BLOB_BAD) && verify->blobs.v[i].kind != BLOB_ZSTD)
            return true;
    return false;
}

int verify_judge(Verify *verify, Error *err)
{
    VerifyReport *report = verify->report;
    if (report->missing + report->damaged == 0 && !verify->reading)
        return 0;
    if (files_suffer(verify) && verify_each_index(verify, mark_entry, NULL, err) < 0)
        return -1;
    for (size_t i = 0; i < verify->n_filesets; i++)
        judge_fileset(verify, &report->backups[verify->filesets[i].backup], &verify->filesets[i]);
    for (size_t i = 0; i < report->n_backups; i++)
        if (stop_check(err) < 0 ||
            (!report->backups[i].unreadable && judge_backup(verify, &report->backups[i], err) < 0))
            return -1;
    return 0;
}
