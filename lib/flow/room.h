/* How much disk something takes, and how much there is. */
#ifndef KURA_FLOW_ROOM_H
#define KURA_FLOW_ROOM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "kura/manifest.h"
#include "kura/pg.h"

/* Bytes that the restored database takes, at most. */
uint64_t room_for_database(const Manifest *manifest);
/* What the file system of the server's data directory has left; false where we cannot know: the server is elsewhere, or
 * does not tell where it keeps its data. */
bool room_of_server(PgConn *conn, uint64_t *ret_left, uint64_t *ret_size);
/* The same for what will be at a path: of the directory nearest to it that is there. */
bool room_of_path(const char *path, uint64_t *ret_left, uint64_t *ret_size, dev_t *ret_device);
/* What must stay free of a file system of that size. */
uint64_t room_reserve(uint64_t size);

#endif
