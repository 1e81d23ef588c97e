/* Files on their way out of the repository: collected into windows, within which workers take all files of a pack
 * together, so that neighbours are read at once. */
#ifndef KURA_MEDIA_WINDOW_H
#define KURA_MEDIA_WINDOW_H

#include "kura/pool.h"
#include "kura/progress.h"
#include "place.h"

typedef struct Window Window;

/* One placer a worker. All is borrowed. */
Window *window_new(Repo *repo, Placer *placers, size_t jobs, Progress *progress);
/* Adds a copy of a file's entry; its directory is there. May restore what was collected. */
int window_add(Window *window, const IndexEntry *entry, Error *err);
/* Restores what was collected. -1 only when going on makes no sense. */
int window_flush(Window *window, Error *err);
void window_free(Window *window); /* NULL-safe */

#endif
