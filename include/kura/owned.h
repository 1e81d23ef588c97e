/* The ownership state of a database: who owns what, and who may do what to it. Pure: filled from a live catalogue
 * (catalog.h), from an archive's TOC, or from another state under a rule; compared and turned into SQL by ownplan.h. */
#ifndef KURA_OWNED_H
#define KURA_OWNED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kura/error.h"
#include "kura/rolemap.h"
#include "kura/toc.h"

/* A pool of names: equal texts have one pointer. States that are compared share one. */
typedef struct OwnNames OwnNames;
OwnNames *own_names_new(void);
void own_names_free(OwnNames *names); /* NULL-safe */
/* The pool's copy of a text; NULL for NULL. */
const char *own_name(OwnNames *names, const char *text);

/* In the order in which a plan goes through them: what others are in comes first. */
typedef enum OwnKind {
#define OWN_KIND(id, alter, class_name, grant, toc, rights, everybody) OWN_##id,
#include "kura/ownkinds.def"
#undef OWN_KIND
    OWN_KIND_COUNT
} OwnKind;

typedef struct OwnKindSpec {
    const char *alter;      /* ALTER <alter> .. OWNER TO; NULL: it has no owner of its own */
    const char *class_name; /* kinds of one class share their names: "TABLE" for views, too */
    const char *grant;      /* GRANT .. ON <grant>; NULL: no grants */
    const char *toc;        /* its type in a TOC */
    const char *rights;     /* letters of aclitem */
    const char *everybody;  /* what PUBLIC has without any GRANT */
} OwnKindSpec;
extern const OwnKindSpec own_kinds[OWN_KIND_COUNT];
/* The kind whose `alter` is word, or OWN_KIND_COUNT. */
OwnKind own_kind_find(const char *word);

/* Rights as bits. */
uint32_t own_right(char letter);        /* 0: no right of that letter */
const char *own_right_name(size_t bit); /* "SELECT"; NULL behind the last */
/* All rights there are on a kind, on a server of this version; column: on one of its columns. */
uint32_t own_rights(OwnKind kind, bool column, int server_version);
/* "SELECT, INSERT", or "ALL" for all of a kind's. To be freed. */
char *own_rights_text(uint32_t rights, uint32_t all);

/* One entry of an access control list, as PostgreSQL keeps it. Names are of the pool; none is owned here. */
typedef struct OwnGrant {
    const char *column;  /* NULL: the whole object */
    const char *grantee; /* NULL: PUBLIC */
    const char *grantor;
    uint32_t rights;    /* held */
    uint32_t grantable; /* of these: with grant option */
} OwnGrant;

/* Never two entries of the same column, grantee and grantor; none without rights; sorted. */
typedef struct OwnAcl {
    OwnGrant *v;
    size_t n, cap;
} OwnAcl;

void own_acl_done(OwnAcl *acl);
void own_acl_copy(OwnAcl *ret, const OwnAcl *acl);
bool own_acl_equal(const OwnAcl *a, const OwnAcl *b);
/* What column, grantee and grantor have; NULL when nothing. */
const OwnGrant *own_acl_find(const OwnAcl *acl, const char *column, const char *grantee, const char *grantor);
/* Adds rights. */
void own_acl_grant(OwnAcl *acl, const OwnGrant *grant);
/* Takes grant->rights away; grantable alone when rights is 0. grantor NULL: whoever granted them. A right taken from
 * the whole object is taken from its columns, too, as REVOKE does. */
void own_acl_revoke(OwnAcl *acl, const OwnGrant *grant);
/* What ALTER .. OWNER does to a list: the new owner takes the old one's place as grantee and as grantor. */
void own_acl_change_owner(OwnAcl *acl, const char *old_owner, const char *new_owner);
/* What an object has without any GRANT. */
void own_acl_default(OwnKind kind, const char *owner, int server_version, OwnAcl *ret);
/* Adds what aclitem[] text says, as the server writes it: {a=r/b,"\"c d\"=r*w/b"}. */
int own_acl_parse(OwnNames *names, const char *text, const char *column, OwnAcl *acl, Error *err);

enum {
    OWN_MEMBER = 1,  /* of an extension: only its grants are looked at */
    OWN_SYSTEM = 2,  /* the server's own: likewise */
    OWN_FOLLOWS = 4, /* has the owner of its parent: sequence of a column, multirange of a range (17+) */
    OWN_ADMIN = 8,   /* only a superuser may own it */
    OWN_DEFINER = 16,
    OWN_LATER = 32, /* is not in what the wanted state was made from */
};

typedef struct OwnObject {
    OwnKind kind;
    unsigned flags;
    const char *key;       /* class and name, the same in every state: "TABLE public.note" */
    const char *sql;       /* the name as SQL writes it, with argument types where it needs them */
    const char *grant_sql; /* the same for GRANT */
    const char *schema;    /* as it is, NULL: none */
    const char *owner;     /* of default privileges: the role they are of; NULL for policies and user mappings */
    OwnAcl acl;            /* spelled out, also where the server has the default */
    OwnAcl base;           /* what the server gives without a GRANT: only of members and the system's own */
    const char **roles;    /* of a policy: to whom; of user mappings: whose; sorted, NULL in it: PUBLIC */
    size_t n_roles;
    uint32_t oid;    /* live only, as the next two: positions in the state plus one, 0 for none */
    uint32_t parent; /* whose owner it has */
    uint32_t user;   /* of a sequence: the table whose default uses it without owning it */
    unsigned locks;  /* of ALTER .. OWNER */
} OwnObject;

typedef struct OwnRole {
    const char *name;
    bool superuser, bootstrap;
} OwnRole;

typedef struct OwnState {
    OwnNames *names; /* borrowed */
    int server_version;
    const char *database;
    OwnObject *v; /* in the order of their kinds, live ones by name within */
    size_t n, cap;
    OwnRole *roles; /* of the server; none in a state made from a TOC */
    size_t n_roles;
    struct OwnIndex *index;
} OwnState;

void own_state_done(OwnState *state);
/* Adds a zeroed object of this key (which it interns) and indexes it; the pointer lives until the next call. */
OwnObject *own_state_add(OwnState *state, OwnKind kind, const char *key);
OwnObject *own_state_find(const OwnState *state, const char *key); /* or NULL */
/* Position by position the same objects; roles are not copied. */
void own_state_copy(OwnState *ret, const OwnState *state);
const OwnRole *own_state_role(const OwnState *state, const char *name);
bool own_is_superuser(const OwnState *state, const char *name);
/* The object whose rights and owner count for the schema of `object`; NULL: it is in none that is listed. */
const OwnObject *own_schema_of(const OwnState *state, const OwnObject *object);
void own_object_set_roles(OwnObject *object, const char *const *roles, size_t n);
void own_object_add_role(OwnObject *object, const char *role);
/* For people: "SEQUENCE public.note_id_seq". To be freed. */
char *own_object_name(const OwnObject *object);
/* Neither an extension's nor the server's own, and not a policy or the like. */
bool own_is_ordinary(const OwnObject *object);

/* Keys. All to be interned or freed by the caller. */
char *own_key(OwnKind kind, const char *schema, const char *name); /* names as they are; schema may be NULL */
char *own_key_policy(const char *schema, const char *table, const char *name);
/* A piece of SQL with every name in it quoted by our own rule, so that two servers' spellings are equal; NULL when it
 * is no SQL. */
char *own_canonical(const char *sql);
char *own_key_default_acl(const char *role, const char *schema, const char *objects); /* "TABLES" */
/* The state's default privileges of a role; added as what the server has without them when they are not there. schema
 * NULL: in all of them. NULL when `objects` is no kind of objects. */
OwnObject *own_default_acl(OwnState *state, const char *role, const char *schema, const char *objects);
/* The state's user mappings of a foreign server: one object for all of them; added when it is not there. */
OwnObject *own_user_mappings(OwnState *state, const char *server);

/* What an archive holds, as a state: objects it lists, and those of others it grants something on. live: the state it
 * will be compared with, for what the TOC takes for granted. The TOC must be under its role map already. */
int own_state_from_toc(const Toc *toc, const OwnState *live, OwnState *ret, Error *err);

/* Wanted states. Each is position by position like `have`, to which missing default privileges may be added.
 * One role owns all that is the application's. */
void own_want_app(OwnState *have, const char *role, OwnState *ret);
/* The map applied to owners, grantees, grantors, default privileges and policies. ERR_USAGE for a dropped owner. */
int own_want_map(OwnState *have, const RoleMap *map, OwnState *ret, Error *err);
/* As another state has it. Objects that it does not have keep what they have, unless their owner is none of those it
 * has in that schema: then the one that owns most there should have them. *ret_missing: its objects that `have`
 * lacks; to be freed. */
void own_want_like(OwnState *have, const OwnState *like, OwnState *ret, StrVec *ret_missing);

#endif
