/* A table of text with aligned columns. */
#ifndef KURA_CMD_TABLE_H
#define KURA_CMD_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "kura/mem.h"

typedef struct Table Table;

/* titles: one a column, separated by '|'; '>' in front makes the column right-aligned. When all of them are empty no
 * header is shown. */
Table *table_new(const char *titles);
void table_free(Table *table); /* NULL-safe */
DEFINE_CLEANUP(Table, table_free)

/* Adds a row: a string for each column, escaped here; NULL is "". */
#define table_row(table, ...)                                                                                          \
    table_add(table, (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))
void table_add(Table *table, const char *const *cells, size_t n);

bool table_is_empty(const Table *table);

/* Writes it, each line after `indent` spaces, columns two spaces apart, nothing behind the last text of a line. */
void table_print(const Table *table, FILE *stream, size_t indent);

#endif
