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
    int places;                                 /* that a document has at least */
} Hostile;

extern const Hostile *hostile; /* set by the test's set-up */
extern json_t *document;       /* a valid one, mutated in place */

int parse_document(void);
/* Every proper beginning of the text is refused as truncated or corrupt. */
void refuse_every_prefix(void **state);
/* Nothing may be an array where none was, an object where none was, or a fraction. */
void refuse_every_type(void **state);
/* What was not null may be so only where it is said. */
void refuse_every_null(void **state);
/* No member may be missing but the optional ones. */
void refuse_every_omission(void **state);
/* Members of a later version are ignored, everywhere. */
void ignore_additions(void **state);
/* 2^63 does not even fit JSON's integers here; the least and greatest that do are refused nearly everywhere. */
void refuse_extreme_numbers(void **state);
/* A table's entries for all of these. */
#define HOSTILE_TEST(function, set_up, tear_down) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
#define HOSTILE_TESTS(set_up, tear_down)                                                                               \
    HOSTILE_TEST(refuse_every_prefix, set_up, tear_down), HOSTILE_TEST(refuse_every_type, set_up, tear_down),          \
        HOSTILE_TEST(refuse_every_null, set_up, tear_down), HOSTILE_TEST(refuse_every_omission, set_up, tear_down),    \
        HOSTILE_TEST(ignore_additions, set_up, tear_down), HOSTILE_TEST(refuse_extreme_numbers, set_up, tear_down)

/* With the JSON text `value` at a place such as "database.tables[0].rows" the error's message has this part. */
void assert_message(const char *place, const char *value, const char *part);

#endif
