/* Rows on their way out. Every segment was checked against its hash when it was read; the digest of the table proves
 * that the segments are all there, and in one piece. */
#include <stdatomic.h>
#include <string.h>

#include "datafile.h"
#include "export_priv.h"
#include "kura/datablocks.h"
#include "kura/mem.h"
#include "kura/pool.h"
#include "kura/prefetch.h"
#include "kura/words.h"

enum { JOBS = 2 };
#define ROW_MAX (1024u * 1024 * 1024) /* PostgreSQL's own limit of a row's text */

typedef struct Run {
    Export *export;
    const TocEntry **entries; /* one for each table of the manifest */
    atomic_size_t next;
} Run;

/* The memory of one worker, what it reads ahead, and the bundle that it read last: the next table is likely to be in it
 * too. */
typedef struct Scratch {
    Prefetch *ahead;
    Buf stored, raw;
    BlobRef bundle_ref;
    Buf bundle;
} Scratch;

static void scratch_done(Scratch *scratch)
{
    buf_done(&scratch->stored);
    buf_done(&scratch->raw);
    buf_done(&scratch->bundle);
}

static int add_row(void *ctx, const char *row, size_t len, Error *err)
{
    rowdigest_add(ctx, row, len);
    return 0;
}

static int damaged(Error *err, const ManifestTable *table, const char *what)
{
    error_set(err, ERR_CORRUPT, "the rows of table \"%s.%s\" are not those that were backed up: %s", table->schema,
              table->name, what);
    return error_hint(err, "Use another backup, or bring the repository back from a copy of it.");
}

static int read_bundled(Run *run, const ManifestSegment *segment, Scratch *scratch, Error *err)
{
    const BlobRef *have = &scratch->bundle_ref, *want = &segment->blob;
    if (strcmp(have->hash, want->hash) != 0 || have->size != want->size) {
        scratch->bundle_ref = (BlobRef){0};
        if (blob_get(run->export->repo, &segment->blob, &scratch->bundle, err) < 0)
            return -1;
        scratch->bundle_ref = segment->blob;
    }
    size_t len;
    const uint8_t *frame = manifest_segment_frame(segment, &scratch->bundle, &len);
    buf_clear(&scratch->stored);
    return buf_append(&scratch->stored, frame, len, err);
}

static int read_segment(Run *run, const ManifestSegment *segment, Scratch *scratch, Error *err)
{
    return scratch->ahead ? prefetch_next(scratch->ahead, &scratch->stored, err)
                          : read_bundled(run, segment, scratch, err);
}

static int write_segment(Run *run, const ManifestTable *table, const ManifestSegment *segment, DataFile *file,
                         RowSplitter *splitter, Scratch *scratch, Error *err)
{
    const RowDigest *digest = splitter->ctx;
    uint64_t rows_before = digest->rows;
    buf_clear(&scratch->raw);
    if (read_segment(run, segment, scratch, err) < 0 ||
        repo_decompress(scratch->stored.data, scratch->stored.len, &scratch->raw, err) < 0 ||
        rowsplitter_feed(splitter, scratch->raw.data, scratch->raw.len, err) < 0)
        return -1;
    if (scratch->raw.len != segment->raw || digest->rows - rows_before != segment->rows)
        return damaged(err, table, _("a segment has another size"));
    if (datafile_segment(file, &scratch->stored, &scratch->raw, err) < 0)
        return -1;
    progress_add(run->export->progress, segment->raw, segment->rows);
    return 0;
}

static void segment_item(const void *list, size_t i, PrefetchItem *ret)
{
    const ManifestSegment *segment = (const ManifestSegment *)list + i;
    *ret = (PrefetchItem){
        .blob = segment->blob, .part = segment->length > 0, .offset = segment->offset, .length = segment->length};
}

static int write_rows(Run *run, Pool *pool, const ManifestTable *table, DataFile *file, Scratch *scratch, Error *err)
{
    RowDigest digest = {0};
    RowSplitter splitter = {.row = add_row, .ctx = &digest, .partial = BUF_INIT(ROW_MAX)};
    int rc = 0;
    bool bundled = table->n_segments == 1 && table->segments[0].length > 0;
    scratch->ahead = bundled ? NULL : prefetch_new(run->export->repo, table->n_segments, segment_item, table->segments);
    for (size_t i = 0; i < table->n_segments && rc == 0; i++)
        rc = pool_check(pool, err) < 0 ? -1
                                       : write_segment(run, table, &table->segments[i], file, &splitter, scratch, err);
    prefetch_free(scratch->ahead);
    if (rc == 0 && splitter.partial.len > 0)
        rc = damaged(err, table, _("the last one is cut off"));
    if (rc == 0 && !rowdigest_equal(&digest, &table->digest))
        rc = damaged(err, table, _("their digest differs"));
    buf_done(&splitter.partial);
    return rc;
}

static int export_table(Run *run, Pool *pool, const ManifestTable *table, const TocEntry *entry, Scratch *scratch,
                        Error *err)
{
    Export *export = run->export;
    _cleanup_free_ char *name = xasprintf("database/%d.dat%s", entry->dump_id, datafile_suffix(export->compression));
    _cleanup_free_ char *path = xasprintf("%s/%s", export->dir, name);
    _cleanup_free_ char *item = xasprintf("%s.%s", table->schema, table->name);
    progress_item(export->progress, item);
    _cleanup_(datafile_done) DataFile file;
    char hex[SHA256_HEX_SIZE];
    if (datafile_open(&file, export->repo, export->compression, path, err) < 0 ||
        write_rows(run, pool, table, &file, scratch, err) < 0 || datafile_close(&file, hex, err) < 0)
        return error_wrap(err, "table \"%s\"", item);
    sums_add(&export->sums, name, hex);
    return 0;
}

static int work(void *ctx, Pool *pool, size_t worker, Error *err)
{
    Run *run = ctx;
    const ManifestDatabase *database = &run->export->manifest->database;
    _cleanup_(scratch_done) Scratch scratch = {
        .stored = BUF_INIT(BLOB_STORED_MAX), .raw = BUF_INIT(BLOB_MAX), .bundle = BUF_INIT(BLOB_STORED_MAX)};
    for (size_t i; (i = run->next++) < database->n_tables;)
        if (pool_check(pool, err) < 0 ||
            export_table(run, pool, &database->tables[i], run->entries[i], &scratch, err) < 0)
            return -1;
    return 0;
}

/* Every TABLE DATA entry needs rows and all rows need one: pg_restore takes what is missing for an empty table. */
static int match_entries(const Toc *toc, const ManifestDatabase *database, const TocEntry **entries, Error *err)
{
    size_t wanted = 0;
    for (size_t i = 0; i < toc->n_entries; i++) {
        const TocEntry *entry = &toc->entries[i];
        if (!entry->had_dumper || toc_entry_is(entry, "BLOBS"))
            continue;
        if (!toc_entry_is(entry, "TABLE DATA"))
            return error_set(err, ERR_UNSUPPORTED, "entry %d of the table of contents has data of unknown kind \"%s\"",
                             entry->dump_id, entry->desc);
        wanted++;
    }
    for (size_t i = 0; i < database->n_tables; i++) {
        const ManifestTable *table = &database->tables[i];
        entries[i] = toc_find(toc, table->dump_id);
        if (entries[i] == NULL || !toc_entry_has_rows(entries[i]))
            return error_set(err, ERR_CORRUPT, "table \"%s.%s\" of the manifest is not in the table of contents",
                             table->schema, table->name);
    }
    if (wanted != database->n_tables)
        return error_set(err, ERR_CORRUPT, "the table of contents has %zu tables with rows, the manifest %zu", wanted,
                         database->n_tables);
    return 0;
}

int export_tables(Export *export, const Toc *toc, Error *err)
{
    const ManifestDatabase *database = &export->manifest->database;
    _cleanup_free_ const TocEntry **entries = xcalloc(database->n_tables, sizeof *entries);
    if (match_entries(toc, database, entries, err) < 0)
        return -1;
    uint64_t bytes = 0;
    for (size_t i = 0; i < database->n_tables; i++)
        bytes += database->tables[i].digest.bytes;
    progress_phase(export->progress, "rows", bytes);
    Run run = {.export = export, .entries = entries};
    return pool_run(JOBS, work, &run, err);
}
