/* Reads files of a tree and stores what is new of them. One reader a thread. */
#ifndef KURA_MEDIA_READFILE_H
#define KURA_MEDIA_READFILE_H

#include "kura/pool.h"
#include "kura/progress.h"
#include "notices.h"
#include "pipeline.h"

typedef struct FileReader FileReader;

/* Files that vanished, or never held still while they were read. */
typedef struct ReadTotals {
    uint64_t vanished, changed;
} ReadTotals;

FileReader *file_reader_new(int root, Uploader *uploader, Notices *notices, Progress *progress);
/* Reads all of a batch that must be read: fills in hash, size, parts and what stat() said at that moment, or drops the
 * slot with a warning. -1 only for faults of the repository, or a stop. */
int file_reader_batch(FileReader *reader, Pool *pool, Batch *batch, Error *err);
/* Whether files wait for a pack, and its sealing. */
bool file_reader_has_pack(const FileReader *reader);
int file_reader_seal(FileReader *reader, Error *err);
ReadTotals file_reader_totals(const FileReader *reader);
void file_reader_free(FileReader *reader); /* NULL-safe */

#endif
