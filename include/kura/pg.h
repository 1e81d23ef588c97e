/* libpq, asynchronously: every wait ends at a stop, at the pool's failure, or at its deadline, with the query cancelled
 * and its results drained. */
#ifndef KURA_PG_H
#define KURA_PG_H

#include <libpq-fe.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "kura/become.h"
#include "kura/buf.h"
#include "kura/error.h"

typedef struct PgConn PgConn; /* one thread at a time */

typedef struct PgOptions {
    const char *dbname;         /* overrides the conninfo's database; NULL: as is */
    const char *role;           /* SET ROLE after connecting; NULL: none */
    const atomic_bool *give_up; /* watched while waiting; NULL: none */
    int connect_timeout;        /* seconds; 0: 30, unless conninfo has its own */
} PgOptions;

/* Connects with a connection string or URI (NULL or "": libpq's defaults), application_name "kura" unless set,
 * client_encoding as the server's database (so that text passes unchanged). Notices go to the debug log. Errors carry
 * libpq's text without any password, and a hint for the usual causes (no server, no such role, no such database,
 * password). Where the server lets a role in on its socket under the system user of the same name alone, root acts as
 * that user. */
int pg_connect(const char *conninfo, const PgOptions *options, PgConn **ret, Error *err);
void pg_close(PgConn *conn); /* NULL-safe; cancels what runs */
PGconn *pg_raw(PgConn *conn);
int pg_server_version(const PgConn *conn); /* 150018 */
const char *pg_dbname(const PgConn *conn);
const char *pg_user(const PgConn *conn);
/* For messages: "database \"x\" on host:port" or "... on socket /run/.., port 5432". Owned by conn. */
const char *pg_where(const PgConn *conn);

/* Runs one or more statements, drops their results. The first error ends it: ERR_SERVER with SQLSTATE, message, detail
 * in the message and the server's HINT as hint; ERR_CONNECTION when the connection is gone. */
int pg_exec(PgConn *conn, const char *sql, Error *err);
int pg_execf(PgConn *conn, Error *err, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Runs one statement with text parameters (may be 0); *ret to be cleared with PQclear. */
int pg_query(PgConn *conn, const char *sql, int n_params, const char *const *params, PGresult **ret, Error *err);
/* A query that gives one value: *ret to be freed, NULL for SQL NULL; ERR_NOT_FOUND when there is no row. */
int pg_query_value(PgConn *conn, const char *sql, int n_params, const char *const *params, char **ret, Error *err);
/* Sets how long each later call may take, in seconds; 0: for ever (the beginning). */
void pg_set_deadline(PgConn *conn, double seconds);
double pg_deadline(const PgConn *conn);

/* COPY .. TO STDOUT: calls row for every CopyData message (one row, with its newline). *ret_rows is the count of the
 * command tag. */
int pg_copy_out(PgConn *conn, const char *sql, int (*row)(void *ctx, const char *data, size_t len, Error *err),
                void *ctx, uint64_t *ret_rows, Error *err);
/* COPY .. FROM STDIN in three steps. write sends all bytes before it returns. end with abort_reason NULL finishes and
 * tells the rows; with a reason it makes the server throw all away (and returns 0 when that worked). After a failure of
 * write call end too. */
int pg_copy_in_begin(PgConn *conn, const char *sql, Error *err);
int pg_copy_in_write(PgConn *conn, const void *data, size_t len, Error *err);
int pg_copy_in_end(PgConn *conn, const char *abort_reason, uint64_t *ret_rows, Error *err);

/* Cell helpers: "" for NULL, borrowed from the result. */
const char *pg_cell(const PGresult *result, int row, int column);
bool pg_cell_bool(const PGresult *result, int row, int column);
uint64_t pg_cell_u64(const PGresult *result, int row, int column);

/* How a child (pg_dump, pg_restore) reaches the same server: a conninfo without a password for its argv, and
 * "PGPASSWORD=.." for its environment when there is one. dbname NULL: the same database. Both to be freed; *ret_env is
 * NULL without a password. */
void pg_child_conninfo(PgConn *conn, const char *dbname, char **ret_conninfo, char **ret_env);
/* The system user that such a child must run as (proc.h); NULL: this process's own. Owned by conn. */
const SystemUser *pg_child_user(const PgConn *conn);

/* A connection string like this one, but to another server; to be freed; it may hold a
 * password. */
int pg_conninfo_at(const char *conninfo, const char *host, const char *port, char **ret, Error *err);
/* What a connection string says of one keyword ("host", "port", "dbname", "user"); NULL: nothing, or it is malformed.
 * To be freed. */
char *pg_conninfo_get(const char *conninfo, const char *keyword);

#endif
