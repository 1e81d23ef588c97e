/* COPY in both directions. */
#include <poll.h>
#include <string.h>
#include <time.h>

#include "kura/mem.h"
#include "kura/words.h"
#include "pg_priv.h"

enum {
    CHECK_BYTES = 1 << 18,  /* between two looks at stop, give_up and the clock while rows stream out */
    LIBPQ_SENDS = 8 * 1024, /* libpq sends by itself once it has collected so much */
    PIECE_BYTES = 16 * 1024,
    MESSAGE_OVERHEAD = 5,
    FLUSH_BYTES = 1 << 20, /* between two looks whether libpq got rid of everything */
    NAP_NS = 300 * 1000,   /* in which a backend fills a good part of a socket's buffer */
    SILENCE_MS = 2000,     /* how long input that is no notice may stay incomplete during COPY FROM STDIN */
};

/* Starts a COPY; wanted tells its direction. */
static int begin(PgConn *conn, const char *sql, ExecStatusType wanted, Error *err)
{
    conn_call_begin(conn);
    if (conn_usable(conn, err) < 0 || conn_check(conn, err) < 0)
        return -1;
    if (!PQsendQuery(conn->pg, sql))
        return conn_lost_error(conn, err);
    PGresult *result;
    if (conn_flush(conn, err) < 0 || conn_result(conn, &result, err) < 0)
        return -1;
    ExecStatusType status = PQresultStatus(result);
    if (status == wanted) {
        PQclear(result);
        return 0;
    }
    if (status == PGRES_FATAL_ERROR) {
        conn_server_error(conn, result, err);
        conn_finish(conn, NULL, NULL);
    } else {
        error_set(err, ERR_FAILED, "not the COPY that was expected: %s", sql);
        conn_abandon(conn);
    }
    PQclear(result);
    return -1;
}

static int take_row_count(PgConn *conn, uint64_t *ret_rows, Error *err)
{
    PGresult *result = NULL;
    if (conn_finish(conn, &result, err) < 0)
        return -1;
    if (ret_rows)
        *ret_rows = strtoull(PQcmdTuples(result), NULL, 10);
    PQclear(result);
    return 0;
}

/* Lets rows gather. A backend sends 8 KiB at a time; to wake up for each of these costs both sides a switch of
 * processes, which is a tenth of all work when rows come fast. */
static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = NAP_NS}, NULL);
}

/* Waits for more rows: first looks, then naps, then sleeps until something comes. */
static int more_input(PgConn *conn, unsigned *tries, Error *err)
{
    if (*tries == 1)
        nap();
    else if (*tries > 1 && conn_wait(conn, POLLIN, NULL, err) < 0)
        return -1;
    (*tries)++;
    return PQconsumeInput(conn->pg) ? 0 : conn_lost_error(conn, err);
}

static int stream_rows(PgConn *conn, int (*row)(void *ctx, const char *data, size_t len, Error *err), void *ctx,
                       Error *err)
{
    size_t unchecked = 0;
    unsigned tries = 0;
    for (;;) {
        char *data = NULL;
        int len = PQgetCopyData(conn->pg, &data, 1);
        if (len == -1)
            return 0;
        if (len == -2)
            return conn_lost_error(conn, err);
        if (len == 0) {
            if (more_input(conn, &tries, err) < 0)
                return -1;
            continue;
        }
        tries = 0;
        unchecked += (size_t)len;
        int rc = row(ctx, data, (size_t)len, err);
        PQfreemem(data);
        if (rc < 0)
            return -1;
        if (unchecked >= CHECK_BYTES) {
            unchecked = 0;
            if (conn_check(conn, err) < 0)
                return -1;
        }
    }
}

int pg_copy_out(PgConn *conn, const char *sql, int (*row)(void *ctx, const char *data, size_t len, Error *err),
                void *ctx, uint64_t *ret_rows, Error *err)
{
    if (begin(conn, sql, PGRES_COPY_OUT, err) < 0)
        return -1;
    if (stream_rows(conn, row, ctx, err) < 0) {
        conn_abandon(conn);
        return -1;
    }
    return take_row_count(conn, ret_rows, err);
}

int pg_copy_in_begin(PgConn *conn, const char *sql, Error *err)
{
    conn->copy_collected = conn->copy_unflushed = 0;
    conn->copy_ended = false;
    conn->unexplained = false;
    return begin(conn, sql, PGRES_COPY_IN, err);
}

/* Queues the end of the data and sends everything. */
static int send_end(PgConn *conn, const char *reason, Error *err)
{
    int queued;
    while ((queued = PQputCopyEnd(conn->pg, reason)) == 0)
        if (conn_flush(conn, err) < 0)
            return -1;
    return queued < 0 ? conn_lost_error(conn, err) : conn_flush(conn, err);
}

/* libpq keeps an error that comes in the middle of COPY FROM STDIN unparsed until we end the COPY, and shows nothing of
 * it. But a server that is content sends nothing but notices: input that did not make one, and does not grow into one,
 * is the error. Without this a table of 100 GB that fails at row 5 would be sent to its end. */
static int server_complained(PgConn *conn, bool *ret, Error *err)
{
    struct pollfd fd = {.fd = PQsocket(conn->pg), .events = POLLIN};
    do {
        if (conn_take_input(conn, err) < 0 || conn_check(conn, err) < 0)
            return -1;
    } while (conn->unexplained && poll(&fd, 1, SILENCE_MS) > 0);
    *ret = conn->unexplained;
    return 0;
}

/* Waits until a piece can be sent without libpq meeting a full socket: it would then read the server's answer itself,
 * and server_complained would never see that there is one. */
static int wait_writable(PgConn *conn, bool *ret_complained, Error *err)
{
    short ready = 0;
    *ret_complained = false;
    while (!(ready & (POLLOUT | POLLERR | POLLHUP)) && !*ret_complained) {
        if (conn_wait(conn, POLLIN | POLLOUT, &ready, err) < 0)
            return -1;
        if ((ready & POLLIN) && server_complained(conn, ret_complained, err) < 0)
            return -1;
    }
    return 0;
}

/* Ends a COPY that the server has given up already, to hear why. */
static int hear_complaint(PgConn *conn, Error *err)
{
    conn->copy_ended = true;
    if (send_end(conn, _("the server did not take the rows"), err) < 0)
        return -1;
    if (conn_finish(conn, NULL, err) < 0)
        return -1;
    return error_set(err, ERR_FAILED, "the server ended COPY FROM STDIN without a reason");
}

/* One piece to libpq, which sends it, or collects it with others. */
static int put_piece(PgConn *conn, const char *data, size_t len, Error *err)
{
    int queued;
    while ((queued = PQputCopyData(conn->pg, data, (int)len)) == 0)
        if (conn_flush(conn, err) < 0)
            return -1;
    if (queued < 0)
        return conn_lost_error(conn, err);
    conn->copy_unflushed += len;
    if (conn->copy_unflushed < FLUSH_BYTES)
        return 0;
    conn->copy_unflushed = 0;
    return conn_flush(conn, err);
}

static int write_piece(PgConn *conn, const char *data, size_t len, Error *err)
{
    conn->copy_collected += len + MESSAGE_OVERHEAD;
    if (conn->copy_collected >= LIBPQ_SENDS) {
        bool complained;
        conn->copy_collected = 0;
        if (wait_writable(conn, &complained, err) < 0) {
            conn_abandon(conn);
            return -1;
        }
        if (complained)
            return hear_complaint(conn, err);
    }
    return put_piece(conn, data, len, err);
}

int pg_copy_in_write(PgConn *conn, const void *data, size_t len, Error *err)
{
    if (conn->copy_ended)
        return error_set(err, ERR_FAILED, "COPY FROM STDIN has failed before");
    conn_call_begin(conn);
    if (conn_usable(conn, err) < 0)
        return -1;
    for (size_t at = 0; at < len;) {
        size_t piece = len - at < PIECE_BYTES ? len - at : PIECE_BYTES;
        if (write_piece(conn, (const char *)data + at, piece, err) < 0) {
            conn->copy_ended = true;
            return -1;
        }
        at += piece;
    }
    return 0;
}

int pg_copy_in_end(PgConn *conn, const char *abort_reason, uint64_t *ret_rows, Error *err)
{
    if (abort_reason) {
        /* part of cleaning up: not held up by a stop */
        conn_drain(conn, abort_reason);
        return conn_usable(conn, err);
    }
    conn_call_begin(conn);
    if (conn->copy_ended)
        return error_set(err, ERR_FAILED, "COPY FROM STDIN has failed before");
    if (conn_usable(conn, err) < 0)
        return -1;
    conn->copy_ended = true;
    return send_end(conn, NULL, err) < 0 ? -1 : take_row_count(conn, ret_rows, err);
}
