/* The insides of a connection, for the files of lib/pg. */
#ifndef KURA_PG_PRIV_H
#define KURA_PG_PRIV_H

#include "kura/become.h"
#include "kura/pg.h"

struct PgConn {
    PGconn *pg; /* always in libpq's non-blocking mode: what is sent is flushed by conn_flush */
    char *where;
    bool as_user; /* the server knows us as .. */
    SystemUser user;
    const atomic_bool *give_up;
    double seconds;        /* limit of each call; 0: none */
    double deadline;       /* of the call that runs, on clock_monotonic(); 0: none */
    bool lost;             /* no answer to a cancel, or the server said goodbye: every later call fails */
    unsigned notices;      /* counted */
    bool unexplained;      /* input came that has not made a notice: see server_complained in copy.c */
    size_t copy_collected; /* bytes of COPY FROM STDIN since the last wait for the socket */
    size_t copy_unflushed; /* .. since the last conn_flush */
    bool copy_ended;       /* COPY FROM STDIN has ended, by an error inside pg_copy_in_write or by its end */
};

/* wait.c: every wait for the server. A failure leaves the connection idle (cancelled and drained) or lost. */
void conn_call_begin(PgConn *conn);
int conn_usable(PgConn *conn, Error *err);
/* -1 when a stop was asked for, another worker failed, or the call's time is over. Cancels nothing. */
int conn_check(PgConn *conn, Error *err);
/* Waits until the socket is ready for one of events, or conn_check fails. *ret_ready may be NULL. */
int conn_wait(PgConn *conn, short events, short *ret_ready, Error *err);
/* Takes in what has arrived and handles notices. */
int conn_take_input(PgConn *conn, Error *err);
/* Waits until everything is sent; takes in what the server says meanwhile. */
int conn_flush(PgConn *conn, Error *err);
/* The next result, NULL after the last one. */
int conn_result(PgConn *conn, PGresult **ret, Error *err);
/* Reads the results of what runs to the end, in limited time; a COPY FROM STDIN is made to fail with reason. */
void conn_drain(PgConn *conn, const char *reason);
/* Cancels what runs and drains it. */
void conn_abandon(PgConn *conn);

/* servererror.c: an error result, or the end of the connection, as an Error. Both return -1. */
int conn_server_error(PgConn *conn, const PGresult *result, Error *err);
int conn_lost_error(PgConn *conn, Error *err);

/* query.c: takes all results of what runs; the first error counts. The last result goes to *ret (may be NULL). */
int conn_finish(PgConn *conn, PGresult **ret, Error *err);

/* conninfo.c */
/* Refuses what libpq cannot parse, and what it would parse so that a piece of the password becomes a host name. */
int conninfo_check(const char *conninfo, Error *err);

#endif
