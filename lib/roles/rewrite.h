/* The text of one entry under a role map: a plan of edits, made statement by statement, then written out. */
#ifndef KURA_REWRITE_H
#define KURA_REWRITE_H

#include <stdbool.h>
#include <stddef.h>

#include "guard.h"
#include "kura/rolemap.h"
#include "rolesql.h"

/* Replaces the bytes [from, to) of the old text. */
typedef struct Edit {
    size_t from, to;
    const char *text; /* borrowed from the map; NULL: nothing comes in their place */
} Edit;

/* No statement: of an index into Rewrite.v. */
#define NO_STATEMENT ((size_t)-1)

typedef struct RewriteStatement {
    RoleSqlKind kind;
    size_t from, to;
    bool dropped;
    size_t edits, n_edits; /* in Rewrite.edits, in the order of the text */
    bool grant_option;
    size_t grant_option_from, grant_option_to;
    size_t session;      /* the SET SESSION AUTHORIZATION it stands under, or ends */
    char *session_old;   /* of a SET SESSION AUTHORIZATION: the role, before and after */
    char *session_new;   /* ... */
    bool nested;         /* .. and it came before the last one was reset */
    const char *grantor; /* NULL: the owner */
    char *key;           /* the new text without WITH GRANT OPTION */
    size_t run;          /* statements of one run commute: GRANTs between two REVOKEs, or the other way round */
} RewriteStatement;

typedef struct Rewrite {
    const char *text;
    RewriteStatement *v;
    size_t n;
    size_t cap;
    Edit *edits;
    size_t n_edits;
    size_t cap_edits;
    size_t n_dropped;
} Rewrite;

/* Rewrites the text of an entry that names roles. owner is the entry's owner after the map (NULL or "": none). guard
 * may be NULL: then statements that kura does not know are left alone. *ret is a fresh string, "" when no statement is
 * left, or NULL when nothing changes. */
int rewrite_text(const RoleMap *map, const char *text, const char *owner, const RoleGuard *guard, char **ret,
                 Error *err);

/* Drops the GRANTs and REVOKEs that a merge of roles made superfluous. */
void rewrite_merge(Rewrite *rewrite);
void rewrite_drop(Rewrite *rewrite, RewriteStatement *statement);
/* Appends the bytes [from, to) of a statement as they will be. */
void rewrite_append(const Rewrite *rewrite, const RewriteStatement *statement, size_t from, size_t to, Buf *out);

#endif
