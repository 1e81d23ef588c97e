/* What prune found and did, for people and machines. */
#ifndef KURA_CMD_VIEW_PRUNE_H
#define KURA_CMD_VIEW_PRUNE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "kura/prune.h"

json_t *json_of_prune(const PruneReport *report, bool plan);
void print_prune(FILE *out, const PruneReport *report, bool plan);

#endif
