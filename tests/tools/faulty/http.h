/* HTTP/1.1 as far as a proxy for tests needs it: heads, bodies of a known length, whole answers. */
#ifndef FAULTY_HTTP_H
#define FAULTY_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kura/buf.h"

/* One end of a connection, and what was read from it but not used. Functions that read or send return 0, or -1 when the
 * connection has ended or speaks no HTTP. */
typedef struct Peer {
    int fd;    /* owned; -1: none */
    long rate; /* bytes a second, 0: as fast as it goes */
    Buf in;
} Peer;

/* An answer of a server, its body without the framing of the transfer. */
typedef struct Answer {
    int status;
    Buf head; /* the status line and the headers that do not speak of framing, without the empty line */
    Buf body;
    bool no_body;       /* of HEAD, 204 and 304 */
    long length_header; /* of an answer to HEAD: what its Content-Length says; else -1 */
} Answer;

/* For so many seconds nothing gets through, whoever reads or sends. */
void network_dark(long seconds);

void peer_init(Peer *peer, int fd);
void peer_done(Peer *peer);
/* Closes so that the other side sees a reset. */
void peer_reset(Peer *peer);
int peer_send(Peer *peer, const void *data, size_t len);
/* Whether the other side has closed. */
bool peer_gone(const Peer *peer);
/* Waits until the other side closes. */
void peer_wait_gone(const Peer *peer);

/* Reads a head with its empty line. */
int head_read(Peer *peer, Buf *ret_head);
/* The value of a header, "" when it is missing or longer than size - 1. */
void head_get(const Buf *head, const char *name, char *out, size_t size);

/* Moves len bytes of a body on, or drops them when to is NULL. */
int body_pass(Peer *from, uint64_t len, Peer *to);

int answer_read(Peer *server, const char *method, Answer *ret);
void answer_done(Answer *answer);
/* Head with its empty line, claiming `more` bytes more than the body has. */
void answer_head(const Answer *answer, long more, Buf *out);

#endif
