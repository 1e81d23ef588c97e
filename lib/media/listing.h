/* The names in a directory, sorted as the walk goes through them. */
#ifndef KURA_MEDIA_LISTING_H
#define KURA_MEDIA_LISTING_H

#include "kura/buf.h"

/* A directory has two items: its own entry, at "name", and what is below it, at "name/". Between them, in byte order,
 * come siblings such as "name.png". */
typedef struct ListingItem {
    size_t name; /* offset in names */
    bool below;
} ListingItem;

typedef struct Listing {
    Buf names;
    ListingItem *items;
    size_t n, cap;
} Listing;

/* Reads an open directory; with exclude_caches one with a valid CACHEDIR.TAG has that name alone. Returns 0 or an
 * errno; what was read before an error is in *ret nevertheless. */
int listing_read(Listing *ret, int fd, bool exclude_caches);
void listing_done(Listing *listing);

static inline const char *listing_name(const Listing *listing, const ListingItem *item)
{
    return (const char *)listing->names.data + item->name;
}

#endif
