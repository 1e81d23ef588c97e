#include "rewrite.h"

#include <string.h>

#include "kura/cache.h"
#include "kura/fileset.h"
#include "kura/mem.h"

DEFINE_CLEANUP(IndexReader, index_reader_free)
DEFINE_CLEANUP(Manifest, manifest_free)

typedef struct Rewriter {
    Repo *from, *to;
    Uploader *uploader;
    RewriteRef fn;
    void *ctx;
} Rewriter;

/* ---- pieces of an index ---- */

/* The piece that is being read, as it will be. */
typedef struct Piece {
    Buf lines;
    bool changed;
} Piece;

static int rewrite_whole(const Rewriter *rewriter, BlobRef *blob, Error *err)
{
    BlobRef now;
    uint64_t offset;
    if (rewriter->fn(rewriter->ctx, blob, 0, blob->size, &now, &offset, err) < 0)
        return -1;
    *blob = now;
    return 0;
}

static int store_piece(const Rewriter *rewriter, const Buf *lines, BlobRef *ret, Error *err)
{
    _cleanup_(buf_done) Buf packed = BUF_INIT(BLOB_MAX);
    if (repo_compress(rewriter->to, lines->data, lines->len, &packed, err) < 0)
        return -1;
    cache_put_index(repo_cache(rewriter->to), packed.data, packed.len);
    return uploader_submit(rewriter->uploader, BLOB_ZSTD, &packed, ret, err);
}

static int end_piece(const Rewriter *rewriter, Piece *piece, BlobRef *index, Error *err)
{
    int rc = piece->changed ? store_piece(rewriter, &piece->lines, index, err) : rewrite_whole(rewriter, index, err);
    piece->changed = false;
    buf_clear(&piece->lines);
    return rc;
}

static bool same_ref(const BlobRef *a, const BlobRef *b)
{
    return strcmp(a->hash, b->hash) == 0 && a->kind == b->kind && a->size == b->size;
}

static int rewrite_parts(const Rewriter *rewriter, const IndexEntry *entry, struct IndexPart *parts, bool *ret_changed,
                         Error *err)
{
    for (size_t i = 0; i < entry->n_parts; i++) {
        const struct IndexPart *old = &entry->parts[i];
        parts[i].length = old->length;
        if (rewriter->fn(rewriter->ctx, &old->blob, old->offset, old->length, &parts[i].blob, &parts[i].offset, err) <
            0)
            return -1;
        if (!same_ref(&old->blob, &parts[i].blob) || old->offset != parts[i].offset)
            *ret_changed = true;
    }
    return 0;
}

static int add_entry(const Rewriter *rewriter, Piece *piece, const IndexEntry *entry, Error *err)
{
    _cleanup_free_ struct IndexPart *parts = xcalloc(entry->n_parts, sizeof *parts);
    IndexEntry now = *entry;
    now.parts = parts;
    if (rewrite_parts(rewriter, entry, parts, &piece->changed, err) < 0)
        return -1;
    return index_entry_format(&now, &piece->lines, err);
}

/* index: where the new pieces go, as many as there were. */
static int rewrite_pieces(const Rewriter *rewriter, const ManifestFileset *fileset, Piece *piece, BlobRef *index,
                          Error *err)
{
    _cleanup_(index_reader_free_cleanup) IndexReader *reader = index_reader_new(rewriter->from, fileset);
    const IndexEntry *entry;
    size_t at = 0;
    int rc;
    while ((rc = index_reader_next(reader, &entry, err)) > 0) {
        for (; at < index_reader_piece(reader); at++)
            if (end_piece(rewriter, piece, &index[at], err) < 0)
                return -1;
        if (add_entry(rewriter, piece, entry, err) < 0)
            return -1;
    }
    for (; rc == 0 && at < fileset->n_index; at++)
        rc = end_piece(rewriter, piece, &index[at], err);
    return rc;
}

static int rewrite_fileset(const Rewriter *rewriter, ManifestFileset *fileset, Error *err)
{
    if (fileset->n_index == 0)
        return 0;
    Piece piece = {.lines = BUF_INIT(BLOB_MAX)};
    _cleanup_free_ BlobRef *index = xcalloc(fileset->n_index, sizeof *index);
    memcpy(index, fileset->index, fileset->n_index * sizeof *index);
    int rc = rewrite_pieces(rewriter, fileset, &piece, index, err);
    buf_done(&piece.lines);
    if (rc < 0)
        return -1;
    memcpy(fileset->index, index, fileset->n_index * sizeof *index);
    return 0;
}

/* ---- the manifest ---- */

static int rewrite_segment(const Rewriter *rewriter, ManifestSegment *segment, Error *err)
{
    BlobRef now;
    uint64_t offset;
    if (segment->length == 0)
        return rewrite_whole(rewriter, &segment->blob, err);
    if (rewriter->fn(rewriter->ctx, &segment->blob, segment->offset, segment->length, &now, &offset, err) < 0)
        return -1;
    segment->blob = now;
    segment->offset = offset;
    return 0;
}

static int rewrite_database(const Rewriter *rewriter, ManifestDatabase *database, Error *err)
{
    for (size_t i = 0; i < database->n_toc; i++)
        if (rewrite_whole(rewriter, &database->toc[i], err) < 0)
            return -1;
    for (size_t i = 0; i < database->n_tables; i++)
        for (size_t j = 0; j < database->tables[i].n_segments; j++)
            if (rewrite_segment(rewriter, &database->tables[i].segments[j], err) < 0)
                return -1;
    return rewrite_fileset(rewriter, &database->large_objects, err);
}

/* By way of its document, which has everything. */
static Manifest *duplicate(const Manifest *manifest, Error *err)
{
    Manifest *copy;
    json_t *document = manifest_to_json(manifest);
    char *text = json_dumps(document, JSON_COMPACT);
    json_decref(document);
    int rc = manifest_parse(text, strlen(text), &copy, err);
    free(text);
    return rc < 0 ? NULL : copy;
}

int manifest_rewrite(Repo *from, Repo *to, Uploader *uploader, const Manifest *manifest, RewriteRef fn, void *ctx,
                     Manifest **ret, Error *err)
{
    const Rewriter rewriter = {.from = from, .to = to, .uploader = uploader, .fn = fn, .ctx = ctx};
    _cleanup_(manifest_free_cleanup) Manifest *copy = duplicate(manifest, err);
    if (copy == NULL || rewrite_database(&rewriter, &copy->database, err) < 0)
        return -1;
    for (size_t i = 0; i < copy->n_filesets; i++)
        if (rewrite_fileset(&rewriter, &copy->filesets[i], err) < 0)
            return -1;
    *ret = steal(copy);
    return 0;
}
