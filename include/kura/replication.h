/* Replication as a primary and a replica tell it: who is waited for at a commit, and whether who writes on the one
 * finds it on the other at once. Only a commit under synchronous_commit = remote_apply waits until a standby has
 * replayed it, and only for those standbys that are synchronous. */
#ifndef KURA_REPLICATION_H
#define KURA_REPLICATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kura/buf.h"
#include "kura/error.h"
#include "kura/pg.h"

/* The setting synchronous_standby_names. */
typedef struct SyncNames {
    bool any;       /* ANY: a quorum; else the first of the list that are connected */
    unsigned count; /* of standbys that a commit waits for; 0: the setting is empty */
    StrVec names;
    bool all; /* '*' is among them */
} SyncNames;

/* ERR_CORRUPT for what the server would not take either. */
int syncnames_parse(const char *text, SyncNames *ret, Error *err);
void syncnames_done(SyncNames *names);

typedef struct ReplStandby {
    char *name;               /* application_name */
    char *address;            /* NULL: a Unix socket, or not seen */
    char *state, *sync_state; /* "streaming", "async" .. */
    double lag;               /* of replay, in seconds; -1: unknown */
    uint64_t behind;          /* bytes of WAL that it has not replayed; UINT64_MAX: unknown */
} ReplStandby;

/* A primary's standbys that replay: no logical subscribers, no pg_receivewal, no running base backups. */
typedef struct ReplStandbys {
    bool seen; /* false: there are some, and the role may not look at them (it is no member of pg_monitor) */
    ReplStandby *v;
    size_t n;
} ReplStandbys;

/* behind counts from the position `lsn`; NULL: from where the server is now. */
int replication_standbys(PgConn *conn, const char *lsn, ReplStandbys *ret, Error *err);
void replication_standbys_done(ReplStandbys *standbys);

/* A server. Identifiers are NULL where the role may not ask. */
typedef struct ReplServer {
    char *system_identifier;
    char *started; /* the moment it was started, which tells two servers of one system apart */
    char *address; /* where the connection came in; NULL: a Unix socket */
    char *name;    /* of a standby, as its primary probably sees it; NULL: not told */
    bool recovery; /* it is a standby */
    bool paused;   /* .. and its replay */
    double lag;    /* of a standby: seconds since the last commit that it replayed; -1: none, or no standby */
} ReplServer;

int replication_server(PgConn *conn, ReplServer *ret, Error *err);
void replication_server_done(ReplServer *server);

/* What a primary waits for. */
typedef struct ReplPrimary {
    ReplServer server;
    char *names_text; /* synchronous_standby_names */
    SyncNames names;
    char *
        commit; /* synchronous_commit as a login of the application's role into this database gets it; NULL: not seen */
    ReplStandbys standbys;
} ReplPrimary;

int replication_primary(PgConn *conn, const char *role, ReplPrimary *ret, Error *err);
void replication_primary_done(ReplPrimary *primary);

/* Whether what was just committed is there for who reads from a replica; if not, why. */
typedef enum ReplReads {
    READS_OWN_WRITES,
    READS_NO_STANDBYS, /* synchronous_standby_names is empty */
    READS_COMMIT,      /* synchronous_commit is not remote_apply */
    READS_ASYNC,       /* the replica is not synchronous, or only a spare */
    READS_QUORUM,      /* a commit waits for fewer than there are */
    READS_UNSEEN,      /* the role may not see it */
} ReplReads;

/* Pure. Which of the standbys the replica is cannot always be told: the worst of those that it may be counts. */
ReplReads replication_reads(const ReplPrimary *primary, const ReplServer *replica);
/* Pure. How many of the standbys that each commit waits for are not there, so that writes hang; 0: none. Meaningless
 * unless the standbys are seen. */
unsigned replication_missing(const ReplPrimary *primary);

/* A probe of reading one's own writes: a transaction on the primary, which writes a message into the WAL and nothing
 * else, then a look on the replica whether it is visible. */
typedef struct ReplProbe {
    unsigned samples;
    unsigned stale;     /* not visible at the first look */
    unsigned invisible; /* .. nor until the probe gave up */
    bool hung;          /* a commit did not return */
    double p95, max;    /* seconds from the commit's return until it was visible */
} ReplProbe;

/* As many samples as requested, or as fit into so many seconds. Commits under the synchronous_commit that is given, or
 * the session's own (NULL). */
int replication_probe(PgConn *primary, PgConn *replica, const char *commit, unsigned samples, double seconds,
                      ReplProbe *ret, Error *err);
/* Whether one such commit does not return within so many seconds; it is made all the same. */
int replication_commit_hangs(PgConn *primary, const char *commit, double seconds, bool *ret, Error *err);

#endif
