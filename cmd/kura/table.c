#include "table.h"

#include <assert.h>
#include <string.h>

#include "text.h"

typedef struct Column {
    char *title;
    bool right;
    size_t width;
} Column;

struct Table {
    Column *columns;
    size_t n_columns, columns_cap;
    char **cells; /* row after row */
    size_t n_cells, cells_cap;
    bool header;
};

static void widen(Column *column, const char *text)
{
    size_t width = text_width(text);
    if (width > column->width)
        column->width = width;
}

Table *table_new(const char *titles)
{
    Table *table = xcalloc(1, sizeof *table);
    for (const char *title = titles;; title++) {
        Column column = {.right = *title == '>'};
        title += column.right;
        size_t len = strcspn(title, "|");
        column.title = xstrndup(title, len);
        widen(&column, column.title);
        table->header = table->header || len > 0;
        xgrow(&table->columns, &table->columns_cap, table->n_columns);
        table->columns[table->n_columns++] = column;
        title += len;
        if (*title == 0)
            return table;
    }
}

void table_free(Table *table)
{
    if (table == NULL)
        return;
    for (size_t i = 0; i < table->n_columns; i++)
        free(table->columns[i].title);
    for (size_t i = 0; i < table->n_cells; i++)
        free(table->cells[i]);
    free(table->columns);
    free(table->cells);
    free(table);
}

void table_add(Table *table, const char *const *cells, size_t n)
{
    assert(n == table->n_columns);
    for (size_t i = 0; i < n; i++) {
        char *text = text_escaped(cells[i] ? cells[i] : "");
        widen(&table->columns[i], text);
        xgrow(&table->cells, &table->cells_cap, table->n_cells);
        table->cells[table->n_cells++] = text;
    }
}

bool table_is_empty(const Table *table)
{
    return table->n_cells == 0;
}

static void print_line(const Table *table, FILE *stream, size_t indent, char *const *cells)
{
    size_t pending = indent; /* spaces owed before the next text: none are written behind the last one */
    for (size_t i = 0; i < table->n_columns; i++) {
        const Column *column = &table->columns[i];
        const char *text = cells ? cells[i] : column->title;
        size_t width = text_width(text), fill = column->width - width;
        if (column->right)
            pending += fill;
        if (width > 0) {
            fprintf(stream, "%*s%s", (int)pending, "", text);
            pending = 0;
        } else {
            pending += width;
        }
        if (!column->right)
            pending += fill;
        pending += 2;
    }
    fputc('\n', stream);
}

void table_print(const Table *table, FILE *stream, size_t indent)
{
    if (table->header)
        print_line(table, stream, indent, NULL);
    for (size_t i = 0; i < table->n_cells; i += table->n_columns)
        print_line(table, stream, indent, table->cells + i);
}
