/* An index as blobs. It is cut before an entry whose path's hash has enough zero bits: where a cut falls depends on the
 * names around it alone, so that a changed entry changes one blob, and an added or removed one at most two. The bounds
 * that such cuts need (not too small, not too large) only shift cuts nearby. */
#include <string.h>

#include "index_io.h"
#include "kura/cache.h"
#include "kura/mem.h"
#include "path.h"

enum {
    CUT_BITS = 11, /* one path in 2048 is a cut */
    ENTRIES_MIN = 512,
    ENTRIES_MAX = 8192,
    RAW_MAX = 16 * 1024 * 1024,
};

struct IndexWriter {
    Repo *repo;
    Uploader *uploader;
    Buf raw, line;
    size_t entries; /* in raw */
    char *last;     /* path of the last entry */
    BlobRef *refs;
    char **firsts; /* path of the first entry of each */
    size_t n_refs, cap_refs, cap_firsts;
    char *first; /* of what is in raw */
    ManifestFileset totals;
};

IndexWriter *index_writer_new(Repo *repo, Uploader *uploader)
{
    IndexWriter *writer = xcalloc(1, sizeof *writer);
    *writer =
        (IndexWriter){.repo = repo, .uploader = uploader, .raw = BUF_INIT(BLOB_MAX), .line = BUF_INIT(INDEX_LINE_MAX)};
    return writer;
}

static int flush(IndexWriter *writer, Error *err)
{
    if (writer->entries == 0)
        return 0;
    _cleanup_(buf_done) Buf packed = BUF_INIT(BLOB_MAX);
    xgrow(&writer->refs, &writer->cap_refs, writer->n_refs);
    if (repo_compress(writer->repo, writer->raw.data, writer->raw.len, &packed, err) < 0)
        return -1;
    cache_put_index(repo_cache(writer->repo), packed.data, packed.len);
    if (uploader_submit(writer->uploader, BLOB_ZSTD, &packed, &writer->refs[writer->n_refs], err) < 0)
        return -1;
    xgrow(&writer->firsts, &writer->cap_firsts, writer->n_refs);
    writer->firsts[writer->n_refs++] = steal(writer->first);
    writer->entries = 0;
    buf_clear(&writer->raw);
    return 0;
}

static bool cuts_before(const IndexWriter *writer, const char *path)
{
    if (writer->entries >= ENTRIES_MAX || writer->raw.len + writer->line.len > RAW_MAX)
        return true;
    return writer->entries >= ENTRIES_MIN && (path_hash(path) & ((1u << CUT_BITS) - 1)) == 0;
}

static int append(IndexWriter *writer, const IndexEntry *entry, Error *err)
{
    if (writer->last && strcmp(entry->path, writer->last) <= 0)
        return error_set(err, ERR_FAILED, "it does not come after \"%s\"", writer->last);
    buf_clear(&writer->line);
    if (index_entry_format(entry, &writer->line, err) < 0)
        return -1;
    if (cuts_before(writer, entry->path) && flush(writer, err) < 0)
        return -1;
    return buf_append(&writer->raw, writer->line.data, writer->line.len, err);
}

int index_writer_add(IndexWriter *writer, const IndexEntry *entry, Error *err)
{
    if (append(writer, entry, err) < 0) {
        _cleanup_free_ char *name = path_display(entry->path);
        return error_wrap(err, "adding \"%s\" to the index", name);
    }
    if (writer->entries++ == 0 && strlen(entry->path) <= MANIFEST_FIRST_MAX)
        writer->first = xstrdup(entry->path);
    free(writer->last);
    writer->last = xstrdup(entry->path);
    index_entry_count(entry, &writer->totals);
    return 0;
}

int index_writer_finish(IndexWriter *writer, ManifestFileset *ret, Error *err)
{
    if (flush(writer, err) < 0)
        return -1;
    ret->files += writer->totals.files;
    ret->dirs += writer->totals.dirs;
    ret->symlinks += writer->totals.symlinks;
    ret->others += writer->totals.others;
    ret->bytes += writer->totals.bytes;
    ret->index = steal(writer->refs);
    ret->index_first = steal(writer->firsts);
    ret->n_index = writer->n_refs;
    writer->n_refs = 0;
    return 0;
}

void index_writer_free(IndexWriter *writer)
{
    if (writer == NULL)
        return;
    buf_done(&writer->raw);
    buf_done(&writer->line);
    free(writer->last);
    for (size_t i = 0; i < writer->n_refs; i++)
        free(writer->firsts[i]);
    free(writer->firsts);
    free(writer->first);
    free(writer->refs);
    free(writer);
}
