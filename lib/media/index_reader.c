/* Reads an index blob by blob, and what its entries point to. All of it is hostile until checked. */
#include <inttypes.h>
#include <string.h>

#include "index_io.h"
#include "kura/mem.h"
#include "kura/stop.h"
#include "path.h"

struct IndexReader {
    Repo *repo;
    const ManifestFileset *fileset; /* NULL: of one blob only */
    const BlobRef *index;
    size_t n_index, next_blob;
    BlobRef blob; /* where index points to when it is one blob only */
    Buf packed, raw;
    size_t at;        /* in raw */
    IndexEntry entry; /* the one given out last */
    ManifestFileset totals;
    bool ended;
};

IndexReader *index_reader_new(Repo *repo, const ManifestFileset *fileset)
{
    IndexReader *reader = xcalloc(1, sizeof *reader);
    *reader = (IndexReader){.repo = repo,
                            .fileset = fileset,
                            .index = fileset->index,
                            .n_index = fileset->n_index,
                            .packed = BUF_INIT(BLOB_STORED_MAX),
                            .raw = BUF_INIT(BLOB_MAX)};
    return reader;
}

IndexReader *index_reader_new_blob(Repo *repo, const BlobRef *blob)
{
    IndexReader *reader = xcalloc(1, sizeof *reader);
    *reader = (IndexReader){.repo = repo,
                            .blob = *blob,
                            .index = &reader->blob,
                            .n_index = 1,
                            .packed = BUF_INIT(BLOB_STORED_MAX),
                            .raw = BUF_INIT(BLOB_MAX)};
    return reader;
}

void index_reader_free(IndexReader *reader)
{
    if (reader == NULL)
        return;
    buf_done(&reader->packed);
    buf_done(&reader->raw);
    index_entry_done(&reader->entry);
    free(reader);
}

static int load_next_blob(IndexReader *reader, Error *err)
{
    const BlobRef *ref = &reader->index[reader->next_blob++];
    buf_clear(&reader->raw);
    reader->at = 0;
    if (blob_get(reader->repo, ref, &reader->packed, err) < 0)
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

static int read_parts(Repo *repo, const IndexEntry *entry, Sha256 *hash,
                      int (*fn)(void *ctx, const void *data, size_t len, Error *err), void *ctx, Error *err)
{
    _cleanup_(buf_done) Buf piece = BUF_INIT(BLOB_STORED_MAX);
    for (size_t i = 0; i < entry->n_parts; i++) {
        const struct IndexPart *part = &entry->parts[i];
        buf_clear(&piece);
        if (stop_check(err) < 0 || blob_get_range(repo, &part->blob, part->offset, part->length, &piece, err) < 0)
            return -1;
        sha256_update(hash, piece.data, piece.len);
        if (fn(ctx, piece.data, piece.len, err) < 0)
            return -1;
    }
    return 0;
}

int index_entry_read(Repo *repo, const IndexEntry *entry,
                     int (*fn)(void *ctx, const void *data, size_t len, Error *err), void *ctx, Error *err)
{
    char hex[SHA256_HEX_SIZE];
    _cleanup_free_ char *name = path_display(entry->path);
    Sha256 *hash = sha256_new();
    int rc = read_parts(repo, entry, hash, fn, ctx, err);
    sha256_finish_hex(hash, hex);
    sha256_free(hash);
    if (rc < 0)
        return error_wrap(err, "reading \"%s\" from the repository", name);
    if (strcmp(hex, entry->hash) == 0)
        return 0;
    error_set(err, ERR_CORRUPT, "content of \"%s\" does not match its hash", name);
    return error_hint(err, "The repository is damaged. Restore the file from another backup.");
}
