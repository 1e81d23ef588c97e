/* Rows become segments: hashed, cut, compressed, handed to the uploader. kura-format(5) describes the cutting rule. */
#ifndef KURA_SEGMENT_H
#define KURA_SEGMENT_H

#include "kura/hash.h"
#include "kura/manifest.h"
#include "kura/repo.h"

typedef struct SegmentWriter SegmentWriter;

/* One for each thread; borrows repo and uploader. */
SegmentWriter *segment_writer_new(Repo *repo, Uploader *uploader);
void segment_writer_free(SegmentWriter *writer); /* NULL-safe */
/* Adds one row of COPY text, newline included. */
int segment_writer_row(SegmentWriter *writer, const char *row, size_t len, Error *err);
/* Ends a run of rows: seals the last segment and gives digest and segments (to be freed), then is ready for another
 * run. */
int segment_writer_end(SegmentWriter *writer, RowDigest *ret_digest, ManifestSegment **ret, size_t *ret_n, Error *err);
/* The same, but a run of at most BUNDLED_MAX bytes goes into the open bundle as one frame: its segment has its place
 * there, and its blob only once segment_writer_seal_bundle has told it. */
enum { BUNDLED_MAX = 64 * 1024 };
int segment_writer_end_bundled(SegmentWriter *writer, RowDigest *ret_digest, ManifestSegment **ret, size_t *ret_n,
                               Error *err);
/* Ends the bundle: the blob of all segments that went into it. *ret_any false: there were none. */
int segment_writer_seal_bundle(SegmentWriter *writer, BlobRef *ret, bool *ret_any, Error *err);

#endif
