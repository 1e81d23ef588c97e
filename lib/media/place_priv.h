/* Shared by the place*.c files. */
#ifndef KURA_MEDIA_PLACE_PRIV_H
#define KURA_MEDIA_PLACE_PRIV_H

#include <sys/stat.h>

#include "place.h"

enum { TEMP_NAME_SIZE = 64 };
#define TEMP_PREFIX ".kura-restore-"

/* A system call about this entry failed. Some faults would meet every other entry as well: these end the restore. */
Placed place_failed(Placer *placer, const IndexEntry *entry, const char *what, int error, Error *err);
/* Something of another type has its name, or is where its directory should be. */
Placed place_in_the_way(Placer *placer, const IndexEntry *entry);
/* The directory of a path, or the Placed that says why not (PLACED: all right). */
Placed place_open_parent(Placer *placer, const IndexEntry *entry, StrVec *made, int *ret_dir, const char **ret_name,
                         Error *err);
/* A name that nobody else uses, for something that gets its own name by rename. */
void place_temp_name(char name[TEMP_NAME_SIZE]);
/* Gives an open file or directory its owner, mode and times, as far as st says that they differ; 0 or an errno. */
int place_set_facts(Placer *placer, int fd, const struct stat *st, const IndexEntry *entry);
/* Whether place_set_facts has nothing to do. */
bool place_facts_right(Placer *placer, const struct stat *st, const IndexEntry *entry);
/* The same of the time alone. */
bool place_time_right(const struct stat *st, const IndexEntry *entry);
/* SHA-256 of an open file; 0 or an errno. */
int place_hash_file(Placer *placer, int fd, char ret_hex[SHA256_HEX_SIZE]);

#endif
