/* The way of entries through a backup. The walker puts them in, in order; workers read those whose content is needed,
 * in any order; the walker takes them out again, in order, once all about them is known:
 *
 *     walker --put--> [ batch, batch, batch, .. ] --oldest--> walker (writes the index)
 *                          \--take--> worker --resolve--/
 *
 * A file in a pack is known only when the pack is sealed. A pack that fills slowly (few new files between very many
 * unchanged ones) would hold up everything behind it: when the walker waits and no work is left, workers are told to
 * seal. So what is held is bounded, and packs are as full as that allows. */
#ifndef KURA_MEDIA_PIPELINE_H
#define KURA_MEDIA_PIPELINE_H

#include <pthread.h>

#include "kura/fileset.h"
#include "links.h"

enum {
    BATCH_SLOTS = 256,                /* a batch ends with this many entries, */
    BATCH_READS = 32,                 /* or this many that must be read, */
    BATCH_BYTES = 8 * 1024 * 1024,    /* or this much to be read */
    PIPELINE_ENTRIES_MAX = 32 * 1024, /* held at most, give or take a batch */
};

typedef struct Slot {
    IndexEntry entry;
    IndexEntry *before; /* what the previous backup says of this path, when that may save storing it; else NULL */
    Link *link;         /* of a file with several names, else NULL */
    bool read;          /* its content must be read */
    bool dropped;       /* it turned out that it cannot be backed up */
} Slot;

typedef struct Batch {
    struct Pipeline *pipeline;
    struct Batch *next;
    Slot *slots; /* stay where they are once the batch is in the pipeline */
    size_t n, cap;
    size_t reads;
    uint64_t bytes;
    size_t unresolved; /* 1 until a worker is done with it, and 1 for each file in a pack that is not sealed */
} Batch;

typedef struct Pipeline {
    pthread_mutex_t mutex;
    pthread_cond_t work, progress; /* for workers; for the walker */
    Batch *first, *last;           /* all, in order */
    Batch *untaken;                /* the first that no worker has looked at */
    size_t entries;
    bool waiting; /* the walker is, for the oldest batch */
    bool closed;  /* nothing more comes */
    bool aborted;
} Pipeline;

typedef enum PipelineTask { TASK_READ, TASK_SEAL, TASK_END } PipelineTask;

void pipeline_init(Pipeline *pipeline);
/* Frees what is still in it; no thread may use it any more. */
void pipeline_done(Pipeline *pipeline);

Batch *batch_new(Pipeline *pipeline);
void batch_free(Batch *batch); /* NULL-safe */
/* An empty slot at the end, valid until the next one. */
Slot *batch_add(Batch *batch);
bool batch_full(const Batch *batch);

/* Walker. */
void pipeline_put(Pipeline *pipeline, Batch *batch); /* takes the batch */
bool pipeline_full(Pipeline *pipeline);
bool pipeline_empty(Pipeline *pipeline);
void pipeline_close(Pipeline *pipeline);
/* Waits until the oldest batch is resolved and gives it away; NULL when there is none, or after an abort. */
Batch *pipeline_oldest(Pipeline *pipeline);

/* Workers. open_pack: whether files of this worker wait for a pack. */
PipelineTask pipeline_take(Pipeline *pipeline, bool open_pack, Batch **ret);
void batch_hold(Batch *batch);    /* one more file waits for a pack */
void batch_release(Batch *batch); /* one less, or the worker is done */
/* Wakes everybody up: the backup has failed. */
void pipeline_abort(Pipeline *pipeline);

#endif
