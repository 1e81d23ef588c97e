#include "serve.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "http.h"
#include "kura/mem.h"
#include "listener.h"

enum { HEAD_BYTES = 65536, ANSWER_BYTES = 257 << 20 };

typedef struct Session {
    const Proxy *proxy;
    Peer client, server;
    Buf head; /* of the request */
    char method[16];
    Buf target;      /* path and query */
    uint64_t length; /* of its body */
    uint64_t received;
    int server_status; /* 0: none */
    Fault fault;
} Session;

static int parse_request(Session *s)
{
    char length[24];
    const char *line = buf_str(&s->head);
    size_t method = strcspn(line, " \r"), target = 0;
    if (line[method] == ' ')
        target = strcspn(line + method + 1, " \r");
    if (method == 0 || method >= sizeof s->method || target == 0)
        return -1;
    memcpy(s->method, line, method);
    s->method[method] = '\0';
    buf_clear(&s->target);
    if (buf_append(&s->target, line + method + 1, target, NULL) < 0)
        return -1;
    head_get(&s->head, "Content-Length", length, sizeof length);
    s->length = strtoull(length, NULL, 10);
    s->received = 0;
    s->server_status = 0;
    return 0;
}

/* The region of "Authorization: .. Credential=KEY/DAY/REGION/s3/aws4_request, ..". */
static void signed_region(const Buf *head, char *out, size_t size)
{
    char text[1024];
    head_get(head, "Authorization", text, sizeof text);
    char *p = strstr(text, "Credential=");
    for (int i = 0; p && i < 2; i++)
        p = strchr(p + 1, '/');
    snprintf(out, size, "%.*s", p ? (int)strcspn(p + 1, "/") : 1, p ? p + 1 : "-");
}

/* Before the last byte is sent: a client that has it must find the line in the log. */
static void log_request(const Session *s, int told)
{
    char region[64], date[32], server_status[12] = "-", told_status[12] = "-";
    signed_region(&s->head, region, sizeof region);
    head_get(&s->head, "X-Amz-Date", date, sizeof date);
    if (s->server_status)
        snprintf(server_status, sizeof server_status, "%d", s->server_status);
    if (told && !peer_gone(&s->client))
        snprintf(told_status, sizeof told_status, "%d", told);
    _cleanup_free_ char *line =
        xasprintf("%s\t%s\t%ju\t%s\t%s\t%s\t%s\t%s\n", s->method, buf_str(&s->target), (uintmax_t)s->received,
                  server_status, told_status, s->fault.word, region, date[0] ? date : "-");
    if (write(s->proxy->log, line, strlen(line)) < 0)
        err(1, "writing the log");
}

static int take_body(Session *s, Peer *to)
{
    char expect[32];
    head_get(&s->head, "Expect", expect, sizeof expect);
    if (strcasecmp(expect, "100-continue") == 0 && s->length > 0 &&
        peer_send(&s->client, "HTTP/1.1 100 Continue\r\n\r\n", 25) < 0)
        return -1;
    if (body_pass(&s->client, s->length, to) < 0)
        return -1;
    s->received = s->length;
    return 0;
}

static void http_date(long offset, char *out, size_t size)
{
    struct tm tm;
    time_t now = time(NULL) + offset;
    strftime(out, size, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &tm));
}

/* An error as S3 tells it. headers and elements are empty or complete lines and elements. */
static int answer_error(Session *s, int status, const char *code, long clock_offset, const char *headers,
                        const char *elements)
{
    char date[64];
    _cleanup_(buf_done) Buf out = BUF_INIT(HEAD_BYTES);
    _cleanup_free_ char *body =
        xasprintf("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>%s</Code><Message>by the proxy</Message>%s"
                  "<RequestId>faulty-request</RequestId></Error>",
                  code, elements);
    http_date(clock_offset, date, sizeof date);
    buf_printf(&out, NULL,
               "HTTP/1.1 %d Faulty\r\nDate: %s\r\nContent-Type: application/xml\r\nx-amz-request-id: faulty-request\r\n"
               "%sContent-Length: %zu\r\n\r\n%s",
               status, date, headers, strlen(body), strcmp(s->method, "HEAD") == 0 ? "" : body);
    log_request(s, status);
    return peer_send(&s->client, out.data, out.len);
}

static int answer_status(Session *s)
{
    _cleanup_free_ char *headers = s->fault.seconds ? xasprintf("Retry-After: %ld\r\n", s->fault.seconds) : xstrdup("");
    return answer_error(s, (int)s->fault.number, s->fault.text, 0, headers, "");
}

static int answer_region(Session *s)
{
    _cleanup_free_ char *element = xasprintf("<Region>%s</Region>", s->fault.text);
    _cleanup_free_ char *header = xasprintf("x-amz-bucket-region: %s\r\n", s->fault.text);
    return answer_error(s, 400, "AuthorizationHeaderMalformed", 0, header, element);
}

static int answer_redirect(Session *s)
{
    const char *code = s->fault.number == 301 ? "PermanentRedirect" : "TemporaryRedirect";
    _cleanup_free_ char *headers = xasprintf("Location: %s%s\r\n", s->fault.text, buf_str(&s->target));
    return answer_error(s, (int)s->fault.number, code, 0, headers, "");
}

static int answer_garbage(Session *s)
{
    static const char bytes[] = "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\r\n\r\nnot HTTP\r\n\r\n";
    log_request(s, 0);
    peer_send(&s->client, bytes, sizeof bytes - 1);
    return -1;
}

/* The request is read, and answered without the server. */
static int answer_myself(Session *s)
{
    if (take_body(s, NULL) < 0)
        return -1;
    switch (s->fault.kind) {
    case FAULT_STATUS:
        return answer_status(s);
    case FAULT_SKEW:
        return answer_error(s, 403, "RequestTimeTooSkewed", s->fault.number, "", "");
    case FAULT_REGION:
        return answer_region(s);
    case FAULT_REDIRECT:
        return answer_redirect(s);
    case FAULT_GARBAGE:
        return answer_garbage(s);
    default:
        log_request(s, 0);
        return -1;
    }
}

/* Servers end connections that were idle for a while; that is no fault. */
static int connect_server(Session *s)
{
    if (s->server.fd >= 0 && !peer_gone(&s->server))
        return 0;
    peer_done(&s->server);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    peer_init(&s->server, fd);
    return connect(fd, (const struct sockaddr *)&s->proxy->server, sizeof s->proxy->server);
}

static int send_part(Session *s, const Buf *out, size_t len)
{
    log_request(s, 0);
    peer_send(&s->client, out->data, len);
    return -1;
}

/* Passes the answer on, whole or spoiled. */
static int pass_answer(Session *s, const Answer *answer)
{
    _cleanup_(buf_done) Buf out = BUF_INIT(ANSWER_BYTES);
    answer_head(answer, s->fault.kind == FAULT_CLAIM ? s->fault.number : 0, &out);
    size_t middle = answer->body.len ? out.len + answer->body.len / 2 : out.len / 2;
    if (buf_append(&out, answer->body.data, answer->body.len, NULL) < 0)
        return -1;
    switch (s->fault.kind) {
    case FAULT_LOSE:
        return send_part(s, &out, 0);
    case FAULT_RESET:
        send_part(s, &out, middle);
        listener_forget(s->client.fd);
        peer_reset(&s->client);
        return -1;
    case FAULT_CUT:
        return send_part(s, &out, middle);
    case FAULT_FREEZE:
        send_part(s, &out, middle);
        peer_wait_gone(&s->client);
        return -1;
    case FAULT_CLAIM:
        return send_part(s, &out, out.len);
    default:
        log_request(s, answer->status);
        return peer_send(&s->client, out.data, out.len);
    }
}

static int ask_server(Session *s)
{
    Answer answer = {0};
    s->client.rate = s->fault.kind == FAULT_SLOW ? s->fault.number : 0;
    int status = connect_server(s);
    if (status == 0)
        status = peer_send(&s->server, s->head.data, s->head.len);
    if (status == 0)
        status = take_body(s, &s->server);
    if (status == 0)
        status = answer_read(&s->server, s->method, &answer);
    s->server_status = answer.status;
    if (status == 0)
        status = pass_answer(s, &answer);
    else
        log_request(s, 0); /* the server is gone, or the client */
    answer_done(&answer);
    return status;
}

static int serve_request(Session *s)
{
    Error error = ERROR_INIT;
    if (rules_apply(s->proxy->rules, s->method, buf_str(&s->target), &s->fault, &error) < 0)
        errx(2, "%s", error.message);
    switch (s->fault.kind) {
    case FAULT_EARLY: /* what is unread when a connection is closed turns the answer into a reset */
        answer_status(s);
        body_pass(&s->client, s->length, NULL);
        return -1;
    case FAULT_CLOSE:
        log_request(s, 0);
        return -1;
    case FAULT_STALL:
        log_request(s, 0);
        peer_wait_gone(&s->client);
        return -1;
    case FAULT_REFUSE:
        log_request(s, 0);
        listener_refuse(s->fault.number);
        return -1;
    case FAULT_STATUS:
    case FAULT_SKEW:
    case FAULT_REGION:
    case FAULT_REDIRECT:
    case FAULT_GARBAGE:
    case FAULT_EAT:
        return answer_myself(s);
    case FAULT_DARK:
        network_dark(s->fault.number);
        return ask_server(s);
    default:
        return ask_server(s);
    }
}

void serve_connection(void *proxy, int fd)
{
    Session s = {.proxy = proxy, .head = BUF_INIT(HEAD_BYTES), .target = BUF_INIT(HEAD_BYTES)};
    peer_init(&s.client, fd);
    peer_init(&s.server, -1);
    while (head_read(&s.client, &s.head) == 0 && parse_request(&s) == 0 && serve_request(&s) == 0)
        ;
    if (s.client.fd >= 0)
        listener_forget(s.client.fd);
    peer_done(&s.client);
    peer_done(&s.server);
    buf_done(&s.head);
    buf_done(&s.target);
}
