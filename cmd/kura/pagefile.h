/* Pages of HTML as files. */
#ifndef KURA_CMD_PAGEFILE_H
#define KURA_CMD_PAGEFILE_H

#include "kura/report.h"

/* Writes a page of what was rehearsed, beside the n rehearsals before it. */
int pagefile_rehearsal(const Rehearsal *rehearsal, const Rehearsal *const *earlier, size_t n, const char *path,
                       Error *err);
/* Writes the page of a repository. */
int pagefile_repository(const RepositoryReport *report, const char *path, Error *err);

#endif
