/* Hard links: which inode was met under which first name. Holds the inodes of which names are still to come. */
#ifndef KURA_MEDIA_LINKS_H
#define KURA_MEDIA_LINKS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "kura/hash.h"

typedef struct Link {
    dev_t device;
    ino_t inode;
    char *path;  /* its first name */
    bool stored; /* its first name's entry is written: hash and size are known */
    char hash[SHA256_HEX_SIZE];
    uint64_t size;
    uint64_t unseen;  /* names that the walk did not come to yet, as far as is known */
    uint64_t pending; /* names that were met, and not released yet */
} Link;

typedef struct Links {
    void *tree; /* tsearch(3) */
} Links;

void links_done(Links *links);
/* The link of a file with several names; *ret_first tells whether path is the first of them. */
Link *links_meet(Links *links, const struct stat *st, const char *path, bool *ret_first);
/* A name that was met is dealt with; after the last one the link is forgotten. */
void links_release(Links *links, Link *link);

#endif
