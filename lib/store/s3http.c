/* The limits are kept by a clock of our own: libcurl's low-speed limit averages over so long that a black hole is
 * noticed late. Progress is a byte that libcurl took or gave, or one that left the kernel's send buffer: on a slow line
 * megabytes lie there after libcurl took the last one. */
#include "s3http.h"

#include <curl/curl.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kura/clock.h"
#include "kura/mem.h"
#include "kura/stop.h"

enum {
    BUFFER_SIZE = 256 * 1024,
    WAKE_MAX = 200,               /* milliseconds: how late a stop or a limit is noticed at most */
    BYTES_PER_SECOND = 16 * 1024, /* each second's worth of body adds a second to the whole attempt */
    DROPPED_MAX = 1024 * 1024,
    SOCKETS_MAX = 8 /* watched at once; a line rarely has two */
};

static const StoreTimes usual = {.connect = 10 * 1000, .stall = 30 * 1000, .total = 300 * 1000, .retry = 300 * 1000};

typedef struct Line {
    CURLM *multi;
    CURL *easy;
    struct Line *next;
    int sockets[SOCKETS_MAX]; /* open ones, and -1 */
    struct curl_slist *headers;
    /* Of the attempt under way: */
    const S3Exchange *exchange;
    S3Answer *answer;
    Error *err;
    bool local;        /* err says why this side ended it */
    bool headers_done; /* of the final answer */
    size_t sent;
    size_t dropped;
    double start, allowed; /* seconds: begin; how long the whole may take */
    double moved;          /* when the last byte was seen moving */
    int queued;            /* bytes in the kernel's send buffer, when last looked at */
} Line;

struct S3Http {
    StoreTimes times;
    char *ca;
    bool direct;
    pthread_mutex_t mutex;
    Line *idle; /* guarded by mutex; the one used last comes first */
};

static void global_init(void)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
        abort();
}

int s3http_open(const char *ca, bool direct, const StoreTimes *times, S3Http **ret, Error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (ca && access(ca, R_OK) < 0)
        return error_errno(err, errno, "could not read the CA certificates \"%s\"", ca);
    pthread_once(&once, global_init);
    S3Http *http = xcalloc(1, sizeof *http);
    *http = (S3Http){
        .times = times ? *times : usual, .ca = xstrdup_null(ca), .direct = direct, .mutex = PTHREAD_MUTEX_INITIALIZER};
    http->times.connect = http->times.connect ? http->times.connect : usual.connect;
    http->times.stall = http->times.stall ? http->times.stall : usual.stall;
    http->times.total = http->times.total ? http->times.total : usual.total;
    http->times.retry = http->times.retry ? http->times.retry : usual.retry;
    *ret = http;
    return 0;
}

static void line_free(Line *line)
{
    curl_easy_cleanup(line->easy);
    curl_multi_cleanup(line->multi);
    free(line);
}

void s3http_close(S3Http *http)
{
    if (http == NULL)
        return;
    while (http->idle) {
        Line *line = http->idle;
        http->idle = line->next;
        line_free(line);
    }
    pthread_mutex_destroy(&http->mutex);
    free(http->ca);
    free(http);
}

const StoreTimes *s3http_times(const S3Http *http)
{
    return &http->times;
}

static Line *take_line(S3Http *http)
{
    pthread_mutex_lock(&http->mutex);
    Line *line = http->idle;
    if (line)
        http->idle = line->next;
    pthread_mutex_unlock(&http->mutex);
    if (line)
        return line;
    line = xcalloc(1, sizeof *line);
    memset(line->sockets, -1, sizeof line->sockets);
    line->easy = curl_easy_init();
    line->multi = curl_multi_init();
    if (line->easy == NULL || line->multi == NULL)
        abort();
    return line;
}

static void give_back(S3Http *http, Line *line)
{
    pthread_mutex_lock(&http->mutex);
    line->next = http->idle;
    http->idle = line;
    pthread_mutex_unlock(&http->mutex);
}

static void fault(Line *line, S3Fault which, const char *why)
{
    line->answer->fault = which;
    s3answer_copy(line->answer->why, sizeof line->answer->why, why, strlen(why));
}

static void moved(Line *line)
{
    line->moved = clock_monotonic();
}

/* Waits for this line's turn under the limit on uploads. That is no stall, and no time of the server's. */
static int wait_turn(Line *line, double seconds)
{
    double until = clock_monotonic() + seconds, now;
    while ((now = clock_monotonic()) < until) {
        if (stop_check(line->err) < 0)
            return -1;
        double left = (until - now) * 1000;
        struct pollfd stop = {.fd = stop_fd(), .events = POLLIN};
        poll(&stop, 1, left > WAKE_MAX ? WAKE_MAX : (int)left + 1);
    }
    line->allowed += seconds;
    return 0;
}

static size_t on_read(char *to, size_t size, size_t n, void *arg)
{
    Line *line = arg;
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
    Line *line = arg;
    if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > line->exchange->body_len)
        return CURL_SEEKFUNC_CANTSEEK;
    line->sent = (size_t)offset;
    return CURL_SEEKFUNC_OK;
}

static bool is_success(const Line *line)
{
    return line->answer->status >= 200 && line->answer->status < 300;
}

/* Lets the caller look at the headers of a success. */
static size_t ask(Line *line, size_t len)
{
    Error why = ERROR_INIT;
    int rc = line->exchange->accept(line->exchange->ctx, line->answer, &why);
    if (rc == 0)
        return len;
    if (rc > 0) {
        fault(line, S3_FAULT_PROTOCOL, why.message);
    } else {
        line->local = true;
        if (line->err)
            *line->err = why;
    }
    return 0;
}

static size_t on_header(char *data, size_t size, size_t n, void *arg)
{
    Line *line = arg;
    size_t len = size * n;
    moved(line);
    if (line->headers_done)
        return len; /* a trailer */
    s3answer_header(line->answer, data, len, time(NULL));
    if (len > 2 || line->answer->status < 200)
        return len;
    line->headers_done = true;
    if (line->answer->has_length)
        line->allowed += (double)line->answer->length / BYTES_PER_SECOND;
    return is_success(line) && line->exchange->accept ? ask(line, len) : len;
}

static size_t keep(Line *line, Buf *out, const char *data, size_t len)
{
    if (buf_append(out, data, len, line->err) == 0)
        return len;
    line->local = true;
    return 0;
}

static size_t drop(Line *line, size_t len)
{
    line->dropped += len;
    return line->dropped <= DROPPED_MAX ? len : 0;
}

static size_t on_write(char *data, size_t size, size_t n, void *arg)
{
    Line *line = arg;
    const S3Exchange *exchange = line->exchange;
    size_t len = size * n;
    moved(line);
    if (is_success(line))
        return exchange->out ? keep(line, exchange->out, data, len) : drop(line, len);
    size_t room = exchange->error->max - exchange->error->len;
    buf_append(exchange->error, data, len < room ? len : room, NULL);
    return drop(line, len);
}

static int *find_socket(Line *line, int fd)
{
    for (size_t i = 0; i < SOCKETS_MAX; i++)
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

static void set_connection(const S3Http *http, CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)http->times.connect);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)BUFFER_SIZE);
    curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)BUFFER_SIZE);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    if (http->ca) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, http->ca);
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    }
    if (http->direct)
        curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
}

static void set_callbacks(Line *line)
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

static void set_request(Line *line)
{
    const S3Exchange *exchange = line->exchange;
    CURL *easy = line->easy;
    for (size_t i = 0; exchange->headers[i]; i++) {
        struct curl_slist *longer = curl_slist_append(line->headers, exchange->headers[i]);
        if (longer == NULL)
            abort();
        line->headers = longer;
    }
    curl_easy_setopt(easy, CURLOPT_URL, exchange->url);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, line->headers);
    if (strcmp(exchange->method, "HEAD") == 0) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    } else if (strcmp(exchange->method, "PUT") == 0 || strcmp(exchange->method, "POST") == 0) {
        curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)exchange->body_len);
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, exchange->method);
    } else {
        curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, exchange->method);
    }
}

/* The Authorization header and a session token are in there. */
static void wipe_headers(Line *line)
{
    for (struct curl_slist *at = line->headers; at; at = at->next)
        explicit_bzero(at->data, strlen(at->data));
    curl_slist_free_all(line->headers);
    line->headers = NULL;
}

static void watch_sockets(Line *line)
{
    int queued = 0, on = 1;
    for (size_t i = 0; i < SOCKETS_MAX; i++) {
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

/* Whether the attempt must end now; the fault is then noted. */
static bool check_limits(const S3Http *http, Line *line)
{
    char why[80];
    if (stop_check(line->err) < 0) {
        line->local = true;
        return true;
    }
    watch_sockets(line);
    double now = clock_monotonic();
    if (now - line->moved > http->times.stall / 1000.0) {
        snprintf(why, sizeof why, "no byte moved for %g s", http->times.stall / 1000.0);
        fault(line, S3_FAULT_STALL, why);
        return true;
    }
    if (now - line->start > line->allowed) {
        snprintf(why, sizeof why, "not done after %.0f s", now - line->start);
        fault(line, S3_FAULT_TOTAL, why);
        return true;
    }
    return false;
}

/* Until libcurl is done (its verdict) or a limit is reached (CURLE_OK, with the fault noted). */
static CURLcode run(const S3Http *http, Line *line)
{
    for (;;) {
        int running, left;
        if (curl_multi_perform(line->multi, &running) != CURLM_OK)
            return CURLE_FAILED_INIT;
        if (running == 0) {
            CURLMsg *message = curl_multi_info_read(line->multi, &left);
            return message ? message->data.result : CURLE_FAILED_INIT;
        }
        if (check_limits(http, line))
            return CURLE_OK;
        struct curl_waitfd stop = {.fd = stop_fd(), .events = CURL_WAIT_POLLIN};
        curl_multi_poll(line->multi, &stop, stop.fd >= 0, WAKE_MAX, NULL);
    }
}

static S3Fault fault_of(CURLcode code, const Line *line)
{
    switch (code) {
    case CURLE_OK:
        return line->headers_done ? S3_FAULT_NONE : S3_FAULT_PROTOCOL;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return S3_FAULT_DNS;
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
        return S3_FAULT_CONNECT;
    case CURLE_SSL_CONNECT_ERROR:
        return S3_FAULT_HANDSHAKE;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
        return S3_FAULT_CERTIFICATE;
    case CURLE_PARTIAL_FILE:
        return S3_FAULT_SHORT;
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
        return S3_FAULT_LOST;
    default:
        return S3_FAULT_PROTOCOL;
    }
}

/* Forgets the attempt before. */
static void begin(const S3Http *http, Line *line, const S3Exchange *exchange, S3Answer *answer, Error *err)
{
    line->exchange = exchange;
    line->answer = answer;
    line->err = err;
    line->local = line->headers_done = false;
    line->sent = line->dropped = 0;
    line->start = line->moved = clock_monotonic();
    line->allowed = http->times.total / 1000.0 + (double)exchange->body_len / BYTES_PER_SECOND;
}

void s3http_exchange(S3Http *http, const S3Exchange *exchange, S3Answer *ret, Error *err)
{
    Line *line = take_line(http);
    char words[CURL_ERROR_SIZE] = "";
    *ret = (S3Answer){0};
    begin(http, line, exchange, ret, err);
    curl_easy_reset(line->easy);
    set_connection(http, line->easy);
    set_callbacks(line);
    set_request(line);
    curl_easy_setopt(line->easy, CURLOPT_ERRORBUFFER, words);
    curl_multi_add_handle(line->multi, line->easy);
    CURLcode code = run(http, line);
    curl_multi_remove_handle(line->multi, line->easy);
    curl_easy_setopt(line->easy, CURLOPT_ERRORBUFFER, NULL);
    wipe_headers(line);
    if (line->local)
        fault(line, S3_FAULT_LOCAL, "refused");
    else if (ret->fault == S3_FAULT_NONE && fault_of(code, line) != S3_FAULT_NONE)
        fault(line, fault_of(code, line), words[0] ? words : curl_easy_strerror(code));
    give_back(http, line);
}
