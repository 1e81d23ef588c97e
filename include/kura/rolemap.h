/* Role maps: rules that decide who owns and who may do what after a restore, and their application to a TOC. Pure.
 *
 * Rules: "old=new", "old=@drop", "*=new". Names follow SQL: unquoted ones fold to lower case, "Quoted" ones do not.
 * A name with other characters than a bare SQL identifier's needs its quotes; @drop and * are special only without
 * them. PUBLIC, pg_* and CURRENT_USER-like words are never mapped; a role may be called "current_user", in quotes.
 * Precedence: a rule that names the role, then "*". */
#ifndef KURA_ROLEMAP_H
#define KURA_ROLEMAP_H

#include <stdbool.h>
#include <stddef.h>

#include "kura/buf.h"
#include "kura/dbfacts.h"
#include "kura/error.h"
#include "kura/findings.h"
#include "kura/toc.h"

typedef struct RoleMap RoleMap;

RoleMap *rolemap_new(void);
void rolemap_free(RoleMap *map); /* NULL-safe */

/* Adds the rules of one --map argument: one or more, separated by commas outside quotes. ERR_USAGE names the rule: no
 * '=', empty name, a role mapped twice to different things, a predefined role on the left, PUBLIC on either side. */
int rolemap_add(RoleMap *map, const char *rules, Error *err);
/* Adds the rules of a file: one a line, '#' starts a comment, blank lines are skipped. Errors name file (given for
 * messages) and line. */
int rolemap_add_text(RoleMap *map, const char *text, size_t len, const char *file, Error *err);
bool rolemap_is_empty(const RoleMap *map);

/* The new name of a role (borrowed from map, or `role` itself when no rule applies), or NULL for @drop. */
const char *rolemap_lookup(const RoleMap *map, const char *role);
/* Whether a role's name can never be mapped: pg_*, and public and none, which no role can have. */
bool rolemap_is_fixed(const char *role);

/* What one role has in a TOC (and in the facts, where given). */
typedef struct RoleUse {
    char *name;
    char *new_name;      /* after the map; NULL: dropped */
    bool ruled;          /* a rule named it (not only "*") */
    bool named;          /* somewhere but in a string or a body: false for a role that is only mentioned */
    size_t owns;         /* entries owned (ownable ones: with a drop statement) */
    size_t grants;       /* GRANTs to it */
    size_t granted_by;   /* SET SESSION AUTHORIZATION, GRANTED BY */
    size_t default_acls; /* FOR ROLE or TO it */
    size_t policies;
    size_t user_mappings;
    size_t settings; /* ALTER ROLE .. IN DATABASE */
    bool owns_database;
    size_t mentions;     /* in strings and bodies: reported, never rewritten */
    StrVec mentioned_in; /* "FUNCTION public.f", at most 20 */
} RoleUse;

typedef struct RoleUses {
    RoleUse *v; /* sorted by name */
    size_t n;
    size_t cap;
} RoleUses;

void roleuses_done(RoleUses *uses);
const RoleUse *roleuses_find(const RoleUses *uses, const char *name);

/* Lists every role a TOC names, with what it owns and is granted; map may be NULL, facts (database owner, ACL,
 * settings) too. */
int rolemap_survey(const Toc *toc, const DbFacts *facts, const RoleMap *map, RoleUses *ret, Error *err);

/* Problems of a map against what the backup holds. Errors: a rule that matched nothing ("role-rule-unused"), a dropped
 * role that owns something ("role-drop-owner"). Warnings: policies and user mappings of a dropped role
 * ("role-drop-policy", "role-drop-mapping"); roles that become one and each have user mappings or settings
 * ("role-merge-mapping", "role-merge-setting"); names inside strings and bodies of roles that change
 * ("role-mentioned"). */
void rolemap_check(const RoleMap *map, const RoleUses *uses, Findings *findings);

/* Rewrites the TOC in place: owner fields; GRANT and REVOKE (grantee, GRANTED BY, columns, large objects); SET SESSION
 * AUTHORIZATION; ALTER DEFAULT PRIVILEGES FOR ROLE .. TO; CREATE POLICY .. TO; CREATE USER MAPPING (tag and drop
 * statement too); ALTER ROLE .. IN DATABASE. Statements left with nothing to say (their grantee dropped) go; grants
 * that became equal are deduplicated; an entry left without a statement keeps its place with an empty definition, also
 * a policy without a role (it never becomes one for PUBLIC; its comment goes too). A dropped grantor's grants become
 * the owner's; a dropped owner is ERR_USAGE. An entry type kura does not know that names a mapped role in its text is
 * ERR_UNSUPPORTED, never guessed. Where no rule applies, or maps a role to itself, the TOC is untouched, byte for byte.
 * After an error it is half done: free it. */
int rolemap_apply(const RoleMap *map, Toc *toc, Error *err);
/* The same for database owner, grants and settings of facts. */
int rolemap_apply_facts(const RoleMap *map, DbFacts *facts, Error *err);

/* One privilege of an ACL entry, after parsing: used to compare what was asked for with what a server has. */
typedef struct AclItem {
    bool grant;      /* false: REVOKE */
    char *privilege; /* "SELECT", "ALL" */
    char *column;    /* NULL: the whole object */
    char *object;    /* "TABLE public.note" as in the statement, normalised white space */
    char *grantee;   /* NULL: PUBLIC */
    char *grantor;   /* NULL: the owner */
    bool grantable;  /* WITH GRANT OPTION; of a REVOKE: GRANT OPTION FOR */
} AclItem;

typedef struct AclItems {
    AclItem *v;
    size_t n, cap;
} AclItems;

/* Parses the definition of an ACL or DEFAULT ACL entry ("FOR ROLE x IN SCHEMA y" is part of object there). ERR_CORRUPT
 * for a statement that is none of theirs; *ret is set on success only. */
int acl_parse(const char *defn, AclItems *ret, Error *err);
void aclitems_done(AclItems *items);
/* Whether one grant gives at least what another one gives, to the same role by the same grantor: grants add up when two
 * roles become one, and the server may then word them as ALL, or WITH GRANT OPTION. */
bool aclitem_covers(const AclItem *have, const AclItem *want);

#endif
