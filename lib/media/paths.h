/* Which entries of a fileset, and which pieces of its index, somebody who asked for some paths needs. */
#ifndef KURA_MEDIA_PATHS_H
#define KURA_MEDIA_PATHS_H

#include "kura/fileset.h"

/* Whether an entry is asked for; remembers which of the paths that answered. NULL asks for everything. */
bool fileset_paths_select(FilesetPaths *paths, const char *path, bool is_dir);

/* Numbers of the pieces that can hold what is asked for, ascending; *ret to be freed. */
size_t fileset_paths_pieces(const FilesetPaths *paths, const ManifestFileset *fileset, size_t **ret);
/* The same for a piece and one very path. */
bool fileset_piece_may_hold(const ManifestFileset *fileset, size_t piece, const char *path);

#endif
