/* The insides of a role map, for those who apply it. */
#ifndef KURA_ROLEMAP_PRIV_H
#define KURA_ROLEMAP_PRIV_H

#include <stdbool.h>
#include <stddef.h>

#include "kura/rolemap.h"

/* PostgreSQL's NAMEDATALEN - 1. */
enum { ROLE_NAME_MAX = 63 };

typedef struct RoleRule {
    char *old_name; /* NULL in the rule for everyone else */
    char *new_name; /* NULL: @drop */
    char *new_sql;  /* new_name as SQL writes it */
} RoleRule;

struct RoleMap {
    RoleRule *v; /* sorted by old_name */
    size_t n;
    size_t cap;
    RoleRule rest; /* "*=new": its new_name is NULL when there is none */
};

/* The rule that decides about a role, or NULL when it stays as it is. */
const RoleRule *rolemap_rule(const RoleMap *map, const char *role);
/* The rule that names a role, or NULL. */
const RoleRule *rolemap_rule_of(const RoleMap *map, const char *role);
/* Whether no role can have a name, quoted or not: public, none. */
bool role_is_reserved(const char *name);
/* Whether a name, when it is not quoted, stands for no role of its own: those, and current_user and its like. */
bool role_is_word(const char *name);

#endif
