#include "pipeline.h"

#include "kura/mem.h"

void pipeline_init(Pipeline *pipeline)
{
    *pipeline = (Pipeline){
        .mutex = PTHREAD_MUTEX_INITIALIZER, .work = PTHREAD_COND_INITIALIZER, .progress = PTHREAD_COND_INITIALIZER};
}

Batch *batch_new(Pipeline *pipeline)
{
    Batch *batch = xcalloc(1, sizeof *batch);
    batch->pipeline = pipeline;
    return batch;
}

void batch_free(Batch *batch)
{
    if (batch == NULL)
        return;
    for (size_t i = 0; i < batch->n; i++) {
        index_entry_done(&batch->slots[i].entry);
        index_entry_done(batch->slots[i].before);
        free(batch->slots[i].before);
    }
    free(batch->slots);
    free(batch);
}

Slot *batch_add(Batch *batch)
{
    xgrow(&batch->slots, &batch->cap, batch->n);
    batch->slots[batch->n] = (Slot){0};
    return &batch->slots[batch->n++];
}

bool batch_full(const Batch *batch)
{
    return batch->n == BATCH_SLOTS || batch->reads >= BATCH_READS || batch->bytes >= BATCH_BYTES;
}

void pipeline_done(Pipeline *pipeline)
{
    while (pipeline->first) {
        Batch *batch = pipeline->first;
        pipeline->first = batch->next;
        batch_free(batch);
    }
    pthread_cond_destroy(&pipeline->work);
    pthread_cond_destroy(&pipeline->progress);
    pthread_mutex_destroy(&pipeline->mutex);
}

void pipeline_put(Pipeline *pipeline, Batch *batch)
{
    pthread_mutex_lock(&pipeline->mutex);
    if (pipeline->last)
        pipeline->last->next = batch;
    else
        pipeline->first = batch;
    pipeline->last = batch;
    pipeline->entries += batch->n;
    if (batch->reads) {
        batch->unresolved = 1;
        if (pipeline->untaken == NULL)
            pipeline->untaken = batch;
        pthread_cond_signal(&pipeline->work);
    }
    pthread_mutex_unlock(&pipeline->mutex);
}

bool pipeline_full(Pipeline *pipeline)
{
    pthread_mutex_lock(&pipeline->mutex);
    bool full = pipeline->entries >= PIPELINE_ENTRIES_MAX;
    pthread_mutex_unlock(&pipeline->mutex);
    return full;
}

bool pipeline_empty(Pipeline *pipeline)
{
    pthread_mutex_lock(&pipeline->mutex);
    bool empty = pipeline->first == NULL;
    pthread_mutex_unlock(&pipeline->mutex);
    return empty;
}

void pipeline_close(Pipeline *pipeline)
{
    pthread_mutex_lock(&pipeline->mutex);
    pipeline->closed = true;
    pthread_cond_broadcast(&pipeline->work);
    pthread_mutex_unlock(&pipeline->mutex);
}

/* Takes the first batch off the list, once it is resolved. */
static Batch *wait_for_first(Pipeline *pipeline)
{
    Batch *batch = pipeline->first;
    pipeline->waiting = true;
    if (batch->unresolved)
        pthread_cond_broadcast(&pipeline->work);
    while (batch->unresolved && !pipeline->aborted)
        pthread_cond_wait(&pipeline->progress, &pipeline->mutex);
    pipeline->waiting = false;
    if (pipeline->aborted)
        return NULL;
    pipeline->first = batch->next;
    if (pipeline->first == NULL)
        pipeline->last = NULL;
    pipeline->entries -= batch->n;
    return batch;
}

Batch *pipeline_oldest(Pipeline *pipeline)
{
    pthread_mutex_lock(&pipeline->mutex);
    Batch *batch = pipeline->first ? wait_for_first(pipeline) : NULL;
    pthread_mutex_unlock(&pipeline->mutex);
    return batch;
}

static Batch *next_untaken(Pipeline *pipeline)
{
    Batch *batch = pipeline->untaken;
    for (pipeline->untaken = batch->next; pipeline->untaken && pipeline->untaken->reads == 0;)
        pipeline->untaken = pipeline->untaken->next;
    return batch;
}

PipelineTask pipeline_take(Pipeline *pipeline, bool open_pack, Batch **ret)
{
    PipelineTask task;
    pthread_mutex_lock(&pipeline->mutex);
    for (;;) {
        if (pipeline->untaken && !pipeline->aborted) {
            *ret = next_untaken(pipeline);
            task = TASK_READ;
            break;
        }
        if (open_pack && !pipeline->aborted && (pipeline->waiting || pipeline->closed)) {
            task = TASK_SEAL;
            break;
        }
        if (pipeline->closed || pipeline->aborted) {
            task = TASK_END;
            break;
        }
        pthread_cond_wait(&pipeline->work, &pipeline->mutex);
    }
    pthread_mutex_unlock(&pipeline->mutex);
    return task;
}

void batch_hold(Batch *batch)
{
    pthread_mutex_lock(&batch->pipeline->mutex);
    batch->unresolved++;
    pthread_mutex_unlock(&batch->pipeline->mutex);
}

void batch_release(Batch *batch)
{
    /* Once nothing is unresolved the walker may free the batch at any moment. */
    Pipeline *pipeline = batch->pipeline;
    pthread_mutex_lock(&pipeline->mutex);
    if (--batch->unresolved == 0)
        pthread_cond_signal(&pipeline->progress);
    pthread_mutex_unlock(&pipeline->mutex);
}

void pipeline_abort(Pipeline *pipeline)
{
    pthread_mutex_lock(&pipeline->mutex);
    pipeline->aborted = true;
    pthread_cond_broadcast(&pipeline->work);
    pthread_cond_broadcast(&pipeline->progress);
    pthread_mutex_unlock(&pipeline->mutex);
}
