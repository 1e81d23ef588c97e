/* Which blobs are read, in which order, and how far that came. Blobs are read in the order of their names, from where
 * the run before stopped: a share each night comes around to all of them, each exactly once. By chance it would not: of
 * thirty shares of a thirtieth a third of the blobs is in none. What is stored during a cycle and lies before the
 * cursor is read in the next one; hashes spread it evenly. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kura/mem.h"
#include "verify_priv.h"

static int by_name(const void *a, const void *b, void *ctx)
{
    const BlobTable *blobs = ctx;
    const BlobRecord *left = &blobs->v[*(const uint32_t *)a], *right = &blobs->v[*(const uint32_t *)b];
    int order = memcmp(left->hash, right->hash, sizeof left->hash);
    return order ? order : (left->kind > right->kind) - (left->kind < right->kind);
}

/* Positions of all blobs, in the order of their names. To be freed. */
static uint32_t *sort_blobs(Verify *verify)
{
    uint32_t *order = xcalloc(verify->blobs.n + 1, sizeof *order);
    for (size_t i = 0; i < verify->blobs.n; i++)
        order[i] = (uint32_t)i;
    qsort_r(order, verify->blobs.n, sizeof *order, by_name, &verify->blobs);
    return order;
}

/* The first blob behind the cursor. */
static size_t find_start(const Verify *verify, const uint32_t *order)
{
    uint8_t cursor[SHA256_SIZE];
    size_t start = 0;
    if (verify->cycle.started == 0 || verify->cycle.cursor[0] == 0)
        return 0;
    hex_bytes(verify->cycle.cursor, cursor, sizeof cursor);
    while (start < verify->blobs.n && memcmp(verify->blobs.v[order[start]].hash, cursor, sizeof cursor) <= 0)
        start++;
    return start;
}

static uint64_t bytes_of(const Verify *verify, const uint32_t *order, size_t from, size_t to)
{
    uint64_t bytes = 0;
    for (size_t i = from; i < to; i++)
        bytes += verify->blobs.v[order[i]].size;
    return bytes;
}

/* How many blobs from `start` on make the share, not counting past the last one; at least one. */
static size_t count_share(const Verify *verify, const uint32_t *order, size_t start)
{
    double wanted = (double)verify->cycle.all_bytes * verify->options->percent / 100, bytes = 0;
    size_t end = start;
    while (end < verify->blobs.n && (end == start || bytes < wanted))
        bytes += verify->blobs.v[order[end++]].size;
    return end - start;
}

static void add(Verify *verify, uint32_t position)
{
    verify->sequence[verify->n_sequence++] = position;
    BlobRecord *record = &verify->blobs.v[position];
    if ((record->state & (BLOB_PRESENT | BLOB_BAD | BLOB_GOOD)) == BLOB_PRESENT)
        record->state |= BLOB_CHOSEN;
}

/* What is known to be damaged is read each time, behind the others: it may have been brought back. */
static void add_known(Verify *verify)
{
    for (size_t i = 0; i < verify->state.n_damages; i++) {
        BlobRef ref;
        if (blob_ref_from_key(verify->repo, verify->state.damages[i].object, &ref) < 0)
            continue;
        size_t position = blobtable_find(&verify->blobs, &ref);
        if (position != SIZE_MAX && !(verify->blobs.v[position].state & BLOB_CHOSEN))
            add(verify, (uint32_t)position);
    }
}

static void begin_cycle(Verify *verify)
{
    VerifyCycle *cycle = &verify->cycle;
    cycle->started = time(NULL);
    cycle->cursor[0] = 0;
    cycle->done_bytes = cycle->read_blobs = cycle->read_bytes = 0;
}

static void end_cycle(Verify *verify)
{
    VerifyCycle *cycle = &verify->cycle;
    const VerifyCompleted completed = {cycle->started, time(NULL), cycle->read_blobs, cycle->read_bytes};
    verifycycle_complete(cycle, &completed);
    begin_cycle(verify);
    cycle->started = 0;
}

void verify_cycle_plan(Verify *verify)
{
    size_t n = verify->blobs.n;
    _cleanup_free_ uint32_t *order = sort_blobs(verify);
    bool all = verify->options->percent >= 100;
    verify->run_started = time(NULL);
    verify->cycle.all_bytes = bytes_of(verify, order, 0, n);
    size_t start = verify->has_cycle ? find_start(verify, order) : 0;
    if (start == n)
        start = 0; /* what was behind the cursor is gone */
    size_t wanted = all ? n : verify->options->percent > 0 && n > 0 ? count_share(verify, order, start) : 0;
    verify->sequence = xcalloc(wanted + verify->state.n_damages + 1, sizeof *verify->sequence);
    for (size_t i = 0; i < wanted; i++)
        add(verify, order[(start + i) % n]);
    verify->n_range = wanted;
    verify->wraps_at = n - start;
    add_known(verify);
    verify->done = xcalloc(verify->n_sequence + 1, sizeof *verify->done);
    if (verify->has_cycle && wanted > 0 && (verify->cycle.started == 0 || start == 0))
        begin_cycle(verify);
    verify->cycle.done_bytes = bytes_of(verify, order, 0, start);
}

/* One more blob is behind the cursor. */
static void advance(Verify *verify, size_t place)
{
    VerifyCycle *cycle = &verify->cycle;
    uint32_t position = verify->sequence[place];
    BlobRef ref = blobtable_ref(&verify->blobs, position);
    if (cycle->started == 0)
        begin_cycle(verify);
    memcpy(cycle->cursor, ref.hash, sizeof cycle->cursor);
    cycle->done_bytes += ref.size;
    if (verify->blobs.v[position].state & BLOB_GOOD) {
        cycle->read_blobs++;
        cycle->read_bytes += ref.size;
    }
    if (place + 1 == verify->wraps_at)
        end_cycle(verify);
}

void verify_cycle_done(Verify *verify, size_t place)
{
    pthread_mutex_lock(&verify->mutex);
    verify->done[place] = true;
    for (; verify->frontier < verify->n_sequence && verify->done[verify->frontier]; verify->frontier++)
        if (verify->has_cycle && verify->frontier < verify->n_range)
            advance(verify, verify->frontier);
    pthread_mutex_unlock(&verify->mutex);
}

/* A run that read everything has completed a cycle of its own, wherever it began. */
void verify_cycle_end(Verify *verify)
{
    VerifyCycle *cycle = &verify->cycle;
    if (!verify->has_cycle || verify->options->percent < 100 || cycle->started == 0)
        return;
    const VerifyCompleted completed = {verify->run_started, time(NULL), verify->report->read_blobs,
                                       verify->report->read_bytes};
    verifycycle_complete(cycle, &completed);
    begin_cycle(verify);
    cycle->started = 0;
}
