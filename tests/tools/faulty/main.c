/* faulty PORT RULES LOG: a proxy before an S3 server at PORT of 127.0.0.1, which does on request what real servers will
 * not. It prints the port it listens on. Requests are passed on byte for byte (a signature covers the host), one after
 * another on connections that stay open; RULES is described in rules.h, LOG in serve.h. */
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "listener.h"
#include "serve.h"

int main(int argc, char **argv)
{
    if (argc != 4)
        errx(2, "usage: faulty PORT RULES LOG");
    Proxy proxy = {.server = {.sin_family = AF_INET,
                              .sin_port = htons((in_port_t)atoi(argv[1])),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
                   .rules = rules_new(argv[2]),
                   .log = open(argv[3], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)};
    if (proxy.log < 0)
        err(1, "opening \"%s\"", argv[3]);
    listener_run(serve_connection, &proxy);
}
