/* Patterns like gitignore's, one a string: `*`, `?` and `[..]` within a part of the path, `**` over parts, a '/' at the
 * start or in the middle anchors at the top, one at the end asks for a directory, `!` in front takes back, the last
 * pattern that matches wins. "\!" begins a pattern with an exclamation mark. There are no comments: these are
 * arguments, not lines of a file. Bytes are compared, in any locale. */
#ifndef KURA_MEDIA_PATTERN_H
#define KURA_MEDIA_PATTERN_H

#include <stdbool.h>

#include "kura/buf.h"

typedef struct PatternSet PatternSet;

typedef enum PatternVerdict { PATTERN_NONE, PATTERN_MATCH, PATTERN_TAKEN_BACK } PatternVerdict;

/* NULL when texts is NULL or has nothing but empty strings. Every text is a valid pattern. */
PatternSet *pattern_set_new(const StrVec *texts);
void pattern_set_free(PatternSet *set); /* NULL-safe */
/* What the patterns say about this very path, whatever they say about the directories above it. */
PatternVerdict pattern_set_match(const PatternSet *set, const char *path, bool is_dir);
/* Whether a path below this directory can match, so that it must be entered. */
bool pattern_set_reaches_below(const PatternSet *set, const char *dir);
/* Whether path, or a directory above it, matches (the nearest one that any pattern speaks about decides). A NULL set
 * selects everything. */
bool pattern_set_selects(const PatternSet *set, const char *path, bool is_dir);

#endif
