/* The live database: facts, tables, locks, what a target offers. Catalogue queries are .sql files beside the code. */
#ifndef KURA_CATALOG_H
#define KURA_CATALOG_H

#include <stdbool.h>
#include <stdint.h>

#include "kura/dbfacts.h"
#include "kura/error.h"
#include "kura/findings.h"
#include "kura/owned.h"
#include "kura/ownplan.h"
#include "kura/pg.h"

/* The settings pg_dump makes for itself plus those that make COPY text reproducible (TimeZone, bytea_output,
 * lc_monetary): search_path empty, timeouts off, row_security off, DateStyle, IntervalStyle, extra_float_digits,
 * synchronize_seqscans off, restrict_nonsystem_relation_kind where the server has it, client_encoding = the database's.
 */
int catalog_session_setup(PgConn *conn, Error *err);

/* Begins a transaction that only reads, for queries over tables that others own: one that is a view under the name of a
 * table is refused where the server can do that, because a superuser would run its functions. search_path is that of
 * a new session. */
int catalog_begin_reading(PgConn *conn, Error *err);

/* Whether a connection pooler stands between us and the server: PQbackendPID differs from pg_backend_pid(), or changes
 * between transactions. */
int catalog_is_pooled(PgConn *conn, bool *ret, Error *err);
/* Refuses what cannot give a good backup: a connection pooler, replay lag of a standby over max_lag seconds (< 0:
 * any). All into findings as errors. */
int catalog_preflight(PgConn *conn, double max_lag, Findings *findings, Error *err);

int catalog_facts(PgConn *conn, DbFacts *ret, Error *err);

/* A table whose rows pg_dump would dump: ordinary tables (also unlogged, unless on a standby), partitions,
 * configuration tables of extensions. Materialised views are listed for locking, without rows. */
typedef struct CatalogTable {
    uint32_t oid;
    char *schema, *name;
    char relkind;                  /* 'r', 'm', 'p', 'S' .. */
    char persistence;              /* 'p', 'u' */
    uint64_t bytes;                /* relpages * block size, its TOAST table included: for order and progress */
    uint64_t blocks;               /* heap pages now: pg_relation_size / block size */
    bool readable;                 /* the session's role may SELECT */
    bool row_security;             /* row-level security would filter for this role */
    char *extension;               /* member of this extension, else NULL */
    bool config;                   /* a configuration table of that extension */
    char *condition;               /* its WHERE clause, else NULL */
    char *root_schema, *root_name; /* topmost partitioned table, else NULL */
    char *access_method;           /* "heap" */
} CatalogTable;

typedef struct CatalogTables {
    CatalogTable *v; /* sorted by oid */
    size_t n;
} CatalogTables;

int catalog_tables(PgConn *conn, CatalogTables *ret, Error *err);
void catalog_tables_done(CatalogTables *tables);
/* On how many of them a backup holds locks, by so many sessions at a time: partitioned tables too, but no index and no
 * view. */
size_t catalog_tables_locked(const CatalogTables *tables);
enum { CATALOG_BACKUP_HOLDERS = 2 };
const CatalogTable *catalog_tables_find(const CatalogTables *tables, uint32_t oid);

/* ACCESS SHARE on each table of oids, in batches, through the open transaction. Tables dropped meanwhile are left out.
 * A full lock table becomes an error that says what to set max_locks_per_transaction to. lock_timeout_ms 0: wait for
 * ever. */
int catalog_lock(PgConn *conn, const CatalogTables *tables, unsigned lock_timeout_ms, Error *err);
/* Tells beforehand, and what to set, when the locks on so many tables, each held by so many sessions at a time, exceed
 * what the server's settings give beside the locks of others: a warning "locks", or an error where they exceed it twice
 * over, so that it need not be tried. */
int catalog_lock_estimate(PgConn *conn, size_t n_tables, size_t holders, Findings *findings, Error *err);
/* Makes an error that a full lock table was the cause of one that says what to set. Always -1. */
int catalog_lock_full(PgConn *conn, size_t n_tables, size_t holders, Error *err);
/* Tables (or materialised views) whose storage changed since the snapshot was taken: relfilenode in the snapshot's
 * catalogue differs from pg_relation_filenode(). *ret_n > 0: their rows may look empty, start over. Run in the leader's
 * transaction. */
int catalog_rewritten(PgConn *conn, size_t *ret_n, Error *err);

/* What a target offers: for the checks before the first statement. */
typedef struct CatalogTarget {
    int server_version_num;
    bool superuser, createdb, createrole;
    bool standby;
    bool database_exists; /* the one asked for */
    bool database_empty;  /* no user objects in it (only when it exists) */
    StrVec roles;         /* all role names */
    StrVec databases;
    StrVec extensions; /* available, "name" */
    StrVec tablespaces;
    char *superuser_name; /* bootstrap superuser */
} CatalogTarget;

/* conn is to a maintenance database; dbname the target's name. Emptiness is looked up through a connection of its own,
 * made with conninfo. */
int catalog_target(PgConn *conn, const char *conninfo, const char *dbname, CatalogTarget *ret, Error *err);
void catalog_target_done(CatalogTarget *target);

/* What the role of a connection may do, where it is no superuser. */
typedef struct CatalogRights {
    char *user;
    bool superuser, createrole;
    bool inherits;     /* before 16: memberships give it their roles' rights */
    bool managed;      /* a provider's administrator (rds_superuser, cloudsqlsuperuser ..) */
    StrVec superusers; /* all of the server's */
    StrVec becomes;    /* roles whose rights it has and that it may SET ROLE to */
    StrVec grants;     /* roles it may grant to others, and so to itself */
} CatalogRights;

int catalog_rights(PgConn *conn, CatalogRights *ret, Error *err);
void catalog_rights_done(CatalogRights *rights);

typedef struct CatalogExtension {
    char *name;
    bool trusted, superuser; /* of the version that would be installed */
    bool present;            /* in the database of the connection */
} CatalogExtension;

typedef struct CatalogExtensions {
    CatalogExtension *v;
    size_t n;
} CatalogExtensions;

/* The extensions that the server offers. */
int catalog_extensions(PgConn *conn, CatalogExtensions *ret, Error *err);
void catalog_extensions_done(CatalogExtensions *extensions);

/* One grant of a role to another. From 16 on there may be several, by different grantors. */
typedef struct CatalogMembership {
    char *grantor; /* NULL: unknown (before 16 he may have been dropped) */
    char *stamp;   /* the transaction that wrote it last */
    bool inherits, becomes;
} CatalogMembership;

typedef struct CatalogMemberships {
    CatalogMembership *v;
    size_t n;
} CatalogMemberships;

int catalog_memberships(PgConn *conn, const char *role, const char *member, CatalogMemberships *ret, Error *err);
void catalog_memberships_done(CatalogMemberships *memberships);
/* Whether what the comment of a database says about a loan of role to member can be believed: only whoever has its
 * owner's rights can have written it, and superusers neither lend nor borrow. */
int catalog_may_borrow(PgConn *conn, uint32_t database, const char *role, const char *member, bool *ret, Error *err);

/* Why the text of a table's column may legitimately be another one than in the database that it comes from: no row, or
 * one with "roles", "objects", "char" or "extension". params: schema, table, whether the majors differ, whether the
 * way leads from before 15 to 15 or later ("t" or "f"). */
int catalog_text_may_differ(PgConn *conn, const char *const params[4], PGresult **ret, Error *err);
/* Relations of the connection's database that its role may not read: schema, name, owner, whether an extension's. */
int catalog_unreadable(PgConn *conn, PGresult **ret, Error *err);
/* Whether the connection's database holds nothing of its users' but extensions. */
int catalog_is_bare(PgConn *conn, bool *ret, Error *err);

/* The access probe: as role (SET ROLE), every table, view, sequence of user schemas that the role owns or is granted:
 * SELECT .. LIMIT 0 on tables with the SELECT privilege; INSERT, UPDATE, DELETE privileges on tables it owns; CREATE
 * and USAGE on the schemas of its tables; CONNECT on the database (superusers not taken as proof). SECURITY DEFINER
 * functions owned by a superuser and executable by PUBLIC are an error "security-definer". Findings say what the
 * application would see. *ret_probed counts relations (may be NULL). */
int catalog_probe(PgConn *conn, const char *role, size_t *ret_probed, Findings *findings, Error *err);

/* Who owns what and may do what, in the connection's database, under one snapshot. Names go into the pool. */
int catalog_owned(PgConn *conn, OwnNames *names, OwnState *ret, Error *err);
/* What only the live database can tell about it: sequences behind the rows of their columns; tables that the role
 * (NULL: the session's) cannot read, so that its backups fail; schemas in which app_role (NULL: nobody) has tables but
 * may not create. */
int catalog_audit(PgConn *conn, const char *app_role, const char *backup_role, OwnFindings *findings, Error *err);
/* How many locks one transaction may take without crowding out the others: half of what is free now. */
int catalog_lock_room(PgConn *conn, size_t *ret, Error *err);
/* Who is in the way of an ALTER on a relation, by its SQL name: "process 123 (misskey, psql) holds
 * AccessShareLock since 4 s, idle in transaction". To be freed; *ret NULL: nobody now. */
int catalog_lock_holder(PgConn *conn, const char *relation, char **ret, Error *err);

#endif
