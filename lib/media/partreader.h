/* Reads the parts of an entry's content, in order. A part that repeats the one before it is not fetched again: the
 * chunks of a large hole are all the same blob. */
#ifndef KURA_MEDIA_PARTREADER_H
#define KURA_MEDIA_PARTREADER_H

#include "kura/fileset.h"
#include "kura/prefetch.h"

typedef struct PartReader {
    const IndexEntry *entry; /* borrowed */
    size_t next;
    struct IndexPart *fetched; /* the parts that do not repeat the one before */
    Prefetch *ahead;           /* of these */
} PartReader;

void part_reader_init(PartReader *reader, Repo *repo, const IndexEntry *entry);
/* The next part's bytes into *piece, which must still hold what the call before put there. Errors as prefetch_next. */
int part_reader_next(PartReader *reader, Buf *piece, Error *err);
void part_reader_done(PartReader *reader);

#endif
