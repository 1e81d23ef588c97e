#include "kura/progress.h"

#include <stdio.h>
#include <string.h>

#include "kura/clock.h"
#include "kura/log.h"

void progress_phase(Progress *progress, const char *phase, uint64_t bytes_total)
{
    log_debug("phase: %s", phase);
    if (progress == NULL)
        return;
    ProgressSnapshot last;
    progress_snapshot(progress, &last);
    pthread_mutex_lock(&progress->mutex);
    snprintf(progress->phase, sizeof progress->phase, "%s", phase);
    progress->item[0] = 0;
    progress->started = clock_monotonic();
    progress->bytes_done = 0;
    progress->bytes_total = bytes_total;
    progress->rows_done = 0;
    pthread_mutex_unlock(&progress->mutex);
    if (progress->on_end != NULL && last.phase[0])
        progress->on_end(progress->on_end_ctx, &last);
}

void progress_total(Progress *progress, uint64_t bytes_total)
{
    if (progress)
        progress->bytes_total = bytes_total;
}

void progress_item(Progress *progress, const char *item)
{
    if (progress == NULL)
        return;
    pthread_mutex_lock(&progress->mutex);
    snprintf(progress->item, sizeof progress->item, "%s", item);
    pthread_mutex_unlock(&progress->mutex);
}

void progress_add(Progress *progress, uint64_t bytes, uint64_t rows)
{
    if (progress == NULL)
        return;
    progress->bytes_done += bytes;
    progress->rows_done += rows;
}

void progress_snapshot(Progress *progress, ProgressSnapshot *ret)
{
    memset(ret, 0, sizeof *ret);
    if (progress == NULL)
        return;
    pthread_mutex_lock(&progress->mutex);
    snprintf(ret->phase, sizeof ret->phase, "%s", progress->phase);
    snprintf(ret->item, sizeof ret->item, "%s", progress->item);
    ret->started = progress->started;
    ret->bytes_done = progress->bytes_done;
    ret->bytes_total = progress->bytes_total;
    ret->rows_done = progress->rows_done;
    pthread_mutex_unlock(&progress->mutex);
}
