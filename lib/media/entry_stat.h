/* Between stat() and index entries. */
#ifndef KURA_MEDIA_ENTRY_STAT_H
#define KURA_MEDIA_ENTRY_STAT_H

#include <sys/stat.h>

#include "kura/fileset.h"
#include "owner.h"

/* Sets type, mode, owner, times and identity, and an empty content. '\0' as type for what is not backed up. */
void entry_set_stat(IndexEntry *entry, const struct stat *st, OwnerCache *owners);
/* Whether a file is, by all that stat() tells, the one that the entry describes. ctime cannot be set by programs, so
 * that even a tool that puts mtime back is seen. */
bool entry_is_unchanged(const IndexEntry *before, const struct stat *st);

#endif
