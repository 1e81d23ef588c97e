/* Databases that kura keeps, as people and machines see them. */
#ifndef KURA_CMD_VIEW_KEPT_H
#define KURA_CMD_VIEW_KEPT_H

#include <jansson.h>
#include <stdio.h>

#include "kura/kept.h"

json_t *json_of_undo(const UndoReport *report);
json_t *json_of_kept_databases(const KeptPruneReport *report);
void print_undo(FILE *out, const UndoReport *report, bool plan);
void print_kept_databases(FILE *out, const KeptPruneReport *report);

#endif
