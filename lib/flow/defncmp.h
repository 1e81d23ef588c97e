/* Whether two definitions that a server wrote say the same. Pure.
 *
 * A definition that went through a restore is not always written as before: x = ANY ((ARRAY['a'::varchar])::text[])
 * comes back as x = ANY (ARRAY[('a'::varchar)::text]), and roles of a policy come in the order of their creation. So
 * there are three answers. */
#ifndef KURA_DEFNCMP_H
#define KURA_DEFNCMP_H

#include <stdbool.h>
#include <stddef.h>

typedef enum DefnOrder {
    DEFN_SAME,
    DEFN_REWORDED, /* equal but for white space, parentheses, casts and, where any_order says so, order */
    DEFN_DIFFERS,
} DefnOrder;

/* NULL is as "". *ret_a and *ret_b: where they begin to differ, when they do. */
DefnOrder defn_compare(const char *a, const char *b, bool any_order, size_t *ret_a, size_t *ret_b);

#endif
