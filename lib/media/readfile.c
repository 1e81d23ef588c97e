#include "readfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "entry_stat.h"
#include "extent.h"
#include "index_io.h"
#include "kura/mem.h"
#include "pack.h"
#include "tree.h"

enum { READ_ATTEMPTS = 3 };
/* A part takes less than 160 bytes of its line. */
#define FILE_SIZE_MAX ((uint64_t)CHUNK_SIZE * (INDEX_LINE_MAX / 160))

struct FileReader {
    Tree tree;
    OwnerCache owners;
    Uploader *uploader;
    Notices *notices;
    Progress *progress;
    Packer *packer;
    Sha256 *hash;
    Buf small; /* content of a file for a pack */
    Buf chunk;
    BlobRef zero_chunk; /* size 0: none was met */
    char zero_hash[SHA256_HEX_SIZE];
    ReadTotals totals;
};

typedef enum Outcome { READ_STABLE, READ_CHANGED, READ_FAILED, READ_FATAL } Outcome;

/* What one attempt reads. */
typedef struct Attempt {
    Pool *pool;
    Slot *slot;
    ExtentReader extents;
    bool packed; /* the content is in reader->small */
} Attempt;

static void file_sealed(void *batch)
{
    batch_release(batch);
}

FileReader *file_reader_new(int root, Uploader *uploader, Notices *notices, Progress *progress)
{
    FileReader *reader = xcalloc(1, sizeof *reader);
    *reader = (FileReader){.tree = TREE_INIT(root),
                           .uploader = uploader,
                           .notices = notices,
                           .progress = progress,
                           .packer = packer_new(uploader, file_sealed),
                           .hash = sha256_new(),
                           .small = BUF_INIT(PACK_FILE_MAX),
                           .chunk = BUF_INIT(CHUNK_SIZE)};
    return reader;
}

void file_reader_free(FileReader *reader)
{
    if (reader == NULL)
        return;
    tree_done(&reader->tree);
    owner_cache_done(&reader->owners);
    packer_free(reader->packer);
    sha256_free(reader->hash);
    buf_done(&reader->small);
    buf_done(&reader->chunk);
    free(reader);
}

bool file_reader_has_pack(const FileReader *reader)
{
    return packer_size(reader->packer) > 0;
}

int file_reader_seal(FileReader *reader, Error *err)
{
    return packer_seal(reader->packer, err);
}

ReadTotals file_reader_totals(const FileReader *reader)
{
    return reader->totals;
}

static Outcome drop(FileReader *reader, Slot *slot, int error)
{
    slot->dropped = true;
    if (error == ENOENT || error == ENOTDIR || error == ELOOP) {
        reader->totals.vanished++;
        notices_add(reader->notices, FINDING_WARNING, "file-vanished", NULL, slot->entry.path,
                    "vanished while the backup ran", NULL);
    } else {
        notices_add(reader->notices, FINDING_WARNING, "file-unreadable",
                    "The backup does not have it. Give the user that runs the backup the right to read it, or exclude "
                    "it.",
                    slot->entry.path, "could not be read", strerror(error));
    }
    return READ_FAILED;
}

/* Where the previous backup has this very content, that is good enough: a chmod must not store a file again. */
static bool use_known_parts(Slot *slot)
{
    IndexEntry *before = slot->before;
    if (before == NULL || before->size != slot->entry.size || strcmp(before->hash, slot->entry.hash) != 0)
        return false;
    slot->entry.parts = steal(before->parts);
    slot->entry.n_parts = before->n_parts;
    before->n_parts = 0;
    return true;
}

static int store_small(FileReader *reader, Batch *batch, Slot *slot, Error *err)
{
    IndexEntry *entry = &slot->entry;
    if (entry->size == 0 || use_known_parts(slot))
        return 0;
    entry->parts = xcalloc(1, sizeof *entry->parts);
    entry->n_parts = 1;
    batch_hold(batch);
    return packer_add(reader->packer, entry, reader->small.data, reader->small.len, entry->parts, batch, err);
}

static Outcome read_small(FileReader *reader, Attempt *attempt, Error *err)
{
    size_t len;
    bool hole;
    buf_clear(&reader->small);
    if (buf_reserve(&reader->small, attempt->extents.end, err) < 0)
        return READ_FATAL;
    int error = extent_read(&attempt->extents, reader->small.data, attempt->extents.end, &len, &hole);
    if (error)
        return drop(reader, attempt->slot, error);
    reader->small.len = len;
    attempt->packed = true;
    attempt->slot->entry.size = len;
    sha256_hex(reader->small.data, len, attempt->slot->entry.hash);
    return READ_STABLE;
}

/* Hands reader->chunk to the uploader as the entry's next part, and leaves the part's hash in the entry. A chunk that
 * is all hole is sent once. */
static int store_chunk(FileReader *reader, IndexEntry *entry, size_t *cap_parts, bool hole, Error *err)
{
    size_t len = reader->chunk.len;
    BlobRef ref = reader->zero_chunk;
    bool zeros = hole && len == CHUNK_SIZE;
    if (zeros && ref.size > 0) {
        memcpy(entry->hash, reader->zero_hash, sizeof entry->hash);
    } else {
        if (uploader_submit_hashed(reader->uploader, BLOB_RAW, &reader->chunk, &ref, entry->hash, err) < 0)
            return -1;
        if (zeros) {
            reader->zero_chunk = ref;
            memcpy(reader->zero_hash, entry->hash, sizeof reader->zero_hash);
        }
    }
    xgrow(&entry->parts, cap_parts, entry->n_parts);
    entry->parts[entry->n_parts++] = (struct IndexPart){.blob = ref, .length = len};
    entry->size += len;
    progress_add(reader->progress, len, 0);
    return 0;
}

static Outcome store_chunks(FileReader *reader, Attempt *attempt, bool hash_apart, Error *err)
{
    size_t cap_parts = 0, len;
    do {
        bool hole;
        buf_clear(&reader->chunk);
        if (pool_check(attempt->pool, err) < 0 || buf_reserve(&reader->chunk, CHUNK_SIZE, err) < 0)
            return READ_FATAL;
        int error = extent_read(&attempt->extents, reader->chunk.data, CHUNK_SIZE, &len, &hole);
        if (error)
            return drop(reader, attempt->slot, error);
        if (len == 0)
            break;
        reader->chunk.len = len;
        if (hash_apart)
            sha256_update(reader->hash, reader->chunk.data, len);
        if (store_chunk(reader, &attempt->slot->entry, &cap_parts, hole, err) < 0)
            return READ_FATAL;
    } while (len == CHUNK_SIZE);
    return READ_STABLE;
}

/* The uploader hashes every blob: where one is the whole file, its bytes need not be hashed again. */
static Outcome read_chunks(FileReader *reader, Attempt *attempt, Error *err)
{
    IndexEntry *entry = &attempt->slot->entry;
    bool hash_apart = attempt->extents.end > CHUNK_SIZE;
    Outcome outcome = store_chunks(reader, attempt, hash_apart, err);
    if (hash_apart || entry->n_parts == 0)
        sha256_finish_hex(reader->hash, entry->hash);
    return outcome;
}

static bool same_moment(const struct stat *a, const struct stat *b)
{
    return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec && a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
           a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* Reads an open file once. The entry gets what stat() said before the reading: should the file change in between, the
 * next backup sees that it is another. */
static Outcome read_once(FileReader *reader, Attempt *attempt, int fd, Error *err)
{
    struct stat before, after;
    if (fstat(fd, &before) < 0)
        return drop(reader, attempt->slot, errno);
    if (!S_ISREG(before.st_mode))
        return drop(reader, attempt->slot, ENOENT);
    if ((uint64_t)before.st_size > FILE_SIZE_MAX)
        return drop(reader, attempt->slot, EFBIG);
    entry_set_stat(&attempt->slot->entry, &before, &reader->owners);
    attempt->extents = extent_reader(fd, (uint64_t)before.st_size);
    attempt->packed = false;
    Outcome outcome =
        before.st_size <= PACK_FILE_MAX ? read_small(reader, attempt, err) : read_chunks(reader, attempt, err);
    if (outcome != READ_STABLE)
        return outcome;
    if (fstat(fd, &after) < 0)
        return drop(reader, attempt->slot, errno);
    return same_moment(&before, &after) && attempt->slot->entry.size == (uint64_t)before.st_size ? READ_STABLE
                                                                                                 : READ_CHANGED;
}

/* Returns the descriptor or -errno. O_NONBLOCK: a fifo that took the file's place must not hold us up. */
static int open_file(FileReader *reader, const char *path)
{
    int dir;
    const char *name;
    int error = tree_parent(&reader->tree, path, NULL, &dir, &name);
    if (error)
        return -error;
    int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static Outcome read_until_stable(FileReader *reader, Attempt *attempt, Error *err)
{
    const char *path = attempt->slot->entry.path;
    _cleanup_close_ int fd = open_file(reader, path);
    if (fd < 0)
        return drop(reader, attempt->slot, -fd);
    posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    Outcome outcome = READ_CHANGED;
    bool cached = true;
    for (int i = 0; i < READ_ATTEMPTS && outcome == READ_CHANGED; i++) {
        outcome = read_once(reader, attempt, fd, err);
        cached &= attempt->extents.cached;
    }
    if (!cached) /* what passes once must not push everybody else's pages out of memory */
        posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    if (outcome == READ_CHANGED) {
        reader->totals.changed++;
        notices_add(reader->notices, FINDING_WARNING, "file-changed", NULL, path,
                    "changed while it was read; the backup has it as it was read", NULL);
    }
    return outcome;
}

static int read_slot(FileReader *reader, Pool *pool, Batch *batch, Slot *slot, Error *err)
{
    Attempt attempt = {.pool = pool, .slot = slot};
    Outcome outcome = read_until_stable(reader, &attempt, err);
    if (outcome == READ_FATAL)
        return -1;
    if (outcome == READ_FAILED)
        return 0;
    progress_add(reader->progress, attempt.packed ? slot->entry.size : 0, 1);
    return attempt.packed ? store_small(reader, batch, slot, err) : 0;
}

int file_reader_batch(FileReader *reader, Pool *pool, Batch *batch, Error *err)
{
    for (size_t i = 0; i < batch->n; i++) {
        Slot *slot = &batch->slots[i];
        if (!slot->read)
            continue;
        if (pool_check(pool, err) < 0 || read_slot(reader, pool, batch, slot, err) < 0)
            return -1;
    }
    return 0;
}
