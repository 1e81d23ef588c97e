/* The database that a command changes, seen from outside: its name in the connection string, a connection that is never
 * to it, and a lock that keeps two kura off one name. */
#ifndef KURA_TARGETDB_H
#define KURA_TARGETDB_H

#include "kura/pg.h"

enum { IDENTIFIER_MAX = 63 }; /* bytes of a name that PostgreSQL keeps */

/* The database a connection string names, by libpq's rules; ERR_USAGE when there is none. *ret to be freed. */
int targetdb_name(const char *conninfo, char **ret, Error *err);
/* name + ending within the bytes of an identifier: the name gives way first, between two UTF-8 characters, then the
 * ending. To be freed. */
char *targetdb_name_with(const char *name, const char *ending);

/* A connection string as `conninfo` (NULL: libpq's defaults) whose database is `name`: letters, digits, underscores. To
 * be freed. */
char *targetdb_conninfo(const char *conninfo, const char *name);

/* Connects to a maintenance database of the server: postgres or template1, never the one called name. */
int targetdb_connect_admin(const char *conninfo, const char *name, PgConn **ret, Error *err);
/* Takes the lock for changing which database is called name; conn, a maintenance connection, holds it until it ends.
 * Waits a moment for one whose kura was killed; ERR_LOCKED names the session that holds it. */
int targetdb_lock(PgConn *conn, const char *name, Error *err);

/* The same without waiting: *ret tells whether it was had. */
int targetdb_try_lock(PgConn *conn, const char *name, bool *ret, Error *err);
void targetdb_unlock(PgConn *conn, const char *name);
/* Whether a database is what CREATE DATABASE left: ours to drop, without comment and grants, and nothing in it. */
int targetdb_is_untouched(PgConn *admin, const char *conninfo, const char *name, bool *ret, Error *err);

/* Which session of the server conn is; to be freed. */
int targetdb_identity(PgConn *conn, char **ret, Error *err);
/* Ends that session if it is still there: one that was cut off keeps its lock. */
int targetdb_end_session(PgConn *conn, const char *identity, Error *err);

/* Drops a database, also one that is a template; none of this name is fine. force: ends its sessions and drops its
 * subscriptions first (they must be disabled, or their publishers be told). */
int targetdb_drop(PgConn *admin, const char *conninfo, const char *name, bool force, Error *err);

#endif
