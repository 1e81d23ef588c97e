/* Queues of jobs in Redis. Sidekiq: the set "queues", and for each a list "queue:NAME" of jobs as JSON, the oldest
 * last. BullMQ: a hash "BASE:meta" for each queue, and beside it a list "BASE:wait" of ids, the oldest last, sorted
 * sets "BASE:prioritized" and "BASE:delayed", and a hash "BASE:ID" for each job. */
#include <jansson.h>
#include <string.h>

#include "kura/clock.h"
#include "kura/mem.h"
#include "redisview.h"

enum { SCAN_SECONDS = 20, QUEUES_MAX = 10000 };

static void note_oldest(RedisQueues *queues, const char *queue, double moment)
{
    if (moment > 1e11) /* milliseconds, of BullMQ and of Sidekiq from 8 on */
        moment /= 1000;
    if (!(moment >= 1 && moment < 1e11) || (queues->oldest && queues->oldest <= (time_t)moment))
        return;
    queues->oldest = (time_t)moment;
    free(queues->oldest_queue);
    queues->oldest_queue = xstrdup(queue);
}

static int add_length(RedisConn *conn, const char *command, const char *key, uint64_t *total, Error *err)
{
    uint64_t n;
    if (redis_number(conn, (const char *[]){command, key, NULL}, &n, err) < 0)
        return -1;
    *total += n;
    return 0;
}

/* --- Sidekiq --- */

static double enqueued_at(const char *job)
{
    json_t *json = json_loads(job, 0, NULL);
    double moment = json_number_value(json_object_get(json, "enqueued_at"));
    json_decref(json);
    return moment;
}

static int read_sidekiq_queue(RedisConn *conn, const char *key, const char *name, RedisQueues *queues, Error *err)
{
    _cleanup_free_ char *job = NULL;
    if (add_length(conn, "LLEN", key, &queues->waiting, err) < 0 ||
        redis_text(conn, (const char *[]){"LINDEX", key, "-1", NULL}, &job, err) < 0)
        return -1;
    if (job)
        note_oldest(queues, name, enqueued_at(job));
    queues->n++;
    return 0;
}

/* The other application of that name for a key is none of ours. */
static bool wrong_type(Error *err)
{
    bool wrong = err->code == ERR_SERVER && strstr(err->message, "WRONGTYPE");
    if (wrong)
        error_clear(err);
    return wrong;
}

static int read_sidekiq(RedisConn *conn, const char *prefix, RedisQueues *queues, Error *err)
{
    _cleanup_(strvec_done) StrVec names = {0};
    _cleanup_free_ char *set = xasprintf("%squeues", prefix);
    int rc = redis_texts(conn, (const char *[]){"SMEMBERS", set, NULL}, &names, err);
    if (rc < 0 && wrong_type(err))
        return 0;
    for (size_t i = 0; rc == 0 && i < names.n && i < QUEUES_MAX; i++) {
        _cleanup_free_ char *key = xasprintf("%squeue:%s", prefix, names.v[i]);
        rc = read_sidekiq_queue(conn, key, names.v[i], queues, err);
        if (rc < 0 && wrong_type(err))
            rc = 0;
    }
    return rc;
}

/* --- BullMQ --- */

static int read_oldest(RedisConn *conn, const char *base, const char *wait, RedisQueues *queues, Error *err)
{
    _cleanup_free_ char *id = NULL, *moment = NULL;
    const char *name = strrchr(base, ':');
    if (redis_text(conn, (const char *[]){"LINDEX", wait, "-1", NULL}, &id, err) < 0)
        return -1;
    if (id == NULL)
        return 0;
    _cleanup_free_ char *job = xasprintf("%s:%s", base, id);
    if (redis_text(conn, (const char *[]){"HGET", job, "timestamp", NULL}, &moment, err) < 0)
        return -1;
    if (moment)
        note_oldest(queues, name ? name + 1 : base, strtod(moment, NULL));
    return 0;
}

static int read_bullmq_queue(RedisConn *conn, const char *base, RedisQueues *queues, Error *err)
{
    _cleanup_free_ char *wait = xasprintf("%s:wait", base), *prioritized = xasprintf("%s:prioritized", base),
                        *delayed = xasprintf("%s:delayed", base);
    queues->n++;
    if (add_length(conn, "LLEN", wait, &queues->waiting, err) < 0 ||
        add_length(conn, "ZCARD", prioritized, &queues->waiting, err) < 0 ||
        add_length(conn, "ZCARD", delayed, &queues->delayed, err) < 0)
        return -1;
    return read_oldest(conn, base, wait, queues, err);
}

static char *glob_escaped(const char *prefix)
{
    _cleanup_(buf_done) Buf out = BUF_INIT(64 * 1024);
    for (; *prefix; prefix++)
        buf_printf(&out, NULL, strchr("*?[]\\^-", *prefix) ? "\\%c" : "%c", *prefix);
    return xstrdup(buf_str(&out));
}

/* SCAN may give a key twice, and it gives them all only when the cursor is back at 0. */
static int find_bullmq(RedisConn *conn, const char *prefix, StrVec *ret, Error *err)
{
    double deadline = clock_monotonic() + SCAN_SECONDS;
    _cleanup_free_ char *begin = glob_escaped(prefix), *pattern = xasprintf("%s*:meta", begin), *cursor = xstrdup("0");
    do {
        _cleanup_(strvec_done) StrVec answer = {0};
        const char *command[] = {"SCAN", cursor, "MATCH", pattern, "COUNT", "5000", NULL};
        if (redis_texts(conn, command, &answer, err) < 0)
            return -1;
        if (answer.n == 0 || clock_monotonic() > deadline || ret->n > QUEUES_MAX)
            return error_set(err, ERR_SERVER, "its keys could not all be looked through in %d s", SCAN_SECONDS);
        for (size_t i = 1; i < answer.n; i++)
            if (!strvec_contains(ret, answer.v[i]))
                strvec_push(ret, answer.v[i]);
        free(cursor);
        cursor = xstrdup(answer.v[0]);
    } while (strcmp(cursor, "0") != 0);
    return 0;
}

static int read_bullmq(RedisConn *conn, const char *prefix, RedisQueues *queues, Error *err)
{
    _cleanup_(strvec_done) StrVec metas = {0};
    int rc = find_bullmq(conn, prefix, &metas, err);
    for (size_t i = 0; rc == 0 && i < metas.n; i++) {
        size_t len = strlen(metas.v[i]);
        if (len <= strlen(":meta"))
            continue;
        _cleanup_free_ char *base = xstrndup(metas.v[i], len - strlen(":meta"));
        rc = read_bullmq_queue(conn, base, queues, err);
        if (rc < 0 && wrong_type(err))
            rc = 0;
    }
    return rc;
}

int redis_queues_read(RedisConn *conn, const AppServer *server, RedisQueues *ret, Error *err)
{
    RedisQueues queues = {0};
    const char *own = server->prefix ? server->prefix : "";
    size_t len = strlen(own);
    _cleanup_free_ char *prefix = xasprintf("%s%s", own, len && own[len - 1] != ':' ? ":" : "");
    if (read_sidekiq(conn, prefix, &queues, err) < 0 || read_bullmq(conn, prefix, &queues, err) < 0) {
        redis_queues_done(&queues);
        return -1;
    }
    *ret = queues;
    return 0;
}

void redis_queues_done(RedisQueues *queues)
{
    free(queues->oldest_queue);
}
