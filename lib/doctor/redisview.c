#include "redisview.h"

#include <string.h>

#include "kura/mem.h"

static bool same_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

static bool is_listed(const RedisViews *views, const AppServer *server, const char *where)
{
    for (size_t i = 0; i < views->n; i++) {
        const AppServer *other = views->v[i].server;
        if (strcmp(views->v[i].where, where) == 0 && same_text(other->database, server->database) &&
            same_text(other->prefix, server->prefix) && same_text(other->user, server->user) &&
            same_text(other->password, server->password))
            return true;
    }
    return false;
}

/* What may not be asked is not known, and no trouble. */
static int forgive(int rc, Error *err)
{
    if (rc == 0 || err->code != ERR_SERVER)
        return rc;
    error_clear(err);
    return 0;
}

static int ask_info(RedisConn *conn, RedisView *view, Error *err)
{
    _cleanup_(strvec_done) StrVec save = {0};
    _cleanup_free_ char *memory = NULL, *persistence = NULL;
    if (forgive(redis_text(conn, (const char *[]){"INFO", "memory", NULL}, &memory, err), err) < 0 ||
        forgive(redis_text(conn, (const char *[]){"INFO", "persistence", NULL}, &persistence, err), err) < 0 ||
        forgive(redis_texts(conn, (const char *[]){"CONFIG", "GET", "save", NULL}, &save, err), err) < 0)
        return -1;
    view->info = xasprintf("%s%s", memory ? memory : "", persistence ? persistence : "");
    view->save = save.n == 2 ? xstrdup(save.v[1]) : NULL;
    return 0;
}

static int look_at(RedisView *view, Error *err)
{
    RedisConn *conn;
    if (redis_connect(view->server, &conn, err) < 0)
        return -1;
    int rc = ask_info(conn, view, err);
    if (rc == 0)
        rc = redis_queues_read(conn, view->server, &view->queues, err);
    redis_close(conn);
    return rc;
}

static RedisViews *look(const AppServer *servers, size_t n, Error *err)
{
    RedisViews *views = xcalloc(1, sizeof *views);
    views->v = xcalloc(n, sizeof *views->v);
    for (size_t i = 0; i < n; i++) {
        _cleanup_free_ char *where = redis_where(&servers[i]);
        if (is_listed(views, &servers[i], where))
            continue;
        RedisView *view = &views->v[views->n++];
        *view = (RedisView){.server = &servers[i], .where = steal(where)};
        if (look_at(view, &view->trouble) < 0 && view->trouble.code == ERR_INTERRUPTED) {
            *err = view->trouble;
            redis_views_free(views);
            return NULL;
        }
    }
    return views;
}

int redis_views(DoctorScene *scene, const RedisViews **ret, Error *err)
{
    const AppServer *servers = scene->n_redis ? scene->redis : scene->site ? scene->site->redis : NULL;
    size_t n = scene->n_redis ? scene->n_redis : scene->site ? scene->site->n_redis : 0;
    *ret = NULL;
    if (n == 0)
        return doctor_skip(scene, "no server of Redis is named");
    if (scene->redis_views == NULL)
        scene->redis_views = look(servers, n, err);
    *ret = scene->redis_views;
    return *ret ? 0 : -1;
}

void redis_views_free(RedisViews *views)
{
    if (views == NULL)
        return;
    for (size_t i = 0; i < views->n; i++) {
        free(views->v[i].where);
        free(views->v[i].info);
        free(views->v[i].save);
        redis_queues_done(&views->v[i].queues);
    }
    free(views->v);
    free(views);
}
