#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "kura/mem.h"
#include "site.h"
#include "wipe.h"

static char *text(const Scene *scene, const char *path)
{
    return scene_value(scene, path, NULL, NULL);
}

static void list(const Scene *scene, const char *path, const char *name, StrVec *ret)
{
    _cleanup_free_ char *whole = xasprintf("%s.%s", path, name);
    scene_list(scene, whole, ret);
}

/* ---- filesets ---- */

/* Without links, as far as it is there. To be freed. */
static char *real_path(const char *path)
{
    char *real = realpath(path, NULL);
    return real ? real : xstrdup(path);
}

static bool is_below(const char *path, const char *root)
{
    _cleanup_free_ char *real = real_path(path), *real_root = real_path(root);
    size_t len = strlen(real_root);
    return strncmp(real, real_root, len) == 0 && real[len] == '/';
}

/* Whether all of it is in a fileset before it: a directory that nobody has moved elsewhere. */
static bool is_taken(const AppSite *site, const char *root)
{
    for (size_t i = 0; i < site->n_filesets; i++)
        if (site->filesets[i].only.n == 0 && is_below(root, site->filesets[i].root))
            return true;
    return false;
}

static void add_fileset(const Scene *scene, const char *path, AppSite *site)
{
    _cleanup_free_ char *name = scene_member(scene, path, "name", NULL);
    _cleanup_free_ char *root = scene_member(scene, path, "root", NULL);
    _cleanup_free_ char *secret = xasprintf("%s.secret", path);
    if (name == NULL || root == NULL)
        return;
    _cleanup_free_ char *place = app_path(scene->dir, root);
    _cleanup_free_ char *whole = strstr(place, "/../") ? real_path(place) : xstrdup(place);
    if (is_taken(site, whole))
        return;
    site->filesets = xreallocarray(site->filesets, site->n_filesets + 1, sizeof *site->filesets);
    AppFileset *fileset = &site->filesets[site->n_filesets++];
    *fileset = (AppFileset){.name = steal(name), .root = steal(whole), .secret = scene_flag(scene, secret)};
    list(scene, path, "only", &fileset->only);
    list(scene, path, "exclude", &fileset->exclude);
}

static void read_filesets(const Scene *scene, AppSite *site)
{
    for (size_t i = 0;; i++) {
        _cleanup_free_ char *path = xasprintf("filesets[%zu]", i);
        if (!scene_has(scene, path))
            return;
        if (scene_applies(scene, path))
            add_fileset(scene, path, site);
    }
}

/* ---- secrets ---- */

static int read_secret_file(const Scene *scene, const char *file, char **ret, Error *err)
{
    Buf content;
    Error why = ERROR_INIT;
    if (scene_file_read(scene, file, &content, &why) == 0) {
        *ret = xstrndup(buf_str(&content), content.len);
        secret_buf_done(&content);
        if (file[0] == '/' && !is_below(file, scene->dir))
            findings_add(scene->findings, FINDING_WARNING, "app-secret",
                         "Keep a copy of it elsewhere, or name its directory with --files NAME=DIR.",
                         "the file of a secret is not in the application's directory, and not in its backups: \"%s\"",
                         file);
        return 0;
    }
    if (why.code != ERR_NOT_FOUND) {
        *err = why;
        return -1;
    }
    findings_add(scene->findings, FINDING_WARNING, "app-secret", NULL, "the file of a secret is not there: \"%s\"",
                 file);
    return 0;
}

static int add_secret(const Scene *scene, const char *path, AppSite *site, Error *err)
{
    _cleanup_(wipe_text) char *value = scene_member(scene, path, "value", NULL);
    _cleanup_free_ char *file = scene_member(scene, path, "file", NULL);
    if (value == NULL && file && read_secret_file(scene, file, &value, err) < 0)
        return -1;
    if (value && *value == 0)
        wipe_text(&value);
    _cleanup_free_ char *required = xasprintf("%s.required", path);
    site->secrets = xreallocarray(site->secrets, site->n_secrets + 1, sizeof *site->secrets);
    site->secrets[site->n_secrets++] = (AppSecret){
        .name = scene_member(scene, path, "name", NULL),
        .value = steal(value),
        .required = scene_flag(scene, required),
        .needed_for = scene_member(scene, path, "needed-for", NULL),
    };
    return 0;
}

static int read_secrets(const Scene *scene, AppSite *site, Error *err)
{
    for (size_t i = 0;; i++) {
        _cleanup_free_ char *path = xasprintf("secrets[%zu]", i);
        if (!scene_has(scene, path))
            return 0;
        if (scene_applies(scene, path) && add_secret(scene, path, site, err) < 0)
            return -1;
    }
}

/* ---- the rest ---- */

/* Of what a pattern fits the newest. */
static void keep_existing(const Scene *scene, StrVec *dirs)
{
    StrVec kept = {0};
    for (size_t i = 0; i < dirs->n; i++) {
        _cleanup_(strvec_done) StrVec found = {0};
        app_glob(scene->dir, dirs->v[i], &found);
        if (found.n > 0 && app_file_exists(scene->dir, found.v[0]))
            strvec_push(&kept, found.v[0]);
    }
    strvec_done(dirs);
    *dirs = kept;
}

static void read_schema(const Scene *scene, AppSchema *schema)
{
    schema->tool = text(scene, "schema.tool");
    schema->table = text(scene, "schema.table");
    schema->version = text(scene, "schema.version");
    schema->migrate = text(scene, "schema.migrate");
    schema->ask = text(scene, "schema.ask");
    scene_list(scene, "schema.dirs", &schema->dirs);
    scene_list(scene, "schema.post-dirs", &schema->post_dirs);
    keep_existing(scene, &schema->dirs);
    keep_existing(scene, &schema->post_dirs);
}

static void read_fork(const Scene *scene, AppSite *site)
{
    _cleanup_(strvec_done) StrVec usual = {0};
    scene_list(scene, "usual", &usual);
    site->fork = text(scene, "fork");
    if (site->fork && strvec_contains(&usual, site->fork)) {
        free(site->fork);
        site->fork = NULL;
    }
}

int site_rest(const Scene *scene, AppSite *site, Error *err)
{
    const struct {
        const char *path;
        StrVec *list;
    } lists[] = {
        {"extensions", &site->extensions},       {"exclude-table-data", &site->exclude_table_data},
        {"media-queries", &site->media_queries}, {"after-restore", &site->after_restore},
        {"services", &site->services},           {"programs", &site->programs},
        {"must-exist", &site->must_exist},
    };
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
        scene_list(scene, lists[i].path, lists[i].list);
    site->version = text(scene, "version");
    site->object_storage = text(scene, "bucket");
    site->object_storage_sql = text(scene, "object-storage");
    site->stray_media_sql = text(scene, "stray-media.sql");
    site->stray_media_cure = text(scene, "stray-media.cure");
    site->reads_replicas = scene_flag(scene, "reads-replicas");
    read_fork(scene, site);
    read_schema(scene, &site->schema);
    read_filesets(scene, site);
    site_keys(scene, site);
    return read_secrets(scene, site, err);
}
