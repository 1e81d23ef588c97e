/* Reads an index blob by blob. All of it is hostile until checked. */
#include <inttypes.h>
#include <string.h>

#include "index_io.h"
#include "kura/mem.h"
#include "kura/prefetch.h"
#include "kura/stop.h"
#include "path.h"
#include "paths.h"

enum { KEPT_MAX = 16 };

struct IndexKept {
    size_t n;
    size_t numbers[KEPT_MAX];
    Buf packed[KEPT_MAX];
};

struct IndexReader {
    const ManifestFileset *fileset; /* NULL: of one blob only */
    BlobRef blob;                   /* that one */
    Prefetch *ahead;
    size_t *numbers; /* of the pieces to read; NULL: all */
    size_t *fetched; /* of these, those that are not kept */
    size_t n_index, next_blob;
    IndexKept *kept;
    FilesetPaths *paths;
    bool begins; /* the next entry is a piece's first */
    Buf packed, raw;
    size_t at;        /* in raw */
    IndexEntry entry; /* the one given out last */
    ManifestFileset totals;
    bool ended;
};

IndexKept *index_kept_new(void)
{
    return xcalloc(1, sizeof(IndexKept));
}

void index_kept_free(IndexKept *kept)
{
    for (size_t i = 0; kept && i < kept->n; i++)
        buf_done(&kept->packed[i]);
    free(kept);
}

static const Buf *find_kept(const IndexKept *kept, size_t number)
{
    for (size_t i = 0; kept && i < kept->n; i++)
        if (kept->numbers[i] == number)
            return &kept->packed[i];
    return NULL;
}

static void keep(IndexKept *kept, size_t number, const Buf *packed)
{
    if (kept == NULL || kept->n == KEPT_MAX)
        return;
    kept->packed[kept->n] = BUF_INIT(BLOB_STORED_MAX);
    if (buf_append(&kept->packed[kept->n], packed->data, packed->len, NULL) == 0)
        kept->numbers[kept->n++] = number;
}

static void piece_item(const void *list, size_t i, PrefetchItem *ret)
{
    const IndexReader *reader = list;
    *ret = (PrefetchItem){.blob = reader->fileset->index[reader->fetched[i]]};
}

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

IndexReader *index_reader_new_pieces(Repo *repo, const ManifestFileset *fileset, size_t *numbers, size_t n,
                                     IndexKept *kept)
{
    IndexReader *reader = reader_new(n);
    size_t n_fetched = 0;
    reader->fileset = fileset;
    reader->numbers = numbers;
    reader->kept = kept;
    reader->fetched = xcalloc(n, sizeof *reader->fetched);
    for (size_t i = 0; i < n; i++)
        if (find_kept(kept, numbers[i]) == NULL)
            reader->fetched[n_fetched++] = numbers[i];
    reader->ahead = prefetch_new(repo, n_fetched, piece_item, reader);
    return reader;
}

IndexReader *index_reader_new_paths(Repo *repo, const ManifestFileset *fileset, FilesetPaths *paths)
{
    size_t *numbers;
    if (paths == NULL)
        return index_reader_new(repo, fileset);
    size_t n = fileset_paths_pieces(paths, fileset, &numbers);
    IndexReader *reader = index_reader_new_pieces(repo, fileset, numbers, n, NULL);
    reader->paths = paths;
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
    free(reader->numbers);
    free(reader->fetched);
    buf_done(&reader->packed);
    buf_done(&reader->raw);
    index_entry_done(&reader->entry);
    free(reader);
}

static size_t piece_number(const IndexReader *reader, size_t i)
{
    return reader->numbers ? reader->numbers[i] : i;
}

static int load_next_blob(IndexReader *reader, Error *err)
{
    size_t number = piece_number(reader, reader->next_blob++);
    const Buf *kept = find_kept(reader->kept, number);
    buf_clear(&reader->raw);
    reader->at = 0;
    reader->begins = true;
    if (kept)
        return repo_decompress(kept->data, kept->len, &reader->raw, err);
    if (prefetch_next(reader->ahead, &reader->packed, err) < 0)
        return -1;
    keep(reader->kept, number, &reader->packed);
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

/* Who reads some pieces alone has believed the manifest about where they begin. */
static int check_begin(IndexReader *reader, const IndexEntry *first, Error *err)
{
    bool begins = reader->begins;
    reader->begins = false;
    if (!begins || reader->fileset == NULL || reader->fileset->index_first == NULL)
        return 0;
    const char *told = reader->fileset->index_first[piece_number(reader, reader->next_blob - 1)];
    if (told == NULL || strcmp(told, first->path) == 0)
        return 0;
    _cleanup_free_ char *name = path_display(first->path);
    return error_set(err, ERR_CORRUPT, "a piece of it begins with \"%s\", where the manifest says otherwise", name);
}

static int next_entry(IndexReader *reader, Error *err)
{
    while (reader->at == reader->raw.len) {
        if (stop_check(err) < 0)
            return -1;
        if (reader->next_blob == reader->n_index)
            return reader->fileset && !reader->numbers ? check_totals(reader, err) : 0;
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
    if (check_order(reader, &entry, err) < 0 || check_begin(reader, &entry, err) < 0) {
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
    int rc;
    do
        rc = next_entry(reader, err);
    while (rc > 0 && !fileset_paths_select(reader->paths, reader->entry.path, reader->entry.type == 'd'));
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
