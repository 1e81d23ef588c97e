#include "partreader.h"

#include <string.h>

#include "kura/mem.h"

static bool repeats(const IndexEntry *entry, size_t i)
{
    if (i == 0)
        return false;
    const struct IndexPart *part = &entry->parts[i], *before = part - 1;
    return part->offset == before->offset && part->length == before->length && part->blob.kind == before->blob.kind &&
           strcmp(part->blob.hash, before->blob.hash) == 0;
}

static void part_item(const void *list, size_t i, PrefetchItem *ret)
{
    const struct IndexPart *part = (const struct IndexPart *)list + i;
    *ret = (PrefetchItem){.blob = part->blob, .part = true, .offset = part->offset, .length = part->length};
}

void part_reader_init(PartReader *reader, Repo *repo, const IndexEntry *entry)
{
    size_t n = 0;
    *reader = (PartReader){.entry = entry, .fetched = xcalloc(entry->n_parts, sizeof *reader->fetched)};
    for (size_t i = 0; i < entry->n_parts; i++)
        if (!repeats(entry, i))
            reader->fetched[n++] = entry->parts[i];
    reader->ahead = prefetch_new(repo, n, part_item, reader->fetched);
}

int part_reader_next(PartReader *reader, Buf *piece, Error *err)
{
    return repeats(reader->entry, reader->next++) ? 0 : prefetch_next(reader->ahead, piece, err);
}

void part_reader_done(PartReader *reader)
{
    prefetch_free(reader->ahead);
    free(reader->fetched);
}
