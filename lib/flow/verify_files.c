/* The hashes of files in packs stand in the indexes, in the order of paths; packs are read in another order. So the
 * indexes are read once more, and what is needed of them is kept for as many packs at a time as memory allows. */
#include <stdlib.h>
#include <string.h>

#include "kura/mem.h"
#include "kura/stop.h"
#include "verify_priv.h"

enum { BAD_FILES_MAX = 1000 * 1000 };

void packfiles_done(PackFiles *files)
{
    free(files->v);
    *files = (PackFiles){0};
}

int packfiles_compare(const void *a, const void *b)
{
    const PackFile *left = a, *right = b;
    if (left->blob != right->blob)
        return left->blob < right->blob ? -1 : 1;
    return (left->offset > right->offset) - (left->offset < right->offset);
}

static void add_entry(Verify *verify, size_t index, const IndexEntry *entry, void *ctx)
{
    PackFiles *files = ctx;
    if (entry->n_parts != 1 || entry->parts[0].blob.kind != BLOB_TAR)
        return;
    const struct IndexPart *part = &entry->parts[0];
    size_t position = blobtable_find(&verify->blobs, &part->blob);
    if (position == SIZE_MAX || !(verify->blobs.v[position].state & BLOB_SLICE))
        return;
    PackFile file = {.blob = (uint32_t)position, .offset = (uint32_t)part->offset, .length = (uint32_t)part->length};
    hex_bytes(entry->hash, file.hash, sizeof file.hash);
    xgrow(&files->v, &files->cap, files->n);
    files->v[files->n++] = file;
}

/* Index blobs of different nights repeat most files. */
static void drop_doubles(PackFiles *files)
{
    size_t kept = 0;
    for (size_t i = 0; i < files->n; i++)
        if (kept == 0 || memcmp(&files->v[kept - 1], &files->v[i], sizeof *files->v) != 0)
            files->v[kept++] = files->v[i];
    files->n = kept;
}

int packfiles_gather(Verify *verify, PackFiles *ret, Error *err)
{
    PackFiles files = {0};
    if (verify_each_index(verify, add_entry, &files, err) < 0) {
        packfiles_done(&files);
        return -1;
    }
    if (files.n > 0)
        qsort(files.v, files.n, sizeof *files.v, packfiles_compare);
    drop_doubles(&files);
    *ret = files;
    return 0;
}

/* The first file of a blob in a sorted list. */
static size_t first_of(const PackFiles *files, size_t blob)
{
    size_t low = 0, high = files->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (files->v[middle].blob < blob)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_good(const PackFile *file, const Buf *data)
{
    char hex[SHA256_HEX_SIZE];
    uint8_t hash[sizeof file->hash];
    if (file->offset > data->len || file->length > data->len - file->offset)
        return false;
    sha256_hex(data->data + file->offset, file->length, hex);
    hex_bytes(hex, hash, sizeof hash);
    return memcmp(hash, file->hash, sizeof hash) == 0;
}

size_t packfiles_check(Verify *verify, const PackFiles *files, size_t blob, const Buf *data, bool *ret_listed)
{
    size_t bad = 0, all = 0;
    *ret_listed = true;
    for (size_t i = first_of(files, blob); i < files->n && files->v[i].blob == blob; i++, all++) {
        if (is_good(&files->v[i], data))
            continue;
        bad++;
        pthread_mutex_lock(&verify->mutex);
        if (verify->n_bad_files < BAD_FILES_MAX) {
            xgrow(&verify->bad_files, &verify->cap_bad_files, verify->n_bad_files);
            verify->bad_files[verify->n_bad_files++] = files->v[i];
        } else {
            *ret_listed = false;
        }
        pthread_mutex_unlock(&verify->mutex);
    }
    pthread_mutex_lock(&verify->mutex);
    verify->report->files_read += all;
    pthread_mutex_unlock(&verify->mutex);
    return bad;
}
