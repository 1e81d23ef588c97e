/* What a restore would do, and what it has proven. */
#ifndef KURA_CMD_RESTOREVIEW_H
#define KURA_CMD_RESTOREVIEW_H

#include <jansson.h>
#include <stdio.h>

#include "kura/restore.h"

typedef struct RestoreView {
    const char *source;       /* the backup's id or the archive's path */
    const Manifest *manifest; /* NULL for an archive */
    const RestoreOptions *options;
    const RestoreReport *report;
    const StrVec *afterwards; /* commands for a person to run; NULL: none is known */
    bool plan;                /* nothing was done */
} RestoreView;

json_t *json_of_restore(const RestoreView *view);
void print_restore(FILE *out, const RestoreView *view);

#endif
