#include "listener.h"

#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kura/mem.h"

enum { CONNECTIONS = 256, REFUSALS_MAX_SECONDS = 600 };

typedef struct Connection {
    void (*serve)(void *ctx, int fd);
    void *ctx;
    int fd;
} Connection;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int listener = -1;
static int open_fds[CONNECTIONS];
static size_t n_open;
static unsigned refuse_seconds;

static struct sockaddr_in loopback(in_port_t port)
{
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = port, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* Port 0: any. Returns the port, in network order. */
static in_port_t listen_at(in_port_t port)
{
    struct sockaddr_in address = loopback(port);
    socklen_t len = sizeof address;
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0 ||
        bind(fd, (struct sockaddr *)&address, len) < 0 || listen(fd, CONNECTIONS) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) < 0)
        err(1, "listening on a port of 127.0.0.1");
    pthread_mutex_lock(&mutex);
    listener = fd;
    pthread_mutex_unlock(&mutex);
    return address.sin_port;
}

static bool remember(int fd)
{
    pthread_mutex_lock(&mutex);
    bool room = n_open < CONNECTIONS && refuse_seconds == 0;
    if (room)
        open_fds[n_open++] = fd;
    pthread_mutex_unlock(&mutex);
    return room;
}

void listener_forget(int fd)
{
    pthread_mutex_lock(&mutex);
    for (size_t i = 0; i < n_open; i++) {
        if (open_fds[i] == fd) {
            open_fds[i] = open_fds[--n_open];
            break;
        }
    }
    pthread_mutex_unlock(&mutex);
}

/* Ends the threads' reads and the accept() of the main thread; closing, each thread then resets its connection. */
void listener_refuse(long seconds)
{
    struct linger hard = {.l_onoff = 1};
    pthread_mutex_lock(&mutex);
    refuse_seconds = seconds < REFUSALS_MAX_SECONDS ? (unsigned)seconds : REFUSALS_MAX_SECONDS;
    for (size_t i = 0; i < n_open; i++) {
        setsockopt(open_fds[i], SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        shutdown(open_fds[i], SHUT_RD);
    }
    shutdown(listener, SHUT_RDWR);
    pthread_mutex_unlock(&mutex);
}

static void *run(void *arg)
{
    Connection connection = *(Connection *)arg;
    free(arg);
    connection.serve(connection.ctx, connection.fd);
    return NULL;
}

static void start(void (*serve)(void *ctx, int fd), void *ctx, int fd)
{
    int one = 1;
    pthread_t thread;
    Connection *connection = xcalloc(1, sizeof *connection);
    *connection = (Connection){.serve = serve, .ctx = ctx, .fd = fd};
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (!remember(fd) || pthread_create(&thread, NULL, run, connection) != 0) {
        close(fd);
        free(connection);
        return;
    }
    pthread_detach(thread);
}

static unsigned refusal(void)
{
    pthread_mutex_lock(&mutex);
    unsigned seconds = refuse_seconds;
    pthread_mutex_unlock(&mutex);
    return seconds;
}

/* Out of order for so long; then listens at the same port again. */
static void refuse(unsigned seconds, in_port_t port)
{
    close(listener);
    while (seconds > 0)
        seconds = sleep(seconds);
    pthread_mutex_lock(&mutex);
    refuse_seconds = 0;
    pthread_mutex_unlock(&mutex);
    listen_at(port);
}

void listener_run(void (*serve)(void *ctx, int fd), void *ctx)
{
    in_port_t port = listen_at(0);
    printf("%u\n", ntohs(port));
    fflush(stdout);
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        unsigned seconds = refusal();
        if (fd >= 0)
            start(serve, ctx, fd);
        else if (seconds > 0)
            refuse(seconds, port);
    }
}
