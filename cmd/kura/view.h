/* Backups and roles as people and machines see them; used by several commands. */
#ifndef KURA_CMD_VIEW_H
#define KURA_CMD_VIEW_H

#include <jansson.h>
#include <stdio.h>

#include "kura/manifest.h"
#include "kura/rolemap.h"

/* Rows and raw bytes of a database, with its large objects; files and bytes of all filesets. */
typedef struct BackupTotals {
    uint64_t rows, row_bytes;
    uint64_t files, file_bytes;
} BackupTotals;
BackupTotals backup_totals(const Manifest *manifest);
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
