/* Backups and roles as people and machines see them; used by several commands. */
#ifndef KURA_CMD_VIEW_H
#define KURA_CMD_VIEW_H

#include <jansson.h>
#include <stdio.h>

#include "kura/manifest.h"
#include "kura/rolemap.h"

double backup_seconds(const Manifest *manifest); /* from start to commit */

/* Without the lists of tables, roles and blobs. */
json_t *json_of_backup(const Manifest *manifest);
void print_backup(FILE *out, const Manifest *manifest);

json_t *json_of_roles(const RoleUses *uses);
void print_roles(FILE *out, const RoleUses *uses);

/* "-" for 0, else as text_count(). */
char *view_count(uint64_t count, char *out);
/* "a, b, c"; to be freed. */
char *view_join(const StrVec *list);

#endif
