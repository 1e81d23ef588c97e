#include "template.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "file.h"
#include "kura/mem.h"
#include "wipe.h"

/* ---- one template ---- */

/* The host name in a URL: what stands between "//" and the next '/' or ':'. */
static void append_host(Buf *out, const char *url)
{
    const char *host = strstr(url, "//");
    host = host ? host + 2 : url;
    buf_append(out, host, strcspn(host, ":/?#"), NULL);
}

/* The path in a URL of a file: "file:/etc/key", "file:///etc/key". */
static void append_path(Buf *out, const char *url)
{
    const char *path = strchr(url, ':');
    path = path ? path + 1 : url;
    while (path[0] == '/' && path[1] == '/')
        path++;
    buf_append_str(out, path, NULL);
}

static void append_whole(Buf *out, const char *value)
{
    buf_append_str(out, value, NULL);
}

static bool has_suffix(const char *name, size_t len, const char *suffix)
{
    size_t suffix_len = strlen(suffix);
    return suffix_len == 0 || (len > suffix_len && memcmp(name + len - suffix_len, suffix, suffix_len) == 0);
}

/* "${name}", or "${name@host}" and "${name@path}" for what a URL has of it. */
static bool append_setting(const Scene *scene, const char *name, size_t len, const char *each, Buf *out,
                           const char **ret_key)
{
    static const struct {
        const char *suffix;
        void (*append)(Buf *out, const char *value);
    } parts[] = {{"@host", append_host}, {"@path", append_path}, {"", append_whole}};
    size_t part = 0;
    while (!has_suffix(name, len, parts[part].suffix))
        part++;
    len -= strlen(parts[part].suffix);
    _cleanup_free_ char *key = xasprintf("%s%.*s", *name == '.' && each ? each : "", (int)len, name);
    const AppSetting *setting = settings_get(&scene->settings, key);
    if (setting == NULL)
        return false;
    *ret_key = setting->key;
    parts[part].append(out, setting->value);
    return true;
}

static char *expand(const Scene *scene, const char *template, const char *each, const char **ret_key)
{
    Buf out = BUF_INIT(SIZE_MAX / 2);
    bool whole = true;
    const char *key = NULL;
    while (*template && whole) {
        const char *end = strncmp(template, "${", 2) == 0 ? strchr(template, '}') : NULL;
        if (end) {
            whole = append_setting(scene, template + 2, (size_t)(end - template) - 2, each, &out, &key);
            template = end + 1;
        } else {
            buf_append(&out, template ++, 1, NULL);
        }
    }
    char *ret = whole ? xstrdup(buf_str(&out)) : NULL;
    if (ret_key)
        *ret_key = whole ? key : NULL;
    secret_buf_done(&out);
    return ret;
}

/* ---- files ---- */

bool scene_file_exists(const Scene *scene, const char *file)
{
    return (scene->beside && app_file_exists(scene->beside, file)) || app_file_exists(scene->dir, file);
}

int scene_file_read(const Scene *scene, const char *file, Buf *ret, Error *err)
{
    bool beside = scene->beside && file[0] != '/' && app_file_exists(scene->beside, file);
    return app_file_read(beside ? scene->beside : scene->dir, file, ret, err);
}

void scene_glob(const Scene *scene, const char *pattern, StrVec *ret)
{
    if (scene->beside && pattern[0] != '/')
        app_glob(scene->beside, pattern, ret);
    app_glob(scene->dir, pattern, ret);
}

/* ---- conditions ---- */

static bool holds(const Scene *scene, const char *condition, const char *each)
{
    static const char exists[] = "exists:";
    if (strncmp(condition, exists, sizeof exists - 1) == 0) {
        _cleanup_free_ char *path = expand(scene, condition + sizeof exists - 1, NULL, NULL);
        return path && (scene->assume_code || scene_file_exists(scene, path));
    }
    size_t len = strcspn(condition, "=");
    _cleanup_free_ char *key = xasprintf("%s%.*s", *condition == '.' && each ? each : "", (int)len, condition);
    const AppSetting *setting = settings_get(&scene->settings, key);
    if (setting == NULL)
        return condition[len] == 0 && settings_have_below(&scene->settings, key);
    return condition[len] == 0 ? setting->value[0] != 0 : fnmatch(condition + len + 1, setting->value, 0) == 0;
}

/* Counts the conditions at a path, and those that hold. */
static void count_holding(const Scene *scene, const char *path, const char *name, const char *each, size_t *ret_all,
                          size_t *ret_holding)
{
    _cleanup_free_ char *whole = xasprintf("%s.%s", path, name);
    const AppSetting *one = settings_get(scene->profile, whole);
    *ret_all = one != NULL;
    *ret_holding = one != NULL && holds(scene, one->value, each);
    for (size_t i = 0; one == NULL; i++) {
        _cleanup_free_ char *item = xasprintf("%s[%zu]", whole, i);
        const AppSetting *condition = settings_get(scene->profile, item);
        if (condition == NULL)
            return;
        ++*ret_all;
        *ret_holding += holds(scene, condition->value, each);
    }
}

static bool applies(const Scene *scene, const char *path, const char *each)
{
    size_t all, holding;
    count_holding(scene, path, "unless", each, &all, &holding);
    if (holding > 0)
        return false;
    count_holding(scene, path, "when", each, &all, &holding);
    return holding == all;
}

bool scene_applies(const Scene *scene, const char *path)
{
    return applies(scene, path, NULL);
}

/* ---- values ---- */

/* What one place of the profile says: a template, or one under "value" in a mapping that applies. */
static char *one_value(const Scene *scene, const char *path, const char *each, const char **ret_key)
{
    const AppSetting *plain = settings_get(scene->profile, path);
    if (plain)
        return expand(scene, plain->value, each, ret_key);
    _cleanup_free_ char *below = xasprintf("%s.value", path);
    const AppSetting *value = settings_get(scene->profile, below);
    return value && applies(scene, path, each) ? expand(scene, value->value, each, ret_key) : NULL;
}

bool scene_has(const Scene *scene, const char *path)
{
    return settings_have_below(scene->profile, path);
}

char *scene_value(const Scene *scene, const char *path, const char *each, const char **ret_key)
{
    if (ret_key)
        *ret_key = NULL;
    char *ret = one_value(scene, path, each, ret_key);
    for (size_t i = 0; ret == NULL; i++) {
        _cleanup_free_ char *item = xasprintf("%s[%zu]", path, i);
        if (!scene_has(scene, item))
            return NULL;
        ret = one_value(scene, item, each, ret_key);
    }
    return ret;
}

char *scene_member(const Scene *scene, const char *path, const char *name, const char *each)
{
    _cleanup_free_ char *whole = xasprintf("%s.%s", path, name);
    return scene_value(scene, whole, each, NULL);
}

void scene_list(const Scene *scene, const char *path, StrVec *ret)
{
    for (size_t i = 0;; i++) {
        _cleanup_free_ char *item = xasprintf("%s[%zu]", path, i);
        if (!scene_has(scene, item))
            return;
        _cleanup_free_ char *value = one_value(scene, item, NULL, NULL);
        if (value && *value && !strvec_contains(ret, value))
            strvec_push(ret, value);
    }
}

bool scene_flag(const Scene *scene, const char *path)
{
    _cleanup_free_ char *value = scene_value(scene, path, NULL, NULL);
    return value && strcmp(value, "true") == 0;
}
