/* Bytes to and from a server, with TLS or without. The socket never blocks: whatever is waited for, a stop and a
 * deadline end it. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "kura/clock.h"
#include "kura/mem.h"
#include "kura/stop.h"
#include "redis_priv.h"

enum { TICK_MS = 100 };

static int wait_for(RedisConn *conn, short events, double deadline, Error *err)
{
    for (;;) {
        struct pollfd fds[2] = {{.fd = conn->context->fd, .events = events}, {.fd = stop_fd(), .events = POLLIN}};
        if (stop_check(err) < 0)
            return -1;
        if (clock_monotonic() > deadline)
            return error_set(err, ERR_CONNECTION, "%s does not answer", conn->where);
        if (poll(fds, ARRAY_SIZE(fds), TICK_MS) < 0 && errno != EINTR)
            return error_errno(err, errno, "waiting for %s", conn->where);
        if (fds[0].revents != 0)
            return 0;
    }
}

/* ---- TLS ---- */

static bool is_refused(const SSL *ssl)
{
    return SSL_get_verify_mode(ssl) != SSL_VERIFY_NONE && SSL_get_verify_result(ssl) != X509_V_OK;
}

static int hint_at_port(Error *err)
{
    return error_hint(err, "Look whether that port speaks TLS, and whether the server asks clients for a certificate "
                           "(tls-auth-clients), which kura does not have.");
}

static int tls_failed(const RedisConn *conn, Error *err)
{
    unsigned long code = ERR_get_error();
    const char *reason = code && !ERR_SYSTEM_ERROR(code) ? ERR_reason_error_string(code) : strerror(errno);
    ERR_clear_error();
    if (is_refused(conn->ssl)) {
        error_set(err, ERR_CONNECTION, "the certificate of %s is not accepted: %s", conn->where,
                  X509_verify_cert_error_string(SSL_get_verify_result(conn->ssl)));
        return error_hint(err,
                          "Connect by the name that stands in the certificate. The authority that issued it must be "
                          "known: put its own into /usr/local/share/ca-certificates and run "
                          "update-ca-certificates, or name its file in the environment variable SSL_CERT_FILE.");
    }
    error_set(err, ERR_CONNECTION, "TLS with %s failed: %s", conn->where, reason ? reason : "?");
    return hint_at_port(err);
}

/* What a step of TLS that is not done waits for; 0: for nothing, the server has ended the connection. */
static int tls_wants(const RedisConn *conn, int result, short *ret, Error *err)
{
    int reason = SSL_get_error(conn->ssl, result);
    if (reason != SSL_ERROR_WANT_READ && reason != SSL_ERROR_WANT_WRITE && reason != SSL_ERROR_ZERO_RETURN)
        return tls_failed(conn, err);
    *ret = reason == SSL_ERROR_WANT_READ ? POLLIN : reason == SSL_ERROR_WANT_WRITE ? POLLOUT : 0;
    return 0;
}

/* The certificate must be for the host as it was named: by its address where it is one. */
static bool expect_host(SSL *ssl, const char *host)
{
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1)
        return true;
    return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

static SSL *tls_new(const char *host, RedisTls tls, int fd)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    bool fine = context && SSL_CTX_set_default_verify_paths(context) == 1 &&
                SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1;
    if (fine) /* whether all came is told by what comes */
        SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL *ssl = fine ? SSL_new(context) : NULL;
    SSL_CTX_free(context);
    if (ssl == NULL || !expect_host(ssl, host) || SSL_set_fd(ssl, fd) != 1) {
        SSL_free(ssl);
        return NULL;
    }
    SSL_set_verify(ssl, tls == REDIS_TLS_UNCHECKED ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
    return ssl;
}

static int tls_begin(RedisConn *conn, const char *host, RedisTls tls, double deadline, Error *err)
{
    conn->ssl = tls_new(host, tls, conn->context->fd);
    if (conn->ssl == NULL) {
        ERR_clear_error();
        return error_set(err, ERR_FAILED, "TLS could not be set up for %s", conn->where);
    }
    for (;;) {
        short wants = 0;
        ERR_clear_error();
        int result = SSL_connect(conn->ssl);
        if (result == 1)
            return 0;
        if (tls_wants(conn, result, &wants, err) < 0)
            return -1;
        if (wants == 0)
            return redis_ended(conn, err);
        if (wait_for(conn, wants, deadline, err) < 0)
            return stop_check(err) < 0 ? -1 : hint_at_port(err);
    }
}

/* ---- either ---- */

int transport_begin(RedisConn *conn, const AppServer *server, double deadline, Error *err)
{
    RedisTls tls;
    int flags = fcntl(conn->context->fd, F_GETFL);
    if (redis_tls(server, &tls, err) < 0)
        return -1;
    if (flags < 0 || fcntl(conn->context->fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
        fcntl(conn->context->fd, F_SETFD, FD_CLOEXEC) < 0)
        return error_errno(err, errno, "connecting to %s", conn->where);
    return tls == REDIS_TLS_NONE ? 0 : tls_begin(conn, redis_host(server), tls, deadline, err);
}

/* What came of one step: *ret bytes, or *ret_wants to be waited for before the next one. */
static int settle(const RedisConn *conn, ssize_t n, short event, size_t *ret, short *ret_wants, Error *err)
{
    bool again = n < 0 && (errno == EAGAIN || errno == EINTR);
    *ret_wants = again ? event : 0;
    *ret = n > 0 ? (size_t)n : 0;
    if (n >= 0 || again)
        return 0;
    return errno == ECONNRESET ? redis_ended(conn, err)
                               : error_errno(err, errno, "the connection to %s is lost", conn->where);
}

static int settle_tls(const RedisConn *conn, int result, size_t *ret, short *ret_wants, Error *err)
{
    *ret_wants = 0;
    if (result > 0)
        return 0;
    *ret = 0;
    return tls_wants(conn, result, ret_wants, err);
}

static int step_read(RedisConn *conn, void *data, size_t size, size_t *ret, short *ret_wants, Error *err)
{
    ERR_clear_error();
    return conn->ssl ? settle_tls(conn, SSL_read_ex(conn->ssl, data, size, ret), ret, ret_wants, err)
                     : settle(conn, read(conn->context->fd, data, size), POLLIN, ret, ret_wants, err);
}

static int step_write(RedisConn *conn, const void *data, size_t len, size_t *ret, short *ret_wants, Error *err)
{
    ERR_clear_error();
    return conn->ssl ? settle_tls(conn, SSL_write_ex(conn->ssl, data, len, ret), ret, ret_wants, err)
                     : settle(conn, write(conn->context->fd, data, len), POLLOUT, ret, ret_wants, err);
}

int transport_read(RedisConn *conn, void *data, size_t size, double deadline, size_t *ret, Error *err)
{
    for (;;) {
        short wants;
        if (stop_check(err) < 0 || step_read(conn, data, size, ret, &wants, err) < 0)
            return -1;
        if (wants == 0)
            return 0;
        if (wait_for(conn, wants, deadline, err) < 0)
            return -1;
    }
}

int transport_write(RedisConn *conn, const void *data, size_t len, double deadline, Error *err)
{
    for (const char *at = data; len > 0;) {
        size_t n;
        short wants;
        if (step_write(conn, at, len, &n, &wants, err) < 0)
            return -1;
        if (n == 0 && wants == 0)
            return redis_ended(conn, err);
        if (wants != 0 && wait_for(conn, wants, deadline, err) < 0)
            return -1;
        at += n;
        len -= n;
    }
    return 0;
}

void transport_end(RedisConn *conn)
{
    SSL_free(conn->ssl);
}
