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

static void add_fileset(const Scene *scene, const char *path, AppSite *site)
{
    _cleanup_free_ char *name = scene_member(scene, path, "name", NULL);
    _cleanup_free_ char *root = scene_member(scene, path, "root", NULL);
    _cleanup_free_ char *secret = xasprintf("%s.secret", path);
    if (name == NULL || root == NULL)
        return;
    _cleanup_free_ char *whole = app_path(scene->dir, root);
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

static void keep_existing(const Scene *scene, StrVec *dirs)
{
    StrVec kept = {0};
    for (size_t i = 0; i < dirs->n; i++)
        if (app_file_exists(scene->dir, dirs->v[i]))
            strvec_push(&kept, dirs->v[i]);
    strvec_done(dirs);
    *dirs = kept;
}

static void read_schema(const Scene *scene, AppSchema *schema)
{
    schema->tool = text(scene, "schema.tool");
    schema->table = text(scene, "schema.table");
    schema->version = text(scene, "schema.version");
    schema->migrate = text(scene, "schema.migrate");
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
    site->reads_replicas = scene_flag(scene, "reads-replicas");
    read_fork(scene, site);
    read_schema(scene, &site->schema);
    read_filesets(scene, site);
    site_keys(scene, site);
    return read_secrets(scene, site, err);
}
