#ifndef KURA_APP_EDIT_PRIV_H
#define KURA_APP_EDIT_PRIV_H

#include "kura/appedit.h"

/* A line of a file, and what is to become of it. */
typedef struct Line {
    const char *text;  /* of the file */
    size_t start, len; /* without its line break */
    const AppEdits *edits;
    const char *file;
} Line;

Line line_at(const AppEdits *edits, const char *file, const char *text, size_t len, size_t start);
/* Where the line after it begins; len: of the file. */
size_t line_next(const Line *line, size_t len);
bool line_holds(const Line *line, const AppPlace *place);
size_t line_indent(const Line *line);
/* The edits of this line that are insertions, or are none, in the order of their places; to be freed. */
const AppEdit **line_edits(const Line *line, bool insert, size_t *ret_n);

#endif
