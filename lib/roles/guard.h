/* The last line of defence: text that kura does not understand must not name a role that the map changes. */
#ifndef KURA_GUARD_H
#define KURA_GUARD_H

#include "kura/rolemap.h"
#include "kura/sqllex.h"

typedef struct RoleGuard {
    const RoleMap *map;
    RoleUses uses; /* the roles that "*" speaks of: those that the TOC named before the map */
} RoleGuard;

/* Looks up who everyone else is, if a rule is about him. guard is zeroed or done before. */
int guard_init(RoleGuard *guard, const RoleMap *map, const Toc *toc, Error *err);
void guard_done(RoleGuard *guard);
/* ERR_UNSUPPORTED when an identifier or a string among the tokens is the name of a role that the map changes. */
int guard_tokens(const RoleGuard *guard, const SqlToken *tokens, size_t n, Error *err);
/* The same for a text; NULL is none. Text that is no SQL is refused. */
int guard_text(const RoleGuard *guard, const char *text, Error *err);

#endif
