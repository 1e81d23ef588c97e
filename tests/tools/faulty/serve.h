/* One client's connection: requests are passed on to the server, but for what the rules do to them. */
#ifndef FAULTY_SERVE_H
#define FAULTY_SERVE_H

#include <netinet/in.h>

#include "rules.h"

typedef struct Proxy {
    struct sockaddr_in server;
    Rules *rules;
    int log; /* opened for appending; one line a request: method, target, bytes of the body that were read, the server's
                status ("-": it was not asked, or gave none), the status that the client was told in full ("-": none),
                the fault ("-": none), the region in the Authorization header, X-Amz-Date, separated by tabs */
} Proxy;

/* Serves a connection until it ends, in the calling thread; proxy is a Proxy. */
void serve_connection(void *proxy, int fd);

#endif
