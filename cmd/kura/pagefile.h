/* Pages of HTML as files. */
#ifndef KURA_CMD_PAGEFILE_H
#define KURA_CMD_PAGEFILE_H

#include "kura/rehearsal.h"

/* Writes a page of what was rehearsed, beside the rehearsals before it that the repository has. */
int pagefile_rehearsal(Repo *repo, const Rehearsal *rehearsal, const char *path, Error *err);

#endif
