#include "http.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "kura/clock.h"
#include "kura/mem.h"

enum { READ_BYTES = 65536, HEAD_BYTES = 65536, BODY_BYTES = 256 << 20 };

static _Atomic double dark_until;

void network_dark(long seconds)
{
    atomic_store(&dark_until, clock_monotonic() + (double)seconds);
}

static void sleep_seconds(double seconds)
{
    struct timespec ts = {.tv_sec = (time_t)seconds, .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};
    while (nanosleep(&ts, &ts) < 0 && errno == EINTR)
        ;
}

static void wait_for_light(void)
{
    for (double left; (left = atomic_load(&dark_until) - clock_monotonic()) > 0;)
        sleep_seconds(left);
}

void peer_init(Peer *peer, int fd)
{
    *peer = (Peer){.fd = fd, .in = BUF_INIT(HEAD_BYTES + 2 * READ_BYTES)};
}

void peer_done(Peer *peer)
{
    if (peer->fd >= 0)
        close(peer->fd);
    peer->fd = -1;
    buf_done(&peer->in);
}

void peer_reset(Peer *peer)
{
    struct linger hard = {.l_onoff = 1};
    setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    peer_done(peer);
}

int peer_send(Peer *peer, const void *data, size_t len)
{
    for (const char *p = data, *end = p + len; p < end;) {
        size_t piece = (size_t)(end - p);
        if (peer->rate > 0 && piece > (size_t)peer->rate / 10 + 1)
            piece = (size_t)peer->rate / 10 + 1;
        wait_for_light();
        ssize_t n = send(peer->fd, p, piece, MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR)
            return -1;
        p += n > 0 ? n : 0;
        if (peer->rate > 0)
            sleep_seconds(0.1);
    }
    return 0;
}

static bool hung_up(const Peer *peer, int timeout)
{
    struct pollfd p = {.fd = peer->fd, .events = POLLRDHUP};
    return poll(&p, 1, timeout) != 0;
}

bool peer_gone(const Peer *peer)
{
    return hung_up(peer, 0);
}

void peer_wait_gone(const Peer *peer)
{
    hung_up(peer, -1);
}

/* Reads what has come, and waits for at least one byte. */
static int fill(Peer *peer)
{
    ssize_t n;
    size_t most = peer->rate > 0 && peer->rate < READ_BYTES * 10 ? (size_t)peer->rate / 10 + 1 : READ_BYTES;
    if (buf_reserve(&peer->in, most, NULL) < 0)
        return -1;
    do
        n = recv(peer->fd, peer->in.data + peer->in.len, most, 0);
    while (n < 0 && errno == EINTR);
    wait_for_light();
    if (n <= 0)
        return -1;
    peer->in.len += (size_t)n;
    if (peer->rate > 0)
        sleep_seconds(0.1);
    return 0;
}

/* Takes everything up to and with `end` from what was read, reading more until it is there. */
static int take_until(Peer *peer, const char *end, Buf *out)
{
    size_t len = strlen(end);
    for (;;) {
        uint8_t *found = peer->in.len ? memmem(peer->in.data, peer->in.len, end, len) : NULL;
        if (found) {
            size_t taken = (size_t)(found - peer->in.data) + len;
            int status = buf_append(out, peer->in.data, taken, NULL);
            buf_consume(&peer->in, taken);
            return status;
        }
        if (peer->in.len > HEAD_BYTES || fill(peer) < 0)
            return -1;
    }
}

int head_read(Peer *peer, Buf *ret_head)
{
    buf_clear(ret_head);
    if (take_until(peer, "\r\n\r\n", ret_head) < 0)
        return -1;
    return strlen(buf_str(ret_head)) == ret_head->len ? 0 : -1;
}

void head_get(const Buf *head, const char *name, char *out, size_t size)
{
    size_t len = strlen(name);
    out[0] = '\0';
    for (const char *line = strstr(buf_str(head), "\r\n"); line; line = strstr(line + 2, "\r\n")) {
        if (strncasecmp(line + 2, name, len) != 0 || line[2 + len] != ':')
            continue;
        const char *value = line + 3 + len;
        value += strspn(value, " \t");
        size_t n = strcspn(value, "\r");
        if (n < size) {
            memcpy(out, value, n);
            out[n] = '\0';
        }
        return;
    }
}

/* Takes len bytes of a body, each piece to `to` or appended to `out`, whichever is there. */
static int take_body(Peer *from, uint64_t len, Peer *to, Buf *out)
{
    while (len > 0) {
        if (from->in.len == 0 && fill(from) < 0)
            return -1;
        size_t piece = from->in.len < len ? from->in.len : (size_t)len;
        if (to && peer_send(to, from->in.data, piece) < 0)
            return -1;
        if (out && buf_append(out, from->in.data, piece, NULL) < 0)
            return -1;
        buf_consume(&from->in, piece);
        len -= piece;
    }
    return 0;
}

int body_pass(Peer *from, uint64_t len, Peer *to)
{
    return take_body(from, len, to, NULL);
}

static int take_chunks(Peer *server, Buf *body)
{
    _cleanup_(buf_done) Buf line = BUF_INIT(HEAD_BYTES);
    for (uint64_t len = 1; len > 0;) {
        buf_clear(&line);
        if (take_until(server, "\r\n", &line) < 0)
            return -1;
        len = strtoull(buf_str(&line), NULL, 16);
        if (take_body(server, len, NULL, body) < 0 || take_until(server, "\r\n", &line) < 0)
            return -1;
    }
    return 0;
}

static void take_rest(Peer *server, Buf *body)
{
    while (take_body(server, server->in.len ? server->in.len : 1, NULL, body) == 0)
        ;
}

static bool is_framing(const char *line)
{
    static const char *const names[] = {"Content-Length:", "Transfer-Encoding:", "Connection:", "Keep-Alive:"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strncasecmp(line, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

static void copy_head(const Buf *head, Buf *out)
{
    for (const char *line = buf_str(head); *line && *line != '\r'; line = strstr(line, "\r\n") + 2)
        if (!is_framing(line))
            buf_append(out, line, (size_t)(strstr(line, "\r\n") - line) + 2, NULL);
}

static int read_body(Peer *server, const Buf *head, Answer *answer)
{
    char length[32], encoding[32];
    head_get(head, "Content-Length", length, sizeof length);
    head_get(head, "Transfer-Encoding", encoding, sizeof encoding);
    if (answer->no_body)
        answer->length_header = length[0] ? strtol(length, NULL, 10) : -1;
    else if (strcasecmp(encoding, "chunked") == 0)
        return take_chunks(server, &answer->body);
    else if (length[0])
        return take_body(server, strtoull(length, NULL, 10), NULL, &answer->body);
    else
        take_rest(server, &answer->body);
    return 0;
}

int answer_read(Peer *server, const char *method, Answer *ret)
{
    *ret = (Answer){.head = BUF_INIT(HEAD_BYTES), .body = BUF_INIT(BODY_BYTES), .length_header = -1};
    _cleanup_(buf_done) Buf head = BUF_INIT(HEAD_BYTES);
    do {
        if (head_read(server, &head) < 0 || strncmp(buf_str(&head), "HTTP/1.", 7) != 0)
            return -1;
        ret->status = atoi(buf_str(&head) + strcspn(buf_str(&head), " "));
    } while (ret->status < 200);
    ret->no_body = strcmp(method, "HEAD") == 0 || ret->status == 204 || ret->status == 304;
    copy_head(&head, &ret->head);
    return read_body(server, &head, ret);
}

void answer_done(Answer *answer)
{
    buf_done(&answer->head);
    buf_done(&answer->body);
}

void answer_head(const Answer *answer, long more, Buf *out)
{
    buf_append_str(out, buf_str(&answer->head), NULL);
    if (!answer->no_body)
        buf_printf(out, NULL, "Content-Length: %ld\r\n", (long)answer->body.len + more);
    else if (answer->length_header >= 0)
        buf_printf(out, NULL, "Content-Length: %ld\r\n", answer->length_header + more);
    buf_append_str(out, "\r\n", NULL);
}
