/* What the writers of an index need beyond kura/fileset.h. */
#ifndef KURA_MEDIA_INDEX_IO_H
#define KURA_MEDIA_INDEX_IO_H

#include "kura/fileset.h"

/* Lines longer than this are neither written nor read: the parts of a file of about 5 TB. */
enum { INDEX_LINE_MAX = 48 * 1024 * 1024, INDEX_PARTS_MAX = 1024 * 1024, INDEX_TARGET_MAX = 64 * 1024 };

/* The two ways in which index_entry_parse reads a line: fast, when it is exactly as index_entry_format would write it
 * and nothing is escaped (false: not sure, ask the other), and any JSON. */
bool index_entry_parse_canonical(const char *line, size_t len, IndexEntry *ret);
int index_entry_parse_json(const char *line, size_t len, IndexEntry *ret, Error *err);

/* Writes entries, in order, into compressed blobs that go to the uploader. */
typedef struct IndexWriter IndexWriter;
IndexWriter *index_writer_new(Repo *repo, Uploader *uploader);
/* Adds the entry and counts it. Its path must be greater than the one before. */
int index_writer_add(IndexWriter *writer, const IndexEntry *entry, Error *err);
/* Sends what is left; the index's blobs and the totals are then added to *ret. */
int index_writer_finish(IndexWriter *writer, ManifestFileset *ret, Error *err);
void index_writer_free(IndexWriter *writer); /* NULL-safe */

/* Pieces of an index that were read and may be read again: the first ones, up to a bound. */
typedef struct IndexKept IndexKept;
IndexKept *index_kept_new(void);
void index_kept_free(IndexKept *kept); /* NULL-safe */
/* Reads these pieces alone, in ascending order of their numbers; takes the array. kept is borrowed. */
IndexReader *index_reader_new_pieces(Repo *repo, const ManifestFileset *fileset, size_t *numbers, size_t n,
                                     IndexKept *kept);

/* Tells the uploader of the entry's blobs; *last is the one told last. */
void index_entry_know(const IndexEntry *entry, Uploader *uploader, BlobRef *last);

/* A copy of the parts alone, in the place of what *ret has. */
void index_entry_copy_parts(const IndexEntry *entry, IndexEntry *ret);

#endif
