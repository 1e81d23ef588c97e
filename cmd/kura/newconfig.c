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

static bool has_section(const Config *config, unsigned kind, const char *name)
{
    for (size_t i = 0; i < config->n_sections; i++)
        if (config->sections[i].kind == kind && strcmp(config->sections[i].name, name) == 0)
            return true;
    return false;
}

/* "main", "main2", .. */
static char *free_name(const Config *config, unsigned kind, const char *wanted)
{
    char *name = xstrdup(wanted);
    for (unsigned i = 2; has_section(config, kind, name); i++) {
        free(name);
        name = xasprintf("%s%u", wanted, i);
    }
    return name;
}

/* What a later run finds wherever it is started. To be freed. */
static char *absolute(const char *path)
{
    const char *bare = strncmp(path, "dir:", 4) == 0 ? path + 4 : path;
    char *found = strstr(bare, "://") ? NULL : realpath(bare, NULL);
    return found ? found : xstrdup(path);
}

static bool is_secret(const AppSite *site, const char *value)
{
    bool secret = site->database.password && strstr(value, site->database.password);
    for (size_t i = 0; i < site->n_secrets; i++)
        secret = secret || (site->secrets[i].value && strstr(value, site->secrets[i].value));
    return secret;
}

/* What the section has of the environment. Passwords are for the application's own files. */
static void list_environment(const AppSite *site, StrVec *ret)
{
    for (size_t i = 0; i < site->n_settings; i++) {
        const AppSetting *setting = &site->settings[i];
        if (setting->place.file == NULL && !is_secret(site, setting->value))
            strvec_pushf(ret, "%s=%s", setting->key, setting->value);
    }
}

static bool has_environment(const Config *config, const char *section, const StrVec *environment)
{
    size_t n = 0;
    for (size_t i = 0; i < config->n_values; i++) {
        const ConfigSection *found = &config->sections[config->values[i].section];
        if (config->values[i].spec->id != OPT_APP_ENV || strcmp(found->name, section) != 0)
            continue;
        if (!strvec_contains(environment, config->values[i].text))
            return false;
        n++;
    }
    return n == environment->n;
}

/* Whether the section is that of the session's application: one directory may have the code of several. */
static bool is_section_of(const Session *session, const char *section, const StrVec *environment)
{
    const char *dir = value_of(session->config, IN_APP, section, OPT_APP_DIR);
    _cleanup_free_ char *real = dir ? absolute(dir) : NULL, *wanted = absolute(session->site->dir);
    return real && strcmp(real, wanted) == 0 && has_environment(session->config, section, environment);
}

static char *name_of_app(const Session *session, const StrVec *environment)
{
    const Config *config = session->config;
    if (options_given(session->options, OPT_APP))
        return xstrdup(session_app(session));
    for (size_t i = 0; i < config->n_sections; i++)
        if (config->sections[i].kind == IN_APP && is_section_of(session, config->sections[i].name, environment))
            return xstrdup(config->sections[i].name);
    return free_name(config, IN_APP, session_app(session));
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
    config->repository = known ? xstrdup(known->name) : free_name(session->config, IN_REPOSITORY, "main");
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

static int add_app(const Session *session, NewConfig *config, const StrVec *environment, Error *err)
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
    for (size_t i = 0; i < environment->n; i++)
        if (add_key(out, "app-env", environment->v[i], err) < 0)
            return -1;
    if (options_flag(session->options, OPT_WITH_CACHE) && add_key(out, "with-cache", "yes", err) < 0)
        return -1;
    return buf_append_str(out,
                          _("# Where kura rehearse makes its scratch databases; the application's own server unless "
                            "this is set:\n# server = host=/run/postgresql user=postgres\n"),
                          err);
}

static NewConfigState state_of(const Session *session, const NewConfig *config, const StrVec *environment)
{
    struct stat st;
    if (lstat(config->path, &st) < 0)
        return NEWCONFIG_SHOWN;
    return is_section_of(session, config->app, environment) &&
                   find_location(session->config, options_text(session->options, OPT_REPO))
               ? NEWCONFIG_THERE
               : NEWCONFIG_TO_ADD;
}

int newconfig_make(const Session *session, NewConfig *ret, Error *err)
{
    const char *path = options_text(session->options, OPT_CONFIG);
    _cleanup_(strvec_done) StrVec environment = {0};
    list_environment(session->site, &environment);
    *ret = (NewConfig){.path = xstrdup(path ? path : CONFIG_DEFAULT_PATH),
                       .app = name_of_app(session, &environment),
                       .text = BUF_INIT(TEXT_MAX)};
    if (add_repository(session, ret, err) < 0 || add_app(session, ret, &environment, err) < 0)
        return -1;
    if (ret->repository)
        ret->state = state_of(session, ret, &environment);
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
