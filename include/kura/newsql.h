/* What of an archive servers before some major do not understand. Pure. */
#ifndef KURA_NEWSQL_H
#define KURA_NEWSQL_H

#include "kura/toc.h"

typedef struct NewSql {
    int since;             /* the first major that has it */
    const char *what;      /* for messages: "NULLS NOT DISTINCT" */
    size_t n;              /* how many entries need it */
    const TocEntry *first; /* borrowed from the TOC */
} NewSql;

typedef struct NewSqls {
    NewSql *v; /* each with n > 0 */
    size_t n;
} NewSqls;

/* Lists what servers of `major` do not know, as far as it shows in the SQL. It is no proof of the contrary: what a view
 * calls may be new, too. */
int newsql_find(const Toc *toc, int major, NewSqls *ret, Error *err);
void newsqls_done(NewSqls *list); /* NULL-safe */

/* The first major that has a predefined role; 0 when it is none, or one that every supported major has. */
int newsql_role_since(const char *role);

#endif
