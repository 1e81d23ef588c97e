/* A connection: one question, one answer. hiredis frames the protocol; the waiting is ours, so that it ends at a stop
 * and at a deadline however slowly an answer comes. */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "kura/clock.h"
#include "kura/mem.h"
#include "kura/redis.h"
#include "kura/secret.h"
#include "kura/text.h"
#include "redis_priv.h"

enum {
    CONNECT_SECONDS = 5,
    ANSWER_SECONDS = 10,
    ANSWERS_SECONDS = 120, /* all of them together */
    READ_SIZE = 16 * 1024,
    ANSWER_MAX = 64 * 1024 * 1024,
    ELEMENTS_MAX = 64 * 1024, /* of the lists in an answer; more than any question here asks for */
    REFUSAL_MAX = 300,
};

/* --- answers --- */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static redisReplyObjectFunctions usual, limited;

/* hiredis believes a list's length before it has seen one element, and one of lists is as many times longer. */
static void *create_array(const redisReadTask *task, int elements)
{
    RedisConn *conn = task->privdata;
    size_t n = elements > 0 ? (size_t)elements : 0;
    if (n > conn->elements)
        return NULL;
    conn->elements -= n;
    return usual.createArray(task, elements);
}

static void make_functions(void)
{
    redisReader *reader = redisReaderCreate();
    if (reader == NULL)
        abort(); /* only without memory */
    limited = usual = *reader->fn;
    limited.createArray = create_array;
    redisReaderFree(reader);
}

void redis_limit_lists(RedisConn *conn)
{
    pthread_once(&once, make_functions);
    conn->context->reader->fn = &limited;
    conn->context->reader->privdata = conn;
}

int redis_refused(RedisConn *conn, const char *text, size_t len, Error *err)
{
    free(conn->refusal);
    conn->refusal = xstrndup(text, len < REFUSAL_MAX ? len : REFUSAL_MAX);
    _cleanup_free_ char *shown = text_escaped(conn->refusal);
    return error_set(err, ERR_SERVER, "%s answers: %s", conn->where, shown);
}

int redis_ended(const RedisConn *conn, Error *err)
{
    error_set(err, ERR_CONNECTION, "%s ended the connection", conn->where);
    return conn->ssl ? -1
                     : error_hint(err, "Look into its log. A port that speaks TLS alone does that, too; it is "
                                       "rediss://HOST:PORT.");
}

int redis_send(RedisConn *conn, const char *const *command, Error *err)
{
    int n = 0;
    char *text;
    while (command[n])
        n++;
    _cleanup_free_ const char **words = xcalloc((size_t)n, sizeof *words);
    memcpy(words, command, (size_t)n * sizeof *words);
    int len = redisFormatCommandArgv(&text, n, words, NULL);
    if (len < 0)
        abort(); /* only without memory */
    int rc = transport_write(conn, text, (size_t)len, clock_monotonic() + ANSWER_SECONDS, err);
    secret_wipe(text, (size_t)len); /* a password, perhaps */
    redisFreeCommand(text);
    return rc;
}

static int read_answer(RedisConn *conn, double deadline, redisReply **ret, Error *err)
{
    char text[READ_SIZE];
    redisReader *reader = conn->context->reader;
    conn->elements = ELEMENTS_MAX;
    for (size_t received = 0;;) {
        size_t n;
        void *reply = NULL;
        if (redisReaderGetReply(reader, &reply) != REDIS_OK)
            return error_set(err, ERR_CORRUPT, "%s does not speak the protocol of Redis", conn->where);
        *ret = reply;
        if (reply)
            return 0;
        if (received > ANSWER_MAX)
            return error_set(err, ERR_CORRUPT, "%s answers with more than is reasonable", conn->where);
        if (transport_read(conn, text, sizeof text, deadline, &n, err) < 0)
            return -1;
        if (n == 0)
            return redis_ended(conn, err);
        if (redisReaderFeed(reader, text, n) != REDIS_OK)
            abort(); /* only without memory */
        received += n;
    }
}

static int receive(RedisConn *conn, redisReply **ret, Error *err)
{
    double began = clock_monotonic();
    int rc = read_answer(conn, began + (conn->patience < ANSWER_SECONDS ? conn->patience : ANSWER_SECONDS), ret, err);
    conn->patience -= clock_monotonic() - began;
    return rc;
}

static int ask(RedisConn *conn, const char *const *command, redisReply **ret, Error *err)
{
    if (redis_send(conn, command, err) < 0 || receive(conn, ret, err) < 0)
        return -1;
    if ((*ret)->type != REDIS_REPLY_ERROR)
        return 0;
    redis_refused(conn, (*ret)->str, (*ret)->len, err);
    freeReplyObject(*ret);
    return -1;
}

static int unexpected(const RedisConn *conn, const char *const *command, Error *err)
{
    return error_set(err, ERR_CORRUPT, "%s answers %s with something of another type", conn->where, command[0]);
}

static bool is_text(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS;
}

int redis_text(RedisConn *conn, const char *const *command, char **ret, Error *err)
{
    redisReply *reply;
    if (ask(conn, command, &reply, err) < 0)
        return -1;
    int rc = 0;
    if (is_text(reply))
        *ret = xstrndup(reply->str, reply->len);
    else if (reply->type == REDIS_REPLY_NIL)
        *ret = NULL;
    else
        rc = unexpected(conn, command, err);
    freeReplyObject(reply);
    return rc;
}

int redis_number(RedisConn *conn, const char *const *command, uint64_t *ret, Error *err)
{
    redisReply *reply;
    if (ask(conn, command, &reply, err) < 0)
        return -1;
    int rc = reply->type == REDIS_REPLY_INTEGER && reply->integer >= 0 ? 0 : unexpected(conn, command, err);
    if (rc == 0)
        *ret = (uint64_t)reply->integer;
    freeReplyObject(reply);
    return rc;
}

/* Lists within lists are given as one. */
static int push_texts(const redisReply *reply, StrVec *ret)
{
    if (is_text(reply))
        strvec_push(ret, reply->str);
    else if (reply->type != REDIS_REPLY_ARRAY)
        return -1;
    for (size_t i = 0; reply->type == REDIS_REPLY_ARRAY && i < reply->elements; i++)
        if (push_texts(reply->element[i], ret) < 0)
            return -1;
    return 0;
}

int redis_texts(RedisConn *conn, const char *const *command, StrVec *ret, Error *err)
{
    redisReply *reply;
    if (ask(conn, command, &reply, err) < 0)
        return -1;
    int rc = reply->type == REDIS_REPLY_ARRAY && push_texts(reply, ret) == 0 ? 0 : unexpected(conn, command, err);
    freeReplyObject(reply);
    return rc;
}

char *redis_info_value(const char *info, const char *key)
{
    size_t len = strlen(key);
    for (const char *line = info; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, len) == 0 && line[len] == ':')
            return xstrndup(line + len + 1, strcspn(line + len + 1, "\r\n"));
    }
    return NULL;
}

/* --- connecting --- */

/* Asks the server's own words: an error's are in the user's language. */
static bool refused_with(const RedisConn *conn, const Error *err, const char *text)
{
    return err->code == ERR_SERVER && strncmp(conn->refusal, text, strlen(text)) == 0;
}

/* What the server says of a password is not repeated: who knows what it says. */
static int log_in(RedisConn *conn, const AppServer *server, Error *err)
{
    char *answer = NULL;
    const char *user = server->user, *password = server->password;
    const char *with_user[] = {"AUTH", user, password, NULL}, *without[] = {"AUTH", password, NULL};
    if (password == NULL || password[0] == 0)
        return 0;
    int rc = redis_text(conn, user && user[0] ? with_user : without, &answer, err);
    free(answer);
    if (rc == 0 || err->code != ERR_SERVER)
        return rc;
    if (strstr(conn->refusal, "without any password configured")) { /* clients of Redis let that pass, too */
        error_clear(err);
        return 0;
    }
    error_set(err, ERR_PERMISSION, "%s does not accept the password", conn->where);
    return error_hint(err, "Compare it with requirepass, or the user's ACL, of the server.");
}

/* Some servers take a connection only to refuse whatever comes. One that could not save its data refuses writes, and
 * for whatever reason this one question, too. */
static int greet(RedisConn *conn, Error *err)
{
    char *answer = NULL;
    int rc = redis_text(conn, (const char *[]){"PING", NULL}, &answer, err);
    free(answer);
    if (rc < 0 && (refused_with(conn, err, "NOPERM") || refused_with(conn, err, "MISCONF"))) {
        error_clear(err);
        return 0;
    }
    if (rc < 0 && refused_with(conn, err, "NOAUTH")) {
        error_set(err, ERR_PERMISSION, "%s asks for a password", conn->where);
        return error_hint(err, "Write it into the URL of the configuration file, as redis://:PASSWORD@HOST.");
    }
    return rc;
}

static int select_database(RedisConn *conn, const AppServer *server, Error *err)
{
    char *answer = NULL;
    if (server->database == NULL || server->database[0] == 0 || strcmp(server->database, "0") == 0)
        return 0;
    int rc = redis_text(conn, (const char *[]){"SELECT", server->database, NULL}, &answer, err);
    free(answer);
    return rc < 0 ? error_wrap(err, "selecting its database") : 0;
}

static redisContext *open_socket(const AppServer *server)
{
    struct timeval limit = {.tv_sec = CONNECT_SECONDS};
    const char *host = redis_host(server);
    redisContext *context = host[0] == '/' ? redisConnectUnixWithTimeout(host, limit)
                                           : redisConnectWithTimeout(host, (int)redis_port(server), limit);
    if (context == NULL)
        abort(); /* only without memory */
    return context;
}

/* Root in a unit of systemd's is subject to the mode of a socket as others are. */
static int not_connected(const RedisConn *conn, int why, Error *err)
{
    error_set(err, ERR_CONNECTION, "cannot connect to %s: %s", conn->where, conn->context->errstr);
    return why != EACCES
               ? -1
               : error_hint(err, "Who connects must be in the group of the socket, which its mode must let in. "
                                 "For the units of kura, \"kura install-timer --apply\" sees to that.");
}

int redis_connect(const AppServer *server, RedisConn **ret, Error *err)
{
    RedisConn *conn = xcalloc(1, sizeof *conn);
    conn->context = open_socket(server);
    int why = errno;
    conn->where = redis_where(server);
    conn->patience = ANSWERS_SECONDS;
    int rc = conn->context->err ? not_connected(conn, why, err)
                                : transport_begin(conn, server, clock_monotonic() + ANSWER_SECONDS, err);
    if (rc == 0) {
        redis_limit_lists(conn);
        rc = log_in(conn, server, err);
    }
    if (rc == 0)
        rc = greet(conn, err);
    if (rc == 0)
        rc = select_database(conn, server, err);
    if (rc < 0)
        redis_close(steal(conn));
    else
        *ret = conn;
    return rc;
}

void redis_close(RedisConn *conn)
{
    if (conn == NULL)
        return;
    transport_end(conn);
    redisFree(conn->context);
    free(conn->where);
    free(conn->refusal);
    free(conn);
}
