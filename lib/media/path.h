/* Paths of a fileset: relative, bytes as on disk, '/' between parts. */
#ifndef KURA_MEDIA_PATH_H
#define KURA_MEDIA_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longer ones are not backed up. Far above PATH_MAX: a tree may be deeper than any single system call can name. */
enum { FILESET_PATH_MAX = 256 * 1024 };

/* Whether path stays inside the directory it is relative to: not empty, not absolute, without "", "." and ".." parts,
 * and not too long. */
bool path_is_safe(const char *path);
/* For messages: control characters, quotes, backslashes and what is not UTF-8 become \xNN, a long path loses its
 * middle. To be freed. */
char *path_display(const char *path);
/* Whether JSON writes the text as it is: valid UTF-8 without control characters, quotes and backslashes. */
bool path_text_is_plain(const char *text, size_t len);
/* Evenly spread over paths, the same on every machine: where things are cut must depend on names alone. */
uint64_t path_hash(const char *path);

#endif
