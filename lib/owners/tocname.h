/* What the entries of a TOC are called in a state. */
#ifndef KURA_OWNERS_TOCNAME_H
#define KURA_OWNERS_TOCNAME_H

#include "kura/owned.h"

/* The kind of object that an entry makes, or OWN_KIND_COUNT. */
OwnKind toc_entry_kind(const TocEntry *entry);
/* Its key; NULL when the entry does not tell. To be freed. */
char *toc_entry_key(OwnKind kind, const TocEntry *entry);
/* The key of what a GRANT is on ("TABLE public.t"), and a kind of that class. To be freed; NULL when it is none. */
char *own_key_of_grant(const char *object, OwnKind *ret_kind);

/* CREATE POLICY name ON schema.table .. TO roles; a role "" is PUBLIC. */
typedef struct TocPolicy {
    char *schema, *table, *name;
    StrVec roles;
} TocPolicy;
int toc_policy_parse(const char *defn, TocPolicy *ret); /* -1: it is something else */
void toc_policy_done(TocPolicy *policy);

/* CREATE USER MAPPING FOR role SERVER server; "public" is PUBLIC. Both to be freed, on failure, too. */
int toc_mapping_parse(const char *defn, char **ret_role, char **ret_server);

#endif
