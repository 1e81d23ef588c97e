/* Reads what entries of an index point to. A local store is read part by part. From a remote one a pack comes whole:
 * the entries that follow are mostly in it too. */
#include <string.h>

#include "kura/mem.h"
#include "kura/stop.h"
#include "partreader.h"
#include "path.h"

struct EntryReader {
    Repo *repo;
    bool whole_packs;
    BlobRef pack; /* size 0: none */
    Buf pack_data, piece;
    Sha256 *hash;
};

EntryReader *entry_reader_new(Repo *repo)
{
    EntryReader *reader = xmalloc(sizeof *reader);
    *reader = (EntryReader){.repo = repo,
                            .whole_packs = store_is_remote(repo_store(repo)),
                            .pack_data = BUF_INIT(BLOB_STORED_MAX),
                            .piece = BUF_INIT(BLOB_STORED_MAX),
                            .hash = sha256_new()};
    return reader;
}

void entry_reader_free(EntryReader *reader)
{
    if (reader == NULL)
        return;
    buf_done(&reader->pack_data);
    buf_done(&reader->piece);
    sha256_free(reader->hash);
    free(reader);
}

typedef struct Sink {
    int (*fn)(void *ctx, const void *data, size_t len, Error *err);
    void *ctx;
} Sink;

static int give(EntryReader *reader, const Sink *sink, const void *data, size_t len, Error *err)
{
    sha256_update(reader->hash, data, len);
    return sink->fn(sink->ctx, data, len, err);
}

static int read_parts(EntryReader *reader, const IndexEntry *entry, const Sink *sink, Error *err)
{
    PartReader parts;
    int rc = 0;
    part_reader_init(&parts, reader->repo, entry);
    for (size_t i = 0; i < entry->n_parts && rc == 0; i++)
        if (stop_check(err) < 0 || part_reader_next(&parts, &reader->piece, err) < 0 ||
            give(reader, sink, reader->piece.data, reader->piece.len, err) < 0)
            rc = -1;
    part_reader_done(&parts);
    return rc;
}

static int read_pack(EntryReader *reader, const BlobRef *ref, Error *err)
{
    if (reader->pack.size == ref->size && reader->pack.kind == ref->kind && strcmp(reader->pack.hash, ref->hash) == 0)
        return 0;
    reader->pack.size = 0;
    buf_clear(&reader->pack_data);
    if (blob_get_range(reader->repo, ref, 0, ref->size, &reader->pack_data, err) < 0)
        return -1;
    reader->pack = *ref;
    return 0;
}

static int read_content(EntryReader *reader, const IndexEntry *entry, const Sink *sink, Error *err)
{
    const struct IndexPart *part = entry->parts;
    if (!reader->whole_packs || entry->n_parts != 1 || part->blob.kind != BLOB_TAR)
        return read_parts(reader, entry, sink, err);
    if (stop_check(err) < 0 || read_pack(reader, &part->blob, err) < 0)
        return -1;
    return give(reader, sink, reader->pack_data.data + part->offset, part->length, err);
}

int entry_reader_read(EntryReader *reader, const IndexEntry *entry,
                      int (*fn)(void *ctx, const void *data, size_t len, Error *err), void *ctx, Error *err)
{
    char hex[SHA256_HEX_SIZE];
    const Sink sink = {fn, ctx};
    _cleanup_free_ char *name = path_display(entry->path);
    int rc = read_content(reader, entry, &sink, err);
    sha256_finish_hex(reader->hash, hex);
    if (rc < 0)
        return error_wrap(err, "reading \"%s\" from the repository", name);
    if (strcmp(hex, entry->hash) == 0)
        return 0;
    error_set(err, ERR_CORRUPT, "content of \"%s\" does not match its hash", name);
    return error_hint(err, "The repository is damaged. Restore the file from another backup.");
}
