/* Files that people take for pg_dump archives. */
#ifndef KURA_TOC_FOREIGN_H
#define KURA_TOC_FOREIGN_H

#include <stddef.h>

#include "kura/error.h"

/* Sets ERR_UNSUPPORTED, saying what the bytes are and what to do with them. Returns -1. */
int toc_refuse_foreign(const void *data, size_t len, Error *err);

#endif
