/* Puts single things of an index into a directory. Whatever is there already may be hostile: no link is followed,
 * nothing is written in place, a file gets its name only when its content is right. One placer a thread. */
#ifndef KURA_MEDIA_PLACE_H
#define KURA_MEDIA_PLACE_H

#include "kura/fileset.h"
#include "notices.h"
#include "owner.h"
#include "tree.h"

typedef struct Placer {
    Repo *repo;
    Notices *notices;
    bool owners, quick_check;
    Tree tree, target_tree; /* the latter for what hard links point to */
    OwnerCache cache;
    Sha256 *hash;
    Buf piece;
    FilesetRestoreStats stats;
} Placer;

typedef enum Placed {
    PLACED,        /* kept or written, and counted */
    PLACE_NEEDED,  /* place_check_file: its content must be fetched */
    PLACE_REFUSED, /* there is a finding about it */
    PLACE_FATAL,   /* *err tells: going on makes no sense */
} Placed;

void placer_init(Placer *placer, Repo *repo, int root, const FilesetRestoreOptions *options, Notices *notices);
void placer_done(Placer *placer); /* NULL-safe */

/* A directory, passable for us until place_dir_finish. Directories above it that the index did not name before are made
 * and added to `made` (here and in place_parents). */
Placed place_dir(Placer *placer, const IndexEntry *entry, StrVec *made, Error *err);
Placed place_parents(Placer *placer, const IndexEntry *entry, StrVec *made, Error *err);
Placed place_symlink(Placer *placer, const IndexEntry *entry, Error *err);
Placed place_fifo(Placer *placer, const IndexEntry *entry, Error *err);
/* Keeps a file that is right. */
Placed place_check_file(Placer *placer, const IndexEntry *entry, Error *err);
/* Writes a file; its content is what `content` points to, for a file of one part, or comes from the repository when
 * that is NULL. */
Placed place_file(Placer *placer, const IndexEntry *entry, const uint8_t *content, Error *err);
/* A further name; the first one must be in place, and is checked. */
Placed place_hard_link(Placer *placer, const IndexEntry *entry, Error *err);
/* Mode, owner and time, once nothing is put into it any more. */
Placed place_dir_finish(Placer *placer, const IndexEntry *entry, Error *err);
/* Adds a finding about an entry whose content the repository does not give (cause), or gives up: PLACE_REFUSED or
 * PLACE_FATAL. */
Placed place_content_missing(Placer *placer, const IndexEntry *entry, const Error *cause, Error *err);

#endif
