/* What a configuration must say on another host. */
#include <ctype.h>
#include <string.h>

#include "kura/appedit.h"
#include "kura/mem.h"
#include "kura/secret.h"
#include "kura/words.h"

#define POSTGRES_PORT "5432"

static bool is_local(const char *host)
{
    return host == NULL || *host == 0 || *host == '/' || strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 ||
           strncmp(host, "127.", 4) == 0;
}

/* How the application should call the host that kura reaches like that; NULL: as it does already. A socket that kura
 * uses is no reason to make an application use it that speaks TCP. */
static const char *host_for(const char *now, const char *wanted)
{
    if (wanted == NULL || *wanted == 0)
        return is_local(now) ? NULL : "localhost";
    if (*wanted == '/')
        return now && *now == '/' ? wanted : is_local(now) ? NULL : "localhost";
    return is_local(now) && is_local(wanted) ? NULL : wanted;
}

/* ---- single settings ---- */

/* One of the server's settings that stands in a file: what is added goes behind it. */
static const AppSetting *anchor(const AppSite *site, const AppServer *server)
{
    const char *const keys[] = {server->port_key, server->host_key, server->database_key, server->user_key};
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        const AppSetting *setting = keys[i] ? app_setting(site, keys[i]) : NULL;
        if (setting && setting->place.file)
            return setting;
    }
    return NULL;
}

static void insert(AppEdits *edits, const AppSetting *behind, const char *key, const char *value)
{
    xgrow(&edits->v, &edits->cap, edits->n);
    edits->v[edits->n] =
        (AppEdit){.key = xstrdup(key), .place = behind->place, .value = xstrdup(value), .insert = true};
    edits->v[edits->n++].place.file = xstrdup(behind->place.file);
}

/* Sets a value where it stands; where it is a default, a line is added. */
static void change(const AppSite *site, const AppServer *server, const char *key, const char *now, const char *value,
                   AppEdits *ret, Findings *findings)
{
    const AppSetting *setting = key ? app_setting(site, key) : NULL;
    if (value == NULL || (now && strcmp(now, value) == 0))
        return;
    if (setting && setting->place.file) {
        app_edits_set(ret, setting, value);
        return;
    }
    const AppSetting *behind = anchor(site, server);
    if (key && behind)
        insert(ret, behind, key, value);
    else
        findings_add(findings, FINDING_WARNING, "setting-elsewhere",
                     "Look for it in the environment of the application's services.",
                     "%s should become \"%s\", but no file of the application says it", key ? key : server->role,
                     value);
}

/* ---- URLs ---- */

typedef struct Url {
    const char *scheme, *user, *password, *host, *port, *path, *rest; /* each begins where the one before ends */
    size_t scheme_len, user_len, password_len, host_len, port_len, path_len;
} Url;

static size_t until(const char *text, size_t len, const char *stops)
{
    size_t n = 0;
    while (n < len && !strchr(stops, text[n]))
        n++;
    return n;
}

/* "scheme://user:password@host:port/path?rest" */
static bool url_parse(const char *text, Url *ret)
{
    const char *sign = strstr(text, "://");
    if (sign == NULL)
        return false;
    *ret = (Url){.scheme = text, .scheme_len = (size_t)(sign - text) + 3};
    const char *authority = sign + 3;
    size_t len = strcspn(authority, "/?#");
    const char *at = memrchr(authority, '@', len);
    if (at) {
        ret->user = authority;
        ret->user_len = until(authority, (size_t)(at - authority), ":");
        ret->password = authority + ret->user_len; /* with its colon */
        ret->password_len = (size_t)(at - ret->password);
    }
    ret->host = at ? at + 1 : authority;
    size_t left = len - (size_t)(ret->host - authority);
    ret->host_len = *ret->host == '[' ? until(ret->host, left, "]") : until(ret->host, left, ":");
    if (*ret->host == '[' && ret->host_len < left)
        ret->host_len++;
    ret->port = ret->host + ret->host_len;
    ret->port_len = left - ret->host_len;
    ret->path = authority + len;
    ret->path_len = strcspn(ret->path, "?#");
    ret->rest = ret->path + ret->path_len;
    return true;
}

static void append_encoded(Buf *out, const char *text)
{
    for (; *text; text++)
        if (isalnum((unsigned char)*text) || strchr("-._~", *text))
            buf_append(out, text, 1, NULL);
        else
            buf_printf(out, NULL, "%%%02X", (unsigned char)*text);
}

/* The new part, or as much as there was of the old one. */
static void append_part(Buf *out, const char *before, const char *fresh, const char *was, size_t was_len)
{
    if (fresh) {
        buf_append_str(out, before, NULL);
        append_encoded(out, fresh);
    } else if (was_len) {
        buf_append(out, was, was_len, NULL);
    }
}

static bool is_parameter(const char *text, size_t len, const char *name)
{
    size_t name_len = strlen(name);
    return len > name_len && strncmp(text, name, name_len) == 0 && text[name_len] == '=';
}

/* A parameter counts for more than what stands before the "?": none of what has changed there may stay. */
static void append_rest(Buf *out, const char *rest, const AppTarget *fresh)
{
    const struct {
        const char *name, *fresh;
    } parts[] = {{"host", fresh->host},
                 {"hostaddr", fresh->host},
                 {"port", fresh->port},
                 {"user", fresh->user},
                 {"dbname", fresh->database}};
    const char *separator = "?";
    while (*rest == '?' || *rest == '&') {
        size_t len = strcspn(++rest, "&#");
        bool stays = true;
        for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
            stays = stays && !(parts[i].fresh && is_parameter(rest, len, parts[i].name));
        if (stays) {
            buf_append_str(out, separator, NULL);
            buf_append(out, rest, len, NULL);
            separator = "&";
        }
        rest += len;
    }
    buf_append_str(out, rest, NULL);
}

static void retarget_url(const AppSetting *setting, const AppServer *server, const AppTarget *target, AppEdits *ret)
{
    enum { URL_MAX = 16 * 1024 };
    Url url;
    _cleanup_(secret_buf_done) Buf out = BUF_INIT(URL_MAX);
    if (setting->value == NULL || strlen(setting->value) > URL_MAX / 4 || !url_parse(setting->value, &url) ||
        buf_reserve(&out, URL_MAX - 1, NULL) < 0)
        return;
    AppTarget fresh = *target;
    if (fresh.port && strcmp(fresh.port, server->port ? server->port : POSTGRES_PORT) == 0)
        fresh.port = NULL;
    if (fresh.host)
        fresh.host = host_for(server->host, fresh.host);
    buf_append(&out, url.scheme, url.scheme_len, NULL);
    append_part(&out, "", fresh.user, url.user, url.user_len);
    if (url.password)
        buf_append(&out, url.password, url.password_len, NULL);
    if (url.user || fresh.user)
        buf_append_str(&out, "@", NULL);
    append_part(&out, "", fresh.host, url.host, url.host_len);
    append_part(&out, ":", fresh.port, url.port, url.port_len);
    append_part(&out, "/", fresh.database, url.path, url.path_len);
    append_rest(&out, url.rest, &fresh);
    app_edits_set(ret, setting, buf_str(&out));
}

/* ---- the whole ---- */

static void retarget_database(const AppSite *site, const AppTarget *target, AppEdits *ret, Findings *findings)
{
    const AppServer *server = &site->database;
    const AppSetting *url = server->url_key ? app_setting(site, server->url_key) : NULL;
    if (url && url->place.file) {
        retarget_url(url, server, target, ret);
        return;
    }
    if (target->host)
        change(site, server, server->host_key, server->host, host_for(server->host, target->host), ret, findings);
    change(site, server, server->port_key, server->port ? server->port : POSTGRES_PORT, target->port, ret, findings);
    change(site, server, server->database_key, server->database, target->database, ret, findings);
    change(site, server, server->user_key, server->user, target->user, ret, findings);
}

/* The two ways that applications name replicas: a switch, and variables of their own. */
static void drop_replicas(const AppSite *site, AppEdits *ret, Findings *findings)
{
    size_t before = ret->n;
    const AppSetting *on = app_setting(site, "dbReplications");
    if (on && on->value && strcmp(on->value, "true") == 0)
        app_edits_set(ret, on, "false");
    for (size_t i = 0; i < site->n_settings; i++)
        if (strncmp(site->settings[i].key, "REPLICA_", strlen("REPLICA_")) == 0)
            app_edits_set(ret, &site->settings[i], NULL);
    if (ret->n > before)
        findings_add(findings, FINDING_NOTE, "replicas-dropped", "Name the new ones when they are there and caught up.",
                     "the application no longer reads from the old host's replicas");
}

static int set_others(const AppSite *site, const StrVec *set, AppEdits *ret, Error *err)
{
    for (size_t i = 0; set && i < set->n; i++) {
        const char *equals = strchr(set->v[i], '=');
        if (equals == NULL || equals == set->v[i])
            return error_set(err, ERR_USAGE, "\"%s\" is not KEY=VALUE", set->v[i]);
        _cleanup_free_ char *key = xstrndup(set->v[i], (size_t)(equals - set->v[i]));
        const AppSetting *setting = app_setting(site, key);
        if (setting == NULL || setting->place.file == NULL) {
            error_set(err, ERR_USAGE, "no file of the application's configuration has \"%s\"", key);
            return error_hint(err, "Write the key as in db.host or DB_HOST; what is not there yet is for an editor.");
        }
        app_edits_set(ret, setting, equals + 1);
    }
    return 0;
}

static bool is_changed(const AppEdits *edits, const char *key)
{
    for (size_t i = 0; key && i < edits->n; i++)
        if (strcmp(edits->v[i].key, key) == 0)
            return true;
    return false;
}

static void tell_redis(const AppSite *site, const AppEdits *edits, Findings *findings)
{
    for (size_t i = 0; i < site->n_redis; i++) {
        const AppServer *redis = &site->redis[i];
        if (is_local(redis->host) || is_changed(edits, redis->host_key))
            continue;
        _cleanup_free_ char *hint =
            redis->host_key ? xasprintf(_("If it moves too: --set %s=HOST."), redis->host_key) : NULL;
        findings_add(findings, FINDING_NOTE, "redis-elsewhere", hint, "%s stays on host \"%s\"", redis->role,
                     redis->host);
    }
}

int app_retarget(const AppSite *site, const AppTarget *target, AppEdits *ret, Findings *findings, Error *err)
{
    *ret = (AppEdits){0};
    retarget_database(site, target, ret, findings);
    if (!target->keep_replicas)
        drop_replicas(site, ret, findings);
    if (set_others(site, target->set, ret, err) < 0) {
        app_edits_done(ret);
        return -1;
    }
    tell_redis(site, ret, findings);
    return 0;
}
