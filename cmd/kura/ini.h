/* The syntax of the configuration file: "[section]", "key = value", comments on lines of their own. */
#ifndef KURA_CMD_INI_H
#define KURA_CMD_INI_H

#include <stddef.h>

#include "kura/error.h"

/* Called for every "[section]" line (key NULL) and every "key = value" line, white space around them removed. section
 * is NULL before the first. Returns 0, or -1 to end with its error. */
typedef int (*IniHandler)(void *ctx, unsigned line, const char *section, const char *key, const char *value,
                          Error *err);

/* Reads text of len bytes; file names it in messages. ERR_USAGE names file and line. */
int ini_read(const char *text, size_t len, const char *file, IniHandler handler, void *ctx, Error *err);

#endif
