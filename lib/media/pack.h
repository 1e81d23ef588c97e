/* Fills packs: pax tars of whole small files, in the order they are added. Where a file's content is becomes known only
 * when its pack is sealed, since a blob's name is its hash. Not thread-safe: one packer a thread. */
#ifndef KURA_MEDIA_PACK_H
#define KURA_MEDIA_PACK_H

#include "kura/fileset.h"

enum {
    PACK_FILE_MAX = 1024 * 1024,    /* larger files become chunks */
    PACK_TARGET = 16 * 1024 * 1024, /* sealed once it has this much */
    CHUNK_SIZE = 16 * 1024 * 1024,
};

typedef struct Packer Packer;

/* sealed(owner) is called for each file of a pack, after its part was filled in. */
Packer *packer_new(Uploader *uploader, void (*sealed)(void *owner));
/* Adds a file: entry tells path, mode, owner and time. *part (stays where it is until then) is filled in when the pack
 * is sealed, which may be within this call. */
int packer_add(Packer *packer, const IndexEntry *entry, const void *data, size_t len, struct IndexPart *part,
               void *owner, Error *err);
/* Bytes in the open pack; 0: nothing is waiting. */
size_t packer_size(const Packer *packer);
/* Ends the open pack, if there is one, and hands it to the uploader. */
int packer_seal(Packer *packer, Error *err);
void packer_free(Packer *packer); /* NULL-safe; what is not sealed is dropped */

#endif
