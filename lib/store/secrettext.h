/* Text that must not stay in memory. */
#ifndef KURA_SECRETTEXT_H
#define KURA_SECRETTEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "kura/error.h"
#include "kura/mem.h"

/* Overwrites and frees a string. NULL-safe. */
void secrettext_free(char *text);
DEFINE_CLEANUP(char, secrettext_free)

/* Reads a whole file of at most max bytes. Free it with secrettext_free. ret_exposed, which may be NULL: whether
 * everybody on this host may read the file. Errors: those of error_errno; ERR_CORRUPT when it is longer or has NUL
 * bytes. */
int secrettext_read(const char *path, size_t max, char **ret_text, bool *ret_exposed, Error *err);

#endif
