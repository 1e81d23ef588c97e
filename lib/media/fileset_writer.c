/* A fileset made of named streams. */
#include <string.h>

#include "index_io.h"
#include "kura/fileset.h"
#include "kura/mem.h"
#include "pack.h"
#include "path.h"

enum {
    /* A pack of streams may also end early, behind one path in 8, so that a stream that came or went changes the packs
     * around it alone: there is no previous index here that keeps the others where they are. */
    EARLY_SEAL_SIZE = 8 * 1024 * 1024,
    EARLY_SEAL_MASK = 7,
    WAITING_MAX = 32 * 1024, /* entries that wait for their pack */
};

struct FilesetWriter {
    Packer *packer;
    Uploader *uploader;
    IndexWriter *index;
    IndexEntry *current; /* between begin and end */
    size_t cap_parts;
    Buf content; /* of the current stream, as far as it is not in chunks */
    Sha256 *hash;
    IndexEntry **waiting; /* ended, in order, not in the index yet */
    size_t n_waiting, cap_waiting;
};

static void ignore_sealed(void *owner)
{
}

FilesetWriter *fileset_writer_new(Repo *repo, Uploader *uploader)
{
    FilesetWriter *writer = xcalloc(1, sizeof *writer);
    *writer = (FilesetWriter){.packer = packer_new(uploader, ignore_sealed),
                              .uploader = uploader,
                              .index = index_writer_new(repo, uploader),
                              .content = BUF_INIT(CHUNK_SIZE),
                              .hash = sha256_new()};
    return writer;
}

static void free_entry(IndexEntry *entry)
{
    index_entry_done(entry);
    free(entry);
}

void fileset_writer_free(FilesetWriter *writer)
{
    if (writer == NULL)
        return;
    for (size_t i = 0; i < writer->n_waiting; i++)
        free_entry(writer->waiting[i]);
    free(writer->waiting);
    free_entry(writer->current);
    packer_free(writer->packer);
    index_writer_free(writer->index);
    buf_done(&writer->content);
    sha256_free(writer->hash);
    free(writer);
}

int fileset_writer_begin(FilesetWriter *writer, const char *path, Error *err)
{
    if (!path_is_safe(path))
        return error_set(err, ERR_FAILED, "\"%s\" is no path within a fileset", path);
    if (writer->current)
        return error_set(err, ERR_FAILED, "\"%s\" begins before \"%s\" has ended", path, writer->current->path);
    writer->current = xmalloc(sizeof *writer->current);
    *writer->current = (IndexEntry){.path = xstrdup(path), .type = 'f', .mode = 0600};
    writer->cap_parts = 0;
    buf_clear(&writer->content);
    return 0;
}

static int store_chunk(FilesetWriter *writer, Error *err)
{
    IndexEntry *entry = writer->current;
    xgrow(&entry->parts, &writer->cap_parts, entry->n_parts);
    struct IndexPart *part = &entry->parts[entry->n_parts];
    *part = (struct IndexPart){.length = writer->content.len};
    if (uploader_submit(writer->uploader, BLOB_RAW, &writer->content, &part->blob, err) < 0)
        return -1;
    entry->n_parts++;
    return 0;
}

int fileset_writer_data(FilesetWriter *writer, const void *data, size_t len, Error *err)
{
    sha256_update(writer->hash, data, len);
    writer->current->size += len;
    for (const uint8_t *bytes = data; len;) {
        if (writer->content.len == CHUNK_SIZE && store_chunk(writer, err) < 0)
            return -1;
        size_t room = CHUNK_SIZE - writer->content.len;
        size_t take = len < room ? len : room;
        if (buf_append(&writer->content, bytes, take, err) < 0)
            return -1;
        bytes += take;
        len -= take;
    }
    return 0;
}

static int store_content(FilesetWriter *writer, Error *err)
{
    IndexEntry *entry = writer->current;
    if (writer->content.len == 0)
        return 0;
    if (entry->n_parts || writer->content.len > PACK_FILE_MAX)
        return store_chunk(writer, err);
    entry->parts = xcalloc(1, sizeof *entry->parts);
    entry->n_parts = 1;
    return packer_add(writer->packer, entry, writer->content.data, writer->content.len, entry->parts, NULL, err);
}

/* Seals the pack; all that waited for it, or behind it, then goes into the index. */
static int flush(FilesetWriter *writer, Error *err)
{
    if (packer_seal(writer->packer, err) < 0)
        return -1;
    size_t n = writer->n_waiting;
    int rc = 0;
    for (size_t i = 0; i < n; i++) {
        if (rc == 0)
            rc = index_writer_add(writer->index, writer->waiting[i], err);
        free_entry(writer->waiting[i]);
    }
    writer->n_waiting = 0;
    return rc;
}

int fileset_writer_end(FilesetWriter *writer, Error *err)
{
    sha256_finish_hex(writer->hash, writer->current->hash);
    if (store_content(writer, err) < 0)
        return -1;
    bool early =
        packer_size(writer->packer) >= EARLY_SEAL_SIZE && (path_hash(writer->current->path) & EARLY_SEAL_MASK) == 0;
    xgrow(&writer->waiting, &writer->cap_waiting, writer->n_waiting);
    writer->waiting[writer->n_waiting++] = steal(writer->current);
    return early || packer_size(writer->packer) == 0 || writer->n_waiting == WAITING_MAX ? flush(writer, err) : 0;
}

void fileset_writer_abandon(FilesetWriter *writer)
{
    char unused[SHA256_HEX_SIZE];
    sha256_finish_hex(writer->hash, unused);
    free_entry(steal(writer->current));
}

int fileset_writer_finish(FilesetWriter *writer, ManifestFileset *ret, Error *err)
{
    ManifestFileset result = {0};
    if (flush(writer, err) < 0 || index_writer_finish(writer->index, &result, err) < 0)
        return -1;
    *ret = result;
    return 0;
}
