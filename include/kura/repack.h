/* Makes packs out of members of other packs. A member moves with its headers, so that the new pack is a tar as good as
 * the old one. */
#ifndef KURA_REPACK_H
#define KURA_REPACK_H

#include "kura/buf.h"
#include "kura/repo.h"

typedef struct Repacker Repacker;

Repacker *repacker_new(Uploader *uploader);
/* Reads where the members of a pack are; pack is borrowed until the next call. ERR_CORRUPT when it is no tar. */
int repacker_open(Repacker *repacker, const Buf *pack, Error *err);
/* Takes the member whose content is `length` bytes from `offset` of that pack: they will be at *ret_offset of the pack
 * number *ret_pack. In ascending order of offset. ERR_CORRUPT when there is no such member. */
int repacker_take(Repacker *repacker, uint64_t offset, uint64_t length, size_t *ret_pack, uint64_t *ret_offset,
                  Error *err);
/* Seals the last pack. */
int repacker_finish(Repacker *repacker, Error *err);
/* A pack by its number, once it is sealed, and how many there are. */
const BlobRef *repacker_pack(const Repacker *repacker, size_t number);
size_t repacker_count(const Repacker *repacker);
void repacker_free(Repacker *repacker); /* NULL-safe */

#endif
