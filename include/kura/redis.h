/* Redis, as far as a backup and a doctor need it: questions to a server, and its dump by the protocol's own
 * replication. What a server answers is hostile until it was checked. */
#ifndef KURA_REDIS_H
#define KURA_REDIS_H

#include <stdint.h>

#include "kura/app.h"
#include "kura/buf.h"
#include "kura/error.h"

/* Reads "redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]", the same with "rediss://", which is by TLS, or
 * "unix:///PATH[?password=PASSWORD]" into a server, to be freed with app_server_done. A server's sslmode, which
 * "?sslmode=" sets, is as libpq's: "disable", "require" (any certificate will do) or "verify-full" (that of rediss://).
 * ERR_USAGE for what is no such URL; the text is not quoted: it may hold a password. */
int redis_server_parse(const char *url, AppServer *ret, Error *err);
/* Where it is, without user, password and database: "redis://127.0.0.1:6379", "unix:///run/redis/redis.sock". Two that
 * are told alike are one server. To be freed. */
char *redis_where(const AppServer *server);

typedef struct RedisConn RedisConn;

/* Connects, logs in, and selects the server's database. ERR_PERMISSION: the password is wrong, or one is asked for and
 * there is none. Every wait ends at a stop, or after some seconds. */
int redis_connect(const AppServer *server, RedisConn **ret, Error *err);
void redis_close(RedisConn *conn); /* NULL-safe */

/* A command, NULL-terminated. ERR_SERVER: the server refuses it; sqlstate stays empty, the message begins with the
 * server's own. *ret of redis_text is to be freed, and NULL where there is nothing of that name; redis_texts appends to
 * *ret, and takes lists within lists for one. */
int redis_text(RedisConn *conn, const char *const *command, char **ret, Error *err);
int redis_number(RedisConn *conn, const char *const *command, uint64_t *ret, Error *err);
int redis_texts(RedisConn *conn, const char *const *command, StrVec *ret, Error *err);

/* The value of a line "key:value" in what INFO answers, to be freed; NULL without such a line. */
char *redis_info_value(const char *info, const char *key);

/* What a dump turned out to be. */
typedef struct RedisDump {
    uint64_t bytes;
    bool checksum; /* the server computed one (rdbchecksum), and it was right */
} RedisDump;

/* Asks the server for a full synchronisation, as a new replica does, and gives the dump piece by piece as it comes: no
 * file is made on this side, and none on the server's where it is configured so (repl-diskless-sync). It is checked: it
 * begins and ends as a dump does, and its checksum is right; -1 otherwise, also when all pieces were given. *ret_sink:
 * whether it was the sink that failed (may be NULL). The connection is of no use afterwards. */
int redis_dump(RedisConn *conn, int (*sink)(void *ctx, const void *data, size_t len, Error *err), void *ctx,
               RedisDump *ret, bool *ret_sink, Error *err);

#endif
