/* Documents that somebody damaged or made up: whatever a test does to one, at every place of it in turn. */
#ifndef KURA_TEST_HOSTILE_H
#define KURA_TEST_HOSTILE_H

#include <jansson.h>

#include "fixture.h"

typedef struct Hostile {
    int (*parse)(const char *text, size_t len); /* 0, or -1 with err set */
    const char *const *nullable;                /* members that may be null; NULL-terminated, as all below */
    const char *const *optional;                /* members that need not be there */
    const char *const *unbounded;               /* numbers that may be as great as JSON has them */
} Hostile;

extern const Hostile *hostile; /* set by the test's set-up */
extern json_t *document;       /* a valid one, mutated in place */

int parse_document(void);
/* Every proper beginning of the text is refused as truncated or corrupt. */
void refuse_every_prefix(void);
/* Nothing may be an array where none was, an object where none was, or a fraction. Of how many places at least. */
void refuse_every_type(int places);
/* What was not null may be so only where it is said. */
void refuse_every_null(void);
/* No member may be missing but the optional ones. */
void refuse_every_omission(void);
/* Members of a later version are ignored, everywhere. */
void ignore_additions(void);
/* 2^63 does not even fit JSON's integers here; the least and greatest that do are refused nearly everywhere. */
void refuse_extreme_numbers(void);
/* With the JSON text `value` at a place such as "database.tables[0].rows" the error's message has this part. */
void assert_message(const char *place, const char *value, const char *part);

#endif
