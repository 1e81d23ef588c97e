/* Servers of Redis: whether they answer, what waits in them, and whether it can get lost. */
#include <string.h>

#include "doctor_priv.h"
#include "kura/mem.h"
#include "kura/text.h"
#include "kura/words.h"
#include "redisview.h"

enum { WAITING_MAX = 10000, WAITING_SECONDS = 3600 };

int check_redis_connection(DoctorScene *scene, Error *err)
{
    const RedisViews *views;
    if (redis_views(scene, &views, err) < 0)
        return -1;
    for (size_t i = 0; views && i < views->n; i++) {
        const Error *trouble = &views->v[i].trouble;
        if (trouble->code != ERR_NONE)
            doctor_report(scene, trouble->hint[0] ? trouble->hint : "Start it, or correct where the application looks.",
                          "%s: %s", views->v[i].server->role ? views->v[i].server->role : "redis", trouble->message);
    }
    return 0;
}

static bool holds_queues(const RedisView *view)
{
    return view->trouble.code == ERR_NONE && view->queues.n > 0;
}

/* ---- queues ---- */

static void report_queues(DoctorScene *scene, const RedisView *view, time_t age)
{
    static const char remedy[] =
        N_("Look whether the workers run (mastodon-sidekiq, or the site itself) and what their log "
           "says.");
    char waiting[TEXT_SIZE], delayed[TEXT_SIZE], oldest[TEXT_SIZE];
    text_count(view->queues.waiting, waiting);
    text_count(view->queues.delayed, delayed);
    text_age((double)age, oldest);
    if (view->queues.oldest_queue == NULL) {
        doctor_report(scene, remedy, "%s jobs wait in the queues of %s, and %s are put off", waiting, view->where,
                      delayed);
        return;
    }
    _cleanup_free_ char *queue = text_escaped(view->queues.oldest_queue);
    doctor_report(scene, remedy, "%s jobs wait in the queues of %s, the oldest for %s in \"%s\", and %s are put off",
                  waiting, view->where, oldest, queue, delayed);
}

int check_redis_queues(DoctorScene *scene, Error *err)
{
    const RedisViews *views;
    time_t now = time(NULL);
    if (redis_views(scene, &views, err) < 0)
        return -1;
    for (size_t i = 0; views && i < views->n; i++) {
        const RedisQueues *queues = &views->v[i].queues;
        time_t age = queues->oldest && queues->oldest < now ? now - queues->oldest : 0;
        if (queues->waiting > WAITING_MAX || age > WAITING_SECONDS)
            report_queues(scene, &views->v[i], age);
    }
    return 0;
}

/* ---- what can get lost ---- */

static bool info_is(const RedisView *view, const char *key, const char *value, bool absent)
{
    _cleanup_free_ char *text = redis_info_value(view->info, key);
    return text ? strcmp(text, value) == 0 : absent;
}

int check_redis_eviction(DoctorScene *scene, Error *err)
{
    const RedisViews *views;
    if (redis_views(scene, &views, err) < 0)
        return -1;
    for (size_t i = 0; views && i < views->n; i++) {
        const RedisView *view = &views->v[i];
        if (!holds_queues(view) || info_is(view, "maxmemory", "0", true) ||
            info_is(view, "maxmemory_policy", "noeviction", true))
            continue;
        _cleanup_free_ char *policy = redis_info_value(view->info, "maxmemory_policy");
        _cleanup_free_ char *shown = text_escaped(policy);
        doctor_report(
            scene, "Set \"maxmemory-policy noeviction\" in redis.conf, and give caches a server of their own.",
            "%s holds queues, and throws keys away when its memory is full (maxmemory-policy %s)", view->where, shown);
    }
    return 0;
}

static bool keeps_nothing(const RedisView *view)
{
    return view->save && view->save[0] == 0 && info_is(view, "aof_enabled", "0", false);
}

static void report_persistence(DoctorScene *scene, const RedisView *view)
{
    static const char see_log[] =
        N_("Its log tells why: most often a full disk, a directory it may not write to, or too "
           "little memory for its child (vm.overcommit_memory = 1).");
    if (keeps_nothing(view))
        doctor_report(
            scene, "Set \"save\" or \"appendonly yes\" in redis.conf.",
            "%s holds queues, and forgets them when it is restarted: neither dumps nor an append-only file are "
            "written",
            view->where);
    if (!info_is(view, "rdb_last_bgsave_status", "ok", true))
        doctor_report(scene, see_log, "the last dump of %s failed", view->where);
    if (!info_is(view, "aof_last_write_status", "ok", true) || !info_is(view, "aof_last_bgrewrite_status", "ok", true))
        doctor_report(scene, see_log, "the last write of the append-only file of %s failed", view->where);
}

int check_redis_persistence(DoctorScene *scene, Error *err)
{
    const RedisViews *views;
    if (redis_views(scene, &views, err) < 0)
        return -1;
    for (size_t i = 0; views && i < views->n; i++)
        if (holds_queues(&views->v[i]))
            report_persistence(scene, &views->v[i]);
    return 0;
}
