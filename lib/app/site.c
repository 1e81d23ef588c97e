#include "site.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "file.h"
#include "kura/mem.h"
#include "profile.h"
#include "sources.h"
#include "wipe.h"

/* ---- which profile ---- */

static int recognise(const char *dir, const char *beside, Settings *ret, Error *err)
{
    _cleanup_(strvec_done) StrVec names = {0};
    if (app_profile_names(&names, err) < 0)
        return -1;
    for (size_t i = 0; i < names.n; i++) {
        if (profile_read(names.v[i], ret, err) < 0)
            return -1;
        if (profile_recognises(ret, dir) || (beside && profile_recognises(ret, beside)))
            return 0;
        settings_done(ret);
    }
    _cleanup_free_ char *text = profile_names_text();
    error_set(err, ERR_NOT_FOUND, "no application is recognised in \"%s\"", dir);
    return error_hint(err, "Name the directory that has its configuration, or the profile. Profiles are %s.", text);
}

/* ---- the site ---- */

/* Whether anything was read that is not only about the code. */
static bool is_of_configuration(const Settings *settings)
{
    for (size_t i = 0; i < settings->n; i++)
        if (settings->v[i].place.file && strncmp(settings->v[i].key, "code.", strlen("code.")) != 0)
            return true;
    return false;
}

static int check_settings(const Scene *scene, const AppSite *site, Error *err)
{
    if (!scene_has(scene, "settings") || is_of_configuration(&scene->settings))
        return 0;
    error_set(err, ERR_NOT_FOUND, "no configuration of %s is in \"%s\"", site->title, scene->dir);
    return error_hint(err,
                      "Name the directory that has the application's configuration; where a variable of its services "
                      "names another file, give it as --app-env NAME=VALUE.");
}

/* A backup without the database that somebody relies on would be worse than none. */
static int check_database(const Scene *scene, const AppSite *site, Error *err)
{
    if (!scene_has(scene, "database") || site->database.database)
        return 0;
    error_set(err, ERR_NOT_FOUND, "the configuration of %s in \"%s\" names no database", site->title, scene->dir);
    return error_hint(err, "Look whether all files of the configuration are there, and may be read.");
}

static int build(Scene *scene, AppSite *site, Error *err)
{
    site->name = scene_value(scene, "name", NULL, NULL);
    site->title = scene_value(scene, "title", NULL, NULL);
    site->dir = xstrdup(scene->dir);
    if (site->title == NULL)
        site->title = xstrdup(site->name);
    if (sources_read(scene, err) < 0 || check_settings(scene, site, err) < 0 || site_servers(scene, site, err) < 0 ||
        check_database(scene, site, err) < 0 || site_rest(scene, site, err) < 0)
        return -1;
    return 0;
}

static int open_dir(const char *dir, char **ret, Error *err)
{
    struct stat st;
    *ret = realpath(dir, NULL);
    if (*ret == NULL) {
        error_errno(err, errno, "could not read the application's directory \"%s\"", dir);
        return error_hint(err, "Give --app-dir with the directory that the application is installed in.");
    }
    if (stat(*ret, &st) == 0 && S_ISDIR(st.st_mode))
        return 0;
    free(*ret);
    *ret = NULL;
    return error_set(err, ERR_USAGE, "\"%s\" is not a directory", dir);
}

int app_site_read(const char *dir, const char *profile, AppSite **ret, Findings *findings, Error *err)
{
    return app_site_read_beside(dir, &(AppBeside){0}, profile, ret, findings, err);
}

int app_site_read_beside(const char *dir, const AppBeside *beside, const char *profile, AppSite **ret,
                         Findings *findings, Error *err)
{
    _cleanup_free_ char *whole = NULL;
    Settings description = {0};
    if (open_dir(dir, &whole, err) < 0)
        return -1;
    if ((profile ? profile_read(profile, &description, err) : recognise(whole, beside->dir, &description, err)) < 0)
        return -1;
    Scene scene = {.dir = whole,
                   .beside = beside->dir,
                   .assume_code = beside->assume_code,
                   .environment = beside->environment,
                   .profile = &description,
                   .findings = findings};
    AppSite *site = xcalloc(1, sizeof *site);
    for (size_t i = 0; beside->environment && i < beside->environment->n; i++)
        strvec_push(&site->environment, beside->environment->v[i]);
    int rc = build(&scene, site, err);
    site->settings = scene.settings.v;
    site->n_settings = scene.settings.n;
    settings_done(&description);
    if (rc < 0)
        app_site_free(site);
    else
        *ret = site;
    return rc;
}

/* ---- the end of it ---- */

static void servers_free(AppServer *servers, size_t n)
{
    for (size_t i = 0; i < n; i++)
        app_server_done(&servers[i]);
    free(servers);
}

static void filesets_free(AppFileset *filesets, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(filesets[i].name);
        free(filesets[i].root);
        strvec_done(&filesets[i].only);
        strvec_done(&filesets[i].exclude);
    }
    free(filesets);
}

static void secrets_free(AppSecret *secrets, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(secrets[i].name);
        wipe_text(&secrets[i].value);
        free(secrets[i].needed_for);
    }
    free(secrets);
}

static void schema_done(AppSchema *schema)
{
    free(schema->tool);
    free(schema->table);
    free(schema->version);
    free(schema->migrate);
    free(schema->ask);
    strvec_done(&schema->dirs);
    strvec_done(&schema->post_dirs);
}

void app_site_free(AppSite *site)
{
    if (site == NULL)
        return;
    char *texts[] = {
        site->name,
        site->title,
        site->dir,
        site->version,
        site->fork,
        site->stray_media_sql,
        site->object_storage,
        site->object_storage_sql,
        site->stray_media_cure,
    };
    StrVec *lists[] = {&site->extensions, &site->exclude_table_data, &site->media_queries, &site->after_restore,
                       &site->services,   &site->programs,           &site->must_exist,    &site->environment};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        free(texts[i]);
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
        strvec_done(lists[i]);
    app_server_done(&site->database);
    servers_free(site->replicas, site->n_replicas);
    servers_free(site->redis, site->n_redis);
    filesets_free(site->filesets, site->n_filesets);
    secrets_free(site->secrets, site->n_secrets);
    site_keys_free(site->key_proofs, site->n_key_proofs);
    schema_done(&site->schema);
    settings_done(&(Settings){.v = site->settings, .n = site->n_settings});
    free(site);
}

const AppSetting *app_setting(const AppSite *site, const char *key)
{
    return settings_get(&(Settings){.v = site->settings, .n = site->n_settings}, key);
}
