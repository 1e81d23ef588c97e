#include "s3profile.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "awsini.h"
#include "kura/mem.h"
#include "kura/words.h"
#include "s3env.h"

/* Settings that get credentials in ways that kura has not. */
static const char *const other_ways[] = {"credential_process", "sso_session",   "sso_start_url",
                                         "role_arn",           "login_session", "web_identity_token_file"};

/* One of the two files. */
typedef struct File {
    const char *variable; /* of the environment, with the path */
    const char *usual;    /* below the home directory */
    const char *type;     /* what is before a profile's name in a section */
    char *path;
    char *section;
    AwsIni *ini; /* NULL: not there */
    const char *state;
} File;

typedef struct Files {
    File credentials, config;
} Files;

static void file_done(File *file)
{
    free(file->path);
    free(file->section);
    awsini_free(file->ini);
}

static void files_done(Files *files)
{
    file_done(&files->credentials);
    file_done(&files->config);
}

static char *home_directory(void)
{
    const char *home = s3env("HOME");
    if (home)
        return xstrdup(home);
    struct passwd entry, *found = NULL;
    char scratch[16 * 1024];
    if (getpwuid_r(geteuid(), &entry, scratch, sizeof scratch, &found) == 0 && found)
        return xstrdup(found->pw_dir);
    return xstrdup("");
}

static char *file_path(const File *file)
{
    const char *given = s3env(file->variable);
    if (given && strncmp(given, "~/", 2) != 0)
        return xstrdup(given);
    _cleanup_free_ char *home = home_directory();
    return xasprintf("%s/%s", home, given ? given + 2 : file->usual);
}

static int open_file(File *file, const char *profile, Error *err)
{
    file->path = file_path(file);
    /* "[profile default]" hides "[default]". */
    file->section = xasprintf("%s%s", file->type, profile);
    Error why = ERROR_INIT;
    if (awsini_read(file->path, &file->ini, &why) < 0) {
        bool named = s3env(file->variable) != NULL;
        if (why.code != ERR_NOT_FOUND && (why.code != ERR_PERMISSION || named)) {
            if (err)
                *err = why;
            return -1;
        }
        file->state = why.code == ERR_NOT_FOUND ? _("no such file") : _("may not be read");
        return 0;
    }
    if (strcmp(profile, "default") == 0 && !awsini_has(file->ini, file->section))
        strcpy(file->section, profile);
    file->state = awsini_has(file->ini, file->section) ? NULL : _("no such profile");
    return 0;
}

static int check_lines(const File *file, Error *err)
{
    size_t line = file->ini ? awsini_malformed(file->ini, file->section) : 0;
    if (line == 0)
        return 0;
    return error_set(err, ERR_USAGE, "line %zu of \"%s\" is neither \"[section]\" nor \"key = value\"", line,
                     file->path);
}

static const char *file_get(const File *file, const char *key)
{
    return file->ini ? awsini_get(file->ini, file->section, NULL, key) : NULL;
}

static const char *get(const Files *files, const char *key)
{
    const char *value = file_get(&files->credentials, key);
    return value ? value : file_get(&files->config, key);
}

/* "services = NAME" points to a section "[services NAME]" with "s3 =" and, indented, "endpoint_url = URL". */
static const char *find_endpoint(const Files *files)
{
    const char *services = get(files, "services");
    const char *endpoint = NULL;
    if (services && files->config.ini) {
        _cleanup_free_ char *section = xasprintf("services %s", services);
        endpoint = awsini_get(files->config.ini, section, "s3", "endpoint_url");
    }
    return endpoint ? endpoint : get(files, "endpoint_url");
}

static const char *find_other_way(const Files *files)
{
    for (size_t i = 0; i < ARRAY_SIZE(other_ways); i++)
        if (get(files, other_ways[i]))
            return other_ways[i];
    return NULL;
}

/* The keys of one file belong together: a half in each would make a pair that nobody has. */
static const File *keys_file(const Files *files)
{
    const File *both[] = {&files->credentials, &files->config};
    for (size_t i = 0; i < ARRAY_SIZE(both); i++)
        if (file_get(both[i], "aws_access_key_id") || file_get(both[i], "aws_secret_access_key"))
            return both[i];
    return NULL;
}

static void fill(const Files *files, S3Profile *profile)
{
    const File *keys = keys_file(files);
    if (keys) {
        profile->keys = s3credentials_new(file_get(keys, "aws_access_key_id"), file_get(keys, "aws_secret_access_key"),
                                          file_get(keys, "aws_session_token"));
        profile->keys_file = xstrdup(keys->path);
        profile->keys_exposed = awsini_exposed(keys->ini);
    }
    profile->other_way = xstrdup_null(find_other_way(files));
    profile->region = xstrdup_null(get(files, "region"));
    profile->endpoint = xstrdup_null(find_endpoint(files));
    const char *ignores = get(files, "ignore_configured_endpoint_urls");
    profile->ignores_endpoint = ignores && strcasecmp(ignores, "true") == 0;
}

static char *describe(const Files *files, const char *name)
{
    const File *first = &files->credentials, *second = &files->config;
    return xasprintf(_("profile \"%s\" of \"%s\" (%s) and \"%s\" (%s)"), name, first->path,
                     first->state ? first->state : _("no keys"), second->path,
                     second->state ? second->state : _("no keys"));
}

static int check_files(const Files *files, const char *name, bool named, Error *err)
{
    if (check_lines(&files->credentials, err) < 0 || check_lines(&files->config, err) < 0)
        return -1;
    if (!named || files->credentials.state == NULL || files->config.state == NULL)
        return 0;
    error_set(err, ERR_USAGE, "profile \"%s\" is neither in \"%s\" (%s) nor in \"%s\" (%s)", name,
              files->credentials.path, files->credentials.state, files->config.path, files->config.state);
    return error_hint(err, "The credentials file has it as [%s], the config file as [profile %s].", name, name);
}

int s3profile_read(const char *name, S3Profile *ret, Error *err)
{
    const char *from_environment = s3env("AWS_PROFILE");
    bool named = name || from_environment;
    name = name ? name : from_environment ? from_environment : "default";
    _cleanup_(files_done) Files files = {
        .credentials = {.variable = "AWS_SHARED_CREDENTIALS_FILE", .usual = ".aws/credentials", .type = ""},
        .config = {.variable = "AWS_CONFIG_FILE", .usual = ".aws/config", .type = "profile "}};
    if (open_file(&files.credentials, name, err) < 0 || open_file(&files.config, name, err) < 0 ||
        check_files(&files, name, named, err) < 0)
        return -1;
    *ret = (S3Profile){.name = xstrdup(name), .places = describe(&files, name)};
    fill(&files, ret);
    return 0;
}

void s3profile_done(S3Profile *profile)
{
    if (profile == NULL)
        return;
    free(profile->name);
    s3credentials_done(&profile->keys);
    free(profile->keys_file);
    free(profile->other_way);
    free(profile->region);
    free(profile->endpoint);
    free(profile->places);
    *profile = (S3Profile){0};
}
