/* Reads an index blob by blob. All of it is hostile until checked. */
#include <inttypes.h>
#include <string.h>

#include "index_io.h"
#include "kura/mem.h"
#include "kura/prefetch.h"
#include "kura/stop.h"
#include "path.h"

struct IndexReader {
    const ManifestFileset *fileset; /* NULL: of one blob only */
    BlobRef blob;                   /* that one */
    Prefetch *ahead;
    size_t n_index, next_blob;
    Buf packed, raw;
    size_t at;        /* in raw */
    IndexEntry entry; /* the one given out last */
    ManifestFileset totals;
    bool ended;
};

static void index_item(const void *list, size_t i, PrefetchItem *ret)
{
    const BlobRef *index = list;
    *ret = (PrefetchItem){.blob = index[i]};
}

static IndexReader *reader_new(size_t n_index)
{
    IndexReader *reader = xcalloc(1, sizeof *reader);
    *reader = (IndexReader){.n_index = n_index, .packed = BUF_INIT(BLOB_STORED_MAX), .raw = BUF_INIT(BLOB_MAX)};
    return reader;
}

IndexReader *index_reader_new(Repo *repo, const ManifestFileset *fileset)
{
    IndexReader *reader = reader_new(fileset->n_index);
    reader->fileset = fileset;
    reader->ahead = prefetch_new(repo, fileset->n_index, index_item, fileset->index);
    return reader;
}

IndexReader *index_reader_new_blob(Repo *repo, const BlobRef *blob)
{
    IndexReader *reader = reader_new(1);
    reader->blob = *blob;
    reader->ahead = prefetch_new(repo, 1, index_item, &reader->blob);
    return reader;
}

void index_reader_free(IndexReader *reader)
{
    if (reader == NULL)
        return;
    prefetch_free(reader->ahead);
    buf_done(&reader->packed);
    buf_done(&reader->raw);
    index_entry_done(&reader->entry);
    free(reader);
}

static int load_next_blob(IndexReader *reader, Error *err)
{
    reader->next_blob++;
    buf_clear(&reader->raw);
    reader->at = 0;
    if (prefetch_next(reader->ahead, &reader->packed, err) < 0)
        return -1;
    return repo_decompress(reader->packed.data, reader->packed.len, &reader->raw, err);
}

/* The totals say whether the end of the index is missing. What was skipped (sockets, devices) has no entry, so that
 * the others cannot be compared. */
static int check_totals(const IndexReader *reader, Error *err)
{
    const ManifestFileset *want = reader->fileset, *got = &reader->totals;
    if (got->files == want->files && got->dirs == want->dirs && got->symlinks == want->symlinks &&
        got->bytes == want->bytes)
        return 0;
    return error_set(err, ERR_CORRUPT,
                     "it has %" PRIu64 " files, %" PRIu64 " directories, %" PRIu64 " links and %" PRIu64
                     " bytes, where the manifest says %" PRIu64 ", %" PRIu64 ", %" PRIu64 " and %" PRIu64,
                     got->files, got->dirs, got->symlinks, got->bytes, want->files, want->dirs, want->symlinks,
                     want->bytes);
}

static int check_order(const IndexReader *reader, const IndexEntry *next, Error *err)
{
    if (reader->entry.path == NULL || strcmp(reader->entry.path, next->path) < 0)
        return 0;
    _cleanup_free_ char *name = path_display(next->path);
    return error_set(err, ERR_CORRUPT, "\"%s\" is out of order", name);
}

static int next_entry(IndexReader *reader, Error *err)
{
    while (reader->at == reader->raw.len) {
        if (stop_check(err) < 0)
            return -1;
        if (reader->next_blob == reader->n_index)
            return reader->fileset ? check_totals(reader, err) : 0;
        if (load_next_blob(reader, err) < 0)
            return -1;
    }
    const char *line = (const char *)reader->raw.data + reader->at;
    const char *end = memchr(line, '\n', reader->raw.len - reader->at);
    if (end == NULL)
        return error_set(err, ERR_TRUNCATED, "a line has no end");
    IndexEntry entry;
    if (index_entry_parse(line, (size_t)(end - line), &entry, err) < 0)
        return -1;
    if (check_order(reader, &entry, err) < 0) {
        index_entry_done(&entry);
        return -1;
    }
    index_entry_done(&reader->entry);
    reader->entry = entry;
    reader->at += (size_t)(end - line) + 1;
    index_entry_count(&entry, &reader->totals);
    return 1;
}

int index_reader_next(IndexReader *reader, const IndexEntry **ret, Error *err)
{
    if (reader->ended)
        return 0;
    int rc = next_entry(reader, err);
    if (rc < 0 && reader->fileset)
        error_wrap(err, "reading the index of fileset \"%s\"", reader->fileset->name ? reader->fileset->name : "");
    if (rc <= 0)
        reader->ended = true;
    else
        *ret = &reader->entry;
    return rc;
}

size_t index_reader_piece(const IndexReader *reader)
{
    return reader->next_blob - 1;
}

/* Files of one pack stand together: one word for all of them is mostly enough. */
void index_entry_know(const IndexEntry *entry, Uploader *uploader, BlobRef *last)
{
    for (size_t i = 0; i < entry->n_parts; i++) {
        const BlobRef *blob = &entry->parts[i].blob;
        if (strcmp(blob->hash, last->hash) == 0)
            continue;
        uploader_know(uploader, blob);
        *last = *blob;
    }
}

int fileset_know(Repo *repo, Uploader *uploader, const ManifestFileset *fileset, Error *err)
{
    const IndexEntry *entry;
    BlobRef last = {0};
    int rc;
    IndexReader *reader = index_reader_new(repo, fileset);
    while ((rc = index_reader_next(reader, &entry, err)) > 0)
        index_entry_know(entry, uploader, &last);
    index_reader_free(reader);
    return rc;
}
