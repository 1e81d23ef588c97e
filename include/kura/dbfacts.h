/* What a backup records about a database beside its archive: plain values, filled by lib/catalog, kept by the manifest.
 */
#ifndef KURA_DBFACTS_H
#define KURA_DBFACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kura/buf.h"

/* A role that the database refers to (owners, grantees, default privileges, policies, settings), and the roles these
 * are members of. Never a password. */
typedef struct DbRole {
    char *name;
    bool superuser, inherit, createrole, createdb, login, replication, bypassrls;
    int connection_limit; /* -1: none */
    bool bootstrap;       /* OID 10 */
    StrVec member_of;     /* names */
    StrVec settings;      /* ALTER ROLE .. SET, cluster-wide, "name=value" */
} DbRole;

typedef struct DbSetting {
    char *role; /* NULL: ALTER DATABASE .. SET */
    char *name;
    char *value;
} DbSetting;

typedef struct DbExtension {
    char *name, *version, *schema;
} DbExtension;

typedef struct DbGrant {
    char *grantor, *grantee; /* grantee NULL: PUBLIC */
    char *privilege;         /* "CONNECT" */
    bool grantable;
} DbGrant;

typedef struct DbFacts {
    char *name;
    char *server_version;    /* "15.18 (Debian ..)" */
    int server_version_num;  /* 150018 */
    char *system_identifier; /* NULL when it may not be read */
    bool standby;
    char *owner;
    char *encoding;        /* "UTF8" */
    char *locale_provider; /* "libc", "icu", "builtin" */
    char *collate, *ctype;
    char *icu_locale;        /* locale of the icu or builtin provider, else NULL */
    char *collation_version; /* NULL before 15 or when there is none */
    char *tablespace;
    int connection_limit;
    char *comment;    /* NULL: none */
    bool acl_default; /* datacl is NULL: the built-in grants */
    DbGrant *grants;
    size_t n_grants;
    DbSetting *settings;
    size_t n_settings;
    DbExtension *extensions;
    size_t n_extensions;
    DbRole *roles;
    size_t n_roles;
    uint64_t size_bytes; /* pg_database_size */
} DbFacts;

/* Frees what is inside. NULL-safe. */
void dbfacts_done(DbFacts *facts);
const DbRole *dbfacts_role(const DbFacts *facts, const char *name); /* or NULL */

#endif
