/* Each chosen blob is read once. Its hash proves that it is what was written; rows are counted and summed on the way,
 * so that a table can be compared with its digest whichever backups and tables share its segments. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kura/datablocks.h"
#include "kura/mem.h"
#include "kura/stop.h"
#include "verify_priv.h"

/* What readers hold at once; a blob counts twice, because an encrypted one has two forms. */
#define IN_FLIGHT_MAX (128u * 1024 * 1024)
enum { SLICE_FILES = 2 * 1000 * 1000 }; /* files in packs whose hashes are kept at once */

/* ---- the memory that readers share ---- */

typedef struct Gate {
    pthread_mutex_t mutex;
    pthread_cond_t left;
    uint64_t inside;
} Gate;

static void gate_enter(Gate *gate, uint64_t size)
{
    pthread_mutex_lock(&gate->mutex);
    while (gate->inside > 0 && gate->inside + size > IN_FLIGHT_MAX)
        pthread_cond_wait(&gate->left, &gate->mutex);
    gate->inside += size;
    pthread_mutex_unlock(&gate->mutex);
}

static void gate_leave(Gate *gate, uint64_t size)
{
    pthread_mutex_lock(&gate->mutex);
    gate->inside -= size;
    pthread_cond_broadcast(&gate->left);
    pthread_mutex_unlock(&gate->mutex);
}

/* ---- one blob ---- */

typedef struct Reading {
    Verify *verify;
    const PackFiles *files;
    atomic_size_t next; /* place in the sequence */
    size_t end;
    Gate gate;
} Reading;

typedef struct Scan {
    RowSplitter splitter;
    RowDigest digest;
    uint64_t raw;
} Scan;

static int add_row(void *ctx, const char *row, size_t len, Error *err)
{
    rowdigest_add(ctx, row, len);
    return 0;
}

static int scan_rows(void *ctx, const void *piece, size_t len, Error *err)
{
    Scan *scan = ctx;
    scan->raw += len;
    return rowsplitter_feed(&scan->splitter, piece, len, err);
}

static int scan_nothing(void *ctx, const void *piece, size_t len, Error *err)
{
    return 0;
}

static int sum_segment(SegmentSum *sum, const Buf *data, Error *err)
{
    const ManifestSegment place = {.offset = sum->offset, .length = sum->length};
    size_t len;
    const uint8_t *frame = manifest_segment_frame(&place, data, &len);
    Scan scan = {.splitter = {.row = add_row, .partial = BUF_INIT(BLOB_MAX)}};
    scan.splitter.ctx = &scan.digest;
    int rc = repo_decompress_pieces(frame, len, BLOB_MAX, scan_rows, &scan, err);
    if (rc == 0 && scan.splitter.ended)
        rc = error_set(err, ERR_CORRUPT, "its rows hold an end marker");
    sum->low = scan.digest.low;
    sum->high = scan.digest.high;
    sum->rows = (uint32_t)scan.digest.rows;
    sum->raw = (uint32_t)scan.raw;
    sum->open_end = scan.splitter.partial.len > 0;
    buf_done(&scan.splitter.partial);
    return rc;
}

/* What is in a blob whose bytes are those that were written. */
static int check_frames(Verify *verify, size_t position, const Buf *data, Error *err)
{
    char key[BLOB_KEY_SIZE];
    BlobRef ref = blobtable_ref(&verify->blobs, position);
    uint32_t segment = verify->blobs.v[position].segment;
    int rc = segment == BLOBTABLE_NONE
                 ? repo_decompress_pieces(data->data, data->len, BLOB_MAX, scan_nothing, NULL, err)
                 : 0;
    for (; rc == 0 && segment != BLOBTABLE_NONE; segment = verify->segments[segment].next)
        rc = sum_segment(&verify->segments[segment], data, err);
    blob_key(verify->repo, &ref, key);
    return rc < 0 ? error_wrap(err, "\"%s\"", key) : 0;
}

/* Files that are not what their index says, in a pack that is what was written or in one that is not: the others can
 * still be restored. */
static void check_files(Reading *reading, size_t position, const Buf *data, const Error *why)
{
    Verify *verify = reading->verify;
    bool listed;
    size_t bad = packfiles_check(verify, reading->files, position, data, &listed);
    if (bad == 0 && why == NULL)
        return;
    Error wrong = ERROR_INIT;
    if (why == NULL) {
        char key[BLOB_KEY_SIZE];
        BlobRef ref = blobtable_ref(&verify->blobs, position);
        blob_key(verify->repo, &ref, key);
        error_set(&wrong, ERR_CORRUPT, "\"%s\" holds %zu files that are not those of the index", key, bad);
        error_hint(&wrong, "Use another backup for these files.");
    }
    verify_damage(verify, position, why ? "blob-damaged" : "files-damaged", why ? why : &wrong);
    if (listed)
        verify->blobs.v[position].state |= BLOB_SOME_FILES;
}

/* -1 only when the store fails. */
static int check_blob(Reading *reading, size_t position, Buf *data, Error *err)
{
    Verify *verify = reading->verify;
    Error why = ERROR_INIT;
    BlobRef ref = blobtable_ref(&verify->blobs, position);
    bool is_pack = ref.kind == BLOB_TAR;
    int rc = blob_get(verify->repo, &ref, data, &why);
    if (rc < 0 && !verify_is_damage(verify, &why)) {
        *err = why;
        return -1;
    }
    if (rc == 0 && ref.kind == BLOB_ZSTD)
        rc = check_frames(verify, position, data, &why);
    if (is_pack && (rc == 0 || (why.code == ERR_CORRUPT && data->len == ref.size)))
        check_files(reading, position, data, rc < 0 ? &why : NULL);
    else if (rc < 0)
        verify_damage(verify, position, why.code == ERR_NOT_FOUND ? "blob-missing" : "blob-damaged", &why);
    if (!(verify->blobs.v[position].state & BLOB_BAD))
        verify->blobs.v[position].state |= BLOB_GOOD;
    return 0;
}

static int read_one(Reading *reading, Pool *pool, size_t position, Error *err)
{
    const BlobRecord *record = &reading->verify->blobs.v[position];
    uint64_t size = 2ull * record->size;
    _cleanup_(buf_done) Buf data = BUF_INIT(BLOB_STORED_MAX);
    gate_enter(&reading->gate, size);
    int rc = pool_check(pool, err) < 0 ? -1 : check_blob(reading, position, &data, err);
    buf_done(&data);
    gate_leave(&reading->gate, size);
    if (rc == 0)
        progress_add(reading->verify->progress, record->size, 1);
    return rc;
}

static int read_some(void *ctx, Pool *pool, size_t worker, Error *err)
{
    Reading *reading = ctx;
    Verify *verify = reading->verify;
    for (size_t place; (place = reading->next++) < reading->end;) {
        size_t position = verify->sequence[place];
        if ((verify->blobs.v[position].state & BLOB_SLICE) && read_one(reading, pool, position, err) < 0)
            return -1;
        verify_cycle_done(verify, place);
        verify_remember_now_and_then(verify);
    }
    return 0;
}

/* A stretch of the sequence. */
static int read_slice(Verify *verify, size_t from, size_t to, Error *err)
{
    PackFiles files;
    for (size_t i = from; i < to; i++) {
        BlobRecord *record = &verify->blobs.v[verify->sequence[i]];
        if (record->state & BLOB_CHOSEN)
            record->state |= BLOB_SLICE;
    }
    if (packfiles_gather(verify, &files, err) < 0)
        return -1;
    Reading reading = {.verify = verify,
                       .files = &files,
                       .next = from,
                       .end = to,
                       .gate = {.mutex = PTHREAD_MUTEX_INITIALIZER, .left = PTHREAD_COND_INITIALIZER}};
    int rc = pool_run(verify->jobs, read_some, &reading, err);
    pthread_mutex_destroy(&reading.gate.mutex);
    pthread_cond_destroy(&reading.gate.left);
    packfiles_done(&files);
    for (size_t i = from; i < to; i++)
        verify->blobs.v[verify->sequence[i]].state &= (uint8_t) ~(BLOB_SLICE | BLOB_CHOSEN);
    return rc;
}

/* How many slices keep the lists of files within bounds: packs lie as evenly in the sequence as hashes do. */
static size_t count_slices(const Verify *verify)
{
    size_t packs = 0, chosen = 0;
    for (size_t i = 0; i < verify->blobs.n; i++) {
        packs += verify->blobs.v[i].kind == BLOB_TAR;
        chosen += verify->blobs.v[i].kind == BLOB_TAR && (verify->blobs.v[i].state & BLOB_CHOSEN);
    }
    return packs == 0 ? 1 : 1 + (size_t)((double)verify->pack_files * (double)chosen / (double)packs / SLICE_FILES);
}

static uint64_t chosen_bytes(const Verify *verify)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < verify->blobs.n; i++)
        bytes += verify->blobs.v[i].state & BLOB_CHOSEN ? verify->blobs.v[i].size : 0;
    return bytes;
}

static void count_good(Verify *verify)
{
    VerifyReport *report = verify->report;
    for (size_t i = 0; i < verify->blobs.n; i++) {
        if (!(verify->blobs.v[i].state & BLOB_GOOD))
            continue;
        report->read_blobs++;
        report->read_bytes += verify->blobs.v[i].size;
    }
}

int verify_read(Verify *verify, Error *err)
{
    verify_cycle_plan(verify);
    size_t n_slices = count_slices(verify);
    progress_phase(verify->progress, "data", chosen_bytes(verify));
    for (size_t i = 0; i < n_slices; i++)
        if (read_slice(verify, verify->n_sequence * i / n_slices, verify->n_sequence * (i + 1) / n_slices, err) < 0)
            return -1;
    if (verify->n_bad_files > 0)
        qsort(verify->bad_files, verify->n_bad_files, sizeof *verify->bad_files, packfiles_compare);
    count_good(verify);
    verify_cycle_end(verify);
    return 0;
}
