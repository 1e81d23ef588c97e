#include "httpd.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "kura/buf.h"
#include "kura/mem.h"

enum { REQUEST_MAX = 2 * 1024 * 1024 };

struct Httpd {
    int listener;
    int quit[2]; /* a pipe: closing its end for writing ends the thread */
    char *url;
    pthread_t thread;
    const HttpAnswer *answers;
    size_t n;
    pthread_mutex_t mutex; /* guards requests */
    StrVec requests;
};

/* Waits until fd has something; false when the server shall end. */
static bool wait_for(Httpd *httpd, int fd)
{
    struct pollfd fds[] = {{.fd = fd, .events = POLLIN}, {.fd = httpd->quit[0], .events = POLLIN}};
    while (poll(fds, 2, -1) < 0) {
    }
    return fds[1].revents == 0;
}

/* The length of the whole request, as far as its beginning tells: 0 when that is not complete. */
static size_t whole_length(const char *text)
{
    const char *end = strstr(text, "\r\n\r\n");
    const char *length = strcasestr(text, "\r\nContent-Length:");
    if (end == NULL)
        return 0;
    return (size_t)(end - text) + 4 + (length && length < end ? strtoul(length + 17, NULL, 10) : 0);
}

static bool read_request(Httpd *httpd, int fd, char *text)
{
    for (size_t len = 0; len < REQUEST_MAX - 1;) {
        if (!wait_for(httpd, fd))
            return false;
        ssize_t got = recv(fd, text + len, REQUEST_MAX - 1 - len, 0);
        if (got <= 0)
            return false;
        len += (size_t)got;
        text[len] = 0;
        size_t whole = whole_length(text);
        if (whole && len >= whole)
            return true;
    }
    return false;
}

static void send_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(fd, data, len, MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        data += sent;
        len -= (size_t)sent;
    }
}

static void wait_for_the_end(Httpd *httpd, int fd)
{
    char byte;
    while (wait_for(httpd, fd) && recv(fd, &byte, 1, 0) > 0) {
    }
}

static void send_answer(int fd, const HttpAnswer *answer, bool bodyless)
{
    const char *body = answer->body ? answer->body : "";
    size_t len = answer->len ? answer->len : strlen(body);
    char *head = xasprintf("HTTP/1.1 %s\r\nContent-Length: %zu\r\n%s%s%s\r\n", answer->status, len,
                           answer->end == HTTP_END_KEEP ? "" : "Connection: close\r\n",
                           answer->header ? answer->header : "", answer->header ? "\r\n" : "");
    send_all(fd, head, strlen(head));
    if (!bodyless)
        send_all(fd, body, len);
    free(head);
}

static void answer(Httpd *httpd, int fd, const HttpAnswer *answer, bool bodyless)
{
    if (answer->raw)
        send_all(fd, answer->raw, strlen(answer->raw));
    else if (answer->status)
        send_answer(fd, answer, bodyless);
    if (answer->end == HTTP_END_STALL || (answer->raw == NULL && answer->status == NULL))
        wait_for_the_end(httpd, fd);
    struct linger abort = {.l_onoff = 1};
    if (answer->end == HTTP_END_RESET)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
}

/* One request; whether the connection takes another one. */
static bool serve(Httpd *httpd, int fd, char *text)
{
    static const HttpAnswer unexpected = {.status = "500 Unexpected"};
    if (!read_request(httpd, fd, text))
        return false;
    pthread_mutex_lock(&httpd->mutex);
    size_t i = httpd->requests.n;
    strvec_push(&httpd->requests, text);
    pthread_mutex_unlock(&httpd->mutex);
    const HttpAnswer *next = i < httpd->n ? &httpd->answers[i] : &unexpected;
    answer(httpd, fd, next, strncmp(text, "HEAD ", 5) == 0);
    return next->end == HTTP_END_KEEP;
}

static void *run(void *arg)
{
    Httpd *httpd = arg;
    char *text = xmalloc(REQUEST_MAX);
    while (wait_for(httpd, httpd->listener)) {
        int fd = accept4(httpd->listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            continue;
        while (serve(httpd, fd, text)) {
        }
        close(fd);
    }
    free(text);
    return NULL;
}

Httpd *httpd_start(const HttpAnswer *answers, size_t n)
{
    Httpd *httpd = xcalloc(1, sizeof *httpd);
    httpd->answers = answers;
    httpd->n = n;
    pthread_mutex_init(&httpd->mutex, NULL);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    httpd->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(httpd->listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(httpd->listener, 16), 0);
    assert_int_equal(getsockname(httpd->listener, (struct sockaddr *)&address, &len), 0);
    httpd->url = xasprintf("http://127.0.0.1:%d", ntohs(address.sin_port));
    assert_int_equal(pipe(httpd->quit), 0);
    assert_int_equal(pthread_create(&httpd->thread, NULL, run, httpd), 0);
    return httpd;
}

void httpd_stop(Httpd *httpd)
{
    close(httpd->quit[1]);
    pthread_join(httpd->thread, NULL);
    close(httpd->quit[0]);
    close(httpd->listener);
    pthread_mutex_destroy(&httpd->mutex);
    strvec_done(&httpd->requests);
    free(httpd->url);
    free(httpd);
}

const char *httpd_url(const Httpd *httpd)
{
    return httpd->url;
}

size_t httpd_count(Httpd *httpd)
{
    pthread_mutex_lock(&httpd->mutex);
    size_t n = httpd->requests.n;
    pthread_mutex_unlock(&httpd->mutex);
    return n;
}

const char *httpd_request(Httpd *httpd, size_t i)
{
    assert_true(i < httpd_count(httpd));
    pthread_mutex_lock(&httpd->mutex);
    const char *text = httpd->requests.v[i];
    pthread_mutex_unlock(&httpd->mutex);
    return text;
}
