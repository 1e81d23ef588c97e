/* Who can make, own and grant what on a target where the restoring role is no superuser. Pure: facts about the server
 * and a mapped TOC in, a plan out. */
#ifndef KURA_RIGHTS_H
#define KURA_RIGHTS_H

#include <stdbool.h>

#include "kura/buf.h"
#include "kura/catalog.h"
#include "kura/findings.h"
#include "kura/toc.h"

/* Who runs an entry. */
typedef enum Doer {
    DOER_SELF,  /* the restoring role */
    DOER_ADMIN, /* the connection of --admin-db */
    DOER_NONE,  /* nobody can: skipped, and listed by name */
} Doer;

typedef struct RightsFacts {
    const char *self; /* the restoring role */
    int server_version_num;
    bool self_managed;     /* a member of a provider's administrators, whom its server may allow more than PostgreSQL */
    bool admin_superuser;  /* there is a connection of --admin-db, as a superuser */
    bool admin_managed;    /* .. as a provider's administrator */
    bool template1_bare;   /* template1 may be copied: nothing is in it but extensions */
    const StrVec *becomes; /* the roles that the restoring role may become and act as, those it will borrow included */
    const StrVec *superusers;
    const CatalogExtensions *extensions; /* as template1 has them */
} RightsFacts;

typedef struct RightsPlan {
    unsigned char *make; /* Doer of each entry's definition, by its index in the TOC */
    unsigned char *own;  /* Doer of ALTER .. OWNER TO; DOER_NONE also for entries without an owner of their own */
    bool *late;          /* has to wait until owners are right: grants, policies, the contents of materialized views */
    bool from_template1; /* an extension is there already, and only there */
} RightsPlan;

/* Plans every entry. What nobody can do becomes a finding: an error where the database would not be the same without
 * it, a warning (a note for a description) for what is left out. Each names one entry and its consequence. */
void rights_plan(const Toc *toc, const RightsFacts *facts, RightsPlan *ret, Findings *findings);
void rights_plan_done(RightsPlan *plan);

/* What to do about a role that the restoring one cannot act as. */
extern const char rights_membership_hint[];

/* Whether pg_restore gives the entry an owner of its own: others follow a table, or have none. */
bool rights_is_owned(const TocEntry *entry);
/* Whether the entry fills a table or sequence that no entry of the TOC makes: one of an extension's. */
bool rights_is_config(const Toc *toc, const TocEntry *entry);

#endif
