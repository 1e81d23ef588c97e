#include "kura/repack.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>

#include "kura/mem.h"
#include "pack.h"

enum { TAR_BLOCK = 512, TAR_END = 2 * TAR_BLOCK };
/* A pack passes its target by at most one member. */
enum { NEW_PACK_MAX = PACK_TARGET + PACK_FILE_MAX + 2 * 1024 * 1024 };

struct Repacker {
    Uploader *uploader;
    const Buf *pack;
    uint64_t *starts; /* where the headers of its members begin, and the end of the last one */
    size_t n_starts, cap_starts;
    Buf data; /* of the new pack */
    BlobRef *packs;
    size_t n_packs, cap_packs;
};

Repacker *repacker_new(Uploader *uploader)
{
    Repacker *repacker = xcalloc(1, sizeof *repacker);
    repacker->uploader = uploader;
    repacker->data = BUF_INIT(NEW_PACK_MAX);
    return repacker;
}

void repacker_free(Repacker *repacker)
{
    if (repacker == NULL)
        return;
    free(repacker->starts);
    buf_done(&repacker->data);
    free(repacker->packs);
    free(repacker);
}

static void add_start(Repacker *repacker, int64_t start)
{
    xgrow(&repacker->starts, &repacker->cap_starts, repacker->n_starts);
    repacker->starts[repacker->n_starts++] = (uint64_t)start;
}

static int read_starts(Repacker *repacker, struct archive *tar, Error *err)
{
    struct archive_entry *entry;
    int rc;
    repacker->n_starts = 0;
    while ((rc = archive_read_next_header(tar, &entry)) == ARCHIVE_OK || rc == ARCHIVE_WARN)
        add_start(repacker, archive_read_header_position(tar));
    if (rc != ARCHIVE_EOF)
        return error_set(err, ERR_CORRUPT, "a pack is not a tar: %s", archive_error_string(tar));
    return 0;
}

int repacker_open(Repacker *repacker, const Buf *pack, Error *err)
{
    struct archive *tar = archive_read_new();
    if (tar == NULL)
        abort();
    int rc = -1;
    if (archive_read_support_format_tar(tar) != ARCHIVE_OK ||
        archive_read_open_memory(tar, pack->data, pack->len) != ARCHIVE_OK)
        error_set(err, ERR_CORRUPT, "a pack is not a tar: %s", archive_error_string(tar));
    else
        rc = read_starts(repacker, tar, err);
    archive_read_free(tar);
    repacker->pack = pack;
    return rc;
}

/* The last header that begins before offset, or SIZE_MAX. */
static size_t find_start(const Repacker *repacker, uint64_t offset)
{
    size_t low = 0, high = repacker->n_starts;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (repacker->starts[middle] < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low - 1;
}

static int seal(Repacker *repacker, Error *err)
{
    static const char end[TAR_END];
    BlobRef ref;
    if (repacker->data.len == 0)
        return 0;
    if (buf_append(&repacker->data, end, sizeof end, err) < 0 ||
        uploader_submit(repacker->uploader, BLOB_TAR, &repacker->data, &ref, err) < 0)
        return -1;
    xgrow(&repacker->packs, &repacker->cap_packs, repacker->n_packs);
    repacker->packs[repacker->n_packs++] = ref;
    return 0;
}

int repacker_take(Repacker *repacker, uint64_t offset, uint64_t length, size_t *ret_pack, uint64_t *ret_offset,
                  Error *err)
{
    size_t at = find_start(repacker, offset);
    uint64_t start = at == SIZE_MAX ? 0 : repacker->starts[at], size = repacker->pack->len;
    uint64_t end = offset > size || length > size - offset ? UINT64_MAX
                                                           : (offset + length + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
    if (at == SIZE_MAX || offset % TAR_BLOCK != 0 || end > size ||
        (at + 1 < repacker->n_starts && end > repacker->starts[at + 1]))
        return error_set(err, ERR_CORRUPT, "a pack has no member of %ju bytes at %ju", (uintmax_t)length,
                         (uintmax_t)offset);
    if (repacker->data.len >= PACK_TARGET && seal(repacker, err) < 0)
        return -1;
    *ret_pack = repacker->n_packs;
    *ret_offset = repacker->data.len + (offset - start);
    return buf_append(&repacker->data, repacker->pack->data + start, end - start, err);
}

int repacker_finish(Repacker *repacker, Error *err)
{
    return seal(repacker, err);
}

const BlobRef *repacker_pack(const Repacker *repacker, size_t number)
{
    return &repacker->packs[number];
}

size_t repacker_count(const Repacker *repacker)
{
    return repacker->n_packs;
}
