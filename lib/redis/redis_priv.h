/* What the files of this folder share. */
#ifndef KURA_REDIS_PRIV_H
#define KURA_REDIS_PRIV_H

#include <hiredis/hiredis.h>
#include <openssl/ssl.h>

#include "kura/redis.h"

enum { REDIS_PORT = 6379 };

struct RedisConn {
    redisContext *context;
    SSL *ssl; /* NULL: without TLS */
    char *where;
    char *refusal;   /* what the server said last instead of an answer; NULL: nothing yet */
    double patience; /* seconds that all answers together may still take */
    size_t elements; /* that the lists of the answer that is read may still have, those within others among them */
};

typedef enum RedisTls { REDIS_TLS_NONE, REDIS_TLS_UNCHECKED, REDIS_TLS_CHECKED } RedisTls;

/* How the server is to be spoken with; never by TLS on a socket of this host. ERR_USAGE: its sslmode is none of those
 * that there are for Redis. */
int redis_tls(const AppServer *server, RedisTls *ret, Error *err);
const char *redis_host(const AppServer *server);
unsigned redis_port(const AppServer *server); /* 0: none that exists */

/* Lists in answers shall have no more elements than is reasonable. */
void redis_limit_lists(RedisConn *conn);
/* Takes over the socket of a connection that was just made, and begins TLS where it is wanted. Every wait of these
 * three ends at that moment of clock_monotonic(). */
int transport_begin(RedisConn *conn, const AppServer *server, double deadline, Error *err);
/* What there is, as soon as there is something; *ret 0: the server has ended the connection. */
int transport_read(RedisConn *conn, void *data, size_t size, double deadline, size_t *ret, Error *err);
int transport_write(RedisConn *conn, const void *data, size_t len, double deadline, Error *err);
void transport_end(RedisConn *conn);

/* Sends a command, and waits for no answer. */
int redis_send(RedisConn *conn, const char *const *command, Error *err);
/* Says what the server answered instead; text need not end with a NUL. */
int redis_refused(RedisConn *conn, const char *text, size_t len, Error *err);
/* Says that the server ended the connection when it was to answer. */
int redis_ended(const RedisConn *conn, Error *err);

#endif
