/* What libcurl calls while an attempt runs. Progress is a byte that libcurl took or gave, or one that left the kernel's
 * send buffer: on a slow line megabytes lie there after libcurl took the last one. */
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kura/clock.h"
#include "kura/stop.h"
#include "s3line_priv.h"

enum { DROPPED_MAX = 1024 * 1024 };

void s3line_fault(S3Line *line, S3Fault which, const char *why)
{
    line->answer->fault = which;
    s3answer_copy(line->answer->why, sizeof line->answer->why, why, strlen(why));
}

static void moved(S3Line *line)
{
    line->moved = clock_monotonic();
}

/* Waits for this line's turn under the limit on uploads. That is no stall, and no time of the server's. */
static int wait_turn(S3Line *line, double seconds)
{
    double until = clock_monotonic() + seconds, now;
    while ((now = clock_monotonic()) < until) {
        if (stop_check(line->err) < 0)
            return -1;
        double left = (until - now) * 1000;
        struct pollfd stop = {.fd = stop_fd(), .events = POLLIN};
        poll(&stop, 1, left > S3LINE_WAKE_MAX ? S3LINE_WAKE_MAX : (int)left + 1);
    }
    line->allowed += seconds;
    return 0;
}

static size_t on_read(char *to, size_t size, size_t n, void *arg)
{
    S3Line *line = arg;
    const S3Exchange *exchange = line->exchange;
    size_t len = exchange->body_len - line->sent, room = size * n;
    if (len > room)
        len = room;
    line->answer->sent = true;
    if (len == 0)
        return 0;
    if (exchange->limit) {
        double wait;
        len = s3limit_take(exchange->limit, len, &wait);
        if (wait_turn(line, wait) < 0) {
            line->local = true;
            return CURL_READFUNC_ABORT;
        }
    }
    memcpy(to, (const char *)exchange->body + line->sent, len);
    line->sent += len;
    moved(line);
    return len;
}

/* libcurl sends again by itself when a kept connection turns out dead. */
static int on_seek(void *arg, curl_off_t offset, int origin)
{
    S3Line *line = arg;
    if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > line->exchange->body_len)
        return CURL_SEEKFUNC_CANTSEEK;
    line->answer->resent = line->answer->resent || line->answer->sent;
    line->sent = (size_t)offset;
    return CURL_SEEKFUNC_OK;
}

static bool is_success(const S3Line *line)
{
    return line->answer->status >= 200 && line->answer->status < 300;
}

/* Lets the caller look at the headers of a success. */
static size_t ask(S3Line *line, size_t len)
{
    Error why = ERROR_INIT;
    int rc = line->exchange->accept(line->exchange->ctx, line->answer, &why);
    if (rc == 0)
        return len;
    if (rc > 0) {
        s3line_fault(line, S3_FAULT_PROTOCOL, why.message);
    } else {
        line->local = true;
        if (line->err)
            *line->err = why;
    }
    return 0;
}

static size_t on_header(char *data, size_t size, size_t n, void *arg)
{
    S3Line *line = arg;
    size_t len = size * n;
    moved(line);
    if (line->headers_done)
        return len; /* a trailer */
    s3answer_header(line->answer, data, len, time(NULL));
    if (len > 2 || line->answer->status < 200)
        return len;
    line->headers_done = true;
    if (line->answer->has_length)
        line->allowed += (double)line->answer->length / S3LINE_BYTES_PER_SECOND;
    return is_success(line) && line->exchange->accept ? ask(line, len) : len;
}

static size_t keep(S3Line *line, Buf *out, const char *data, size_t len)
{
    if (buf_append(out, data, len, line->err) == 0)
        return len;
    line->local = true;
    return 0;
}

static size_t drop(S3Line *line, size_t len)
{
    line->dropped += len;
    return line->dropped <= DROPPED_MAX ? len : 0;
}

static size_t on_write(char *data, size_t size, size_t n, void *arg)
{
    S3Line *line = arg;
    const S3Exchange *exchange = line->exchange;
    size_t len = size * n;
    moved(line);
    if (is_success(line))
        return exchange->out ? keep(line, exchange->out, data, len) : drop(line, len);
    size_t room = exchange->error->max - exchange->error->len;
    buf_append(exchange->error, data, len < room ? len : room, NULL);
    return drop(line, len);
}

static int *find_socket(S3Line *line, int fd)
{
    for (size_t i = 0; i < S3LINE_SOCKETS_MAX; i++)
        if (line->sockets[i] == fd)
            return &line->sockets[i];
    return NULL;
}

/* Children must not inherit connections. */
static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)purpose;
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    int *slot = find_socket(arg, -1);
    if (slot)
        *slot = fd;
    return fd;
}

static int close_socket(void *arg, curl_socket_t fd)
{
    int *slot = find_socket(arg, fd);
    if (slot)
        *slot = -1;
    return close(fd);
}

void s3line_watch(S3Line *line)
{
    int queued = 0, on = 1;
    for (size_t i = 0; i < S3LINE_SOCKETS_MAX; i++) {
        int bytes, fd = line->sockets[i];
        if (fd < 0)
            continue;
        /* Some servers (Ceph) hold an answer's second part back until its first one is acknowledged. */
        setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
        if (ioctl(fd, SIOCOUTQ, &bytes) == 0)
            queued += bytes;
    }
    if (queued != line->queued)
        moved(line);
    line->queued = queued;
}

void s3line_set_callbacks(S3Line *line)
{
    CURL *easy = line->easy;
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, line);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, line);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, line);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_write);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, line);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(easy, CURLOPT_READDATA, line);
    curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek);
    curl_easy_setopt(easy, CURLOPT_SEEKDATA, line);
}
