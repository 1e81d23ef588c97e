#include <string.h>

#include "kura/mem.h"
#include "site.h"
#include "wipe.h"

void app_server_done(AppServer *server)
{
    char **members[] = {&server->role,     &server->host,     &server->port,         &server->database,
                        &server->user,     &server->password, &server->sslmode,      &server->prefix,
                        &server->host_key, &server->port_key, &server->database_key, &server->user_key,
                        &server->url_key,  &server->tls};
    for (size_t i = 0; i < ARRAY_SIZE(members); i++)
        wipe_text(members[i]);
}

/* The setting that the profile names first for a value: "${KEY}". NULL: the first thing it names is something else. */
static char *first_key(const Scene *scene, const char *place)
{
    _cleanup_free_ char *first = xasprintf("%s[0]", place);
    const AppSetting *template = settings_get(scene->profile, place);
    if (template == NULL)
        template = settings_get(scene->profile, first);
    size_t len = template ? strlen(template->value) : 0;
    if (len < 4 || strncmp(template->value, "${", 2) != 0 || strcspn(template->value, "}@") != len - 1 ||
        template->value[2] == '.')
        return NULL;
    return xstrndup(template->value + 2, len - 3);
}

/* *ret_key: the setting that says it, or would if it were not a default. */
static char *member(const Scene *scene, const char *path, const char *name, const char *each, char **ret_key)
{
    const char *key = NULL;
    _cleanup_free_ char *place = xasprintf("%s.%s", path, name);
    char *value = scene_value(scene, place, each, &key);
    if (value && *value == 0)
        wipe_text(&value); /* as drivers do: an empty host is no host */
    if (ret_key)
        *ret_key = value && key ? xstrdup(key) : first_key(scene, place);
    return value;
}

/* "HOST:PORT", "HOST", or the directory of a socket. */
static void put_address(AppServer *server, const char *address)
{
    const char *colon = strrchr(address, ':');
    wipe_text(&server->host);
    if (address[0] == '/' || colon == NULL || strchr(colon, ']')) {
        server->host = xstrdup(address);
        return;
    }
    wipe_text(&server->port);
    server->host = xstrndup(address, (size_t)(colon - address));
    server->port = xstrdup(colon + 1);
}

/* A URL goes before what is said member by member. */
static int read_server(const Scene *scene, const char *path, const char *each, AppServer *server, Error *err)
{
    *server = (AppServer){0};
    _cleanup_(wipe_text) char *url = member(scene, path, "url", each, &server->url_key);
    _cleanup_free_ char *address_key = NULL;
    _cleanup_free_ char *address = member(scene, path, "address", each, &address_key);
    _cleanup_free_ char *role = member(scene, path, "role", each, NULL);
    server->role = xstrdup(role ? role : each ? each : path);
    server->host = member(scene, path, "host", each, &server->host_key);
    server->port = member(scene, path, "port", each, &server->port_key);
    server->database = member(scene, path, "database", each, &server->database_key);
    server->user = member(scene, path, "user", each, &server->user_key);
    server->password = member(scene, path, "password", each, NULL);
    server->sslmode = member(scene, path, "sslmode", each, NULL);
    server->prefix = member(scene, path, "prefix", each, NULL);
    if (address) {
        put_address(server, address);
        wipe_text(&server->host_key);
        server->host_key = steal(address_key);
    }
    if (url == NULL) {
        wipe_text(&server->url_key);
        return 0;
    }
    wipe_text(&server->host_key);
    wipe_text(&server->port_key);
    wipe_text(&server->database_key);
    wipe_text(&server->user_key);
    return app_server_read_url(url, server, err);
}

static int add(const Scene *scene, const char *path, const char *each, AppServer **servers, size_t *n, Error *err)
{
    *servers = xreallocarray(*servers, *n + 1, sizeof **servers);
    return read_server(scene, path, each, &(*servers)[(*n)++], err);
}

/* One server for each item of a list that the application's configuration has, or for a mapping there. */
static int add_each(const Scene *scene, const char *path, const char *list, AppServer **servers, size_t *n, Error *err)
{
    _cleanup_free_ char *first = xasprintf("%s[0]", list);
    if (settings_have_below(&scene->settings, list) && !settings_have_below(&scene->settings, first))
        return add(scene, path, list, servers, n, err);
    for (size_t i = 0;; i++) {
        _cleanup_free_ char *each = xasprintf("%s[%zu]", list, i);
        if (!settings_have_below(&scene->settings, each))
            return 0;
        if (add(scene, path, each, servers, n, err) < 0)
            return -1;
    }
}

static int read_servers(const Scene *scene, const char *list, AppServer **servers, size_t *n, Error *err)
{
    for (size_t i = 0;; i++) {
        _cleanup_free_ char *path = xasprintf("%s[%zu]", list, i);
        _cleanup_free_ char *each = scene_member(scene, path, "each", NULL);
        if (!scene_has(scene, path))
            return 0;
        if (!scene_applies(scene, path))
            continue;
        if ((each ? add_each(scene, path, each, servers, n, err) : add(scene, path, NULL, servers, n, err)) < 0)
            return -1;
    }
}

int site_servers(const Scene *scene, AppSite *site, Error *err)
{
    if (scene_has(scene, "database") && !scene_applies(scene, "database")) {
        error_set(err, ERR_UNSUPPORTED, "%s does not keep its data in PostgreSQL here", site->title);
        return error_hint(err, "kura backs up PostgreSQL databases only.");
    }
    if (read_server(scene, "database", NULL, &site->database, err) < 0)
        return error_wrap(err, "the connection to the database");
    if (read_servers(scene, "replicas", &site->replicas, &site->n_replicas, err) < 0)
        return error_wrap(err, "the connection to a replica");
    if (read_servers(scene, "redis", &site->redis, &site->n_redis, err) < 0)
        return error_wrap(err, "the connection to Redis");
    return 0;
}
