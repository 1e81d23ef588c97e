#include "newconfig.h"

#include <errno.h>
#include <libgen.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kura/secret.h"
#include "kura/words.h"
#include "site.h"

enum { TEXT_MAX = 256 * 1024 };

void newconfig_done(NewConfig *config)
{
    free(config->path);
    free(config->app);
    free(config->repository);
    buf_done(&config->text);
    *config = (NewConfig){0};
}

/* ---- what is there ---- */

static const char *value_of(const Config *config, unsigned kind, const char *section, OptionId id)
{
    for (size_t i = 0; i < config->n_values; i++) {
        const ConfigSection *found = &config->sections[config->values[i].section];
        if (found->kind == kind && strcmp(found->name, section) == 0 && config->values[i].spec->id == id)
            return config->values[i].text;
    }
    return NULL;
}

static const ConfigSection *find_location(const Config *config, const char *location)
{
    for (size_t i = 0; i < config->n_sections; i++)
        if (config->sections[i].kind == IN_REPOSITORY && strcmp(config->sections[i].location, location) == 0)
            return &config->sections[i];
    return NULL;
}

static bool has_repository(const Config *config, const char *name)
{
    for (size_t i = 0; i < config->n_sections; i++)
        if (config->sections[i].kind == IN_REPOSITORY && strcmp(config->sections[i].name, name) == 0)
            return true;
    return false;
}

static char *free_repository_name(const Config *config)
{
    char *name = xstrdup("main");
    for (unsigned i = 2; has_repository(config, name); i++) {
        free(name);
        name = xasprintf("main%u", i);
    }
    return name;
}

/* ---- the text ---- */

static int add_key(Buf *out, const char *key, const char *value, Error *err)
{
    size_t len = strlen(value);
    if (len == 0 || strpbrk(value, "\r\n") || strchr(" \t", value[0]) || strchr(" \t", value[len - 1])) {
        error_set(err, ERR_USAGE, "the value of \"%s\" cannot be written into a configuration file", key);
        return error_hint(err, "It begins or ends with a blank, or is more than one line.");
    }
    return buf_printf(out, err, "%s = %s\n", key, value);
}

/* What a later run finds wherever it is started. To be freed. */
static char *absolute(const char *path)
{
    const char *bare = strncmp(path, "dir:", 4) == 0 ? path + 4 : path;
    char *found = strstr(bare, "://") ? NULL : realpath(bare, NULL);
    return found ? found : xstrdup(path);
}

static bool is_path(OptionId id)
{
    return id == OPT_KEY_FILE || id == OPT_S3_CA;
}

/* How the repository was reached now is how it will be reached then. */
static int add_storage(const Options *options, Buf *out, Error *err)
{
    for (OptionId id = 0; id < OPT_COUNT; id++) {
        const OptionSpec *spec = &option_specs[id];
        const OptionValue *value = &options->values[id];
        if (!(spec->sections & IN_REPOSITORY) || spec->secret || id == OPT_REPO || value->source < SOURCE_ENVIRONMENT)
            continue;
        _cleanup_free_ char *path = is_path(id) ? absolute(options_text(options, id)) : NULL;
        const char *text = path ? path : spec->type == OPTION_FLAG ? (value->flag ? "yes" : "no") : value->list.v[0];
        if (add_key(out, spec->name, text, err) < 0)
            return -1;
    }
    return 0;
}

static int add_repository(const Session *session, NewConfig *config, Error *err)
{
    const char *given = options_text(session->options, OPT_REPO);
    if (session->repo == NULL)
        return 0;
    const ConfigSection *known = find_location(session->config, given);
    config->repository = known ? xstrdup(known->name) : free_repository_name(session->config);
    if (known)
        return 0;
    _cleanup_free_ char *location = absolute(given);
    if (buf_printf(&config->text, err, "[repository %s]\n", config->repository) < 0 ||
        add_key(&config->text, "location", location, err) < 0 || add_storage(session->options, &config->text, err) < 0)
        return -1;
    if (strncmp(location, "s3:", 3) == 0 &&
        buf_append_str(&config->text,
                       _("# The key to the bucket, unless ~/.aws/credentials of the user that runs kura has it:\n"
                         "# s3-access-key = ..\n# s3-secret-key = ..\n"),
                       err) < 0)
        return -1;
    return buf_append_str(&config->text, "\n", err);
}

static int add_app(const Session *session, NewConfig *config, Error *err)
{
    const AppSite *site = session->site;
    Buf *out = &config->text;
    if (config->app[0] == 0 || strpbrk(config->app, "]\r\n") || config->app[strspn(config->app, " \t")] == 0)
        return error_set(err, ERR_USAGE, "\"%s\" cannot be the name of a section", config->app);
    if (buf_printf(out, err, "[app %s]\n", config->app) < 0 ||
        (config->repository && add_key(out, "repo", config->repository, err) < 0) ||
        buf_append_str(out, _("# Its own configuration is read at each run: database, password, directories.\n"), err) <
            0 ||
        add_key(out, "app-dir", site->dir, err) < 0 || add_key(out, "profile", site->name, err) < 0)
        return -1;
    if (options_flag(session->options, OPT_WITH_CACHE) && add_key(out, "with-cache", "yes", err) < 0)
        return -1;
    return buf_append_str(out,
                          _("# Where kura rehearse makes its scratch databases; the application's own server unless "
                            "this is set:\n# server = host=/run/postgresql user=postgres\n"),
                          err);
}

static NewConfigState state_of(const Session *session, const NewConfig *config)
{
    struct stat st;
    const char *dir = value_of(session->config, IN_APP, config->app, OPT_APP_DIR);
    _cleanup_free_ char *real = dir ? absolute(dir) : NULL, *wanted = absolute(session->site->dir);
    if (lstat(config->path, &st) < 0)
        return NEWCONFIG_SHOWN;
    return real && strcmp(real, wanted) == 0 && find_location(session->config, options_text(session->options, OPT_REPO))
               ? NEWCONFIG_THERE
               : NEWCONFIG_TO_ADD;
}

int newconfig_make(const Session *session, NewConfig *ret, Error *err)
{
    const char *path = options_text(session->options, OPT_CONFIG);
    *ret = (NewConfig){.path = xstrdup(path ? path : CONFIG_DEFAULT_PATH),
                       .app = xstrdup(session_app(session)),
                       .text = BUF_INIT(TEXT_MAX)};
    if (add_repository(session, ret, err) < 0 || add_app(session, ret, err) < 0)
        return -1;
    if (ret->repository)
        ret->state = state_of(session, ret);
    return 0;
}

/* ---- writing ---- */

static int make_parent(const char *path, Error *err)
{
    _cleanup_free_ char *copy = xstrdup(path);
    const char *dir = dirname(copy);
    if (mkdir(dir, 0755) == 0)
        return chmod(dir, 0755) < 0 ? error_errno(err, errno, "cannot set the mode of \"%s\"", dir) : 0;
    return errno == EEXIST ? 0 : error_errno(err, errno, "cannot make the directory \"%s\"", dir);
}

void newconfig_write(NewConfig *config, Findings *findings)
{
    Error why = ERROR_INIT;
    if (config->state != NEWCONFIG_SHOWN || config->repository == NULL)
        return;
    if (make_parent(config->path, &why) == 0 &&
        secret_file_create(config->path, config->text.data, config->text.len, &why) == 0)
        config->state = NEWCONFIG_WRITTEN;
    else if (why.code == ERR_EXISTS)
        config->state = NEWCONFIG_TO_ADD;
    else
        findings_add(findings, FINDING_WARNING, "configuration-not-written",
                     "Put what is shown there as root, or name another file with --config, here and from now on.", "%s",
                     why.message);
}
