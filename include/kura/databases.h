/* Databases of a server as seen from another one: who is in them, what they hold, what kura wrote into their comments.
 */
#ifndef KURA_DATABASES_H
#define KURA_DATABASES_H

#include <stdbool.h>
#include <stdint.h>

#include "kura/buf.h"
#include "kura/error.h"
#include "kura/pg.h"

/* A database whose comment begins as kura's marks do. */
typedef struct CatalogMarked {
    uint32_t oid;
    char *name, *comment;
    uint64_t bytes; /* 0 when it may not be read */
    uint64_t sessions;
} CatalogMarked;

typedef struct CatalogMarkedList {
    CatalogMarked *v; /* sorted by name */
    size_t n;
    char now[32]; /* the server's time: "2026-11-22T03:15:00.123456Z"; "" when there is no database */
} CatalogMarkedList;

int catalog_marked_databases(PgConn *conn, CatalogMarkedList *ret, Error *err);
void catalog_marked_done(CatalogMarkedList *list); /* NULL-safe */

/* The names of rehearsals that a database or the comment on a role (prefix and the name) tells of. */
int catalog_rehearsals(PgConn *conn, const char *prefix, StrVec *ret, Error *err);
/* The roles with this comment, without those that something depends on. */
int catalog_marked_roles(PgConn *conn, const char *comment, StrVec *ret, Error *err);

/* The OID of a database; 0 when there is none of this name. */
int catalog_database_oid(PgConn *conn, const char *name, uint32_t *ret, Error *err);
/* Its name; NULL when there is none with this OID. To be freed. */
int catalog_database_name(PgConn *conn, uint32_t oid, char **ret, Error *err);
/* Its comment; NULL: none. To be freed. */
int catalog_database_comment(PgConn *conn, uint32_t oid, char **ret, Error *err);

/* What CREATE DATABASE decides for ever. */
typedef struct CatalogLocale {
    char *encoding, *provider; /* "UTF8", "libc" */
    char *collate, *ctype;
    char *name; /* of the icu or builtin provider, else NULL */
} CatalogLocale;

int catalog_database_locale(PgConn *conn, uint32_t oid, CatalogLocale *ret, Error *err);
void catalog_locale_done(CatalogLocale *locale);

/* Whether we may rename it: superusers may, and its owner with CREATEDB. *ret_owner (to be freed) is who owns it. */
int catalog_may_rename(PgConn *conn, uint32_t oid, bool *ret, char **ret_owner, Error *err);

/* What a database has besides rows and sessions. */
typedef struct CatalogHolds {
    StrVec prepared;      /* transactions: nobody may rename the database */
    StrVec slots;         /* logical replication slots: go with the database, whatever its name */
    StrVec subscriptions; /* the same */
} CatalogHolds;

int catalog_database_holds(PgConn *conn, uint32_t oid, CatalogHolds *ret, Error *err);
void catalog_holds_done(CatalogHolds *holds); /* NULL-safe */
/* All of them as text, such as: replication slot "x". */
void catalog_holds_list(const CatalogHolds *holds, StrVec *ret);

/* The sessions of some databases, without conn's own. */
typedef struct CatalogSession {
    char *pid, *role, *application;
    bool ours_to_end; /* we have the right */
} CatalogSession;

typedef struct CatalogSessions {
    CatalogSession *v;
    size_t n;
} CatalogSessions;

/* oids: 0 among them are skipped. */
int catalog_sessions(PgConn *conn, const uint32_t *oids, size_t n_oids, CatalogSessions *ret, Error *err);
void catalog_sessions_done(CatalogSessions *sessions); /* NULL-safe */

/* The statements that would give the database `to` (which is or will be called name) the owner, grants, settings and
 * limits of the database `from`. */
int catalog_database_differences(PgConn *conn, uint32_t from, uint32_t to, const char *name, StrVec *ret, Error *err);

/* "2.31, now 2.36" where the library that sorts the text of a database is another one than when it was made; else NULL.
 * PostgreSQL 15 and newer know. To be freed. */
int catalog_stale_collation(PgConn *conn, uint32_t oid, char **ret, Error *err);

/* How many tables of users the connection's database has, and its bytes. */
int catalog_database_weight(PgConn *conn, uint64_t *ret_tables, uint64_t *ret_bytes, Error *err);

#endif
