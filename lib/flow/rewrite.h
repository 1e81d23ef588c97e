/* A manifest whose references were changed: for blobs that are called otherwise in another repository, or whose content
 * has moved into others. */
#ifndef KURA_REWRITE_H
#define KURA_REWRITE_H

#include "kura/manifest.h"
#include "kura/repo.h"

/* Where `length` bytes from `offset` of a blob are from now on: in *ret_blob, from *ret_offset. *ret_offset is 0 for a
 * whole blob (offset 0, length its size), which stays a whole one. -1 ends the rewriting with its error. */
typedef int (*RewriteRef)(void *ctx, const BlobRef *blob, uint64_t offset, uint64_t length, BlobRef *ret_blob,
                          uint64_t *ret_offset, Error *err);

/* Makes *ret, with the same id, of a backup that is in `from`: every reference to content (table of contents, segments,
 * parts of files and of large objects) has gone through fn, in the order of the manifest and its indexes. A piece of an
 * index whose references have not changed is a reference like the others, and goes through fn as a whole blob after
 * what it refers to; of a changed one a new piece, which takes its place, goes to the uploader of `to`. One piece is in
 * memory at a time. Errors as those of index_reader_next, uploader_submit and fn. */
int manifest_rewrite(Repo *from, Repo *to, Uploader *uploader, const Manifest *manifest, RewriteRef fn, void *ctx,
                     Manifest **ret, Error *err);

#endif
