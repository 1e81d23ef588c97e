/* Where role names stand in the SQL that pg_dump writes into TOC entries. A statement that does not follow the grammar
 * below to its last token is ROLE_SQL_OTHER: what is not understood is never changed. */
#ifndef KURA_ROLESQL_H
#define KURA_ROLESQL_H

#include <stdbool.h>
#include <stddef.h>

#include "kura/error.h"
#include "kura/sqllex.h"

/* A role name in a text; positions are bytes from the text's start. */
typedef struct RoleRef {
    size_t from;      /* where the list element begins: at a noise word GROUP if there is one */
    size_t name_from; /* where the name itself begins */
    size_t to;        /* where both end */
    char *name;       /* NULL: a word that stands for no role of its own (PUBLIC, CURRENT_USER..) */
    bool is_public;
} RoleRef;

typedef struct RoleRefs {
    RoleRef *v;
    size_t n;
    size_t cap;
} RoleRefs;

typedef enum RoleSqlKind {
    ROLE_SQL_OTHER,
    ROLE_SQL_GRANT,         /* [ALTER DEFAULT PRIVILEGES ..] GRANT .. ON .. TO roles */
    ROLE_SQL_REVOKE,        /* [ALTER DEFAULT PRIVILEGES ..] REVOKE .. ON .. FROM roles */
    ROLE_SQL_SET_SESSION,   /* SET SESSION AUTHORIZATION roles[0] */
    ROLE_SQL_RESET_SESSION, /* RESET SESSION AUTHORIZATION */
    ROLE_SQL_POLICY,        /* CREATE POLICY .. TO roles (none: to PUBLIC) */
    ROLE_SQL_USER_MAPPING,  /* CREATE or DROP USER MAPPING FOR roles[0] */
    ROLE_SQL_SETTING,       /* ALTER ROLE roles[0] [IN DATABASE ..] .. */
} RoleSqlKind;

typedef struct RoleSql {
    RoleSqlKind kind;
    size_t from, to;  /* the statement's bytes, its semicolon included */
    RoleRefs roles;   /* whom it is about */
    RoleRefs owners;  /* ALTER DEFAULT PRIVILEGES FOR ROLE owners */
    RoleRefs grantor; /* GRANTED BY: none or one */
    /* Clauses, from the end of the token before them. */
    size_t granted_by_from;
    size_t grant_option_from, grant_option_to; /* WITH GRANT OPTION; equal when there is none */
    bool grant_option_for;                     /* REVOKE GRANT OPTION FOR */
    bool default_privileges;
    /* Tokens, without white space and comments, of a GRANT or REVOKE: what is granted, on what (for default
     * privileges: [in which schemas and] on what kind of thing). */
    size_t privileges, privileges_end;
    size_t schemas, schemas_end;
    size_t object, object_end;
    SqlToken *tokens; /* all of the statement's; behind them one of kind SQL_END */
    size_t n_tokens;
    size_t cap_tokens;
} RoleSql;

typedef struct RoleSqlReader {
    SqlLexer lexer;
} RoleSqlReader;

RoleSqlReader rolesql_begin(const char *text);
/* The next statement: 1, or 0 at the end. *ret must be zeroed before the first call and freed by rolesql_done() after
 * the last one; its memory is used again. */
int rolesql_next(RoleSqlReader *reader, RoleSql *ret, Error *err);
void rolesql_done(RoleSql *sql);

#endif
