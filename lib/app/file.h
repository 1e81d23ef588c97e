/* Files of an application: regular ones only, of a size that a configuration has. */
#ifndef KURA_APP_FILE_H
#define KURA_APP_FILE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "kura/buf.h"
#include "kura/error.h"

enum { APP_FILE_MAX = 1 << 20, GLOB_FILES_MAX = 200 };

/* "dir/path", or path alone where it is absolute. To be freed. */
char *app_path(const char *dir, const char *path);
/* Adds the paths that a pattern of glob(7) fits below dir, what sorts last first: where there are several, the newest.
 * A path without special characters is added whether it is there or not. */
void app_glob(const char *dir, const char *pattern, StrVec *ret);
bool app_file_exists(const char *dir, const char *path);
/* Reads dir/path whole. ERR_NOT_FOUND: it is not there. The buffer is for secret_buf_done. */
int app_file_read(const char *dir, const char *path, Buf *ret, Error *err);
/* The same of a name in an open directory, which is no link, and what fstat() tells of it; path: for messages. */
int app_file_read_at(int dir, const char *name, const char *path, Buf *ret, struct stat *ret_stat, Error *err);

#endif
