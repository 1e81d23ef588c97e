/* Waiting for the server. The tick is short because neither give_up nor a held stop wakes poll(). */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "kura/clock.h"
#include "kura/log.h"
#include "kura/stop.h"
#include "pg_priv.h"

enum { TICK_MS = 100, CANCEL_SECONDS = 10, DRAIN_SECONDS = 10 };

void conn_call_begin(PgConn *conn)
{
    conn->deadline = conn->seconds > 0 ? clock_monotonic() + conn->seconds : 0;
}

int conn_usable(PgConn *conn, Error *err)
{
    if (conn->lost || PQstatus(conn->pg) == CONNECTION_BAD)
        return error_set(err, ERR_CONNECTION, "the connection to %s is lost", conn->where);
    return 0;
}

int conn_check(PgConn *conn, Error *err)
{
    if (stop_check(err) < 0)
        return -1;
    if (conn->give_up && *conn->give_up)
        return error_set(err, ERR_FAILED, "ended because another worker failed");
    if (conn->deadline > 0 && clock_monotonic() > conn->deadline)
        return error_set(err, ERR_CONNECTION, "timed out after %.0f s waiting for %s", conn->seconds, conn->where);
    return 0;
}

/* Under TLS bytes may wait in OpenSSL's buffer, where poll() does not see them: to who only reads, every tick counts as
 * input then. */
static bool encrypted(PgConn *conn)
{
    return PQsslInUse(conn->pg) || PQgssEncInUse(conn->pg);
}

int conn_wait(PgConn *conn, short events, short *ret_ready, Error *err)
{
    for (;;) {
        if (conn_check(conn, err) < 0)
            return -1;
        struct pollfd fds[2] = {{.fd = PQsocket(conn->pg), .events = events}, {.fd = stop_fd(), .events = POLLIN}};
        if (fds[0].fd < 0)
            return conn_lost_error(conn, err);
        int n = poll(fds, 2, TICK_MS);
        if (n < 0 && errno != EINTR)
            return error_errno(err, errno, "waiting for %s", conn->where);
        if (n == 0 && events == POLLIN && encrypted(conn))
            fds[0].revents = POLLIN;
        if (fds[0].revents != 0) {
            if (ret_ready)
                *ret_ready = fds[0].revents;
            return 0;
        }
    }
}

int conn_take_input(PgConn *conn, Error *err)
{
    unsigned before = conn->notices;
    if (!PQconsumeInput(conn->pg))
        return conn_lost_error(conn, err);
    PQisBusy(conn->pg);
    conn->unexplained = conn->notices == before;
    return 0;
}

int conn_flush(PgConn *conn, Error *err)
{
    int unsent;
    while ((unsent = PQflush(conn->pg)) > 0) {
        short ready = 0;
        if (conn_wait(conn, POLLIN | POLLOUT, &ready, err) < 0) {
            conn_abandon(conn);
            return -1;
        }
        /* A server that waits until we have read its notices would never take our bytes. */
        if ((ready & POLLIN) && conn_take_input(conn, err) < 0)
            return -1;
    }
    return unsent < 0 ? conn_lost_error(conn, err) : 0;
}

int conn_result(PgConn *conn, PGresult **ret, Error *err)
{
    while (PQisBusy(conn->pg)) {
        if (conn_wait(conn, POLLIN, NULL, err) < 0) {
            conn_abandon(conn);
            return -1;
        }
        if (!PQconsumeInput(conn->pg))
            return conn_lost_error(conn, err);
    }
    *ret = PQgetResult(conn->pg);
    return 0;
}

static void *send_cancel(void *arg)
{
    PGcancel *cancel = arg;
    char text[256];
    if (!PQcancel(cancel, text, sizeof text))
        log_debug("cancelling a query: %s", text);
    PQfreeCancel(cancel);
    return NULL;
}

/* PQcancel connects without a time limit, so it has a thread of its own that is left alone when the host is gone. */
static void cancel(PgConn *conn)
{
    PGcancel *request = PQgetCancel(conn->pg);
    pthread_t thread;
    if (request == NULL)
        return;
    if (pthread_create(&thread, NULL, send_cancel, request) != 0) {
        PQfreeCancel(request);
        return;
    }
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += CANCEL_SECONDS;
    if (pthread_timedjoin_np(thread, NULL, &until) != 0)
        pthread_detach(thread);
}

/* Reads one result to its end, whatever a COPY still has for us. Whether there is more to come at once. */
static bool drain_result(PGconn *pg, const char *reason)
{
    PGresult *result = PQgetResult(pg);
    ExecStatusType status = PQresultStatus(result);
    PQclear(result);
    if (result == NULL)
        return false;
    if (status == PGRES_COPY_IN)
        return PQputCopyEnd(pg, reason) != 0;
    if (status != PGRES_COPY_OUT)
        return true;
    char *row = NULL;
    int len;
    while ((len = PQgetCopyData(pg, &row, 1)) > 0)
        PQfreemem(row);
    return len < 0;
}

void conn_drain(PgConn *conn, const char *reason)
{
    double until = clock_monotonic() + DRAIN_SECONDS;
    while (PQconsumeInput(conn->pg) && PQflush(conn->pg) >= 0) {
        while (!PQisBusy(conn->pg) && drain_result(conn->pg, reason))
            continue;
        if (PQtransactionStatus(conn->pg) != PQTRANS_ACTIVE)
            return;
        if (clock_monotonic() > until)
            break;
        struct pollfd fd = {.fd = PQsocket(conn->pg), .events = POLLIN};
        poll(&fd, 1, TICK_MS);
    }
    conn->lost = true;
    shutdown(PQsocket(conn->pg), SHUT_RDWR);
}

void conn_abandon(PgConn *conn)
{
    if (PQstatus(conn->pg) == CONNECTION_BAD || PQtransactionStatus(conn->pg) != PQTRANS_ACTIVE)
        return;
    cancel(conn);
    conn_drain(conn, "cancelled");
}
